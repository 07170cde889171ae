"""`where`s that keep records apart, and those that do not or of which nothing proves it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from greylag.core.mapping.apart import apart
from greylag.core.mapping.where import compile_where
from greylag.core.values import Decimal128, ObjectId

APART: list[tuple[Any, Any]] = [
    ("a", "b"),
    ("a", {"in": ["b", "c"]}),
    ("a", {"ne": "a"}),
    ({"in": ["a", "b"]}, {"not_in": ["b", "c", "a"]}),
    (1, 2),
    (1, 1.5),
    (1, "1"),
    (True, 1),
    (True, False),
    (None, "a"),
    ("a", {"exists": False}),
    ({"gte": 5}, {"exists": False}),
    ({"exists": True}, {"exists": False}),
    ({"lt": 18}, {"gte": 18}),
    ({"lte": 17.5}, {"gte": 18, "lt": 65}),
    (5, {"lt": 5}),
    (5, {"gt": 9}),
    (5, {"lt": "b"}),
    ("2026-01-01", "draft"),
]
NOT_PROVEN: list[tuple[Any, Any]] = [
    ("a", "a"),
    ("a", {"in": ["a", "b"]}),
    ("a", {"ne": "b"}),
    ({"ne": "a"}, {"ne": "b"}),
    (1, 1.0),
    (True, True),
    ("2026-01-01", "2026-01-01T00:00:00Z"),
    ("2026-01-01", date(2026, 1, 1)),
    ({"lte": 18}, {"gte": 18}),
    ({"gt": 1}, {"gt": 2}),
    ({"ne": "a"}, {"exists": False}),
    ({"in": ["a", "b"]}, {"not_in": ["a"]}),
    ({"lt": "b"}, {"gt": "a"}),
]
VALUES: list[Any] = [
    *("a", "b", "c", "1", "2026-01-01", "2026-01-01T00:00:00Z", "draft"),
    *(0, 1, 1.0, 1.5, 2, 5, 17.5, 18, 18.0, 65, True, False, None),
    *(Decimal128("18"), ObjectId(b"a" * 12), [], {}),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_no_record_passes_both(one: Any, other: Any) -> None:
    assert apart({"kind": one}, {"kind": other})
    assert apart({"kind": other, "b": 1}, {"kind": one, "b": 1})
    tests = [compile_where({"kind": each}) for each in (one, other)]
    records: list[Any] = [{}, *({"kind": value} for value in VALUES)]
    for record in records:
        assert not all(each is None or each(record) for each in tests), record


@pytest.mark.parametrize(("one", "other"), NOT_PROVEN)
def test_some_record_may_pass_both(one: Any, other: Any) -> None:
    assert not apart({"kind": one}, {"kind": other})
    assert not apart({"kind": other}, {"kind": one})


def test_conditions_on_different_fields_prove_nothing() -> None:
    assert not apart({"a": 1}, {"b": 2})
    assert not apart({}, {"a": 1})
    assert not apart({}, {})
