"""The key of a document: equal bytes exactly where MongoDB takes two `_id` for one.

Numbers are compared by value whatever their type (1, 1.0 and Decimal128("1.00") are one `_id`; the double 0.1 and the
Decimal128 0.1 are two), -0.0 with 0.0, every NaN with every other, symbols with strings; documents field by field in
their order. A collection's collation, which may take more for one, is the server's to see to.

Source: https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from greylag.connectors.mongodb import wire
from greylag.core.canonical import canonical
from greylag.core.records import Refused
from greylag.core.values import Code, ObjectId, Regex, Symbol, Undefined, is_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.values import Document, Value

_OBJECT_ID: Final = b"\x07_id\0"
_STRING: Final = b"\x02_id\0"
_COMMON: Final = (_OBJECT_ID, _STRING)
_EXACT_DIGITS: Final = 18
_NO_ID: Final = frozenset({list, Regex, Undefined})


def key_of(document: bytes) -> bytes | None:
    """The key of a document of BSON, without decoding more than its `_id`; None where it has none. Raises Refused for
    an `_id` that no value says exactly.
    """
    head = document[4:9]
    if head == _OBJECT_ID:
        return b"o" + document[9:21]
    if head == _STRING:
        length = int.from_bytes(document[9:13], "little") - 1
        return b"s%d:" % length + document[13 : 13 + length]
    element = wire.id_element(document)
    return None if element is None else key_bytes(wire.decode_exact(element)["_id"])


def has_common_id(document: bytes) -> bool:
    """Whether its `_id` comes first and is an ObjectId or a string: then `key_of` gives its key."""
    return document.startswith(_COMMON, 4)


def id_of(document: bytes) -> Value:
    """The `_id` of a document of BSON, which it has. Raises Refused as `key_of`."""
    if document[4:9] == _OBJECT_ID:
        return ObjectId(document[9:21])
    element = wire.id_element(document)
    if element is None:
        raise Refused("it has no _id", "Give it one, or leave it out with `where`.")
    return wire.decode_exact(element)["_id"]


def key_bytes(value: Value) -> bytes:
    """The key of the document whose `_id` is `value`."""
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


def is_id(value: Value) -> bool:
    """Whether the server takes a value of this type for an `_id` at all."""
    return type(value) not in _NO_ID


def _write(value: Value, put: Callable[[bytes], None]) -> None:
    if isinstance(value, dict):
        _document(value, put)
    elif isinstance(value, list):
        put(b"[%d:" % len(value))
        for each in value:
            _write(each, put)
    elif isinstance(value, Code) and value.scope is not None:
        put(b"J" + canonical(value.code))
        _document(value.scope, put)
    elif is_number(value):
        put(b"n" + _number(value).encode() + b";")
    else:
        put(canonical(value.text if isinstance(value, Symbol) else value))


def _document(value: Document, put: Callable[[bytes], None]) -> None:
    put(b"{%d:" % len(value))
    for name, each in value.items():
        put(canonical(name))
        _write(each, put)


def _number(value: int | float | Decimal) -> str:  # noqa: PYI041 - a float is told apart
    """One text for each number there is: its digits without zeros at their ends, and the exponent."""
    if isinstance(value, int):
        text = int.__repr__(value)
        if len(text) <= _EXACT_DIGITS:
            return text
    exact = Decimal(value)  # of a double every digit
    if not exact.is_finite():
        return "nan" if exact.is_nan() else "-inf" if exact.is_signed() else "inf"
    sign, digits, exponent = exact.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    exponent += len(text) - len(short)
    if not short:
        return "0"
    signed = f"-{short}" if sign else short
    if exponent >= 0 and len(signed) + exponent <= _EXACT_DIGITS:
        return signed + "0" * exponent
    return f"{signed}e{exponent}"
