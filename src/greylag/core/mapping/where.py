"""`where:` decides which records a flow carries; all its conditions must hold.

A condition is a path and a value (`status: active`), or a path and operators (`age: {gte: 18, lt: 65}`):

=====================  =====================================================================================
`eq`, `in`             the field's value is (one of) the given; null is null only, missing equals nothing
`ne`, `not_in`         exactly where `eq`, `in` do not hold: also for missing fields and values of other types
`gt` `gte` `lt` `lte`  the field's value compares so with the given; never for missing, null, or another type
`exists`               true: the field is there, null included; false: it is missing
`type`                 the field's value has this type, or one of these: the names `types:` has
=====================  =====================================================================================

Numbers compare by value whatever their form (1 is 1.0 is Int64(1)), exactly; a number with a fraction
compares with doubles as the double nearest to it, so that 0.1 finds both. Text compares by code point; it
also finds an ObjectId by its 24 digits and a UUID by its text. Dates compare as moments: a date in the YAML
with dates and with ISO 8601 text, ISO 8601 text in the YAML with dates as a moment and with text as text;
what names no zone is UTC. Everything else is of another type: true is not 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from greylag.core.mapping.errors import MappingError, nearest
from greylag.core.mapping.moments import microseconds, moment
from greylag.core.mapping.text import UNFILLED, text_of
from greylag.core.mapping.types import TYPE_RULES, path_at
from greylag.core.paths import EACH, MISSING, Missing, get
from greylag.core.values import Binary, DistantDate, ObjectId, is_number, type_name

if TYPE_CHECKING:
    from greylag.core.values import Document, Value

Test: TypeAlias = "Callable[[Value | Missing], bool]"
# -1, 0 or 1 as the value is below, at or above the constant; None where they do not compare.
Compare: TypeAlias = "Callable[[Value | Missing], int | None]"


def compile_where(where: Mapping[str, Any]) -> Callable[[Document], bool] | None:
    """Whether a record's fields pass; None where all do. Raises MappingError."""
    tests = [test for text, condition in where.items() for test in _conditions(text, condition)]
    if not tests:
        return None

    def passes(fields: Document) -> bool:
        return all(test(get(fields, path)) for path, test in tests)

    return passes


def _conditions(text: str, condition: Any) -> list[tuple[Any, Test]]:
    place = f"where.{text}"
    path = path_at(text, place)
    if EACH in path:
        raise MappingError(
            place, "`[]` names many values, a condition looks at one", "use `python:` to choose records"
        )
    if not isinstance(condition, Mapping):
        return [(path, _equal(condition, place))]
    if not condition:
        raise MappingError(place, "has no operator", f"write one of {', '.join(_OPERATORS)}")
    tests = []
    for name, constant in condition.items():
        if name not in _OPERATORS:
            raise MappingError(place, f"there is no operator `{name}`", nearest(str(name), _OPERATORS))
        tests.append((path, _OPERATORS[name](constant, f"{place}.{name}")))
    return tests


def _equal(constant: Any, place: str) -> Test:
    compare = _compare(constant, place)
    return lambda value: compare(value) == 0


def _one_of(constants: Any, place: str) -> Test:
    if not isinstance(constants, list | tuple) or not constants:
        raise MappingError(place, "needs a list of values", "write for example `in: [active, invited]`")
    compares = [_compare(each, place) for each in constants]
    return lambda value: any(compare(value) == 0 for compare in compares)


def _not(operator: Callable[[Any, str], Test]) -> Callable[[Any, str], Test]:
    def build(constant: Any, place: str) -> Test:
        test = operator(constant, place)
        return lambda value: not test(value)

    return build


def _ordered(holds: Callable[[int], bool]) -> Callable[[Any, str], Test]:
    def build(constant: Any, place: str) -> Test:
        if constant is None or isinstance(constant, bool):
            raise MappingError(place, "null, true and false have no order", "use `eq` or `ne`")
        compare = _compare(constant, place)

        def test(value: Value | Missing) -> bool:
            order = compare(value)
            return order is not None and holds(order)

        return test

    return build


def _exists(constant: Any, place: str) -> Test:
    if not isinstance(constant, bool):
        raise MappingError(place, "is true or false", "write `exists: true`")
    return lambda value: (value is not MISSING) is constant


def _type(constant: Any, place: str) -> Test:
    names = constant if isinstance(constant, list | tuple) else [constant]
    for name in names:
        if name not in _TYPES:
            raise MappingError(place, f"there is no type `{name}`", nearest(str(name), _TYPES))
    wanted = frozenset("int" if name == "int32" else name for name in names)

    def test(value: Value | Missing) -> bool:
        if isinstance(value, Missing):
            return False
        return type_name(value) in wanted or (
            "uuid" in wanted and isinstance(value, Binary) and value.subtype == 4
        )

    return test


_TYPES = TYPE_RULES - {"date:ms", "date:s"}
_OPERATORS: dict[str, Callable[[Any, str], Test]] = {
    "eq": _equal,
    "ne": _not(_equal),
    "in": _one_of,
    "not_in": _not(_one_of),
    "gt": _ordered(lambda order: order > 0),
    "gte": _ordered(lambda order: order >= 0),
    "lt": _ordered(lambda order: order < 0),
    "lte": _ordered(lambda order: order <= 0),
    "exists": _exists,
    "type": _type,
}


def _compare(constant: Any, place: str) -> Compare:
    if constant is None:
        return lambda value: 0 if value is None else None
    if isinstance(constant, bool):
        return lambda value: 0 if value is constant else None
    if isinstance(constant, int | float | Decimal):
        return _compare_number(constant, place)
    if isinstance(constant, str):
        return _compare_text(constant)
    if isinstance(constant, date):
        return _compare_moment(microseconds(constant))
    raise MappingError(
        place,
        f"cannot compare with a {type(constant).__name__}",
        "compare with text, a number, true, false, null or a date; `in` takes a list of them",
    )


def _sign(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _compare_number(constant: float | Decimal, place: str) -> Compare:
    exact = Decimal(float.__repr__(constant)) if isinstance(constant, float) else Decimal(constant)
    if not exact.is_finite():
        raise MappingError(place, f"cannot compare with {constant}", "choose such records with `python:`")
    # A whole number is compared exactly with doubles too; one with a fraction as the double YAML stands for.
    for_doubles: Any = exact if exact == exact.to_integral_value() else float(exact)

    def compare(value: Value | Missing) -> int | None:
        if isinstance(value, Missing) or not is_number(value):
            return None
        if isinstance(value, float):
            return None if value != value else _sign(value, for_doubles)  # noqa: PLR0124
        return None if isinstance(value, Decimal) and value.is_nan() else _sign(value, exact)

    return compare


def _compare_text(constant: str) -> Compare:
    named = moment(constant)
    when = None if named is None else microseconds(named)

    def compare(value: Value | Missing) -> int | None:
        if isinstance(value, str):
            return _sign(value, constant)
        if isinstance(value, ObjectId | Binary):
            text = text_of(value)
            return None if text is UNFILLED else _sign(text, constant)
        found = None if when is None else _microseconds(value)
        return None if found is None else _sign(found, when)

    return compare


def _compare_moment(when: int) -> Compare:
    def compare(value: Value | Missing) -> int | None:
        named = moment(value) if isinstance(value, str) else None
        found = _microseconds(value) if named is None else microseconds(named)
        return None if found is None else _sign(found, when)

    return compare


def _microseconds(value: Value | Missing) -> int | None:
    if isinstance(value, datetime):
        return microseconds(value)
    return value.milliseconds * 1000 if isinstance(value, DistantDate) else None
