"""How large a record is at its source: a BSON document's bytes, a JSON record's as compact text."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from greylag.core import extended_json
from greylag.core.values import Binary, Code, DBPointer, Decimal128, Int64, ObjectId, Regex, Symbol

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.values import Document, Value


def record_bytes(fields: Document, family: str) -> int:
    """The size of a record of `family` ("bson" or "json")."""
    return _document_bytes(fields) if family == "bson" else _json_bytes(fields)


def _json_bytes(fields: Document) -> int:
    try:
        return len(orjson.dumps(fields, default=_as_written))
    except (
        TypeError
    ):  # an integer beyond 64 bits, half a surrogate pair, a value JSON has no form for, great depth
        return len(extended_json.dumps(fields).encode("utf-8", "surrogatepass"))


def _as_written(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError


def _document_bytes(document: Document) -> int:
    """The length, the elements (type, name, 0, value), a final 0.

    Source: https://bsonspec.org/spec.html
    """
    size = 5
    for name, value in document.items():
        size += 2 + (len(name) if name.isascii() else _utf8(name))
        kind = type(value)
        fixed = _FIXED.get(kind)
        size += _VALUES[kind](value) if fixed is None else fixed
    return size


def _array_bytes(array: list[Value]) -> int:
    """As a document whose names are the places, in decimal."""
    size = 5
    for place, value in enumerate(array):
        kind = type(value)
        fixed = _FIXED.get(kind)
        size += 2 + len(str(place)) + (_VALUES[kind](value) if fixed is None else fixed)
    return size


def _utf8(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _code_bytes(value: Code) -> int:
    text = 5 + _utf8(value.code)
    return text if value.scope is None else 4 + text + _document_bytes(value.scope)


def _fixed_bytes() -> dict[type, int]:
    from datetime import datetime

    from greylag.core.values import DistantDate, MaxKey, MinKey, Timestamp, Undefined

    sizes = {
        0: (type(None), Undefined, MinKey, MaxKey),
        1: (bool,),
        4: (int,),
        8: (Int64, float, datetime, DistantDate, Timestamp),
        12: (ObjectId,),
        16: (Decimal128, Decimal),
    }
    return {kind: size for size, kinds in sizes.items() for kind in kinds}


_FIXED = _fixed_bytes()
_VALUES: dict[type, Callable[[Any], int]] = {
    str: lambda v: 5 + _utf8(v),
    Symbol: lambda v: 5 + _utf8(v.text),
    bytes: lambda v: 5 + len(v),
    Binary: lambda v: 5 + len(v) + (4 if v.subtype == 2 else 0),
    dict: _document_bytes,
    list: _array_bytes,
    Code: _code_bytes,
    Regex: lambda v: 2 + _utf8(v.pattern) + len(v.options),
    DBPointer: lambda v: 17 + _utf8(v.namespace),
}
