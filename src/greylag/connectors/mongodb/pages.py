"""The documents of a range of `_id` as pages of raw bytes.

A page ends with the document that brings it to `page_bytes`; so pages depend on where they begin and on nothing
else, neither on the server's batches nor on how often the connection broke (law 2).
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from greylag.connectors.mongodb.bounds import GREATEST, Bounds, place_of
from greylag.connectors.mongodb.brackets import queries
from greylag.connectors.mongodb.find import find
from greylag.core.values import MaxKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from greylag.connectors.mongodb.find import Documents

_LARGEST_BATCH_RECORDS: Final = 100_000


class Cut(NamedTuple):
    """The documents of a page, their bytes in all, and the place it ends at."""

    documents: list[bytes]
    size_bytes: int
    place: bytes


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

    def batches(self, collection: Documents, bounds: Bounds, *, batch_size: int) -> Iterator[list[bytes]]:
        """What lies in `bounds`, in order."""

    def step(self, collection: Documents, bounds: Bounds, records: int) -> bytes | None:
        """The place about `records` documents behind the lower bound; None where there are fewer in `bounds`."""


class ByCursor:
    """By a cursor's `min` and `max`, in the order of the index."""

    def batches(self, collection: Documents, bounds: Bounds, *, batch_size: int) -> Iterator[list[bytes]]:
        """See `Reach.batches`."""
        ended_at = None
        if not bounds.only_greatest:
            for batch in find(collection, {}, batch_size=batch_size, **bounds.find_arguments()):
                ended_at = batch[-1]
                yield batch
        if bounds.misses_greatest and (ended_at is None or place_of(ended_at) != GREATEST):
            yield from find(collection, {"_id": MaxKey()}, limit=1)

    def step(self, collection: Documents, bounds: Bounds, records: int) -> bytes | None:
        """See `Reach.step`."""
        if bounds.only_greatest:
            return None
        found = find(collection, {}, {"_id": 1}, skip=records, limit=1, **bounds.find_arguments())
        return next((place_of(batch[0]) for batch in found), None)


class ByComparison:
    """By comparisons, one type of `_id` after the other; `hint` where the server takes one."""

    def __init__(self, *, hint: bool) -> None:
        self._find: dict[str, Any] = {"sort": [("_id", 1)], **({"hint": [("_id", 1)]} if hint else {})}

    def batches(self, collection: Documents, bounds: Bounds, *, batch_size: int) -> Iterator[list[bytes]]:
        """See `Reach.batches`."""
        for where in queries(bounds):
            yield from find(collection, where, batch_size=batch_size, **self._find)

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
        found = find(collection, where, {"_id": 1}, skip=skip, limit=1, **self._find)
        return next((place_of(batch[0]) for batch in found), None)


def _behind(after: bytes | None, batches: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """Without the document at `after`; where that has been deleted, the next one stands first."""
    first = True
    for batch in batches:
        if first and after is not None and place_of(batch[0]) == after:
            del batch[0]
        first = False
        if batch:
            yield batch


def _cut(batches: Iterable[list[bytes]], page_bytes: int) -> Iterator[Cut]:
    documents: list[bytes] = []
    held = 0
    for batch in batches:
        ends = list(accumulate(map(len, batch)))
        start = behind = 0
        while (last := bisect_left(ends, behind + page_bytes - held, start)) < len(batch):
            documents += batch[start : last + 1]
            yield Cut(documents, held + ends[last] - behind, place_of(documents[-1]))
            documents, held = [], 0
            start, behind = last + 1, ends[last]
        documents += batch[start:]
        held += ends[-1] - behind
    if documents:
        yield Cut(documents, held, place_of(documents[-1]))
