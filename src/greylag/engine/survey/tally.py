"""What a flow's records come to: counted in many processes, added up in one. Bounded, whatever the dataset."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.core.records import Refused
from greylag.core.values import ObjectId
from greylag.engine.profiling.quantiles import Quantiles
from greylag.engine.spill import hashed
from greylag.engine.survey.heavy import HeavyHitters
from greylag.engine.survey.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.records import Encoded, Item, Page, Record
    from greylag.engine.lane import Lane

UNIT_BYTES = 1024
"""What a write unit writes, in the table and again in each index that the item enters.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
"""

SAMPLE_RECORDS = 1000
"""Records kept of a flow, to try types on."""

SAMPLE_BYTES = 8 * 2**20
"""About how many bytes of source they have at most."""

TABLE = ""
"""The place that is the table itself; the others are its indexes."""


@dataclass(slots=True)
class Tally:
    """Counts of one flow. `units` and `heavy` are by place: the table and its indexes. For samples alone `digests`
    keeps the hashes of each record's keys, and `seen` counts items where `heavy` weighs them.
    """

    records: int = 0
    filtered: int = 0
    items: int = 0
    bytes_read: int = 0
    body_bytes: int = 0
    sizes: Quantiles = field(default_factory=Quantiles)
    units: Counter[str] = field(default_factory=Counter)
    entries: Counter[str] = field(default_factory=Counter)
    heavy: dict[str, HeavyHitters[Any]] = field(default_factory=dict)
    refusals: Refusals = field(default_factory=Refusals)
    sample: list[Record] = field(default_factory=list)
    sample_bytes: int = 0
    digests: list[tuple[tuple[bytes, ...], Any]] = field(default_factory=list)
    seen: dict[str, HeavyHitters[Any]] = field(default_factory=dict)

    def merge(self, other: Tally) -> None:
        """Add what `other` counted."""
        self.records += other.records
        self.filtered += other.filtered
        self.items += other.items
        self.bytes_read += other.bytes_read
        self.body_bytes += other.body_bytes
        self.sizes.merge(other.sizes)
        self.units.update(other.units)
        self.entries.update(other.entries)
        for place, heavy in other.heavy.items():
            self.heavy.setdefault(place, HeavyHitters()).merge(heavy)
        for place, seen in other.seen.items():
            self.seen.setdefault(place, HeavyHitters()).merge(seen)
        self.refusals.merge(other.refusals)
        self.digests += other.digests
        if len(self.sample) < SAMPLE_RECORDS and self.sample_bytes < SAMPLE_BYTES:
            self.sample += other.sample[: SAMPLE_RECORDS - len(self.sample)]
            self.sample_bytes += other.sample_bytes


class Counting:
    """Adds pages of one flow to a tally."""

    def __init__(self, lane: Lane, tally: Tally, *, sampled: bool, digests: bool) -> None:
        self._lane = lane
        self._tally = tally
        self._sampled = sampled
        self._digests = digests
        table = lane.route.table
        self._places = {TABLE: table.key[:1], **table.indexes}

    def add(self, page: Page, records: list[Record] | None = None) -> None:
        """Count the page, or only `records` of it."""
        tally = self._tally
        chosen = page.records if records is None else records
        for each in page.rejected:
            tally.refusals.add("unreadable", each.reason, each.fix, to_extended(each.id))
        tally.records += len(chosen) + len(page.rejected)
        tally.bytes_read += page.bytes_read
        sizes: list[int] = []
        weights: dict[str, list[tuple[Any, int]]] = {place: [] for place in self._places}
        for item, encoded in self._carried(chosen):
            size = encoded.size_bytes
            sizes.append(size)
            units = max(1, -(-size // UNIT_BYTES))
            attributes = item.attributes
            for place, names in self._places.items():
                if all(name in attributes for name in names):
                    weights[place].append((_plain(attributes[names[0]]), units))
        tally.items += len(sizes)
        tally.sizes.add(sizes)
        for place, found in weights.items():
            if found:
                tally.units[place] += sum(units for _, units in found)
                tally.entries[place] += len(found)
                tally.heavy.setdefault(place, HeavyHitters()).add(found)
                if self._sampled:
                    tally.seen.setdefault(place, HeavyHitters()).add((key, 1) for key, _ in found)

    def _carried(self, records: Any) -> Iterator[tuple[Item, Encoded]]:
        lane, tally = self._lane, self._tally
        for record in records:
            try:
                pairs = lane.both(record)
            except Refused as refused:
                tally.refusals.add(refused.kind, refused.reason, refused.fix, to_extended(record.id))
                continue
            if not pairs:
                tally.filtered += 1
            elif self._digests:
                keys = tuple(hashed(encoded.key) for _, encoded in pairs)
                tally.digests.append((keys, to_extended(record.id)))
            for pair in pairs:
                tally.body_bytes += len(pair[1].body)
                yield pair


def _plain(value: Any) -> Any:
    """A key's value as what its target takes it for: an ObjectId and its text are one key."""
    if type(value) is ObjectId:
        return str(value)
    return repr(value) if isinstance(value, list | dict) else value
