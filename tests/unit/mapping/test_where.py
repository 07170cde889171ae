from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from greylag.core.values import Binary, Decimal128, DistantDate, Int64, ObjectId, Regex
from tests.unit.mapping.flows import apply, error, mapping

HEX = "65a1b2c3d4e5f60718293a4b"
A_UUID = "00112233-4455-6677-8899-aabbccddeeff"
GONE = object()
NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)

CASES: list[tuple[Any, Any, bool]] = [
    # condition, the field's value, whether it passes
    ("a", "a", True),
    ("a", "A", False),
    ("a", GONE, False),
    ("a", None, False),
    (None, None, True),
    (None, GONE, False),
    (None, False, False),
    (True, True, True),
    (True, 1, False),
    (1, True, False),
    (1, 1, True),
    (1, Int64(1), True),
    (1, 1.0, True),
    (1, Decimal("1.00"), True),
    (1, Decimal128("1.00"), True),
    (1, "1", False),
    ("1", 1, False),
    (0.1, 0.1, True),
    (0.1, Decimal("0.1"), True),
    (Decimal("0.1"), 0.1, True),
    (0.1, Decimal("0.1000000000000000055511151231257827"), False),
    (2**53 + 1, float(2**53), False),
    (0, -0.0, True),
    (1, float("nan"), False),
    (1, Decimal128("sNaN"), False),
    (HEX, ObjectId.from_hex(HEX), True),
    (A_UUID, Binary(UUID(A_UUID).bytes, 4), True),
    ("a", b"a", False),
    ("a", ["a"], False),
    ({"eq": "a"}, "a", True),
    ({"ne": "a"}, "a", False),
    ({"ne": "a"}, "b", True),
    ({"ne": "a"}, GONE, True),
    ({"ne": "a"}, None, True),
    ({"ne": "a"}, 5, True),
    ({"ne": None}, None, False),
    ({"ne": None}, GONE, True),
    ({"in": ["a", 1, None]}, "a", True),
    ({"in": ["a", 1, None]}, 1.0, True),
    ({"in": ["a", 1, None]}, None, True),
    ({"in": ["a", 1, None]}, GONE, False),
    ({"in": ["a", 1, None]}, True, False),
    ({"not_in": ["a", 1]}, "a", False),
    ({"not_in": ["a", 1]}, GONE, True),
    ({"gt": 1}, 2, True),
    ({"gt": 1}, 1, False),
    ({"gt": 1}, GONE, False),
    ({"gt": 1}, None, False),
    ({"gt": 1}, "2", False),
    ({"gt": 1}, True, False),
    ({"gt": 1}, float("inf"), True),
    ({"gt": 1}, float("nan"), False),
    ({"lte": 1}, float("nan"), False),
    ({"gte": 1}, Decimal("1.0"), True),
    ({"lt": 2**53 + 1}, float(2**53), True),
    ({"lt": "b"}, "a", True),
    ({"lte": "b"}, "b", True),
    ({"gte": 18, "lt": 65}, 18, True),
    ({"gte": 18, "lt": 65}, 65, False),
    ({"exists": True}, None, True),
    ({"exists": True}, GONE, False),
    ({"exists": False}, GONE, True),
    ({"exists": False}, None, False),
    ({"type": "string"}, "a", True),
    ({"type": "string"}, GONE, False),
    ({"type": ["int", "int64"]}, Int64(1), True),
    ({"type": "int32"}, 1, True),
    ({"type": "int"}, True, False),
    ({"type": "null"}, None, True),
    ({"type": "uuid"}, Binary(bytes(16), 4), True),
    ({"type": "uuid"}, Binary(bytes(16), 5), False),
    ({"type": "binary"}, Binary(bytes(16), 4), True),
    ({"type": "regex"}, Regex("a"), True),
    ("2024-01-31T12:00:00Z", NOON, True),
    ("2024-01-31T13:00:00+01:00", NOON, True),
    ("2024-01-31T12:00:00Z", "2024-01-31T12:00:00.000Z", False),
    ({"gte": "2024-01-31"}, NOON, True),
    ({"gte": "2024-02"}, NOON, False),
    ({"lt": "2024-01-31"}, DistantDate(-(10**15)), True),
    ({"gte": date(2024, 1, 31)}, NOON, True),
    ({"gt": NOON}, NOON, False),
    ({"eq": datetime(2024, 1, 31, 12)}, NOON, True),  # noqa: DTZ001 - as YAML gives it
    ({"eq": NOON}, "2024-01-31T12:00:00.000Z", True),
    ({"gte": date(2024, 1, 31)}, "2024-01-31", True),
    ({"gte": date(2024, 1, 31)}, "2024-01-30T23:59:59Z", False),
    ({"gte": date(2024, 1, 31)}, "tomorrow", False),
    ({"gte": date(2024, 1, 31)}, 5, False),
]


@pytest.mark.parametrize(("condition", "value", "passes"), CASES)
@pytest.mark.parametrize("path", ["x", "a.b"])
def test_conditions(path: str, condition: Any, value: Any, passes: bool) -> None:
    held: Any = {} if value is GONE else {"x": value} if path == "x" else {"a": {"b": value}}
    assert bool(apply(mapping({"PK": "a"}, where={path: condition}), held)) is passes


def test_all_conditions_hold() -> None:
    compiled = mapping({"PK": "a"}, where={"x": 1, "y": 2})
    assert apply(compiled, {"x": 1, "y": 2})
    assert not apply(compiled, {"x": 1})
    assert not apply(compiled, {"y": 2})


def test_a_record_left_out_is_never_refused() -> None:
    assert apply(mapping({"PK": "{gone}"}, where={"x": 1}), {}) == []


@pytest.mark.parametrize(
    ("where", "message", "advice"),
    [
        ({"x": {"eqq": 1}}, "no operator `eqq`", "`eq`"),
        ({"x": {}}, "no operator", "eq"),
        ({"x": [1]}, "cannot compare with a list", "`in`"),
        ({"x": {"in": 1}}, "needs a list", "in:"),
        ({"x": {"in": []}}, "needs a list", "in:"),
        ({"x": {"gt": True}}, "no order", "eq"),
        ({"x": {"gt": None}}, "no order", "eq"),
        ({"x": {"exists": 1}}, "true or false", "exists"),
        ({"x": {"type": "strin"}}, "no type `strin`", "`string`"),
        ({"x": float("inf")}, "cannot compare with inf", ""),
        ({"x[]": 1}, "many values", "python"),
        ({"x..y": 1}, "is not a path", "address.city"),
    ],
)
def test_malformed(where: Any, message: str, advice: str) -> None:
    found = error(where=where)
    assert found.where.startswith("where.")
    assert message in found.message
    assert advice in found.advice
