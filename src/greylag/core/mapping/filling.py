"""Templates compiled to functions: the hot path of every flow."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from greylag.core.canonical import digest
from greylag.core.mapping.templates import Origin
from greylag.core.mapping.text import UNFILLED, WRITERS, Text, Unfilled, text_of
from greylag.core.paths import MISSING, Missing, get
from greylag.core.records import Record
from greylag.core.values import Binary, Decimal128, Int64, ObjectId, Value, is_number, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.mapping.templates import Placeholder, Template
    from greylag.core.values import Document


class Element(NamedTuple):
    """An element of a split array beside its record: `id` and `fields` are the record's.

    `value` is the element where it is not a document, MISSING where it is one.
    """

    id: Value
    fields: Document
    place: int
    value: Value | Missing


# An Element has what a Record has, so that templates read either one the same way.
Scope: TypeAlias = Record | Element
Fill: TypeAlias = "Callable[[Document, Scope], Value | Unfilled]"

_KEYABLE = frozenset({str, int, Int64, float, Decimal, Decimal128, bytes, Binary, ObjectId, datetime})


def compile_fill(template: Template, *, keyed: bool) -> Fill:
    """A function of (the fields a template sees, its record or element) → the value, or UNFILLED.

    With `keyed` the value is one a key may have: a string, number or binary, and nothing empty; a placeholder
    whose text is empty leaves the whole template unfilled.
    """
    literal = template.literal
    if literal is not None:
        return lambda _fields, _scope: literal
    lone = template.lone
    if lone is not None:
        return _lone(lone, keyed=keyed)
    plain = _single_plain_field(template)
    return _text(template, keyed=keyed) if plain is None else _text_around(template, plain, keyed=keyed)


def explain(template: Template, fields: Document, scope: Scope, *, keyed: bool) -> str:
    """Why `template` cannot be filled, in a few words."""
    for each in template.placeholders:
        value = _reader(each)(fields, scope)
        if value is MISSING or value is None:
            return f"`{each}` is {'null' if value is None else 'missing'}"
        text = _writer(each)(value)
        if keyed and (_is_empty(value) or text == ""):
            return f"`{each}` is empty"
        fill = _lone(each, keyed=keyed) if template.lone else None
        if text is UNFILLED if fill is None else fill(fields, scope) is UNFILLED:
            assert not isinstance(value, Missing)
            return (
                f"`{each}` is of type {type_name(value)} ({_shown(value)}), {_refusal(each, lone=bool(fill))}"
            )
    return "it cannot be filled"


def _is_empty(value: Value | Missing | Unfilled) -> bool:
    return isinstance(value, str | bytes) and not value


def _refusal(placeholder: Placeholder, *, lone: bool) -> str:
    if placeholder.filters:
        return f"which the filter {'|'.join(each.name for each in placeholder.filters)} does not take"
    if placeholder.force in {"N", "B"}:
        return f"which is no exact {placeholder.force}"
    return "which a key cannot be" if lone and placeholder.force is None else "which has no text"


def _shown(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _single_plain_field(template: Template) -> str | None:
    """The top-level field of a template with exactly one placeholder, which no filter changes."""
    if len(template.placeholders) != 1:
        return None
    only = template.placeholders[0]
    plain = only.origin is Origin.FIELD and len(only.path) == 1 and not only.filters
    return str(only.path[0]) if plain else None


def _text_around(template: Template, name: str, *, keyed: bool) -> Fill:
    first, last = template.parts[0], template.parts[-1]
    before = first if isinstance(first, str) else ""
    after = last if isinstance(last, str) else ""
    writers = WRITERS

    def fill(fields: Document, _scope: Scope) -> Text:
        value = fields.get(name)  # null and missing have no text, either one
        if type(value) is str:
            return before + value + after if value or not keyed else UNFILLED
        write = writers.get(type(value))
        if write is None:
            return UNFILLED
        text = write(value)
        return UNFILLED if text is UNFILLED else before + text + after

    return fill


def _text(template: Template, *, keyed: bool) -> Fill:
    steps = [part if isinstance(part, str) else (_reader(part), _writer(part)) for part in template.parts]

    def fill(fields: Document, scope: Scope) -> Text:
        out = []
        for step in steps:
            if isinstance(step, str):
                out.append(step)
                continue
            read, write = step
            text = write(read(fields, scope))
            if text is UNFILLED or (keyed and not text):
                return UNFILLED
            out.append(text)
        return "".join(out)

    return fill


def _lone(placeholder: Placeholder, *, keyed: bool) -> Fill:
    read = _reader(placeholder)
    take: Callable[[Value | Missing], Value | Unfilled]
    if placeholder.filters or placeholder.force == "S":
        take = _writer(placeholder)
    elif placeholder.force == "N":
        take = _number
    elif placeholder.force == "B":
        take = _binary
    else:
        take = _key_value if keyed else _any_value

    def fill(fields: Document, scope: Scope) -> Value | Unfilled:
        value = take(read(fields, scope))
        return UNFILLED if keyed and _is_empty(value) else value

    return fill


def _reader(placeholder: Placeholder) -> Callable[[Document, Scope], Value | Missing]:
    path = placeholder.path
    match placeholder.origin:
        case Origin.FIELD if len(path) == 1:
            name = str(path[0])
            return lambda fields, _: fields.get(name, MISSING)
        case Origin.FIELD:
            return lambda fields, _: get(fields, path)
        case Origin.PARENT:
            return lambda _, scope: get(scope.fields, path)
        case Origin.ROW:
            return lambda _, scope: scope.id if type(scope.id) is int else MISSING
        case Origin.DIGEST:
            return lambda _, scope: digest(scope.fields)
        case Origin.INDEX:
            return lambda _, scope: scope.place  # type: ignore[union-attr]
        case Origin.VALUE:
            return lambda _, scope: scope.value  # type: ignore[union-attr]


def _writer(placeholder: Placeholder) -> Callable[[Value | Missing], Text]:
    filters = placeholder.filters
    if not filters:
        return text_of
    if len(filters) == 1:
        return filters[0].apply

    def write(value: Value | Missing) -> Text:
        text = filters[0].apply(value)
        for each in filters[1:]:
            text = text if text is UNFILLED else each.apply(text)
        return text

    return write


def _any_value(value: Value | Missing) -> Value | Unfilled:
    return UNFILLED if isinstance(value, Missing) else value


def _key_value(value: Value | Missing) -> Value | Unfilled:
    return value if type(value) in _KEYABLE else UNFILLED  # type: ignore[return-value]


def _binary(value: Value | Missing) -> Value | Unfilled:
    return value if isinstance(value, bytes) else UNFILLED


# A number as it is written back from N: no sign of zero, no leading or trailing zeros, no exponent.
_NUMBER = re.compile(r"(?!-0$)-?(?:0|[1-9][0-9]{0,3999})(?:\.[0-9]{0,3999}[1-9])?", re.ASCII)


def _number(value: Value | Missing) -> Value | Unfilled:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return UNFILLED
        return Decimal(value) if "." in value else int(value)
    if isinstance(value, Missing) or not is_number(value):
        return UNFILLED
    # What is finite and no -0.0 has a text.
    return UNFILLED if text_of(value) is UNFILLED else value
