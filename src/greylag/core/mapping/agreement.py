"""Whether an item is what a mapping would make, as far as a target keeps the types of what templates wrote."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.core.extended_json import to_extended
from greylag.core.mapping.text import text_of
from greylag.core.values import Binary, ObjectId, identical, is_number, type_name

if TYPE_CHECKING:
    from greylag.core.values import Document, Value


def disagreement(expected: Document, found: Document) -> str | None:
    """In what the item `found` is not `expected`, in words; None where it is that."""
    for name in sorted(found.keys() - expected.keys()):
        return f"attribute `{name}` is one that the mapping would not write here"
    for name, value in expected.items():
        if name not in found:
            return f"attribute `{name}` is missing: the mapping would derive {_shown(value)}"
        if not same(value, found[name]):
            return f"attribute `{name}` is {_shown(found[name])}: the mapping would derive {_shown(value)}"
    return None


def same(expected: Value, found: Value) -> bool:
    """Whether `found` is `expected` as a target that keeps no hint for it gives it back."""
    if is_number(expected):
        return is_number(found) and _exact(expected) == _exact(found)
    if isinstance(expected, ObjectId | datetime):
        return found == expected or found == text_of(expected)
    if isinstance(expected, Binary):
        return isinstance(found, bytes) and bytes(found) == bytes(expected)
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(same(one, other) for one, other in zip(expected, found, strict=True))
        )
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(value, found[name]) for name, value in expected.items())
        )
    return identical(expected, found) or (isinstance(found, dict) and to_extended(expected) == found)


def _exact(value: int | float | Decimal) -> Decimal | str:  # noqa: PYI041 - a float is told apart
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return "NaN" if number.is_nan() else number


def _shown(value: Value) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type_name(value)})"
