"""The worker's side of a full load: a partition read, mapped, written and acknowledged page by page.

In a worker, a partition's pages become batches that the writer sends many at a time and acknowledges in order.
When the last item of a page is acknowledged the worker tells the coordinator, which appends the page's rejections
to quarantine, then saves cursor and counts in one transaction. So a kill at any moment leaves a cursor behind
which everything is at the target or in quarantine; what is in front of it is read and written again, with the
same states (laws 2, 3 and 4).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from greylag.core.passing import PassingRecords
from greylag.core.records import NativePage, Page, Rejection, Undecoded
from greylag.engine.follow.claims import Noting
from greylag.engine.lane import Lanes
from greylag.state.locks import hold_worker_lock
from greylag.state.store import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from greylag.core.passing import Passing
    from greylag.core.ports import Delivery, Writer
    from greylag.core.records import Encoded, Partition, Record
    from greylag.engine.connections import Rates
    from greylag.engine.follow.stream import Stream
    from greylag.engine.lane import Lane
    from greylag.engine.route import Route

    Carry: TypeAlias = Callable[[Page], Iterator[tuple[Record | Undecoded, Sequence[Encoded] | Rejection]]]
    Pass: TypeAlias = Callable[[Page], Passing | None]

PAGE_BYTES = 1 << 19
PARTITION_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class LoadTask:
    """A partition of a flow, from `cursor` on."""

    flow: str
    partition: Partition
    cursor: str | None


@dataclass(frozen=True, slots=True)
class PageLoaded:
    """Everything up to `cursor` is acknowledged, but for `rejections`. `cursor` is None for a page that `--limit`
    cut short: it is not checkpointed. `unknown` counts requests that may still land (`Delivery.unknown`).
    """

    cursor: str | None
    counts: Counts
    units: float
    rejections: tuple[Rejection, ...]
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class LoadWork:
    """What each worker gets. `limit` is the number of records of each flow to carry, None for all. Of flows whose
    `streams` are named the keys are noted as far as following needs it.
    """

    routes: Mapping[str, Route]
    folder: Path
    limit: int | None = None
    page_bytes: int = PAGE_BYTES
    streams: tuple[Stream, ...] = ()

    def open(self) -> LoadWorker:
        """See `core.work.Work`."""
        return LoadWorker(self)


class LoadWorker:
    """Loads partitions in one process."""

    def __init__(self, work: LoadWork) -> None:
        self.work = work
        self._worker_lock = hold_worker_lock(work.folder)
        self._lanes = Lanes(work.routes)
        self._left = dict.fromkeys(work.routes, work.limit)
        self._notes = Noting(work.streams).open()

    def run(self, task: LoadTask, emit: Callable[[PageLoaded], None]) -> None:
        """Load the rest of the partition; emit each page once it is acknowledged."""
        lane = self._lanes[task.flow]
        pages = lane.source.read(task.partition, task.cursor, page_bytes=self.work.page_bytes)
        apart = lane.route.colliding is not None and self._notes.of(lane) is not None
        limited = self._limited(task.flow, pages)
        carry, passing = self._carry(lane)
        for loaded in Pipeline(carry, lane.writer, limited, apart=apart, passing=passing).run():
            emit(loaded)

    def control(self, message: Rates) -> None:
        """New rates, at once."""
        self._lanes.limit(message)

    def close(self) -> None:
        """Close every connection."""
        self._notes.close()
        self._lanes.close()

    def _carry(self, lane: Lane) -> tuple[Carry, Pass | None]:
        """How the lane's pages are carried: where the flow is followed and needs it, with a note of their keys."""
        claiming = self._notes.of(lane)
        return (lane.carry_all, lane.passing) if claiming is None else (claiming.carry_all, None)

    def _limited(self, flow: str, pages: Iterator[Page]) -> Iterator[tuple[Page, bool]]:
        """The pages, and whether each is whole; no more records than `--limit` leaves."""
        for page in pages:
            left = self._left[flow]
            if left is None:
                yield page, True
                continue
            if left == 0:
                return
            self._left[flow] = max(0, left - len(page.records))
            if left < len(page.records):
                yield _cut(page, left), False
                return
            yield page, True


