"""Reads parts or samples of datasets in worker processes, and counts what is in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from greylag.engine.profiling.tally import Tally
from greylag.engine.spill import SOURCE, Entry, SpillWriter
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from greylag.core.ports import Connector, DatasetInfo, Source
    from greylag.core.records import Page, Partition
    from greylag.core.work import Worker
    from greylag.engine.connections import Rates
    from greylag.engine.profiling.target import Holds

PAGE_BYTES = 2 * 2**20
NO_LABEL = b""


@dataclass(frozen=True, slots=True)
class Subject:
    """A dataset to be profiled. `name` is its own among those profiled together; `unique` are paths of fields the
    source itself keeps unique. Picklable.
    """

    name: str
    connection: str
    connector: Connector
    dataset: DatasetInfo
    unique: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PartTask:
    """A partition of the dataset at `subject`."""

    subject: int
    partition: Partition


@dataclass(frozen=True, slots=True)
class SampleTask:
    """A sample of about `count` records of the dataset at `subject`."""

    subject: int
    count: int


@dataclass(frozen=True, slots=True)
class PageRead:
    """Progress."""

    records: int
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Counted:
    """All of a task. `whole` and `bias` are those of a sample."""

    tally: Tally
    whole: bool = True
    bias: str = ""


@dataclass(frozen=True, slots=True)
class ProfileWork:
    """Counts records and, into `folder`, spills digests of the values that may be keys."""

    subjects: tuple[Subject, ...]
    folder: Path
    holds: Holds | None

    def open(self) -> Worker:
        """See `Work.open`."""
        return _ProfileWorker(self)


@dataclass(slots=True)
class _ProfileWorker:
    work: ProfileWork
    spill: SpillWriter = field(init=False)
    sources: dict[str, Source] = field(default_factory=dict)
    rates: Rates | None = None

    def __post_init__(self) -> None:
        self.spill = SpillWriter(self.work.folder)

    def run(self, task: PartTask | SampleTask, emit: Callable[[Any], None]) -> None:
        subject = self.work.subjects[task.subject]
        source = self._source(subject)
        tally = Tally(subject.dataset.family)
        if isinstance(task, PartTask):
            self._count(tally, task.subject, source.read(task.partition, None, page_bytes=PAGE_BYTES), emit)
            emit(Counted(tally))
        else:
            try:
                sample = source.sample(subject.dataset.dataset, task.count)
            except SourceDataError as error:
                tally.damaged = error.message
                emit(Counted(tally))
                return
            self._count(tally, task.subject, sample.pages, emit)
            emit(Counted(tally, sample.whole, sample.bias))

    def control(self, message: Any) -> None:
        self.rates = message
        for name, source in list(self.sources.items()):
            source.limit(message.read_bytes.get(name))

    def close(self) -> None:
        for source in self.sources.values():
            source.close()

    def _count(
        self, tally: Tally, place: int, pages: Iterable[Page], emit: Callable[[PageRead], None]
    ) -> None:
        found = partial(self._found, place)
        try:
            for page in pages:
                tally.add(page, self.work.holds, found)
                emit(PageRead(len(page.records) + len(page.rejected), page.bytes_read))
        except SourceDataError as error:
            tally.damaged = error.message
        self.spill.flush()

    def _found(self, place: int, path: bytes, digest: bytes) -> None:
        self.spill.add(Entry(digest, path, SOURCE, place, 0, NO_LABEL))

    def _source(self, subject: Subject) -> Source:
        if subject.connection not in self.sources:
            source = subject.connector.source()
            if self.rates is not None:
                source.limit(self.rates.read_bytes.get(subject.connection))
            self.sources[subject.connection] = source
        return self.sources[subject.connection]
