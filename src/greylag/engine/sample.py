"""Compares some records of each flow with their items: a quick look, before or beside a whole verification.

The records come from partitions chosen at random, and within one from the pages at its start, spread over each page.
Their items are fetched by key and compared value by value. Nothing is spilled; what stands at the target without a
record, and keys that records share, are not looked for.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greylag.core.records import Refused
from greylag.core.work import Message
from greylag.engine.lane import Lane, Lanes
from greylag.engine.mismatches import MISMATCHES, MismatchFile
from greylag.engine.recheck import TOGETHER, items_of, settle
from greylag.engine.stages import Stages
from greylag.engine.tasks import PARTITION_BYTES
from greylag.engine.verification import FlowVerification, Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.progress import Snapshot
    from greylag.core.records import Page, Partition, Record
    from greylag.core.work import Executor, Worker
    from greylag.engine.connections import Rates
    from greylag.engine.recheck import Expected
    from greylag.engine.route import Route

PAGE_BYTES = 256 * 2**10
PLACES = 32
"""From how many partitions of a flow records are taken, at most."""


@dataclass(frozen=True, slots=True)
class SampleTask:
    """`records` of a partition of the flow at `flow`."""

    flow: int
    partition: Partition
    records: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """What was found of a page's chosen records: counts by the names of `FlowVerification`, lines of mismatches."""

    counts: dict[str, int]
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SampleWork:
    """Compares samples. A task is a `SampleTask`."""

    routes: tuple[Route, ...]

    def open(self) -> Worker:
        """See `Work.open`."""
        return _SampleWorker(self)


def sample(
    routes: Sequence[Route],
    count: int,
    *,
    executor: Executor,
    folder: Path,
    observe: Callable[[Snapshot], None],
    rates: Rates | None = None,
    seed: int | None = None,
) -> Verification:
    """Compare up to `count` records of each of `routes`; `seed` makes the choice repeatable."""
    started, clock = datetime.now(UTC), time.monotonic()
    flows: dict[str, Counter[str]] = {route.name: Counter() for route in routes}
    stages = Stages("verify", routes, observe)
    stages.begin("a sample", estimated=False)
    if rates is not None:
        executor.broadcast(rates)
    tasks = _tasks(routes, count, flows, random.Random(seed))  # noqa: S311 - no secret hangs on it
    with MismatchFile(folder / MISMATCHES) as mismatches:
        for event in executor.run(SampleWork(tuple(routes)), tasks):
            if isinstance(event, Message):
                name = routes[event.task.flow].name
                flows[name].update(event.content.counts)
                stages.add(name, records_read=event.content.counts["records"])
                mismatches.add(event.content.lines)
    stages.finish()
    return Verification(
        flows=tuple(FlowVerification(name, **counts) for name, counts in flows.items()),
        tables=(),
        started_at=started.isoformat(timespec="seconds"),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.monotonic() - clock,
        mismatches_file=str(folder / MISMATCHES),
        sample=count,
    )


def _tasks(
    routes: Sequence[Route], count: int, flows: dict[str, Counter[str]], chance: random.Random
) -> Iterator[SampleTask]:
    """What an early partition lacks, a later one makes up for as far as its lack is known by then."""
    for place, route in enumerate(routes):
        source = route.source.source()
        try:
            chosen = choose(source.partitions(route.dataset.dataset, partition_bytes=PARTITION_BYTES), chance)
        finally:
            source.close()
        asked = 0
        for left, partition in zip(range(len(chosen), 0, -1), chosen, strict=True):
            wanted = -(-(count - max(asked, flows[route.name]["records"])) // left)
            if wanted > 0:
                asked += wanted
                yield SampleTask(place, partition, wanted)


def choose(partitions: Iterator[Partition], chance: random.Random) -> list[Partition]:
    """Up to PLACES of them, each as likely as any other (reservoir sampling)."""
    chosen: list[Partition] = []
    for number, partition in enumerate(partitions):
        if number < PLACES:
            chosen.append(partition)
        elif (place := chance.randrange(number + 1)) < PLACES:
            chosen[place] = partition
    return chosen


@dataclass(slots=True)
class _SampleWorker:
    work: SampleWork
    lanes: Lanes[int] = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = Lanes(dict(enumerate(self.work.routes)))

    def run(self, task: SampleTask, emit: Callable[[Sampled], None]) -> None:
        lane = self.lanes[task.flow]
        left = task.records
        for page in lane.source.read(task.partition, None, page_bytes=PAGE_BYTES):
            chosen = spread(page.records, left)
            found = self._compare(lane, page, chosen)
            emit(found)
            left -= found.counts["records"]
            if left <= 0:
                return

    def control(self, message: Any) -> None:
        self.lanes.limit(message)

    def close(self) -> None:
        self.lanes.close()

    def _compare(self, lane: Lane, page: Page, chosen: Sequence[Record]) -> Sampled:
        counts: Counter[str] = Counter(records=len(chosen))
        lines: list[bytes] = []
        items: list[Expected] = []
        for record in chosen:
            try:
                lane.canonical(record)  # refuses shared keys, where they are known
                made = items_of(lane, record)
            except Refused:
                counts["quarantined"] += 1
                continue
            counts["filtered"] += not made
            items += made
        for start in range(0, len(items), TOGETHER):
            settled = settle(lane, items[start : start + TOGETHER], trust_bodies=False)
            counts.update(settled.counts[lane.route.name])
            lines += settled.lines
        if len(chosen) == len(page.records):
            counts.update(records=len(page.rejected), quarantined=len(page.rejected))
        return Sampled(dict(counts), tuple(lines))


def spread(records: Sequence[Record], count: int) -> list[Record]:
    """`count` of the page's records at even distances; all, if it has no more."""
    total = len(records)
    if total <= count:
        return list(records)
    return [records[place * total // count] for place in range(count)]
