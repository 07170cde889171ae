"""A page of BSON to records: at pymongo's speed where that is exact, exactly where it is not.

pymongo decodes into its own classes and, on the way, its type registry turns those into the core's. What came out
is encoded again and held against the page: equal bytes prove that nothing was lost, whatever pymongo does. (A
Decimal128 keeps its bytes for that; `decimal128` takes only those that one number has.) Only the documents that
differ, or that pymongo refuses, go through `wire`, which is ten times slower.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import bson
import bson.codec_options
import bson.datetime_ms
import bson.dbref
import bson.decimal128
import bson.errors
import bson.max_key
import bson.min_key
import bson.regex
import bson.timestamp
from bson.codec_options import CodecOptions, DatetimeConversion, TypeDecoder, TypeEncoder, TypeRegistry

from greylag.connectors.mongodb import decimal128, wire
from greylag.core.canonical import EPOCH
from greylag.core.records import Record, Refused, Rejection
from greylag.core.values import (
    Binary,
    Code,
    Decimal128,
    DistantDate,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.values import Document

_SHORTEST = 5
"""Bytes of a document without fields."""
_FLAGS = {"i": 2, "l": 4, "m": 8, "s": 16, "u": 32, "x": 64}
_MIN_KEY, _MAX_KEY = MinKey(), MaxKey()


def decode_page(page: bytes) -> tuple[list[Record], list[Rejection]]:
    """The records of a page of whole documents end to end, in order, and those that cannot be carried."""
    try:
        documents = bson.decode_all(page, _EXACT)
        if b"".join([bson.encode(each, False, _EXACT) for each in documents]) == page:
            return [Record(each["_id"], each) for each in documents], []
    except (bson.errors.BSONError, KeyError, OverflowError, RecursionError, TypeError, ValueError):
        pass  # one document at a time, below: that tells which, and why
    records: list[Record] = []
    rejected: list[Rejection] = []
    for raw in split_documents(page):
        try:
            document = decode(raw)
            if "_id" not in document:
                raise Refused("it has no _id", "Give it one, or leave it out with `where`.")  # noqa: TRY301
            records.append(Record(document["_id"], document))
        except Refused as refused:
            rejected.append(_rejection(raw, refused))
    return records, rejected


def split_documents(page: bytes) -> Iterator[bytes]:
    """The documents of a page, by their lengths. From a length on that no document has, the rest is one that is none:
    where the next begins, nothing tells.
    """
    place = 0
    while place < len(page):
        stated = int.from_bytes(page[place : place + 4], "little", signed=True)
        end = place + stated if stated >= _SHORTEST else len(page)
        yield page[place:end]
        place = end


def decode(raw: bytes) -> Document:
    """The document of exactly these bytes. Raises Refused for what no value says exactly."""
    try:
        document: Document = bson.decode(raw, _EXACT)
        if bson.encode(document, False, _EXACT) == raw:
            return document
    except (bson.errors.BSONError, OverflowError, RecursionError, TypeError, ValueError):
        pass  # `wire` says what is wrong, or reads what pymongo does not
    return wire.decode_exact(raw)


def encode(document: Document) -> bytes:
    """As `wire.encode_document`, at pymongo's speed where it knows all that stands in it."""
    try:
        return bson.encode(document, False, _EXACT)
    except (
        AttributeError,  # a Decimal128 that was not read from BSON
        KeyError,
        OverflowError,
        RecursionError,
        TypeError,
        ValueError,
        bson.errors.BSONError,
    ):
        return wire.encode_document(document)


def _rejection(raw: bytes, refused: Refused) -> Rejection:
    try:
        element = wire.id_element(raw)
        identity = None if element is None else wire.decode_exact(element)["_id"]
    except Refused:
        identity = None  # its _id is what cannot be read
    return Rejection(identity, refused.reason, refused.fix, raw=raw)


def _regex(value: bson.regex.Regex[str]) -> Regex:
    flags = value.flags
    return Regex(value.pattern, "".join([letter for letter, bit in _FLAGS.items() if flags & bit]))


def _as_bson_regex(value: Regex) -> bson.regex.Regex[str]:
    flags = 0
    for letter in value.options:
        flags |= _FLAGS[letter]
    return bson.regex.Regex(value.pattern, flags)


def _code(value: bson.Code) -> Code:
    return Code(str(value), None if value.scope is None else dict(value.scope))


class _Decimals(dict[bytes, Decimal128 | None]):
    """Those met lately by their bytes: prices and quantities come again and again."""

    def __missing__(self, bid: bytes) -> Decimal128 | None:
        value = decimal128.from_bid(bid)
        if len(self) >= _DECIMALS_KEPT:
            self.clear()
        self[bid] = value
        return value


_DECIMALS_KEPT = 4096
_DECIMALS = _Decimals()
_EPOCH_AS_PYMONGO = datetime(1970, 1, 1)  # noqa: DTZ001 - it gives UTC without saying so, and is faster that way
_DECODERS: dict[type, Callable[[Any], Any]] = {
    # A class stands for itself where it takes pymongo's value as it is: no Python frame is entered.
    bson.Int64: Int64,
    bson.ObjectId: lambda v: ObjectId(v.binary),
    bson.Decimal128: lambda v: _DECIMALS[v.bid],
    datetime: lambda v: EPOCH + (v - _EPOCH_AS_PYMONGO),
    bson.Binary: lambda v: Binary(v, v.subtype),
    bson.regex.Regex: _regex,
    bson.timestamp.Timestamp: lambda v: Timestamp(v.time, v.inc),
    bson.Code: _code,
    bson.min_key.MinKey: lambda _: _MIN_KEY,
    bson.max_key.MaxKey: lambda _: _MAX_KEY,
    bson.datetime_ms.DatetimeMS: lambda v: DistantDate(int(v)),
    bson.dbref.DBRef: lambda v: dict(v.as_doc()),
}
_ENCODERS: dict[type, Callable[[Any], Any]] = {
    # The others carry the `_type_marker` by which pymongo knows them (core/values.py).
    Regex: _as_bson_regex,
    Code: lambda v: bson.Code(v.code, v.scope),
    DistantDate: lambda v: bson.datetime_ms.DatetimeMS(v.milliseconds),
}


def _codec(base: type, kind: type, name: str, function: Callable[[Any], Any], type_attribute: str) -> Any:
    return type(kind.__name__, (base,), {type_attribute: kind, name: staticmethod(function)})()


def _exact_options() -> CodecOptions[dict[str, Any]]:
    registry = TypeRegistry(
        [_codec(TypeDecoder, kind, "transform_bson", each, "bson_type") for kind, each in _DECODERS.items()]
        + [
            _codec(TypeEncoder, kind, "transform_python", each, "python_type")
            for kind, each in _ENCODERS.items()
        ]
    )
    return CodecOptions(
        tz_aware=False, datetime_conversion=DatetimeConversion.DATETIME_AUTO, type_registry=registry
    )


_EXACT = _exact_options()
