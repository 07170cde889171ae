"""One wire value back into a value: by a hint, by a rule of `types`, or as it looks.

A hint or a rule counts only while it fits: while the value it gives would be written as exactly this wire value.
An application may have overwritten it since.

The codes of hints, by the wire type they stand on:

====  ==================================================================================================
N     i int, l int64, d double, n<exponent> JSON decimal, N<exponent> Decimal128,
      t date in milliseconds, T<ms> date in seconds with its milliseconds
S     s string, o ObjectId, t date; i, l, d, n, N: a number DynamoDB has no N for, as text
B     b<subtype>
M     x one of BSON's types that stand as extended JSON, m a document that looks like one
====  ==================================================================================================
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import orjson

from greylag.connectors.dynamodb import numbers
from greylag.core.canonical import canonical
from greylag.core.extended_json import date_from_milliseconds, from_extended, to_extended
from greylag.core.values import (
    INT32_MAX,
    INT32_MIN,
    INT64_MAX,
    INT64_MIN,
    Binary,
    Code,
    DBPointer,
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
    from collections.abc import Callable

    from greylag.core.values import Value


class _Unfitting:
    """The answer of a hint or rule that does not fit. Not None, which is null."""


NO: Final = _Unfitting()

TAGGED: Final = (Regex, Timestamp, Code, DBPointer, Symbol, Undefined, MinKey, MaxKey)
"""BSON's types that stand as extended JSON."""

TAGGED_NAMES: Final = frozenset(
    {"regex", "timestamp", "code", "dbPointer", "symbol", "undefined", "minKey", "maxKey"}
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}")
_EXPONENT: Final = re.compile(r"-?[0-9]{1,18}")
_SUBTYPE: Final = re.compile(r"[0-9]{1,3}")
_SUBSECOND: Final = re.compile(r"[0-9]{1,3}")


def by_hint(code: str, kind: str, content: Any) -> Value | _Unfitting:
    """The value that `code` says the scalar or tagged value is, or NO. Code m is the decoder's own."""
    if kind == "S":
        return _string_by_hint(code, content)
    if kind == "N":
        return _number_by_hint(code, content)
    if kind == "B" and code[:1] == "b" and _SUBTYPE.fullmatch(code[1:]):
        return _binary(content, int(code[1:]))
    if kind == "M" and code == "x":
        return tagged(content)
    return NO


def by_rule(rule: str, kind: str, content: Any, family: str) -> Value | _Unfitting:
    """The value that a rule of `types` says it is, or NO."""
    if kind == "N":
        reader = _NUMBER_RULES.get(rule)
        return NO if reader is None else reader(content, family)
    if kind == "S" and rule in {"string", "objectId", "date"}:
        return _string_by_hint({"string": "s", "objectId": "o", "date": "t"}[rule], content)
    if kind == "B" and rule in {"binary", "uuid"}:
        return _binary(content, 4 if rule == "uuid" else 0)
    if kind == "M" and rule in TAGGED_NAMES:
        value = tagged(content)
        return value if not isinstance(value, _Unfitting) and type_name(value) == rule else NO
    return NO


def natural(kind: str, content: Any, family: str) -> Value | _Unfitting:
    """What a scalar wire value is taken for where no hint and no rule fits; NO for what no source holds (sets).

    Raises Unfit for a number of the family "bson" that no BSON type holds.
    """
    if kind in {"S", "BOOL"}:
        return content  # type: ignore[no-any-return]
    if kind == "N":
        return numbers.natural(content, family)
    if kind == "NULL":
        return None
    return from_base64(content) if kind == "B" else NO


def _string_by_hint(code: str, text: str) -> Value | _Unfitting:
    if code == "s":
        return text
    if code == "o":
        return ObjectId.from_hex(text) if _OBJECT_ID.fullmatch(text) else NO
    if code == "t":
        return _date(text)
    if code in {"i", "l", "d", "n", "N"}:
        value = numbers.from_string(text, code)
        return NO if value is None else value
    return NO


