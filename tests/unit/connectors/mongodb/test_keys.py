"""Keys of documents: equal where MongoDB takes two `_id` for one, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from greylag.connectors.mongodb.keys import key_bytes, key_of
from greylag.connectors.mongodb.wire import encode_document
from greylag.core.values import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Symbol, Timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.values import Value

ONE: list[Sequence[Value]] = [
    [1, 1.0, Int64(1), Decimal128("1"), Decimal128("1.000"), Decimal128("10E-1")],
    [0, 0.0, -0.0, Int64(0), Decimal128("0"), Decimal128("-0"), Decimal128("0E+6000")],
    [-5, -5.0, Decimal128("-5.0")],
    [Int64(2**31), 2.0**31, Decimal128("2147483648")],
    [Int64(2**53), 2.0**53],
    [Int64(10**18), 1e18, Decimal128("1E+18")],
    [1e300, float(10**300)],
    [2.0**70, Decimal128("1180591620717411303424")],
    [0.5, Decimal128("0.5"), Decimal128("0.50")],
    [0.1],
    [Decimal128("0.1"), Decimal128("0.10")],
    [Decimal128("1E+6000"), Decimal128("10E+5999")],
    [float("nan"), Decimal128("NaN")],
    [float("inf"), Decimal128("Infinity")],
    [float("-inf"), Decimal128("-Infinity")],
    ["1"],
    ["a", Symbol("a")],
    [""],
    [None],
    [True],
    [False],
    [b"a"],
    [Binary(b"a", 4)],
    [Binary(b"a", 3)],
    [ObjectId(bytes(12))],
    [Timestamp(0, 0)],
    [datetime(1970, 1, 1, tzinfo=UTC)],
    [MinKey()],
    [MaxKey()],
    [Code("a")],
    [Code("a", {})],
    [{}],
    [{"a": 1, "b": 2}, {"a": 1.0, "b": Decimal128("2.0")}],
    [{"b": 2, "a": 1}],
    [{"a": {"b": 1}}, {"a": {"b": Int64(1)}}],
    [{"a": [1, [2.0]]}, {"a": [1.0, [2]]}],
    [{"a": "b"}],
    [{"ab": ""}],
]


@pytest.mark.parametrize("alike", ONE, ids=repr)
def test_values_that_are_one_id_have_one_key(alike: Sequence[Value]) -> None:
    assert len({key_bytes(each) for each in alike}) == 1


def test_values_that_are_different_ids_have_different_keys() -> None:
    assert len({key_bytes(alike[0]) for alike in ONE}) == len(ONE)


@pytest.mark.parametrize("value", [each for alike in ONE for each in alike], ids=repr)
def test_the_key_of_a_document_is_that_of_its_id(value: Value) -> None:
    assert key_of(encode_document({"_id": value, "other": 1})) == key_bytes(value)
    assert key_of(encode_document({"other": {"_id": 7}, "_id": value})) == key_bytes(value)


def test_a_document_without_an_id_has_no_key() -> None:
    assert key_of(encode_document({"other": 1})) is None
