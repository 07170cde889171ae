"""A worker's side of a restore, and of the look at a backup before it: one part after the other."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.core.ports import Connector  # noqa: TC001 - a dataclass that is pickled
from greylag.recovery.format import Digest, Part
from greylag.recovery.parts import check_file, records_of
from greylag.recovery.stores import store_of
from greylag.state.locks import hold_worker_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from greylag.core.records import Partition
    from greylag.core.work import Worker
    from greylag.engine.connections import Rates
    from greylag.recovery.places import Place
    from greylag.recovery.stores import Store


@dataclass(frozen=True, slots=True)
class LookTask:
    """A part to check, whole: its file, its records, their digest."""

    part: Part
    form: str


@dataclass(frozen=True, slots=True)
class LoadTask:
    """A part to write into `dataset` of `connection`. `offset` is the place of its content in that of its table."""

    table: int
    part: Part
    form: str
    connection: str
    dataset: str
    offset: int


@dataclass(frozen=True, slots=True)
class CountTask:
    """A piece of a table to read back, for its digest."""

    table: int
    connection: str
    piece: Partition


@dataclass(frozen=True, slots=True)
class Counted:
    """What a piece holds."""

    records: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class LoadWork:
    """`connectors` by connection, `place` the backup's own. `folder` is where the lock of its workers is."""

    connectors: Mapping[str, Connector]
    place: Place
    folder: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _LoadWorker(self)


@dataclass(slots=True)
class _LoadWorker:
    work: LoadWork
    stores: dict[str, Store] = field(default_factory=dict)
    rates: Rates | None = None

    lock: int = -1

    def __post_init__(self) -> None:
        self.lock = hold_worker_lock(self.work.folder)

    def run(self, task: LookTask | LoadTask | CountTask, emit: Callable[[Any], None]) -> None:
        if isinstance(task, CountTask):
            emit(self._count(task))
            return
        content = self.work.place.read(task.part.file)
        where = f"{self.work.place}/{task.part.file}"
        if isinstance(task, LookTask):
            check_file(task.part, content, where)
            return
        records = records_of(task.part, content, task.form, where)
        if records:
            self._store(task.connection).write(task.dataset, task.part, task.offset, records)

    def control(self, message: Any) -> None:
        self.rates = message
        for name, store in list(self.stores.items()):
            store.limit_writing(message.write_units.get(name))
            store.limit_reading(message.read_bytes.get(name))

    def close(self) -> None:
        for store in self.stores.values():
            store.close()
        os.close(self.lock)

    def _count(self, task: CountTask) -> Counted:
        digest, records, size = Digest(), 0, 0
        for chunk in self._store(task.connection).read(task.piece, None, chunk_bytes=1 << 20):
            digest.add(chunk.records)
            records += len(chunk.records)
            size += chunk.bytes_read
        return Counted(records, size, digest.text())

    def _store(self, connection: str) -> Store:
        if connection not in self.stores:
            store = store_of(self.work.connectors[connection])
            if self.rates is not None:
                store.limit_writing(self.rates.write_units.get(connection))
                store.limit_reading(self.rates.read_bytes.get(connection))
            self.stores[connection] = store
        return self.stores[connection]
