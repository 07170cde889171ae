"""The pass itself: partitions, or a sample, counted in worker processes."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.core.work import Finished
from greylag.engine.lane import COLLISION_FIX, Lanes
from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES
from greylag.engine.sharing import Sharing
from greylag.engine.survey.tally import SAMPLE_RECORDS, Counting, Tally
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from greylag.core.records import Page, Partition
    from greylag.core.work import Executor, Worker
    from greylag.engine.connections import Rates
    from greylag.engine.lane import Lane
    from greylag.engine.route import Route
    from greylag.engine.stages import Stages

_KEPT_OF_A_PARTITION = 250


@dataclass(frozen=True, slots=True)
class SurveyTask:
    """A partition of the flow at `flow`, or a sample of `records` where there is none."""

    flow: int
    partition: Partition | None
    records: int = 0


@dataclass(frozen=True, slots=True)
class Sampled:
    """How a sample was chosen, as the source says it; and, where the source does not tell how many records it has, how
    many of its bytes a record takes, on its first page.
    """

    bias: str
    whole: bool
    record_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class Damaged:
    """A part of the source that cannot be read on from some byte."""

    message: str
    advice: str


@dataclass(slots=True)
class Surveyed:
    """What was found of one flow. `partitions` counts those read; 0 for a sample. `whole`: every record was read."""

    tally: Tally = field(default_factory=Tally)
    partitions: int = 0
    whole: bool = True
    bias: str = ""
    record_bytes: float | None = None
    damaged: list[Damaged] = field(default_factory=list)


def survey(
    routes: Sequence[Route],
    executor: Executor,
    stages: Stages,
    *,
    sample: int | None,
    doubtful: Collection[str] = (),
    partition_bytes: int,
    rates: Rates,
) -> dict[str, Surveyed]:
    """Count every record of `routes`, or `sample` of each; by the flows' names.

    `doubtful` names flows whose keys may collide: in a sample those that do are counted as refused, as far as the
    sample shows them. In a whole survey the routes' `colliding` tells them. `rates` are those of all workers together.
    """
    found = {route.name: Surveyed(whole=sample is None) for route in routes}
    work = SurveyWork(tuple(routes), frozenset(doubtful) if sample is not None else frozenset())
    tasks = _samples(routes, sample) if sample is not None else _partitions(routes, partition_bytes)
    for event in Sharing(executor, rates).run(work, tasks):
        if isinstance(event, Finished):
            continue
        flow = found[routes[event.task.flow].name]
        match event.content:
            case Tally() as tally:
                flow.tally.merge(tally)
                flow.partitions += sample is None
            case Damaged() as damaged:
                flow.damaged.append(damaged)
            case Sampled(bias, whole, record_bytes):
                flow.bias, flow.whole, flow.record_bytes = bias, whole, record_bytes
            case records, size:
                stages.add(routes[event.task.flow].name, records_read=records, bytes_read=size)
    if doubtful and sample is not None:
        _refuse_shared([(route, found[route.name].tally) for route in routes if route.name in doubtful])
    return found


def _samples(routes: Sequence[Route], count: int) -> Iterator[SurveyTask]:
    for place in range(len(routes)):
        yield SurveyTask(place, None, count)


def _partitions(routes: Sequence[Route], partition_bytes: int) -> Iterator[SurveyTask]:
    for place, route in enumerate(routes):
        source = route.source.source()
        try:
            for partition in source.partitions(route.dataset.dataset, partition_bytes=partition_bytes):
                yield SurveyTask(place, partition)
        finally:
            source.close()


@dataclass(frozen=True, slots=True)
class SurveyWork:
    """Counts what records become. A task is a `SurveyTask`; of the flows in `digests` the keys are kept."""

    routes: tuple[Route, ...]
    digests: frozenset[str]

    def open(self) -> Worker:
        """See `Work.open`."""
        return _SurveyWorker(self)


class _SurveyWorker:
    def __init__(self, work: SurveyWork) -> None:
        self._work = work
        self._lanes = Lanes(dict(enumerate(work.routes)))

    def run(self, task: SurveyTask, emit: Callable[[Any], None]) -> None:
        tally = Tally()
        lane = self._lanes[task.flow]
        counting = Counting(
            lane, tally, sampled=task.partition is None, digests=lane.route.name in self._work.digests
        )
        keep = SAMPLE_RECORDS if task.partition is None else _KEPT_OF_A_PARTITION
        try:
            for page in self._pages(task, emit):
                counting.add(page)
                if len(tally.sample) < keep:
                    _keep(tally, page, keep)
                emit((len(page.records) + len(page.rejected), page.bytes_read))
        except SourceDataError as error:
            emit(Damaged(error.message, error.advice))
        emit(tally)

    def _pages(self, task: SurveyTask, emit: Callable[[Any], None]) -> Iterator[Page]:
        lane = self._lanes[task.flow]
        if task.partition is not None:
            yield from lane.source.read(task.partition, None, page_bytes=PAGE_BYTES)
            return
        if _needs_rows(lane.route):
            yield from _first(lane, task.records, emit)
            return
        sample = lane.source.sample(lane.route.dataset.dataset, task.records)
        yield from sample.pages
        counted = sample.whole or lane.route.dataset.estimated_records is not None
        emit(Sampled(sample.bias, sample.whole, None if counted else _record_bytes(lane)))

    def control(self, message: Any) -> None:
        self._lanes.limit(message)

    def close(self) -> None:
        self._lanes.close()


def _needs_rows(route: Route) -> bool:
    """Whether a template asks for a record's place in its file, which a sample need not know."""
    flow = route.flow
    written = (flow.attributes, *(split.attributes for split in flow.split))
    return any(isinstance(text, str) and "{@row" in text for each in written for text in each.values())


