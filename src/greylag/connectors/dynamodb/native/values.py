"""The bytes of one BSON value as the JSON of its wire value, with its size and hint, as `Encoder` would have them."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from greylag.connectors.dynamodb import numbers
from greylag.connectors.mongodb import decimal128, wire
from greylag.core.canonical import EPOCH
from greylag.core.extended_json import date_from_milliseconds
from greylag.core.values import ObjectId

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.connectors.dynamodb.encoder import Encoder
    from greylag.core.values import Value

Written: TypeAlias = "tuple[bytes, int, str]"
"""A wire value's JSON, the bytes DynamoDB counts for it, and the code of its hint or an empty string."""
Write: TypeAlias = "Callable[[bytes], Written]"

_KEPT: Final = 4096
_FLOAT: Final = struct.Struct("<d")
_INT64: Final = struct.Struct("<q")
_LENGTH: Final = struct.Struct("<i")
_BITS: Final = struct.Struct("<QQ")
_ZERO: Final = ord("0")
_BIAS: Final = 6176
_HIGH_COEFFICIENT: Final = 0x1FFFFFFFFFFFF
_MILLISECOND: Final = timedelta(milliseconds=1)
_INT32_FORM: Final = struct.Struct("<i")
_DOUBLE, _STRING, _OBJECT_ID, _DATE, _INT32, _DECIMAL128 = 0x01, 0x02, 0x07, 0x09, 0x10, 0x13


def value_of(kind: int, content: bytes) -> Value:
    """The value itself. Raises Refused or ValueError where there is none."""
    if kind == _STRING:
        return content.decode()
    if kind == _OBJECT_ID:
        return ObjectId(content)
    if kind == _DOUBLE:
        return float(_FLOAT.unpack(content)[0])
    if kind == _DATE:
        return date_from_milliseconds(_INT64.unpack(content)[0])
    if kind == _INT32:
        return int(_INT32_FORM.unpack(content)[0])
    if kind == _DECIMAL128 and (decimal := decimal128.from_bid(content)) is not None:
        return decimal
    document = bytes([kind, 0]) + content + b"\0"
    return wire.decode_exact(_LENGTH.pack(len(document) + 4) + document)[""]


class Writing:
    """How values are written. What is remembered of a type under a rule is shared by all that are alike."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[int, str | None], Write | None] = {}

    def of(self, kind: int, rule: str | None) -> Write | None:
        """For values of this type under this rule of `types`; None for strings that no rule concerns, whose bytes are
        those of the JSON. What it gives raises Unfit or Refused.
        """
        if (kind, rule) not in self._known:
            self._known[kind, rule] = _writing(kind, rule, self._encoder)
        return self._known[kind, rule]


def _writing(kind: int, rule: str | None, encoder: Encoder) -> Write | None:
    if kind == _STRING and rule in {None, "string"}:
        return None

    def slowly(content: bytes) -> Written:
        found, size, code = encoder.scalar(value_of(kind, content), rule)
        return orjson.dumps(found), size, code

    if kind == _OBJECT_ID and rule in {None, "objectId"}:
        code = "" if rule else "o"
        return lambda content: (b'{"S":"%b"}' % content.hex().encode(), 24, code)
    if kind == _DATE and rule in {None, "date"}:
        return _dates("" if rule else "t", slowly)
    if kind == _DOUBLE and rule in {None, "double"}:
        return _doubles(slowly)
    if kind in {_DOUBLE, _DATE, _STRING}:
        return slowly
    if kind == _INT32 and rule in {None, "int"}:
        return _Remembered(_int32).__getitem__
    remembered = _Remembered(slowly).__getitem__
    return _decimals(remembered) if (kind, rule) == (_DECIMAL128, "decimal128") else remembered


def _int32(content: bytes) -> Written:
    text, size = numbers.int_text(_INT32_FORM.unpack(content)[0])
    return b'{"N":"%b"}' % text.encode(), size, ""


def _dates(code: str, otherwise: Write) -> Write:
    def write(content: bytes) -> Written:
        try:
            moment: datetime = EPOCH + _INT64.unpack(content)[0] * _MILLISECOND
        except OverflowError:
            return otherwise(content)
        text = orjson.dumps(moment)
        if len(text) == 34:
            return b'{"S":%bZ"}' % text[:24], 24, code
        return b'{"S":%b.000Z"}' % text[:20], 24, code

    return write


def _doubles(otherwise: Write) -> Write:
    """Measures and averages: a fraction above 1, which no type but double is read from."""

    def write(content: bytes) -> Written:
        [value] = _FLOAT.unpack(content)
        if not 1.0 <= value < 1e15:
            return otherwise(content)
        text = orjson.dumps(value)
        places = len(text) - 1 - text.index(b".")
        if places == 1 and text[-1] == _ZERO:
            return otherwise(content)
        return b'{"N":"%b"}' % text, (len(text) + (places & 1)) // 2 + 1, ""

    return write


def _decimals(otherwise: Write) -> Write:
    """Prices and the like: positive, with up to 15 places. Zeros at the end are what a hint is for."""

    def write(content: bytes) -> Written:
        low, high = _BITS.unpack(content)
        places = _BIAS - (high >> 49)  # a sign or a special value make this negative
        if not (0 < places < 16 and low and not high & _HIGH_COEFFICIENT):
            return otherwise(content)
        digits = str(low)
        bare = digits.rstrip("0")
        exponent = len(digits) - len(bare) - places
        if exponent >= 0:
            text = bare + "0" * exponent
        elif len(bare) > -exponent:
            text = f"{bare[:exponent]}.{bare[exponent:]}"
        else:
            text = f"0.{bare:0>{-exponent}}"
        code = "" if exponent == -places else f"N-{places}"
        return b'{"N":"%b"}' % text.encode(), (len(bare) + (exponent & 1) + 1) // 2 + 1, code

    return write


class _Remembered(dict[bytes, Written]):
    """What was made of the bytes met lately."""

    def __init__(self, write: Write) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, content: bytes) -> Written:
        found = self._write(content)
        if len(self) >= _KEPT:
            self.clear()
        self[content] = found
        return found