def _cut(page: Page, records: int) -> Page:
    return Page(page.records[:records], page.cursor, page.bytes_read * records // len(page.records))


@dataclass(slots=True)
class _PageInFlight:
    """A page that has been read, until its last batch is acknowledged."""

    cursor: str | None
    records: int
    bytes_read: int
    rejections: list[Rejection]
    filtered: int = 0
    last_batch: int | None = None


@dataclass(slots=True)
class _Sums:
    """What the batches acknowledged since the last emitted page come to."""

    items: int = 0
    size_bytes: int = 0
    units: float = 0.0
    throttles: int = 0
    unknown: int = 0
    rejections: list[Rejection] = field(default_factory=list)


class Pipeline:
    """Pages in, acknowledged pages out; at most what the writer has in flight is in memory."""

    def __init__(
        self,
        carry: Carry,
        writer: Writer,
        pages: Iterator[tuple[Page, bool]],
        *,
        apart: bool = False,
        passing: Pass | None = None,
    ) -> None:
        """`passing` gives a page's items where they need not be carried one by one.

        `apart`: items of one key never share a batch. Two records may have one while the source is written to: their
        changes, which are followed, decide between them.
        """
        self._carry = carry
        self._writer = writer
        self._source = pages
        self._pages: deque[_PageInFlight] = deque()
        self._owners: deque[Sequence[Record | Undecoded]] = deque()
        self._issued = 0
        self._apart = apart
        self._passing = passing

    def run(self) -> Iterator[PageLoaded]:
        """Write every item of every page; each page once, in order, when all of it is acknowledged."""
        sums = _Sums()
        acknowledged = 0
        for delivery in self._writer.write(self._batches()):
            # A page that ended exactly with its last batch is known to have ended only once the next is issued.
            if page := self._acknowledged_page(acknowledged):
                yield self._loaded(page, sums)
                sums = _Sums()
            acknowledged += 1
            self._note(delivery, sums)
            if page := self._acknowledged_page(acknowledged):
                yield self._loaded(page, sums)
                sums = _Sums()
        if page := self._acknowledged_page(acknowledged):
            yield self._loaded(page, sums)
        assert not self._pages, "the writer ended before it acknowledged every batch"

    def _acknowledged_page(self, batches: int) -> _PageInFlight | None:
        """The oldest page, if it has ended and `batches` acknowledged batches include its last."""
        if self._pages and self._pages[0].last_batch is not None and self._pages[0].last_batch <= batches:
            return self._pages.popleft()
        return None

    def _note(self, delivery: Delivery, sums: _Sums) -> None:
        owners = self._owners.popleft()
        sums.items += delivery.items
        sums.size_bytes += delivery.size_bytes
        sums.units += delivery.units
        sums.throttles += delivery.throttles
        sums.unknown += delivery.unknown
        for index, reason in (*delivery.refused, *delivery.duplicates):
            record = owners[index]
            sums.rejections.append(
                record.rejection(reason, _TARGET_REFUSED)
                if isinstance(record, Undecoded)
                else Rejection(record.id, reason, _TARGET_REFUSED, record.fields)
            )

    def _loaded(self, page: _PageInFlight, sums: _Sums) -> PageLoaded:
        rejections = (*page.rejections, *sums.rejections)
        counts = Counts(
            records_read=page.records,
            records_filtered=page.filtered,
            items_written=sums.items,
            records_quarantined=len(rejections),
            bytes_read=page.bytes_read,
            bytes_written=sums.size_bytes,
            throttles=sums.throttles,
        )
        return PageLoaded(page.cursor, counts, sums.units, rejections, sums.unknown)

    def _batches(self) -> Iterator[Sequence[Encoded]]:
        """Batches of items; a batch ends with its page, so that acknowledging it says nothing of the next page.

        A page without any item issues an empty batch: its acknowledgement is what lets the page be checkpointed.
        """
        size = self._writer.batch_items
        for page, whole in self._source:
            if self._passing is not None and (items := self._passing(page)):
                yield from self._pass(page, items, size, whole=whole)
                continue
            native = isinstance(page, NativePage)  # then not to be decoded here
            rejected = [] if native else list(page.rejected)
            cursor = page.cursor if whole else None
            flight = _PageInFlight(cursor, len(rejected), page.bytes_read, rejected)
            self._pages.append(flight)
            batch: list[Encoded] = []
            owners: list[Record | Undecoded] = []
            before = self._issued
            for record, carried in self._carry(page):
                flight.records += 1
                if isinstance(carried, Rejection):
                    rejected.append(carried)
                    continue
                if not carried:
                    flight.filtered += 1
                for encoded in carried:
                    if self._apart and any(each.key == encoded.key for each in batch):
                        yield self._issue(batch, owners)
                        batch, owners = [], []
                    batch.append(encoded)
                    owners.append(record)
                    if len(batch) == size:
                        yield self._issue(batch, owners)
                        batch, owners = [], []
            if batch or self._issued == before:
                yield self._issue(batch, owners)
            flight.last_batch = self._issued

    def _pass(self, page: Page, items: Passing, size: int, *, whole: bool) -> Iterator[Sequence[Encoded]]:
        """The batches of a page whose documents go through as they are."""
        assert isinstance(page, NativePage)
        flight = _PageInFlight(page.cursor if whole else None, len(items), page.bytes_read, [])
        self._pages.append(flight)
        for start in range(0, len(items), size):
            batch = items[start : start + size]
            yield self._issue(batch, PassingRecords(batch.bodies, page))
        flight.last_batch = self._issued

    def _issue(self, batch: Sequence[Encoded], owners: Sequence[Record | Undecoded]) -> Sequence[Encoded]:
        self._owners.append(owners)
        self._issued += 1
        return batch


_TARGET_REFUSED = (
    "Mend the record at the source and `greylag quarantine retry`, "
    "or map it otherwise and load the flow again."
)
