"""The two passes of a verification: every item of the target, then every record of the source, spilled for a join.

Where both sides are cut alike and items are records as they stand, they are read together, stretch by stretch, again
the target's first: what is there on both sides, byte for byte, has met and is not spilled (`engine.pairs`).

The target is read first. A record written after its item's place was scanned is then a candidate that a second look
settles; the other way round an item written between the passes would be taken for one without a record.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.core.records import NativePage
from greylag.engine import pairs
from greylag.engine.lane import Lane, Lanes
from greylag.engine.ranges import digest_of
from greylag.engine.spill import SOURCE, TARGET, Entry, SpillWriter, label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from greylag.core.records import Page, Partition, Stored
    from greylag.core.work import Worker
    from greylag.engine.ranges import Sides
    from greylag.engine.route import Route

PAGE_BYTES = 4 * 2**20
EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class TargetRead:
    """A batch of a table's items: how many, by the place of the flow that owns them (None: no flow does)."""

    items: int
    owned: dict[int | None, int]
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRead:
    """A page of a flow's records."""

    records: int
    filtered: int
    quarantined: int
    items: int
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Met:
    """What two sides of a stretch have in common: items, and their ranges."""

    items: int
    ranges: dict[int, Sides]


@dataclass(frozen=True, slots=True)
class SweepWork:
    """Spills both sides into `folder`. A flow is known by its place in `routes`, which hold every flow of the tables
    that are read; only items of the flows in `checked` are spilled. A task is a `TargetTask`, a `SourceTask` or a
    `PairTask`.
    """

    routes: tuple[Route, ...]
    checked: frozenset[int]
    folder: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _SweepWorker(self)


@dataclass(frozen=True, slots=True)
class TargetTask:
    """A segment of the table that the flows at the places `owners` write."""

    owners: tuple[int, ...]
    segment: Partition


@dataclass(frozen=True, slots=True)
class SourceTask:
    """A partition of the flow at `flow`."""

    flow: int
    partition: Partition


@dataclass(frozen=True, slots=True)
class PairTask:
    """A partition of the flow at `flow`, and the segment of its table that lies where the partition does."""

    flow: int
    partition: Partition
    segment: Partition


@dataclass(slots=True)
class _SweepWorker:
    work: SweepWork
    lanes: Lanes[int] = field(init=False)
    spill: SpillWriter = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = Lanes(dict(enumerate(self.work.routes)))
        self.spill = SpillWriter(self.work.folder)

    def run(self, task: TargetTask | SourceTask | PairTask, emit: Callable[[Any], None]) -> None:
        if isinstance(task, TargetTask):
            owners = [(place, self.lanes[place]) for place in task.owners]
            names = tuple(dict.fromkeys(name for _, lane in owners for name in lane.mapping.claim.names))
            for batch in owners[0][1].target.scan(task.segment):
                emit(self._batch(batch, owners, names))
        elif isinstance(task, PairTask):
            self._pair(task, emit)
        else:
            lane = self.lanes[task.flow]
            for page in lane.source.read(task.partition, None, page_bytes=PAGE_BYTES):
                emit(self._page(page, task.flow, lane))
        self.spill.flush()

    def _pair(self, task: PairTask, emit: Callable[[Any], None]) -> None:
        lane = self.lanes[task.flow]
        owners = [(task.flow, lane)]
        names = lane.mapping.claim.names
        meeting = pairs.Meeting(lane, pairs.HELD_BYTES)
        for batch in lane.target.scan(task.segment):
            if over := meeting.hold(batch):
                emit(self._batch(over, owners, names))
        for page in lane.source.read(task.partition, None, page_bytes=PAGE_BYTES):
            documents, rest = lane.as_they_are(page)
            alone = meeting.meet(documents)
            for key, body in alone:
                assert isinstance(page, NativePage)
                text = label(page.identify(body))
                self.spill.add(Entry(lane.digest(key), digest_of(body), SOURCE, task.flow, 0, text))
            read = self._page(rest, task.flow, lane)
            emit(
                SourceRead(
                    len(documents) + read.records,
                    read.filtered,
                    read.quarantined,
                    len(documents) + read.items,
                    page.bytes_read,
                )
            )
        emit(TargetRead(meeting.met, {task.flow: meeting.met}))
        for batch in meeting.left():
            emit(self._batch(batch, owners, names))
        emit(Met(meeting.met, meeting.ranges()))

    def control(self, message: Any) -> None:
        self.lanes.limit(message)

    def close(self) -> None:
        self.lanes.close()

    def _batch(
        self, batch: Sequence[Stored], owners: Sequence[tuple[int, Lane]], names: tuple[str, ...]
    ) -> TargetRead:
        owned: Counter[int | None] = Counter()
        examples: list[Any] = []
        for stored in batch:
            attributes = owners[0][1].target.peek(stored.body, names)
            owner = next((each for each in owners if each[1].mapping.claim.matches(attributes)), None)
            if owner is None:
                owned[None] += 1
                if len(examples) < EXAMPLES:
                    examples.append(to_extended(owners[0][1].codec.key(stored.body)))
                continue
            flow, lane = owner
            owned[flow] += 1
            if flow in self.work.checked:
                text = label(lane.codec.key(stored.body))
                self.spill.add(Entry(lane.digest(stored.key), digest_of(stored.body), TARGET, flow, 0, text))
        return TargetRead(len(batch), dict(owned), tuple(examples))

    def _page(self, page: Page, flow: int, lane: Lane) -> SourceRead:
        count = filtered = quarantined = items = 0
        for found in lane.canonical_all(page):
            count += 1
            if found is None:
                quarantined += 1
                continue
            identity, encoded = found
            filtered += not encoded
            items += len(encoded)
            text = label(identity)
            for place, each in enumerate(encoded):
                self.spill.add(Entry(lane.digest(each.key), digest_of(each.body), SOURCE, flow, place, text))
        return SourceRead(count, filtered, quarantined, items, page.bytes_read)
