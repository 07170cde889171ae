from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from greylag.core.mapping.text import UNFILLED, text_of
from greylag.core.paths import MISSING
from greylag.core.values import (
    TYPE_NAMES,
    Binary,
    Code,
    DBPointer,
    Decimal128,
    DistantDate,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
)

if TYPE_CHECKING:
    from greylag.core.values import Value

OBJECT_ID = "65a1b2c3d4e5f60718293a4b"
A_UUID = "00112233-4455-6677-8899-aabbccddeeff"

HAS_TEXT: list[tuple[Value, str]] = [
    ("", ""),
    ("as it is {}", "as it is {}"),
    (1, "1"),
    (-5, "-5"),
    (10**60, "1" + "0" * 60),
    (Int64(1), "1"),
    (1.0, "1.0"),
    (0.1, "0.1"),
    (1e16, "1e+16"),
    (0.0, "0.0"),
    (Decimal("1.50"), "1.50"),
    (Decimal("1E+2"), "1E+2"),
    (Decimal128("1.50"), "1.50"),
    (True, "true"),
    (False, "false"),
    (ObjectId.from_hex(OBJECT_ID), OBJECT_ID),
    (datetime(2024, 1, 31, 10, tzinfo=UTC), "2024-01-31T10:00:00.000Z"),
    (datetime(1, 1, 1, 0, 0, 0, 1000, tzinfo=UTC), "0001-01-01T00:00:00.001Z"),
    (Binary(UUID(A_UUID).bytes, 4), A_UUID),
]
HAS_NONE: list[Value] = [
    None,
    -0.0,
    float("nan"),
    float("inf"),
    Decimal("-0.0"),
    Decimal128("NaN"),
    Decimal128("sNaN"),
    Decimal128("-Infinity"),
    b"bytes",
    Binary(b"0123456789abcdef", 3),
    Binary(b"short", 4),
    [],
    ["a"],
    {},
    {"a": 1},
    DistantDate(10**15),
    Regex("a"),
    Timestamp(1, 1),
    Code("x"),
    DBPointer("a.b", ObjectId.from_hex(OBJECT_ID)),
    Symbol("x"),
    Undefined(),
    MinKey(),
    MaxKey(),
    10**4000,
]


@pytest.mark.parametrize(("value", "text"), HAS_TEXT)
def test_values_with_a_text(value: Value, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize("value", HAS_NONE, ids=lambda value: type(value).__name__)
def test_values_without_one(value: Value) -> None:
    assert text_of(value) is UNFILLED


def test_missing_has_none() -> None:
    assert text_of(MISSING) is UNFILLED


def test_every_type_is_decided() -> None:
    assert {type(value) for value, _ in HAS_TEXT} | {type(value) for value in HAS_NONE} == set(TYPE_NAMES)
