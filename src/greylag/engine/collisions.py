"""Finds the keys that two source items map to, before the load could let one overwrite the other.

A pass over the source, only for flows whose keys are not provably injective, or not provably disjoint from those of
another flow of their table. Every item's key goes to a spill (see `engine.spill`); a key that two items have is
found when its bucket is joined. Records the mapping or the codec refuses have no key and stand in quarantine anyway.

Resumable: a partition counts as done once its entries are synced to disk and its name stands in `done`; run again,
the pass goes on with the others, and a partition that was half read is read again (the same item spilled twice is
one item). Once finished, the files stand and running it again costs nothing. What the pass found holds for the
source as it was read: records that change their key between it and the load are the change stream's to order.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from greylag.core.mapping import keys_disjoint
from greylag.core.records import Refused
from greylag.core.work import Finished
from greylag.engine.colliding import SHOWN, CollidingKeysWriter, keys_in
from greylag.engine.connections import Rates
from greylag.engine.disk import writing
from greylag.engine.lane import Lanes
from greylag.engine.route import by_table
from greylag.engine.sharing import Sharing
from greylag.engine.spill import BUCKETS, SOURCE, Entry, Spill, SpillWriter, hashed, label
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.records import Partition
    from greylag.core.work import Executor, Worker
    from greylag.engine.route import Route

PARTITION_BYTES = 64 * 2**20
PAGE_BYTES = 4 * 2**20
_NO_BODY = b""


class Damage(Enum):
    """What a worker tells of a partition it could not read to its end."""

    DAMAGED = "damaged"


DAMAGED = Damage.DAMAGED


@dataclass(frozen=True, slots=True)
class CollisionsFound:
    """What the pass over one table found: how many keys collide, and the file for `CollidingKeys`, which does not
    exist where none does.
    """

    keys: int
    path: Path


def doubtful(routes: Sequence[Route]) -> list[Route]:
    """Those of one table's routes whose items could share a key; empty where the templates prove none can."""
    mappings = [route.mapping() for route in routes]
    suspects = {place for place, mapping in enumerate(mappings) if not mapping.injective}
    for (one, a), (other, b) in itertools.combinations(enumerate(mappings), 2):
        if not keys_disjoint(a.claim, b.claim):
            suspects |= {one, other}
    return [routes[place] for place in sorted(suspects)]


def doubtful_names(routes: Iterable[Route]) -> set[str]:
    """The flows of any tables whose items could share a key with another's."""
    return {route.name for group in by_table(routes).values() for route in doubtful(group)}


