"""Where two sides of a stretch meet: the target's items are held in memory, then the source's documents come by.

Only bytes that are equal meet. Everything else, and what does not fit in memory, is for the caller to spill: whether it
differs is found there as ever.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Final

from greylag.core.records import Stored
from greylag.engine.ranges import Sides, Sum, digest_of, range_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greylag.engine.lane import Lane

HELD_BYTES: Final = 32 * 2**20
_TOGETHER: Final = 1000


class Meeting:
    """One stretch. Holds at most about `held_bytes` of items and a batch."""

    def __init__(self, lane: Lane, held_bytes: int) -> None:
        self.met = 0
        self._digest = lane.digest
        self._held: dict[bytes, bytes] = {}
        self._left_bytes = held_bytes
        self._counts: defaultdict[int, int] = defaultdict(int)
        self._totals: defaultdict[int, int] = defaultdict(int)

    def hold(self, batch: Sequence[Stored]) -> Sequence[Stored]:
        """Hold the target's items; gives back those for which there is no room."""
        items = dict(batch)
        if self._left_bytes <= 0 or len(items) < len(batch) or not items.keys().isdisjoint(self._held):
            return batch
        self._held.update(items)
        self._left_bytes -= sum(map(len, items.values()))
        return ()

    def meet(self, documents: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Each document, behind its key, meets the item that is held for it; gives back those that find none like
        them.
        """
        held, digest, counts, totals = self._held, self._digest, self._counts, self._totals
        alone = []
        met = 0
        for each in documents:
            key, body = each
            if held.get(key) != body:
                alone.append(each)
                continue
            del held[key]
            met += 1
            number = range_of(digest(key))
            counts[number] += 1
            totals[number] += int.from_bytes(digest_of(body), "big")
        self.met += met
        return alone

    def left(self) -> Iterator[list[Stored]]:
        """The items that no document has met."""
        left = iter(self._held.items())
        while some := [Stored(key, body) for key, body in islice(left, _TOGETHER)]:
            yield some

    def ranges(self) -> dict[int, Sides]:
        """What has met, on both sides."""
        return {
            number: Sides(
                Sum.of(count, self._totals[number]), Sum.of(count, self._totals[number]), Sum(), Sum()
            )
            for number, count in self._counts.items()
        }
