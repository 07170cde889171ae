"""Which items of a table are a flow's own (law 11): those that match its key templates and its constants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from greylag.core.mapping.text import text_of
from greylag.core.values import ObjectId, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from greylag.core.mapping.columns import Column
    from greylag.core.values import Document, Value


@dataclass(frozen=True, slots=True)
class Constant:
    """An attribute that is always this value. Numbers match by value: a target may forget their form."""

    value: Value

    def matches(self, value: Value) -> bool:
        """Whether `value` is the constant."""
        if is_number(self.value):
            return is_number(value) and _exact(value) == _exact(self.value)
        return type(value) is type(self.value) and value == self.value


@dataclass(frozen=True, slots=True)
class Shape:
    """A key attribute made by a template: its type (S, N, B; None if the field's value decides) and its
    literals.

    `literals` are the texts before, between and after the placeholders, each of which stands for at least one
    character; a lone placeholder has the literals ("", ""). `any_value`: the field's value as it is, of any type.
    """

    key_type: str | None
    literals: tuple[str, ...] = ("", "")
    any_value: bool = False

    def matches(self, value: Value) -> bool:
        """Whether the template could have made `value`; an ObjectId or a date is taken as its text, as targets do."""
        if self.any_value:
            return True
        if isinstance(value, ObjectId | datetime):
            value = str(text_of(value))
        if not isinstance(value, str):
            kind = "N" if is_number(value) else "B" if isinstance(value, bytes) else None
            return kind is not None and self.key_type in {None, kind}
        if self.key_type not in {None, "S"}:
            return False
        first, *between, last = self.literals
        place, end = len(first), len(value) - len(last)
        if not (value.startswith(first) and value.endswith(last)):
            return False
        for literal in between:
            place = value.find(literal, place + 1, end)
            if place < 0:
                return False
            place += len(literal)
        return place < end


Pattern: TypeAlias = Constant | Shape


@dataclass(frozen=True, slots=True)
class ItemClaim:
    """The claim of one kind of item: of a flow's records, or of one split's elements."""

    patterns: tuple[tuple[str, Pattern], ...]
    key: tuple[str, ...]

    def matches(self, attributes: Document) -> bool:
        """Whether every pattern's attribute is there and matches."""
        return all(
            name in attributes and pattern.matches(attributes[name]) for name, pattern in self.patterns
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What a flow owns in its table: the items that match one of `alternatives`."""

    alternatives: tuple[ItemClaim, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that `matches` looks at, key attributes first."""
        found: dict[str, None] = dict.fromkeys(name for each in self.alternatives for name in each.key)
        found.update(dict.fromkeys(name for each in self.alternatives for name, _ in each.patterns))
        return tuple(found)

    def matches(self, attributes: Document) -> bool:
        """Whether an item with these `attributes` (of which only `names` matter) is the flow's."""
        return any(each.matches(attributes) for each in self.alternatives)


def item_claim(columns: Iterable[Column], key: tuple[str, ...]) -> ItemClaim:
    """The claim of items with these columns."""
    patterns: list[tuple[str, Pattern]] = []
    for column in columns:
        if column.template is None:
            patterns.append((column.name, Constant(column.constant)))
        elif column.name in key:
            patterns.append((column.name, _shape(column)))
    return ItemClaim(tuple(patterns), key)


def overlaps(one: Claim, other: Claim) -> bool:
    """Whether an item could match both claims, as far as the patterns tell: False is proof, True is not."""
    return any(not _disjoint(a, b, keys_only=False) for a in one.alternatives for b in other.alternatives)


def keys_disjoint(one: Claim, other: Claim) -> bool:
    """Whether no item of one can have the key of an item of the other: True is proof, False is not."""
    return all(_disjoint(a, b, keys_only=True) for a in one.alternatives for b in other.alternatives)


def item_keys_disjoint(one: ItemClaim, other: ItemClaim) -> bool:
    """`keys_disjoint` of two kinds of items."""
    return _disjoint(one, other, keys_only=True)


def _disjoint(one: ItemClaim, other: ItemClaim, *, keys_only: bool) -> bool:
    others = dict(other.patterns)
    return any(
        name in others and _apart(pattern, others[name])
        for name, pattern in one.patterns
        if not keys_only or (name in one.key and name in other.key)
    )


def _apart(one: Pattern, other: Pattern) -> bool:
    if isinstance(one, Constant):
        return not other.matches(one.value)
    if isinstance(other, Constant):
        return not one.matches(other.value)
    if one.key_type and other.key_type and one.key_type != other.key_type:
        return True
    # Only a string has literals, so differing literals tell apart whatever a lone field turns out to be.
    starts = one.literals[0], other.literals[0]
    ends = one.literals[-1], other.literals[-1]
    return not (
        (starts[0].startswith(starts[1]) or starts[1].startswith(starts[0]))
        and (ends[0].endswith(ends[1]) or ends[1].endswith(ends[0]))
    )


def _shape(column: Column) -> Shape:
    assert column.template is not None
    literals = [""]
    for part in column.template.parts:
        if isinstance(part, str):
            literals[-1] += part
        else:
            literals.append("")
    return Shape(column.key_type, tuple(literals), column.any_type and column.template.raw is not None)


def _exact(value: int | float | Decimal) -> Decimal:  # noqa: PYI041 - a float is told apart
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
