"""A worker's side of a backup: the records of one piece into parts, each durable before it is told."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.core.ports import Connector  # noqa: TC001 - a dataclass that is pickled
from greylag.core.records import Partition  # noqa: TC001
from greylag.recovery.format import Part, part_file
from greylag.recovery.parts import PART_BYTES, PartWriter
from greylag.recovery.stores import store_of
from greylag.state.locks import hold_worker_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from greylag.core.work import Worker
    from greylag.engine.connections import Rates
    from greylag.recovery.places import Place
    from greylag.recovery.stores import Store


@dataclass(frozen=True, slots=True)
class SaveTask:
    """A piece of the table at `table`, from `cursor` on; its next part is number `place`."""

    table: int
    connection: str
    piece: Partition
    cursor: str | None
    place: int


@dataclass(frozen=True, slots=True)
class Saved:
    """A part that is durable. With it the piece is read up to `cursor`; None: to its end."""

    part: Part
    cursor: str | None


@dataclass(frozen=True, slots=True)
class SaveWork:
    """`connectors` by connection. `folder` is where the lock of its workers is."""

    connectors: Mapping[str, Connector]
    place: Place
    folder: Path
    part_bytes: int = PART_BYTES

    def open(self) -> Worker:
        """See `Work.open`."""
        return _SaveWorker(self)


@dataclass(slots=True)
class _SaveWorker:
    work: SaveWork
    stores: dict[str, Store] = field(default_factory=dict)
    rates: Rates | None = None

    lock: int = -1

    def __post_init__(self) -> None:
        self.lock = hold_worker_lock(self.work.folder)

    def run(self, task: SaveTask, emit: Callable[[Any], None]) -> None:
        store = self._store(task.connection)
        writer = PartWriter(store.form)
        place = task.place

        def end(cursor: str | None) -> None:
            nonlocal place
            file = part_file(task.table, task.piece.ordinal, place)
            part, content = writer.end(file, task.piece.ordinal, place)
            self.work.place.write(file, content)
            emit(Saved(part, cursor))
            place += 1

        for chunk in store.read(task.piece, task.cursor, chunk_bytes=self.work.part_bytes):
            if chunk.records:
                writer.add(chunk.records)
            if writer.content_bytes >= self.work.part_bytes and chunk.cursor is not None:
                end(chunk.cursor)
        if writer.records:
            end(None)

    def control(self, message: Any) -> None:
        self.rates = message
        for name, store in list(self.stores.items()):
            store.limit_reading(message.read_bytes.get(name))

    def close(self) -> None:
        for store in self.stores.values():
            store.close()
        os.close(self.lock)

    def _store(self, connection: str) -> Store:
        if connection not in self.stores:
            store = store_of(self.work.connectors[connection])
            if self.rates is not None:
                store.limit_reading(self.rates.read_bytes.get(connection))
            self.stores[connection] = store
        return self.stores[connection]
