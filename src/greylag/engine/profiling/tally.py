"""Everything counted of a dataset's records: each part by whoever reads it, then all parts together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greylag.core.profile import Fitness, Sizes
from greylag.engine.profiling.fields import Fields, bounded
from greylag.engine.profiling.quantiles import Quantiles
from greylag.engine.profiling.sizes import record_bytes
from greylag.engine.spill import label

if TYPE_CHECKING:
    from greylag.core.records import Page, Record
    from greylag.core.values import Document, Value
    from greylag.engine.profiling.column import Found
    from greylag.engine.profiling.target import Holds

REASONS = 20
ID_CHARACTERS = 80


@dataclass(slots=True)
class Tally:
    """Counts of one part of a dataset, or of all of it. Memory is bounded, whatever was read."""

    family: str
    records: int = 0
    unreadable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    sizes: Quantiles = field(default_factory=Quantiles)
    fields: Fields = field(default_factory=Fields)
    left_out: bool = False
    oversize: int = 0
    near_limit: int = 0
    largest: tuple[int, str] = (0, "")
    deepest: int = 0
    too_deep: int = 0
    damaged: str = ""

    def add(self, page: Page, holds: Holds | None, found: Found) -> None:
        """Count a page."""
        self.records += len(page.records) + len(page.rejected)
        self.unreadable += len(page.rejected)
        for each in page.rejected:
            self._count_reason(each.reason, 1)
        documents = [each.fields for each in page.records]
        sizes = [record_bytes(each, self.family) for each in documents]
        self.sizes.add(sizes)
        self.fields.add(documents, holds, found)
        self.left_out |= bounded(self.fields)
        if holds is not None:
            for record, size in zip(page.records, sizes, strict=True):
                if size >= holds.measured_bytes:
                    self._measure(record, holds)
        self._count_levels(documents, holds)

    def merge(self, other: Tally) -> None:
        """Take over what `other`, another part of the same dataset, counted."""
        self.records += other.records
        self.unreadable += other.unreadable
        for reason, count in other.reasons.items():
            self._count_reason(reason, count)
        self.sizes.merge(other.sizes)
        self.fields.merge(other.fields)
        self.left_out |= other.left_out | bounded(self.fields)
        self.oversize += other.oversize
        self.near_limit += other.near_limit
        self.largest = max(self.largest, other.largest)
        self.deepest = max(self.deepest, other.deepest)
        self.too_deep += other.too_deep
        self.damaged = self.damaged or other.damaged

    @property
    def told_sizes(self) -> Sizes:
        """The sizes of the records that could be read."""
        digest = self.sizes
        return Sizes(digest.count, digest.total, digest.at(0.5), digest.at(0.99), digest.largest)

    @property
    def fitness(self) -> Fitness:
        """How the records stand against the target's limits."""
        return Fitness(
            self.oversize, self.near_limit, *self.largest, deepest=self.deepest, too_deep=self.too_deep
        )

    def _count_reason(self, reason: str, count: int) -> None:
        if reason in self.reasons or len(self.reasons) < REASONS:
            self.reasons[reason] += count

    def _measure(self, record: Record, holds: Holds) -> None:
        size = holds.record_bytes(record.fields, self.family)
        self.oversize += size > holds.item_bytes
        self.near_limit += holds.near_bytes < size <= holds.item_bytes
        text = "" if record.id is None else label(record.id).decode("utf-8", "backslashreplace")
        self.largest = max(self.largest, (size, text[:ID_CHARACTERS]))

    def _count_levels(self, documents: list[Document], holds: Holds | None) -> None:
        """Records are nested as deep as their fields; only where one is deep is each looked at."""
        deepest = max((levels(each) for each in documents), default=0)
        self.deepest = max(self.deepest, deepest)
        if holds is not None and deepest > holds.levels:
            self.too_deep += sum(levels(each) > holds.levels for each in documents)


def levels(document: Document) -> int:
    """How many levels a record has: its fields are the first; a list or document, an empty one too, has a level
    below its own.
    """
    level: list[dict[str, Value] | list[Value]] = [document]
    count = 0
    while level:
        count += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
    return count
