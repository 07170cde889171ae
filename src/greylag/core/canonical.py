"""One byte string per value: equal bytes exactly when `values.identical` holds (document order aside).

Used for digests (`{@digest}`), keys of on-disk indexes and verification. The form is stable across versions:
certificates and resumed runs rely on it. Each value is a tag byte, and for variable sizes a length in decimal
and a colon, then the content; a document's fields are sorted by their UTF-8 names.
"""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.core.values import (
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
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.values import Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970, exact (no float in between)."""
    return (moment - EPOCH) // _MILLISECOND


def canonical(value: Value) -> bytes:
    """The canonical bytes of `value`. Raises TypeError for what is outside the union."""
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


def digest(value: Value) -> str:
    """SHA-256 of the canonical bytes, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _utf8(text: str) -> bytes:
    """Half a surrogate pair too has a form: it can be compared, though not carried."""
    return text.encode("utf-8", "surrogatepass")


def _text(tag: bytes, content: bytes) -> bytes:
    return b"%b%d:%b" % (tag, len(content), content)


def _write(value: Value, put: Callable[[bytes], None]) -> None:
    if isinstance(value, dict):
        put(b"{%d:" % len(value))
        for name in sorted(value):  # code point order is UTF-8 byte order
            put(_text(b"k", _utf8(name)))
            _write(value[name], put)
    elif isinstance(value, list):
        put(b"[%d:" % len(value))
        for element in value:
            _write(element, put)
    else:
        try:
            put(_SCALARS[type(value)](value))
        except KeyError:
            raise TypeError(f"{type(value).__name__} is not a value Greylag carries") from None


def _code(value: Code) -> bytes:
    scope = b"-" if value.scope is None else canonical(value.scope)
    return _text(b"J", _utf8(value.code)) + scope


_SCALARS: dict[type, Callable[..., bytes]] = {
    type(None): lambda _: b"0",
    bool: lambda v: b"T" if v else b"F",
    int: lambda v: _text(b"i", b"%d" % v),
    Int64: lambda v: _text(b"l", b"%d" % v),
    float: lambda v: b"d" + struct.pack(">d", v if v == v else float("nan")),  # noqa: PLR0124
    Decimal: lambda v: _text(b"n", str(v).encode()),
    Decimal128: lambda v: _text(b"N", Decimal.__str__(v).encode()),
    str: lambda v: _text(b"s", _utf8(v)),
    bytes: lambda v: _text(b"b", v),
    Binary: lambda v: b"B%d," % v.subtype + _text(b"", v),
    ObjectId: lambda v: b"o" + v.binary,
    datetime: lambda v: _text(b"t", b"%d" % milliseconds(v)),
    DistantDate: lambda v: _text(b"t", b"%d" % v.milliseconds),
    Regex: lambda v: _text(b"r", _utf8(v.pattern)) + _text(b"", _utf8(v.options)),
    Timestamp: lambda v: b"z" + struct.pack(">II", v.time, v.inc),
    Code: _code,
    DBPointer: lambda v: _text(b"p", _utf8(v.namespace)) + v.id.binary,
    Symbol: lambda v: _text(b"y", _utf8(v.text)),
    Undefined: lambda _: b"u",
    MinKey: lambda _: b"<",
    MaxKey: lambda _: b">",
}
