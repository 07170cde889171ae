"""Values as text and back, exactly: MongoDB's Extended JSON v2 with two additions.

A plain integer is a JSON integer of any size; a JSON number with a fraction or exponent (`Decimal`) is
`{"$number": "1.50"}`, since most JSON readers would make it a float. A document that looks like one of the `$`
forms is wrapped in `{"$literal": …}`. Quarantine, checkpoints and `preview` write this.

Source: https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.core.canonical import EPOCH, milliseconds
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

    from greylag.core.values import Document, Value

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def dumps(value: Value) -> str:
    """`value` on one line; `loads` gives back an identical one."""
    return json.dumps(to_extended(value), ensure_ascii=False, separators=(",", ":"))


def loads(text: str | bytes) -> Value:
    """The value that `dumps` wrote. Raises ValueError for what is not JSON or not a known `$` form."""
    return from_extended(json.loads(text))


def to_extended(value: Value) -> Any:
    """`value` as dicts, lists, strings, integers, booleans and None, ready for any JSON writer."""
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, dict):
        plain = {name: to_extended(each) for name, each in value.items()}
        return {"$literal": plain} if _looks_extended(value) else plain
    if isinstance(value, list):
        return [to_extended(each) for each in value]
    try:
        return _WRITERS[type(value)](value)
    except KeyError:
        raise TypeError(f"{type(value).__name__} is not a value Greylag carries") from None


def from_extended(data: Any) -> Value:
    """The inverse of `to_extended`; a float in `data` becomes a double."""
    if isinstance(data, list):
        return [from_extended(each) for each in data]
    if not isinstance(data, dict):
        return data  # type: ignore[no-any-return]
    if _looks_extended(data):
        names = frozenset(data)
        if names == {"$literal"}:
            return {name: from_extended(each) for name, each in data["$literal"].items()}
        try:
            return _READERS[names](data)
        except (KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"not an extended JSON value: {json.dumps(data)[:200]}") from error
    return {name: from_extended(each) for name, each in data.items()}


def date_from_milliseconds(count: int) -> datetime | DistantDate:
    """The date `count` milliseconds from 1970, before it when negative."""
    try:
        moment = EPOCH + timedelta(milliseconds=count)
    except OverflowError:
        return DistantDate(count)
    return moment if _FIRST <= moment <= _LAST else DistantDate(count)


def _looks_extended(document: dict[str, Any]) -> bool:
    names = frozenset(document)
    return names in _READERS or names == {"$literal"}


def _binary(data: bytes, subtype: int) -> dict[str, Any]:
    return {"$binary": {"base64": base64.b64encode(data).decode(), "subType": f"{subtype:02x}"}}


def _code(value: Code) -> dict[str, Any]:
    scope = {} if value.scope is None else {"$scope": to_extended(value.scope)}
    return {"$code": value.code, **scope}


_DOUBLES = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
_WRITERS: dict[type, Callable[..., dict[str, Any]]] = {
    Int64: lambda v: {"$numberLong": str(int(v))},
    float: lambda v: {"$numberDouble": _DOUBLES.get(repr(v), repr(v))},
    Decimal: lambda v: {"$number": str(v)},
    Decimal128: lambda v: {"$numberDecimal": Decimal.__str__(v)},
    bytes: lambda v: _binary(v, 0),
    Binary: lambda v: _binary(v, v.subtype),
    ObjectId: lambda v: {"$oid": str(v)},
    datetime: lambda v: {"$date": {"$numberLong": str(milliseconds(v))}},
    DistantDate: lambda v: {"$date": {"$numberLong": str(v.milliseconds)}},
    Regex: lambda v: {"$regularExpression": {"pattern": v.pattern, "options": v.options}},
    Timestamp: lambda v: {"$timestamp": {"t": v.time, "i": v.inc}},
    Code: _code,
    DBPointer: lambda v: {"$dbPointer": {"$ref": v.namespace, "$id": {"$oid": str(v.id)}}},
    Symbol: lambda v: {"$symbol": v.text},
    Undefined: lambda _: {"$undefined": True},
    MinKey: lambda _: {"$minKey": 1},
    MaxKey: lambda _: {"$maxKey": 1},
}


def _read_binary(data: dict[str, Any]) -> Value:
    content = base64.b64decode(data["$binary"]["base64"])
    subtype = int(data["$binary"]["subType"], 16)
    return Binary(content, subtype) if subtype else content


def _read_scope(data: dict[str, Any]) -> Document:
    scope = from_extended(data["$scope"])
    if not isinstance(scope, dict):
        raise TypeError("a scope is a document")
    return scope


_READERS: dict[frozenset[str], Callable[[dict[str, Any]], Value]] = {
    frozenset({"$numberLong"}): lambda d: Int64(d["$numberLong"]),
    frozenset({"$numberDouble"}): lambda d: float(d["$numberDouble"]),
    frozenset({"$number"}): lambda d: Decimal(d["$number"]),
    frozenset({"$numberDecimal"}): lambda d: Decimal128(d["$numberDecimal"]),
    frozenset({"$binary"}): _read_binary,
    frozenset({"$oid"}): lambda d: ObjectId.from_hex(d["$oid"]),
    frozenset({"$date"}): lambda d: date_from_milliseconds(int(d["$date"]["$numberLong"])),
    frozenset({"$regularExpression"}): lambda d: Regex(
        d["$regularExpression"]["pattern"], d["$regularExpression"]["options"]
    ),
    frozenset({"$timestamp"}): lambda d: Timestamp(d["$timestamp"]["t"], d["$timestamp"]["i"]),
    frozenset({"$code"}): lambda d: Code(d["$code"]),
    frozenset({"$code", "$scope"}): lambda d: Code(d["$code"], _read_scope(d)),
    frozenset({"$dbPointer"}): lambda d: DBPointer(
        d["$dbPointer"]["$ref"], ObjectId.from_hex(d["$dbPointer"]["$id"]["$oid"])
    ),
    frozenset({"$symbol"}): lambda d: Symbol(d["$symbol"]),
    frozenset({"$undefined"}): lambda _: Undefined(),
    frozenset({"$minKey"}): lambda _: MinKey(),
    frozenset({"$maxKey"}): lambda _: MaxKey(),
}
