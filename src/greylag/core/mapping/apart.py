"""Whether two `where:` of one dataset leave each record to one of them at most, as far as conditions prove it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from greylag.core.mapping.moments import moment

_EQUAL: Final = frozenset({"eq", "in"})
_UNEQUAL: Final = frozenset({"ne", "not_in"})
_BELOW: Final = frozenset({"lt", "lte"})
_ABOVE: Final = frozenset({"gt", "gte"})


def apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether no record passes both: True is proof, False is not."""
    return any(
        _exclude(condition, against) or _exclude(against, condition)
        for path in one.keys() & other.keys()
        for condition in _conditions(one[path])
        for against in _conditions(other[path])
    )


def _conditions(written: Any) -> list[tuple[str, list[Any]]]:
    """Each operator with the values it names."""
    told = written if isinstance(written, Mapping) else {"eq": written}
    return [(name, list(each) if isinstance(each, list | tuple) else [each]) for name, each in told.items()]


def _exclude(one: tuple[str, list[Any]], other: tuple[str, list[Any]]) -> bool:
    """Whether no value meets both, seen from the first."""
    (name, values), (against, others) = one, other
    if name == "exists" and values == [False]:
        return against in _EQUAL | _BELOW | _ABOVE | {"type"} or (against == "exists" and others == [True])
    if name in _EQUAL:
        if against in _EQUAL:
            return all(_differ(a, b) for a in values for b in others)
        if against in _UNEQUAL:
            return all(any(type(a) is type(b) and a == b for b in others) for a in values)
        if against in _BELOW | _ABOVE:
            return all(_number(a) and _outside(a, against, others[0]) for a in values)
    if name in _BELOW and against in _ABOVE and _number(values[0]) and _number(others[0]):
        high, low = _exact(values[0]), _exact(others[0])
        return high < low or (high == low and (name, against) != ("lte", "gte"))
    return False


def _differ(one: Any, other: Any) -> bool:
    """Whether no value equals both constants. Dates and text may name one moment, text may name it in two ways."""
    if _number(one) and _number(other):
        return _exact(one) != _exact(other)
    if isinstance(one, str | date) and isinstance(other, str | date):
        named = [moment(each) if isinstance(each, str) else each for each in (one, other)]
        return None in named and one != other
    return _kind(one) != _kind(other)


def _outside(value: Any, operator: str, bound: Any) -> bool:
    if not _number(bound):
        return isinstance(bound, str | date)
    found, limit = _exact(value), _exact(bound)
    return {"lt": found >= limit, "lte": found > limit, "gt": found <= limit, "gte": found < limit}[operator]


def _number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _exact(value: Any) -> Decimal:
    return Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)


def _kind(value: Any) -> str:
    return "number" if _number(value) else "text" if isinstance(value, str | date) else repr(value)
