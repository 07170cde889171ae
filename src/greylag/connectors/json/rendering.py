"""JSON text of records, in the style of the text around it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.core.records import Refused
from greylag.core.values import type_name

if TYPE_CHECKING:
    from greylag.core.values import Document, Value

_INDENT: Final = re.compile(rb"\n([ \t]*)\S")


@dataclass(frozen=True, slots=True)
class Style:
    """How a record is written: `unit` is a level's indentation, None for one line; `base` that of its own line."""

    unit: str | None = None
    base: str = ""
    comma: str = ", "
    colon: str = ": "
    ascii: bool = False


COMPACT: Final = Style(comma=",", colon=":")


def style_of(raw: bytes, base: str) -> Style:
    """The style of one record; `base` is what its line begins with."""
    ascii_only = b"\\u" in raw and raw.isascii()
    colon = ":" if re.search(rb'":[^ \s]', raw) else ": "
    found = _INDENT.search(raw)
    if found is None:
        return Style(None, base, ", " if re.search(rb'[\]}"\w], ', raw) else ",", colon, ascii_only)
    inner = found[1].decode()
    return Style(inner.removeprefix(base) or "  ", base, ",", colon, ascii_only)


def render(value: Value, style: Style) -> bytes:
    """`value` as text. Raises Refused for what JSON has no form for."""
    return _render(value, style, style.base).encode()


def in_order_of(new: Value, old: Value) -> Value:
    """`new`, the fields of its documents in the order they have in `old`; new ones behind."""
    if isinstance(new, dict) and isinstance(old, dict):
        names = [*(name for name in old if name in new), *(name for name in new if name not in old)]
        return {name: in_order_of(new[name], old.get(name)) for name in names}
    if isinstance(new, list) and isinstance(old, list):
        return [in_order_of(each, old[place]) if place < len(old) else each for place, each in enumerate(new)]
    return new


def _render(value: Value, style: Style, indent: str) -> str:
    if isinstance(value, dict):
        return _document(value, style, indent)
    if isinstance(value, list):
        return _joined("[", "]", [(None, each) for each in value], style, indent)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if type(value) is str:
        return json.dumps(value, ensure_ascii=style.ascii)
    if type(value) is int:
        return str(value)
    if type(value) is Decimal and value.is_finite():
        return str(value)
    raise Refused(
        f"a value of type {type_name(value)}, which JSON has no form for",
        "let the application write text, numbers, true, false, null, lists and maps",
        "unfit-value",
    )


def _document(value: Document, style: Style, indent: str) -> str:
    return _joined("{", "}", list(value.items()), style, indent)


def _joined(
    opening: str, closing: str, members: list[tuple[str | None, Value]], style: Style, indent: str
) -> str:
    if not members:
        return opening + closing
    inner = indent if style.unit is None else indent + style.unit
    texts = [
        ("" if name is None else json.dumps(name, ensure_ascii=style.ascii) + style.colon)
        + _render(each, style, inner)
        for name, each in members
    ]
    if style.unit is None:
        return opening + style.comma.join(texts) + closing
    between = f"{style.comma.rstrip()}\n{inner}"
    return f"{opening}\n{inner}{between.join(texts)}\n{indent}{closing}"
