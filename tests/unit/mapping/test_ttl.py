from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.flows import TtlSpec
from greylag.core.records import Record
from greylag.core.values import Decimal128, DistantDate, Int64
from tests.unit.mapping.flows import apply, error, mapping, refused

if TYPE_CHECKING:
    from greylag.core.values import Value

KEY = {"PK": "a"}
AT = datetime(2024, 1, 31, 10, 0, 0, 999000, tzinfo=UTC)
SECONDS = 1706695200


def test_the_attribute_gets_seconds() -> None:
    [item] = mapping(KEY, ttl=TtlSpec("expires", "seen.at", 60)).apply(Record(0, {"seen": {"at": AT}}))
    assert item.attributes == {"PK": "a", "expires": SECONDS + 60, "seen": {"at": AT}}
    assert item.derived == {"PK", "expires"}


@pytest.mark.parametrize(
    ("value", "rule", "seconds"),
    [
        ("2024-01-31T11:00:00+01:00", None, SECONDS),
        ("2024-01-31T10:00:00.5Z", None, SECONDS),
        (SECONDS, "date:s", SECONDS),
        (Int64(SECONDS * 1000 + 5), "date:ms", SECONDS),
        (Decimal("1.9"), "date:s", 1),
        (-0.5, "date:s", -1),
        (DistantDate(-(10**15) - 1), None, -(10**12) - 1),
        (5, None, None),
        ("2024-01-31T10:00:00", None, None),
        ("soon", None, None),
        (float("nan"), "date:s", None),
        (Decimal128("sNaN"), "date:s", None),
        (Decimal("1e999999"), "date:s", None),
        (True, "date:s", None),
        ([], None, None),
    ],
)
def test_what_is_a_date(value: Value, rule: str | None, seconds: int | None) -> None:
    compiled = mapping(KEY, ttl=TtlSpec("expires", "at"), types={"at": rule} if rule else {})
    if seconds is None:
        assert "ttl: `at` is of type" in refused(compiled, {"at": value})
    else:
        assert apply(compiled, {"at": value})[0]["expires"] == seconds


@pytest.mark.parametrize("fields", [{}, {"at": None}])
def test_no_date_no_expiry(fields: Any) -> None:
    [item] = mapping(KEY, ttl=TtlSpec("expires", "at")).apply(Record(0, fields))
    assert item.attributes == {"PK": "a", **fields}
    assert item.derived == {"PK"}


def test_the_field_itself_is_carried_by_a_rule() -> None:
    compiled = mapping(KEY, ttl=TtlSpec("until", "at"), rename={"at": "until"}, types={"x": "int"})
    assert compiled.spec.types == {"x": "int", "at": "date:s"}
    assert compiled.types == {"x": "int", "until": "date:s"}
    [item] = compiled.apply(Record(0, {"at": AT}))
    assert item.attributes == {"PK": "a", "until": AT}
    assert item.derived == {"PK"}
    assert apply(compiled, {"at": None}) == [{"PK": "a", "until": None}]
    assert "not a date" in refused(compiled, {"at": "2024-01-31T10:00:00Z"})
    assert "not a date" in refused(compiled, {"at": SECONDS})


def test_seconds_may_be_carried_as_they_are() -> None:
    compiled = mapping(KEY, ttl=TtlSpec("at", "at"), types={"at": "date:s"})
    assert apply(compiled, {"at": SECONDS}) == [{"PK": "a", "at": SECONDS}]


def test_a_field_of_the_same_name_must_agree() -> None:
    compiled = mapping(KEY, ttl=TtlSpec("expires", "at"))
    assert "attribute `expires`" in refused(compiled, {"at": AT, "expires": 5})
    [item] = compiled.apply(Record(0, {"at": AT, "expires": SECONDS}))
    assert item.derived == {"PK"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"ttl": TtlSpec("PK", "at")}, "has a template"),
        ({"ttl": TtlSpec("at", "at", 60)}, "another moment"),
        ({"ttl": TtlSpec("at", "at"), "types": {"at": "date:ms"}}, "`types` carries `at` as date:ms"),
        ({"ttl": TtlSpec("until", "at"), "rename": {"other": "until"}}, "`rename` carries `other`"),
        ({"ttl": TtlSpec("until", "at[]")}, "many values"),
        ({"ttl": TtlSpec("until", "")}, "not a path"),
    ],
)
def test_malformed(spec: dict[str, Any], message: str) -> None:
    found = error(KEY, **spec)
    assert found.where == "ttl"
    assert message in found.message
