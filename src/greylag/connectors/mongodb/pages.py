"""The documents of a range of `_id` as pages of raw bytes.

A page ends with the document that brings it to `page_bytes`; so pages depend on where they begin and on nothing
else, neither on the server's batches nor on how often the connection broke (law 2).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from greylag.connectors.mongodb.bounds import GREATEST, Bounds, place_of
from greylag.core.values import MaxKey
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pymongo.synchronous.collection import Collection

Documents: TypeAlias = "Collection[dict[str, Any]]"

_LENGTH = struct.Struct("<i")
_SMALLEST_DOCUMENT_BYTES: Final = 5
_LARGEST_BATCH_RECORDS: Final = 100_000


def raw_batches(
    collection: Documents, where: Mapping[str, Any], projection: Mapping[str, Any] | None = None, **find: Any
) -> Iterator[bytes]:
    """What `find` finds, as the server sends it: documents end to end. The cursor ends with the iterator."""
    with collection.find_raw_batches(where, projection, **find) as cursor:
        yield from cast("Iterator[bytes]", cursor)


def pages(
    collection: Documents, bounds: Bounds, after: bytes | None, *, page_bytes: int, record_bytes: int
) -> Iterator[tuple[bytes, bytes]]:
    """The documents of `bounds`, of those only what comes after the place `after`: pages, each with the place it
    ends at. `record_bytes` is a guess.
    """
    batches = _batches(collection, bounds, after, batch_records=page_bytes // max(1, record_bytes) + 1)
    return _cut(batches, page_bytes)


def _batches(
    collection: Documents, bounds: Bounds, after: bytes | None, *, batch_records: int
) -> Iterator[bytes]:
    rest = Bounds(after or bounds.lower, bounds.upper)
    ended_at = after
    if not rest.only_greatest:
        size = min(max(batch_records, 2), _LARGEST_BATCH_RECORDS)
        last = b""
        for batch in raw_batches(collection, {}, batch_size=size, **rest.find_arguments()):
            length = _length(batch, 0)
            if not last and after is not None and place_of(batch[:length]) == after:
                yield batch[length:]
            else:  # where the last document read has been deleted, the next one stands first
                yield batch
            last = batch
        ended_at = place_of(_last_document(last)) if last else after
    if rest.misses_greatest and ended_at != GREATEST:
        yield from raw_batches(collection, {"_id": MaxKey()}, limit=1)


def _cut(batches: Iterable[bytes], page_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    rest = b""
    for batch in batches:
        whole, start, place = rest + batch, 0, len(rest)
        while place < len(whole):
            length = _length(whole, place)
            place += length
            if place - start >= page_bytes:
                yield whole[start:place], place_of(whole[place - length : place])
                start = place
        rest = whole[start:]
    if rest:
        yield rest, place_of(_last_document(rest))


def _last_document(documents: bytes) -> bytes:
    start = place = 0
    while place < len(documents):
        start, place = place, place + _length(documents, place)
    return documents[start:]


def _length(documents: bytes, place: int) -> int:
    [length] = _LENGTH.unpack_from(documents, place)
    if length < _SMALLEST_DOCUMENT_BYTES or place + length > len(documents):
        raise SourceDataError(f"the server sent a document whose length is {length}")
    return int(length)
