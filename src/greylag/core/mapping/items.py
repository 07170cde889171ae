"""One kind of item, compiled: a flow's records, or the elements of one of its splits."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from greylag.core.mapping.columns import Role
from greylag.core.mapping.filling import compile_fill, explain
from greylag.core.mapping.text import UNFILLED
from greylag.core.records import Item, Refused
from greylag.core.values import identical, type_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.mapping.carried import Carried
    from greylag.core.mapping.columns import Column
    from greylag.core.mapping.filling import Fill, Scope
    from greylag.core.mapping.templates import Template
    from greylag.core.mapping.ttl import Ttl
    from greylag.core.values import Document


Write = Callable[["Document", "Scope"], "tuple[Document, frozenset[str]]"]


def compile_item(
    columns: Sequence[Column], carried: Carried, ttl: Ttl | None = None
) -> Callable[[Document, Document, Scope], Item]:
    """A function of (the fields templates see, the fields to carry, the record or element) → the item.

    It raises Refused where the item cannot be made, and changes nothing it is given.
    """
    write = compile_write(columns)
    own_ttl = ttl if ttl and ttl.own else None
    other_ttl = ttl if ttl and not ttl.own else None
    carry = carried.compile()

    def make(fields: Document, remaining: Document, scope: Scope) -> Item:
        written, derived = write(fields, scope)
        if other_ttl is not None:
            seconds = other_ttl.seconds(fields)
            if seconds is not UNFILLED:
                written[other_ttl.attribute] = seconds
                derived |= {other_ttl.attribute}
        elif own_ttl is not None:
            own_ttl.check(fields)
        kept = carry(remaining)
        attributes = {**written, **kept}
        if len(attributes) != len(written) + len(kept):
            return Item(attributes, derived - _shared(written, kept, carried))
        return Item(attributes, derived)

    return make


def compile_write(columns: Sequence[Column]) -> Write:
    """A function of (the fields templates see, the record or element) → the attributes that templates and constants
    write, and their names. It raises Refused where one cannot be filled.
    """
    constants = constants_of(columns)
    fills, copies, checks = _plan(columns)
    always = frozenset([*constants, *(name for name, *_ in fills), *(name for name, _ in copies)])
    count = len(always)

    def write(fields: Document, scope: Scope) -> tuple[Document, frozenset[str]]:
        written = constants.copy()
        for name, fill, column, required in fills:
            value = fill(fields, scope)
            if value is not UNFILLED:
                written[name] = value
            elif required:
                raise _unfillable(column, fields, scope)
        for name, same in copies:
            written[name] = written[same]
        for column, fill in checks:
            if fill(fields, scope) is UNFILLED:
                raise _unfillable(column, fields, scope)
        return written, always if len(written) == count else frozenset(written)

    return write


def constants_of(columns: Sequence[Column]) -> Document:
    """The attributes that have one value in every item."""
    return {column.name: column.constant for column in columns if column.template is None}


def fills_of(columns: Sequence[Column]) -> list[tuple[str, Template, bool, bool]]:
    """The attributes that templates write, in the order of an item, constants before them: name, template, whether
    its value must be one a key can have, and whether it must be filled.
    """
    fills, copies, _ = _plan(columns)
    found = [(name, column, required) for name, _, column, required in fills]
    by_name = {column.name: column for column in columns}
    found += [(name, by_name[name], True) for name, _ in copies]
    return [
        (name, column.template, column.keyed, required)
        for name, column, required in found
        if column.template is not None
    ]


def _plan(
    columns: Sequence[Column],
) -> tuple[list[tuple[str, Fill, Column, bool]], list[tuple[str, str]], list[tuple[Column, Fill]]]:
    """How the columns' templates are filled: which are written (and whether they must be), which are copies
    of another attribute, and which are only checked, since the field itself is carried.
    """
    fills: list[tuple[str, Fill, Column, bool]] = []
    copies: list[tuple[str, str]] = []
    checks: list[tuple[Column, Fill]] = []
    filled: dict[tuple[Template, bool], str] = {}
    for column in columns:
        if column.template is None or (column.carried and column.role is Role.INDEX):
            continue  # a carried index field is left to the target's codec, which knows the index's type
        fill = compile_fill(column.template, keyed=column.keyed)
        same = (column.template, column.keyed)
        if column.carried:
            checks.append((column, fill))
        elif same in filled:
            copies.append((column.name, filled[same]))
        else:
            fills.append((column.name, fill, column, column.role is not Role.INDEX))
            if column.role is not Role.INDEX:  # then it is always there to be copied
                filled[same] = column.name
    return fills, copies, checks


def _unfillable(column: Column, fields: Document, scope: Scope) -> Refused:
    assert column.template is not None
    why = explain(column.template, fields, scope, keyed=column.keyed)
    what = "key attribute" if column.role is Role.KEY else "attribute"
    return Refused(
        f"{what} `{column.name}` ({column.template.text}) cannot be filled: {why}",
        "mend the record at the source, leave such records out with `where`, or choose a template that "
        "every record "
        "can fill",
        "unfillable-key" if column.role is Role.KEY else "unfillable-attribute",
    )


def _shared(written: Document, kept: Document, carried: Carried) -> frozenset[str]:
    """The attributes that a template and a carried field both write, alike.

    Raises Refused where they differ.
    """
    shared = frozenset(written.keys() & kept.keys())
    for name in sorted(shared):
        if not identical(written[name], kept[name], ordered=True):
            field = carried.source_of(name) or name
            raise Refused(
                f"attribute `{name}`: the template gives a {type_name(written[name])} that differs from "
                "the record's "
                f"own field `{field}` ({type_name(kept[name])})",
                f"give the attribute another name, or `rename` or `drop` the field `{field}`",
                "two-writers",
            )
    return shared
