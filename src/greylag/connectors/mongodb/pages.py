"""The documents of a range of `_id` as pages of raw bytes.

A page ends with the document that brings it to `page_bytes`; so pages depend on where they begin and on nothing
else, neither on the server's batches nor on how often the connection broke (law 2).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias, cast

from greylag.connectors.mongodb.bounds import GREATEST, Bounds, place_of
from greylag.connectors.mongodb.brackets import queries
from greylag.core.values import MaxKey
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pymongo.synchronous.collection import Collection

Documents: TypeAlias = "Collection[dict[str, Any]]"

_LENGTH = struct.Struct("<i")
_SMALLEST_DOCUMENT_BYTES: Final = 5
_LARGEST_BATCH_RECORDS: Final = 100_000


class Cut(NamedTuple):
    """The documents of a page, their bytes in all, and the place it ends at."""

    documents: list[bytes]
    size_bytes: int
    place: bytes


def raw_batches(
    collection: Documents, where: Mapping[str, Any], projection: Mapping[str, Any] | None = None, **find: Any
) -> Iterator[bytes]:
    """What `find` finds, as the server sends it: documents end to end. The cursor ends with the iterator."""
    with collection.find_raw_batches(where, projection, **find) as cursor:
        yield from cast("Iterator[bytes]", cursor)


def pages(
    collection: Documents,
    bounds: Bounds,
    after: bytes | None,
    *,
    page_bytes: int,
    record_bytes: int,
    reach: Reach,
) -> Iterator[Cut]:
    """The documents of `bounds`, of those only what comes after the place `after`. `record_bytes` is a guess."""
    records = page_bytes // max(1, record_bytes) + 1
    size = min(max(records, 2), _LARGEST_BATCH_RECORDS)
    rest = Bounds(after or bounds.lower, bounds.upper)
    return _cut(_behind(after, reach.batches(collection, rest, batch_size=size)), page_bytes)


class Reach(Protocol):
    """How a server is asked for a range of `_id`."""

    def batches(self, collection: Documents, bounds: Bounds, *, batch_size: int) -> Iterator[bytes]:
        """What lies in `bounds`, in order."""

    def step(self, collection: Documents, bounds: Bounds, records: int) -> bytes | None:
        """The place about `records` documents behind the lower bound; None where there are fewer in `bounds`."""


class ByCursor:
    """By a cursor's `min` and `max`, in the order of the index."""

    def batches(self, collection: Documents, bounds: Bounds, *, batch_size: int) -> Iterator[bytes]:
        """See `Reach.batches`."""
        ended_at = None
        if not bounds.only_greatest:
            last = b""
            for batch in raw_batches(collection, {}, batch_size=batch_size, **bounds.find_arguments()):
                last = batch
                yield batch
            ended_at = place_of(_last_document(last)) if last else None
        if bounds.misses_greatest and ended_at != GREATEST:
            yield from raw_batches(collection, {"_id": MaxKey()}, limit=1)

    def step(self, collection: Documents, bounds: Bounds, records: int) -> bytes | None:
        """See `Reach.step`."""
        if bounds.only_greatest:
            return None
        found = raw_batches(collection, {}, {"_id": 1}, skip=records, limit=1, **bounds.find_arguments())
        return next((place_of(raw) for raw in found), None)


class ByComparison:
    """By comparisons, one type of `_id` after the other; `hint` where the server takes one."""

    def __init__(self, *, hint: bool) -> None:
        self._find: dict[str, Any] = {"sort": [("_id", 1)], **({"hint": [("_id", 1)]} if hint else {})}

    def batches(self, collection: Documents, bounds: Bounds, *, batch_size: int) -> Iterator[bytes]:
        """See `Reach.batches`."""
        for where in queries(bounds):
            yield from raw_batches(collection, where, batch_size=batch_size, **self._find)

    def step(self, collection: Documents, bounds: Bounds, records: int) -> bytes | None:
        """See `Reach.step`. A step ends where a type does."""
        skip, begun = records, bounds.lower is not None
        for where in queries(bounds):
            if (place := self._place(collection, where, skip)) is not None:
                return place
            begun = begun or self._place(collection, where, 0) is not None
            skip = 0 if begun else records
        return None

    def _place(self, collection: Documents, where: Mapping[str, Any], skip: int) -> bytes | None:
        found = raw_batches(collection, where, {"_id": 1}, skip=skip, limit=1, **self._find)
        return next((place_of(raw) for raw in found), None)


def _behind(after: bytes | None, batches: Iterable[bytes]) -> Iterator[bytes]:
    """Without the document at `after`; where that has been deleted, the next one stands first."""
    first = True
    for batch in batches:
        if first and after is not None and place_of(batch[: (length := _length(batch, 0))]) == after:
            batch = batch[length:]  # noqa: PLW2901
        first = False
        if batch:
            yield batch


def _cut(batches: Iterable[bytes], page_bytes: int) -> Iterator[Cut]:
    documents: list[bytes] = []
    held = 0
    length_at = _LENGTH.unpack_from  # with the checks of `_length`: this loop sees every document
    for batch in batches:
        place, end = 0, len(batch)
        while place < end:
            [length] = length_at(batch, place)
            if length < _SMALLEST_DOCUMENT_BYTES or place + length > end:
                raise _no_document(length)
            documents.append(batch[place : place + length])
            place += length
            held += length
            if held >= page_bytes:
                yield Cut(documents, held, place_of(documents[-1]))
                documents, held = [], 0
    if documents:
        yield Cut(documents, held, place_of(documents[-1]))


def _last_document(documents: bytes) -> bytes:
    start = place = 0
    while place < len(documents):
        start, place = place, place + _length(documents, place)
    return documents[start:]


def _length(documents: bytes, place: int) -> int:
    [length] = _LENGTH.unpack_from(documents, place)
    if length < _SMALLEST_DOCUMENT_BYTES or place + length > len(documents):
        raise _no_document(length)
    return int(length)


def _no_document(length: int) -> SourceDataError:
    return SourceDataError(f"the server sent a document whose length is {length}")
