"""BSON read and written exactly, in plain Python: every type, nothing guessed, the stray refused.

pymongo's decoder is faster but loses what its own classes cannot say (a symbol becomes a string, undefined becomes
null, of two fields with one name the last stays). `decoding` uses it, notices, and comes here for those documents.

Source: https://bsonspec.org/spec.html
"""

from __future__ import annotations

import struct
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.mongodb import decimal128
from greylag.core.canonical import milliseconds
from greylag.core.extended_json import date_from_milliseconds
from greylag.core.records import Refused
from greylag.core.values import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    Binary,
    Code,
    DBPointer,
    Decimal128,
    DistantDate,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.values import Document, Value

DEEPEST: Final = 200
"""Levels of nesting the server itself takes.

Source: https://github.com/mongodb/mongo/blob/master/src/mongo/bson/bson_depth.h
"""

_INT32, _INT64, _DOUBLE = struct.Struct("<i"), struct.Struct("<q"), struct.Struct("<d")
_TIMESTAMP = struct.Struct("<II")
_FIX = "Rewrite this document at the source, or leave it out with `where`."


def decode_exact(raw: bytes) -> Document:
    """The document whose bytes are `raw`, every byte of it accounted for: `encode_document` gives `raw` back.

    Raises Refused, with the path, for what no value of the union says exactly: a name that stands twice, text that
    is not UTF-8, array positions out of order, stray booleans, lengths that contradict each other.
    """
    with _only_bson():
        document, end = _Reader(raw).document(0)
        if end != len(raw):
            raise ValueError("bytes follow its end")
        return document


def encode_document(document: Document) -> bytes:
    """The BSON of `document`, its fields in order. Raises Refused for what BSON cannot hold as it is."""
    out = bytearray()
    _write_document(out, document, 1)
    return bytes(out)


def id_element(raw: bytes) -> bytes | None:
    """The `_id` of a document as the bytes of the document `{_id: …}`, taken over unread; None if it has none.

    Raises Refused for bytes that are not BSON.
    """
    for place, name_end, end in elements(raw):
        if raw[place + 1 : name_end] == b"_id":
            return document_of(raw[place:end])
    return None