def _first(lane: Lane, count: int, emit: Callable[[Any], None]) -> Iterator[Page]:
    """Pages from the start, until they have `count` records."""
    seen = size = 0
    dataset = lane.route.dataset.dataset
    for partition in lane.source.partitions(dataset, partition_bytes=PARTITION_BYTES):
        for page in lane.source.read(partition, None, page_bytes=PAGE_BYTES):
            if seen >= count:
                bias = "the first records: {@row} counts from the start"
                emit(Sampled(bias, whole=False, record_bytes=size / seen))
                return
            seen += len(page.records) + len(page.rejected)
            size += page.bytes_read
            yield page
    emit(Sampled("", whole=True))


def _record_bytes(lane: Lane) -> float | None:
    dataset = lane.route.dataset.dataset
    for partition in lane.source.partitions(dataset, partition_bytes=PARTITION_BYTES):
        for page in lane.source.read(partition, None, page_bytes=PAGE_BYTES):
            return page.bytes_read / (len(page.records) + len(page.rejected))
    return None


def _keep(tally: Tally, page: Page, most: int) -> None:
    """Records of the page, at even distances, until `most` are kept."""
    room = most - len(tally.sample)
    total = len(page.records)
    taken = min(room, total)
    tally.sample += [page.records[place * total // taken] for place in range(taken)]
    if total:
        tally.sample_bytes += page.bytes_read * taken // total


def _refuse_shared(flows: Sequence[tuple[Route, Tally]]) -> None:
    """Keys that several items of the samples map to, within each table: no item of such a record is written. What they
    weigh stays counted.
    """
    by_table: dict[str, list[tuple[Tally, tuple[bytes, ...], Any]]] = defaultdict(list)
    for route, tally in flows:
        by_table[str(route.flow.table.ref)] += [(tally, *each) for each in tally.digests]
        tally.digests = []
    for entries in by_table.values():
        counts = Counter(key for _, keys, _ in entries for key in keys)
        for tally, keys, record_id in entries:
            others = max(counts[key] for key in keys) - 1
            if others:
                why = (
                    f"maps to the same key as {others:,} other item{'s' if others > 1 else ''} of the sample"
                )
                tally.items -= len(keys)
                tally.refusals.add("key-collision", why, COLLISION_FIX, record_id)