def _date(text: str) -> datetime | _Unfitting:
    if not _DATE.fullmatch(text):
        return NO
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return NO
    return moment if date_text(moment) == text else NO  # newer Pythons read more, 24:00 for one


def date_text(moment: datetime) -> str:
    """ISO 8601 with milliseconds and Z, of a date in UTC. orjson writes it five times as fast as `isoformat`."""
    text = orjson.dumps(moment)
    return (text[1:24] if len(text) == 34 else text[1:20] + b".000").decode() + "Z"


def _number_by_hint(code: str, text: str) -> Value | _Unfitting:
    letter, rest = code[:1], code[1:]
    value: Value | None = None
    if letter in {"n", "N"} and _EXPONENT.fullmatch(rest):
        restore = numbers.with_exponent if letter == "n" else numbers.decimal128_with_exponent
        value = restore(text, int(rest))
    elif code == "d":
        value = numbers.as_double(text)
    elif "." in text:
        return NO
    elif code == "i":
        value = int(text)
    elif code == "l":
        value = _int64(text)
    elif code == "t":
        value = _moment(int(text))
    elif letter == "T" and _SUBSECOND.fullmatch(rest):
        value = _moment(int(text) * 1000 + int(rest))
    return NO if value is None else value


def _int64(text: str) -> Int64 | None:
    whole = int(text)
    return Int64(whole) if INT64_MIN <= whole <= INT64_MAX else None


def _moment(milliseconds: int) -> Value | None:
    return date_from_milliseconds(milliseconds) if INT64_MIN <= milliseconds <= INT64_MAX else None


def _int_rule(text: str, family: str) -> Value | _Unfitting:
    if "." in text:
        return NO
    whole = int(text)
    return whole if family == "json" or INT32_MIN <= whole <= INT32_MAX else NO


def _decimal128_rule(text: str) -> Value | _Unfitting:
    value = numbers.as_decimal128(text)
    return NO if value is None else value


_NUMBER_RULES: Final[dict[str, Callable[[str, str], Value | _Unfitting]]] = {
    "int": _int_rule,
    "int64": lambda text, _: _number_by_hint("l", text),
    "double": lambda text, _: _number_by_hint("d", text),
    "decimal": lambda text, _: Decimal(text),
    "decimal128": lambda text, _: _decimal128_rule(text),
    "date:ms": lambda text, _: _number_by_hint("t", text),
    "date:s": lambda text, _: _number_by_hint("T0", text),
}


def _binary(content: str, subtype: int) -> Value | _Unfitting:
    if subtype > 255:
        return NO
    data = from_base64(content)
    return Binary(data, subtype) if subtype else data


def from_base64(content: str) -> bytes:
    """The bytes of a B."""
    return base64.b64decode(content)


def to_base64(data: bytes) -> str:
    """How a B holds `data`."""
    return binascii.b2a_base64(data, newline=False).decode()


def tagged(content: dict[str, Any]) -> Value | _Unfitting:
    """The BSON value that stands as extended JSON in this M, or NO."""
    try:
        plain = _plain({"M": content})
        value = from_extended(plain)
        if not isinstance(value, TAGGED):
            return NO
        canonical(value)  # raises where a part has another type than it should
        return value if to_extended(value) == plain else NO
    except (ArithmeticError, AttributeError, TypeError, ValueError, struct.error):
        return NO


def _plain(value: dict[str, Any]) -> Any:
    """Extended JSON from its DynamoDB JSON. Raises ValueError for what extended JSON never holds."""
    [(kind, content)] = value.items()
    if kind in {"S", "BOOL"}:
        return content
    if kind == "N":
        return int(content)
    if kind == "NULL":
        return None
    if kind == "L":
        return [_plain(each) for each in content]
    if kind == "M":
        return {name: _plain(each) for name, each in content.items()}
    raise ValueError(kind)