def elements(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """The fields of a document where they stand: the place of its type (its name follows), of the zero that ends its
    name, and where it ends. Raises Refused for bytes that are not BSON.
    """
    with _only_bson():
        place = 4
        while raw[place]:
            name_end = raw.index(0, place + 1)
            end = _end_of(raw, raw[place], name_end + 1)
            yield place, name_end, end
            place = end


def document_of(content: bytes) -> bytes:
    """The document of fields that are BSON already."""
    return _INT32.pack(len(content) + 5) + content + b"\0"


@contextmanager
def _only_bson() -> Iterator[None]:
    try:
        yield
    except (struct.error, IndexError, ValueError) as error:
        raise Refused(f"its bytes are not BSON: {error}", _FIX) from error


def _end_of(raw: bytes, kind: int, place: int) -> int:
    """Where the value at `place` ends, without reading it."""
    if kind in _FIXED_SIZES:
        return place + _FIXED_SIZES[kind]
    if kind == 0x0B:
        return raw.index(0, raw.index(0, place) + 1) + 1
    if kind not in _LENGTH_EXTRAS:
        raise ValueError(f"unknown type 0x{kind:02x}")
    return place + _positive(raw, place) + _LENGTH_EXTRAS[kind]


def _positive(raw: bytes, place: int) -> int:
    length = int(_INT32.unpack_from(raw, place)[0])
    if length < 0:
        raise ValueError(f"negative length at byte {place}")
    return length


class _Reader:
    """Reads one document. Each method takes a place and gives (value, place behind it)."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.path: list[str] = []

    def document(self, place: int) -> tuple[Document, int]:
        members, end = self._members(place)
        document = dict(members)
        if len(document) < len(members):
            names = [name for name, _ in members]
            twice = next(name for name in names if names.count(name) > 1)
            raise Refused(f"field {'.'.join([*self.path, twice])} stands twice in one document", _FIX)
        return document, end

    def array(self, place: int) -> tuple[list[Value], int]:
        members, end = self._members(place)
        for position, (name, _) in enumerate(members):
            if name != str(position):
                raise Refused(f"{self._here()} has {name!r} where position {position} belongs", _FIX)
        return [value for _, value in members], end

    def _members(self, place: int) -> tuple[list[tuple[str, Value]], int]:
        raw, members = self.raw, []
        end = place + _positive(raw, place)
        if len(self.path) >= DEEPEST:
            raise Refused(f"it is nested deeper than {DEEPEST} levels", _FIX)
        place += 4
        while place < end - 1:
            kind, name_end = raw[place], raw.index(0, place + 1)
            name = self._utf8(place + 1, name_end)
            if kind not in _READERS:
                raise Refused(
                    f"{self._here()}: field {name!r} is of the unknown BSON type 0x{kind:02x}", _FIX
                )
            self.path.append(name)
            value, place = _READERS[kind](self, name_end + 1)
            self.path.pop()
            members.append((name, value))
        if place != end - 1 or raw[place]:
            raise ValueError(f"a document's length and content differ at byte {place}")
        return members, end

    def _here(self) -> str:
        return f"field {'.'.join(self.path)}" if self.path else "it"

    def _utf8(self, start: int, end: int) -> str:
        try:
            return self.raw[start:end].decode()
        except UnicodeDecodeError as error:
            raise Refused(f"{self._here()} holds text that is not UTF-8: {error}", _FIX) from error

    def string(self, place: int) -> tuple[str, int]:
        end = place + 4 + _positive(self.raw, place)
        if end == place + 4 or self.raw[end - 1]:
            raise ValueError(f"wrong length of the text at byte {place}")
        return self._utf8(place + 4, end - 1), end

    def binary(self, place: int) -> tuple[bytes, int]:
        length, subtype, start = _positive(self.raw, place), self.raw[place + 4], place + 5
        end = start + length
        if subtype == 2:  # the old form repeats the length inside
            if length < 4 or _positive(self.raw, start) != length - 4:
                raise Refused(f"{self._here()} is binary with two lengths that contradict each other", _FIX)
            start += 4
        data = self.raw[start:end]
        return (Binary(data, subtype) if subtype else data), end

    def boolean(self, place: int) -> tuple[bool, int]:
        if self.raw[place] > 1:
            raise Refused(f"{self._here()} is a boolean that is neither 0 nor 1 but {self.raw[place]}", _FIX)
        return self.raw[place] == 1, place + 1

    def object_id(self, place: int) -> tuple[ObjectId, int]:
        return ObjectId(self.raw[place : place + 12]), place + 12

    def regex(self, place: int) -> tuple[Regex, int]:
        middle = self.raw.index(0, place)
        end = self.raw.index(0, middle + 1)
        return Regex(self._utf8(place, middle), self._utf8(middle + 1, end)), end + 1

    def pointer(self, place: int) -> tuple[DBPointer, int]:
        namespace, place = self.string(place)
        target, place = self.object_id(place)
        return DBPointer(namespace, target), place

    def code(self, place: int) -> tuple[Code, int]:
        text, end = self.string(place)
        return Code(text), end

    def code_with_scope(self, place: int) -> tuple[Code, int]:
        code, after = self.string(place + 4)
        self.path.append("$scope")
        scope, after = self.document(after)
        self.path.pop()
        if after != place + _positive(self.raw, place):
            raise ValueError(f"wrong length of the code at byte {place}")
        return Code(code, scope), after

    def symbol(self, place: int) -> tuple[Symbol, int]:
        text, end = self.string(place)
        return Symbol(text), end

    def timestamp(self, place: int) -> tuple[Timestamp, int]:
        inc, time = _TIMESTAMP.unpack_from(self.raw, place)
        return Timestamp(time, inc), place + 8

    def decimal(self, place: int) -> tuple[Decimal128, int]:
        value = decimal128.from_bid(self.raw[place : place + 16])
        if value is None:
            raise Refused(
                f"{self._here()} is a Decimal128 in no canonical form (a NaN with a payload?)", _FIX
            )
        return value, place + 16

    def number(self, form: struct.Struct, place: int) -> Any:
        return form.unpack_from(self.raw, place)[0]


_READERS: dict[int, Callable[[_Reader, int], tuple[Any, int]]] = {
    0x01: lambda r, place: (r.number(_DOUBLE, place), place + 8),
    0x02: _Reader.string,
    0x03: _Reader.document,
    0x04: _Reader.array,
    0x05: _Reader.binary,
    0x06: lambda _, place: (Undefined(), place),
    0x07: _Reader.object_id,
    0x08: _Reader.boolean,
    0x09: lambda r, place: (date_from_milliseconds(r.number(_INT64, place)), place + 8),
    0x0A: lambda _, place: (None, place),
    0x0B: _Reader.regex,
    0x0C: _Reader.pointer,
    0x0D: _Reader.code,
    0x0E: _Reader.symbol,
    0x0F: _Reader.code_with_scope,
    0x10: lambda r, place: (r.number(_INT32, place), place + 4),
    0x11: _Reader.timestamp,
    0x12: lambda r, place: (Int64(r.number(_INT64, place)), place + 8),
    0x13: _Reader.decimal,
    0x7F: lambda _, place: (MaxKey(), place),
    0xFF: lambda _, place: (MinKey(), place),
}
_FIXED_SIZES = {
    **dict.fromkeys((0x01, 0x09, 0x11, 0x12), 8),
    **dict.fromkeys((0x06, 0x0A, 0x7F, 0xFF), 0),
    0x07: 12,
    0x08: 1,
    0x10: 4,
    0x13: 16,
}
_LENGTH_EXTRAS = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4, 0x0F: 0}


def _write_document(out: bytearray, document: Document, depth: int) -> None:
    if depth > DEEPEST:
        raise Refused(f"it is nested deeper than {DEEPEST} levels")
    start = len(out)
    out += b"\0\0\0\0"
    for name, value in document.items():
        _write_element(out, _cstring(name), value, depth)
    out.append(0)
    _INT32.pack_into(out, start, len(out) - start)


def _write_element(out: bytearray, name: bytes, value: Value, depth: int) -> None:
    if isinstance(value, dict):
        out += b"\x03" + name
        _write_document(out, value, depth + 1)
    elif isinstance(value, list):
        out += b"\x04" + name
        _write_document(out, {str(place): each for place, each in enumerate(value)}, depth + 1)
    elif isinstance(value, Code) and value.scope is not None:
        out += b"\x0f" + name
        start = len(out)
        out += b"\0\0\0\0" + _string(value.code)
        _write_document(out, value.scope, depth + 1)
        _INT32.pack_into(out, start, len(out) - start)
    else:
        try:
            kind, write = _WRITERS[type(value)]
        except KeyError:
            raise Refused(f"a {type_name(value)} has no exact form in BSON") from None
        out.append(kind)
        out += name
        out += write(value)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"{text[:80]!r} has half a surrogate pair: BSON holds UTF-8") from error


def _string(text: str) -> bytes:
    data = _utf8(text)
    return _INT32.pack(len(data) + 1) + data + b"\0"


def _cstring(text: str) -> bytes:
    data = _utf8(text)
    if b"\0" in data:
        raise Refused(f"{text[:80]!r} holds a NUL character: BSON ends names and patterns with it")
    return data + b"\0"


def _int32(value: int) -> bytes:
    if not INT32_MIN <= value <= INT32_MAX:
        raise Refused(f"{value} is not an int32")
    return _INT32.pack(value)


def _int64(value: int) -> bytes:
    if not INT64_MIN <= value <= INT64_MAX:
        raise Refused(f"{value} is not an int64")
    return _INT64.pack(value)


def _binary(value: Binary) -> bytes:
    inside = _INT32.pack(len(value)) if value.subtype == 2 else b""
    return _INT32.pack(len(value) + len(inside)) + bytes([value.subtype]) + inside + value


_WRITERS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    float: (0x01, _DOUBLE.pack),
    str: (0x02, _string),
    bytes: (0x05, lambda v: _INT32.pack(len(v)) + b"\0" + v),
    Binary: (0x05, _binary),
    Undefined: (0x06, lambda _: b""),
    ObjectId: (0x07, lambda v: v.binary),
    bool: (0x08, lambda v: b"\1" if v else b"\0"),
    datetime: (0x09, lambda v: _INT64.pack(milliseconds(v))),
    DistantDate: (0x09, lambda v: _int64(v.milliseconds)),
    type(None): (0x0A, lambda _: b""),
    Regex: (0x0B, lambda v: _cstring(v.pattern) + _cstring(v.options)),
    DBPointer: (0x0C, lambda v: _string(v.namespace) + v.id.binary),
    Code: (0x0D, lambda v: _string(v.code)),
    Symbol: (0x0E, lambda v: _string(v.text)),
    int: (0x10, _int32),
    Timestamp: (0x11, lambda v: _TIMESTAMP.pack(v.inc, v.time)),
    Int64: (0x12, _int64),
    Decimal128: (0x13, decimal128.to_bid),
    MaxKey: (0x7F, lambda _: b""),
    MinKey: (0xFF, lambda _: b""),
}