def find_collisions(
    routes: Sequence[Route],
    executor: Executor,
    folder: Path,
    *,
    anew: bool = False,
    rates: Rates | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> CollisionsFound:
    """The colliding keys among `routes`, all of one table, as files in `folder`, which is this table's alone.

    `progress` is told (flow, records, bytes) as pages are read; `rates` are those of all workers together. A folder
    left by an interrupted pass over the same flows and datasets is gone on with, a finished one is taken as it is
    unless `anew`, and one left by anything else is started anew. A file that cannot be read on from some byte is
    read up to there, as the load that follows does, which then tells where; such a pass is not kept as finished.
    Raises ResourceError when the disk is full, and what else sources raise.
    """
    names = tuple(route.name for route in routes)
    path = folder / "colliding.keys"
    if anew:
        shutil.rmtree(folder, ignore_errors=True)
    state = _State(folder, _identity(routes))
    if state.finished:
        return CollisionsFound(keys_in(path), path)
    done = state.done
    tasks = ((place, part) for place, part in _partitions(routes) if _name(place, part) not in done)
    damaged: set[str] = set()
    for event in Sharing(executor, rates or Rates()).run(
        CollisionWork(tuple(routes), folder / "spill"), tasks
    ):
        if isinstance(event, Finished):
            if _name(*event.task) not in damaged:
                state.add(_name(*event.task))
        elif event.content is DAMAGED:
            damaged.add(_name(*event.task))
        elif progress is not None:
            records, size = event.content
            progress(names[event.task[0]], records, size)
    writer = CollidingKeysWriter(path, names)
    spill = Spill(folder / "spill")
    for bucket in range(BUCKETS):
        for key, entries in spill.groups(bucket):
            count, shown = shared(entries)
            if count > 1:
                writer.add(key, count, shown)
    writer.finish()
    if not damaged:  # else the next pass goes on with what is spilled and done
        state.finish()
        shutil.rmtree(folder / "spill", ignore_errors=True)
    return CollisionsFound(writer.keys, path)


def shared(entries: Iterable[Entry]) -> tuple[int, list[Entry]]:
    """How many different source items `entries` hold, and the first few. Those alike in `origin` count once.

    Beyond a thousand items of one key repeats are no longer told apart: the count is then an upper bound.
    """
    seen: set[tuple[int, int, int, bytes]] = set()
    shown: list[Entry] = []
    count = 0
    for entry in entries:
        if entry.side != SOURCE or entry.origin in seen:
            continue
        if len(seen) < 1000:
            seen.add(entry.origin)
        count += 1
        if len(shown) < SHOWN:
            shown.append(entry)
    return count, shown


@dataclass(frozen=True, slots=True)
class CollisionWork:
    """Reads partitions and spills the keys of their items. A task is (place of its route, partition)."""

    routes: tuple[Route, ...]
    folder: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _CollisionWorker(self)


class _CollisionWorker:
    def __init__(self, work: CollisionWork) -> None:
        self._lanes = Lanes(dict(enumerate(work.routes)))
        self._spill = SpillWriter(work.folder)

    def run(self, task: tuple[int, Partition], emit: Callable[[Any], None]) -> None:
        try:
            self._read(*task, emit)
        except SourceDataError:
            emit(DAMAGED)
        self._spill.sync()

    def _read(self, flow: int, partition: Partition, emit: Callable[[Any], None]) -> None:
        lane = self._lanes[flow]
        for page in lane.source.read(partition, None, page_bytes=PAGE_BYTES):
            for record in page.records:
                try:
                    keys = [lane.codec.encode(item).key for item in lane.items(record)]
                except Refused:
                    continue
                for place, key in enumerate(keys):
                    self._spill.add(Entry(hashed(key), _NO_BODY, SOURCE, flow, place, label(record.id)))
            emit((len(page.records), page.bytes_read))

    def control(self, message: Any) -> None:
        self._lanes.limit(message)

    def close(self) -> None:
        self._lanes.close()


class _State:
    """Which partitions are done, on disk. One line each; a line cut off by a crash is not counted."""

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder
        self._done = folder / "done"
        self._complete = folder / "complete"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            mark = folder / "identity"
            if not mark.exists() or mark.read_text() != identity:
                for each in (self._complete, self._done):
                    each.unlink(missing_ok=True)
                shutil.rmtree(folder / "spill", ignore_errors=True)
                mark.write_text(identity)

    @property
    def finished(self) -> bool:
        return self._complete.exists()

    @property
    def done(self) -> set[str]:
        if not self._done.exists():
            return set()
        return {line for line in self._done.read_text().split("\n")[:-1] if len(line) == 32}

    def add(self, name: str) -> None:
        with writing(self._done), self._done.open("a") as file:
            file.write(name + "\n")
            file.flush()
            os.fsync(file.fileno())

    def finish(self) -> None:
        with writing(self._complete):
            self._complete.touch()
            self._done.unlink(missing_ok=True)


def _partitions(routes: Sequence[Route]) -> Iterator[tuple[int, Partition]]:
    for place, route in enumerate(routes):
        source = route.source.source()
        try:
            for partition in source.partitions(route.dataset.dataset, partition_bytes=PARTITION_BYTES):
                yield place, partition
        finally:
            source.close()


def _name(place: int, partition: Partition) -> str:
    """The same for the same part of the same dataset, whenever it is planned."""
    text = json.dumps([place, partition.dataset, partition.bounds], sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _identity(routes: Sequence[Route]) -> str:
    """Differs when a flow's mapping, its dataset's identity or its table does."""
    told = [
        [repr(route.flow), route.dataset.dataset, route.dataset.identity, route.table.identity]
        for route in routes
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
