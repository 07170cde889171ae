"""Ranges of `_id` by comparison, for servers whose cursors know no `min` and `max`: Amazon DocumentDB.

A comparison in a filter sees only values of its operand's type. So a range is read type by type, in the order in which
MongoDB's index has them: what `queries` gives, one after the other, finds every document of the range once. Types that
DocumentDB stores nowhere (code, DBRef) are not asked for.

Source: https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/mongo-apis.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.bounds import as_sent
from greylag.core.records import Refused
from greylag.core.values import Binary, MaxKey, MinKey, ObjectId, Timestamp
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bson.raw_bson import RawBSONDocument

    from greylag.connectors.mongodb.bounds import Bounds
    from greylag.core.values import Value

_DOUBLE, _DECIMAL = 0x01, 0x13
_EARLIEST: Final = wire.document_of(b"\x09_id\0" + bytes(7) + b"\x80")
"""The least date there is."""


@dataclass(frozen=True, slots=True)
class _Bracket:
    """Values that compare with each other: of the BSON types `types`. `least` is the least as the document `{_id: …}`;
    a bracket of a single value is asked for by equality.
    """

    types: frozenset[int]
    least: bytes
    single: bool = False


def _bracket(*types: int, least: Value) -> _Bracket:
    return _Bracket(frozenset(types), wire.encode_document({"_id": least}))


def _single(*types: int, value: Value) -> _Bracket:
    return _Bracket(frozenset(types), wire.encode_document({"_id": value}), single=True)


_NAN: Final = _single(value=math.nan)
_BRACKETS: Final = (
    _single(0xFF, value=MinKey()),
    _single(0x06, 0x0A, value=None),
    _NAN,
    _bracket(_DOUBLE, 0x10, 0x12, _DECIMAL, least=-math.inf),
    _bracket(0x02, 0x0E, least=""),
    _bracket(0x03, least={}),
    _bracket(0x05, least=Binary(b"", 0)),
    _bracket(0x07, least=ObjectId(bytes(12))),
    _bracket(0x08, least=False),
    _Bracket(frozenset({0x09}), _EARLIEST),
    _bracket(0x11, least=Timestamp(0, 0)),
    _single(0x7F, value=MaxKey()),
)


def queries(bounds: Bounds) -> Iterator[RawBSONDocument]:
    """Filters, each of one type and in order, that together find what lies in `bounds`."""
    first = 0 if bounds.lower is None else _place(bounds.lower)
    last = len(_BRACKETS) - 1 if bounds.upper is None else _place(bounds.upper)
    for place in range(first, last + 1):
        bracket = _BRACKETS[place]
        lower = bounds.lower if bounds.lower is not None and place == first else bracket.least
        upper = bounds.upper if place == last else None
        if bracket.single:
            if upper is None:
                yield _filter((b"$eq", bracket.least))
        elif upper is None:
            yield _filter((b"$gte", lower))
        else:
            yield _filter((b"$gte", lower), (b"$lt", upper))


def _filter(*comparisons: tuple[bytes, bytes]) -> RawBSONDocument:
    """`{_id: {$gte: …, $lt: …}}` of bounds as they are."""
    content = b"".join(each[4:5] + operator + b"\0" + each[9:-1] for operator, each in comparisons)
    return as_sent(wire.document_of(b"\x03_id\0" + wire.document_of(content)))


def _place(bound: bytes) -> int:
    kind = bound[4]
    if kind in (_DOUBLE, _DECIMAL) and _is_nan(bound):
        return _BRACKETS.index(_NAN)
    for place, bracket in enumerate(_BRACKETS):
        if kind in bracket.types:
            return place
    raise SourceDataError(f"an _id is of the BSON type {kind}, which DocumentDB does not have")


def _is_nan(bound: bytes) -> bool:
    if bound[4] == _DOUBLE:
        return math.isnan(float(_value(bound)))  # type: ignore[arg-type]
    return bound[-2] & 0x7C == 0x7C  # a decimal's combination field of a NaN


def _value(bound: bytes) -> Value:
    try:
        return wire.decode_exact(bound)["_id"]
    except Refused as refused:
        raise SourceDataError(f"an _id cannot be read: {refused.reason}") from refused
