"""A folder of JSON files as a change stream: each file is looked at again and again, and compared by its records.

A stream knows no difference between an application that replaced a file and one that wrote it anew: what counts is
which records it has now. States that come and go between two looks are not seen; the last one always is.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from greylag.connectors.json import snapshot
from greylag.connectors.json.changelog import BATCH_CHANGES, KEPT_SECONDS, Changelog, Moved
from greylag.connectors.json.datasets import locate
from greylag.connectors.json.identity import FORM, Identity, read_back
from greylag.connectors.json.source import JsonSource
from greylag.connectors.json.watching import (
    DAMAGED_SECONDS,
    GONE_SECONDS,
    FileState,
    Watched,
    boot,
)
from greylag.connectors.pace import Pace
from greylag.core.change import ChangeBatch, DatasetEvent, History, RawChange
from greylag.core.records import Record
from greylag.errors import ConnectorError, PositionLost, SchemaError, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from greylag.connectors.json.datasets import Dataset
    from greylag.core.change import Followed
    from greylag.core.paths import Path as FieldPath
    from greylag.core.records import Page, Rejection

_POLL_SECONDS: Final = 0.05
_IDLE_SECONDS: Final = 1.0
_FORGET_SECONDS: Final = 600.0
_PAGE_BYTES: Final = 1 << 20
_PARTITION_BYTES: Final = 64 << 20
_RELOAD: Final = "`greylag run --follow --reload FLOW` loads it again from a new position."


@dataclass(slots=True)
class _Dataset:
    """A dataset that is followed. `path` is its file's; it stays the same while the file is away."""

    name: str
    identity: Identity
    found: Dataset
    watched: Watched = field(default_factory=Watched)

    @property
    def path(self) -> Path:
        return self.found.file.path


class JsonFeed:
    """See `ports.ChangeFeed`."""

    form = FORM

    def __init__(self, name: str, root: Path, datasets: Sequence[Followed], scratch: Path) -> None:
        self._name = name
        self._root = root
        self._followed = {each.dataset: Identity.of(each) for each in datasets}
        self._scratch = scratch
        self._pace = Pace()
        self._datasets: list[_Dataset] = []
        self._opened: Changelog | None = None
        self._passed_ns = -1
        self._next_forget = 0.0

    def position(self) -> str:
        """See `ports.ChangeFeed.position`: copies the files for a load (`snapshot`) and compares these copies."""
        for each in self._all():
            self._insist(each)
        return str(self._log.last())

    def read(self, position: str) -> Iterator[ChangeBatch]:
        """See `ports.ChangeFeed.read`. Raises SourceDataError for a file that is not JSON for a while."""
        after = int(position)
        self._passed_ns = -1
        self._refuse_lost(after)
        given = time.monotonic()
        while True:
            started_ns = time.monotonic_ns()
            clock_ms = time.time_ns() // 1_000_000
            upto_date, event = self._look() if after == self._log.last() else (False, None)
            found = self._log.after(after)
            if not found and event is None and time.monotonic() - given < _IDLE_SECONDS:
                time.sleep(_POLL_SECONDS)
                continue
            after = found[-1].number if found else after
            whole = upto_date and after == self._log.last()
            if whole:
                self._passed_ns = started_ns
            given = time.monotonic()
            changes = [RawChange(*each[1:]) for each in found]
            self._pace.spend(sum(len(each.document or b"") for each in changes))
            last = event if after == self._log.last() else None
            yield ChangeBatch(changes, str(after), clock_ms if whole else None, last)
            if last is not None:
                return
            self._forget(after)

    def mark(self) -> str:
        """See `ports.ChangeFeed.mark`: a moment. Nothing is written."""
        return json.dumps([boot(), time.monotonic_ns()])

    def passed(self, mark: str) -> bool:
        """See `ports.ChangeFeed.passed`: whether every file was looked at after that moment."""
        machine, moment_ns = json.loads(mark)
        return self._passed_ns >= 0 and (machine != boot() or self._passed_ns > moment_ns)

    def id_of(self, dataset: str, record: Record) -> bytes:
        """See `ports.ChangeFeed.id_of`."""
        return self._followed[dataset].of_record(record)

    def known_fields(self, dataset: str) -> frozenset[FieldPath]:
        """See `ports.ChangeFeed.known_fields`."""
        return frozenset({("@row",)}) if self._followed[dataset].rows else frozenset()

    def known(self, dataset: str, id: bytes) -> Record:  # noqa: A002
        """See `ports.ChangeFeed.known`."""
        return Record(int(id) if self._followed[dataset].rows else None, {})

    def decode(self, change: RawChange) -> Record | Rejection:
        """See `ports.ChangeFeed.decode`."""
        return read_back(change)

    def history(self, position: str) -> History:  # noqa: ARG002 - alike for all
        """See `ports.ChangeFeed.history`. What changed while nobody looked is seen later."""
        return History(None, None)

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.ChangeFeed.limit`."""
        self._pace.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.ChangeFeed.close`."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _look(self) -> tuple[bool, DatasetEvent | None]:
        """Whether the log has all that the files had when this began, and what happened to one of them as a whole."""
        upto_date = True
        for each in self._all():
            state = each.watched.look(each.path)
            if state is None or (state.size == 0 and not each.watched.unchanged(GONE_SECONDS)):
                upto_date = False
                if state is None and each.watched.unchanged(GONE_SECONDS):
                    return False, DatasetEvent(each.name, "dropped", f"{each.found.file.name} is gone")
                continue
            if self._log.version(each.name, each.identity) == state.version():
                continue
            if not each.watched.quiet:
                upto_date = False
            else:
                try:
                    upto_date = self._compare(each, state, self._root, read_at=time.time()) and upto_date
                except Moved as moved:
                    return False, _moved(each, moved)
        return upto_date, None

    def _compare(self, each: _Dataset, state: FileState, root: Path, *, read_at: float) -> bool:
        """Whether the log has the state now, for certain. Nothing was read before `read_at`."""
        certain = state.certain(read_at) or each.watched.unchanged(GONE_SECONDS + 1)
        version = state.version() if certain else f"{state.version()}?"
        if not certain and self._log.version(each.name, each.identity) == version:
            return False  # read again when it can be certain
        try:
            self._log.compare(
                each.name,
                each.identity,
                self._pages(each, root),
                version=version,
                written_ms=state.mtime_ns // 1_000_000,
            )
        except (SourceDataError, SchemaError, ConnectorError) as error:
            if FileState.of(each.path) == state and each.watched.unchanged(DAMAGED_SECONDS):
                raise SourceDataError(
                    error.message,
                    advice="Mend the file and run the same command again: it goes on. What it held before is carried.",
                ) from error
            return False
        return certain and FileState.of(each.path) == state

    def _pages(self, each: _Dataset, root: Path) -> Iterator[Page]:
        source = JsonSource(self._name, root)
        for partition in source.partitions(each.name, partition_bytes=_PARTITION_BYTES):
            for page in source.read(partition, None, page_bytes=_PAGE_BYTES):
                self._pace.spend(page.bytes_read)
                yield page

    def _insist(self, each: _Dataset) -> None:
        """Copy the dataset's file and take the copy for its content, as soon as it is there and JSON."""
        while True:
            state = each.watched.look(each.path)
            if state is None and each.watched.unchanged(GONE_SECONDS):
                locate(self._root, each.name)  # raises what a user should read
            if state is not None and each.watched.quiet:
                read_at = time.time()
                if self._copied(each) == state:
                    try:
                        copies = snapshot.root_of(self._scratch, self._root)
                        self._compare(each, state, copies, read_at=read_at)
                    except Moved as moved:
                        raise PositionLost(_moved(each, moved).detail, advice=_RELOAD) from None
                    if (self._log.version(each.name, each.identity) or "").rstrip("?") == state.version():
                        return
            time.sleep(_POLL_SECONDS)

    def _copied(self, each: _Dataset) -> FileState | None:
        try:
            return snapshot.copy(each.found.file, self._scratch)
        except ConnectorError:
            return None  # gone for a moment; for longer, it is told

    def _refuse_lost(self, after: int) -> None:
        unknown = [each.name for each in self._all() if self._log.version(each.name, each.identity) is None]
        if unknown or after < self._log.first_kept() or after > self._log.last():
            why = (
                f"{', '.join(unknown)} was not followed so before"
                if unknown
                else "the log of changes was cut"
            )
            raise PositionLost(f"connection {self._name}: {why}", advice=_RELOAD)

    def _forget(self, after: int) -> None:
        now = time.monotonic()
        if now >= self._next_forget:
            self._next_forget = now + _FORGET_SECONDS
            self._log.forget(after - BATCH_CHANGES, before=time.time() - KEPT_SECONDS)

    def _all(self) -> list[_Dataset]:
        if not self._datasets:
            self._datasets = [
                _Dataset(name, identity, locate(self._root, name))
                for name, identity in self._followed.items()
            ]
        return self._datasets

    @property
    def _log(self) -> Changelog:
        if self._opened is None:
            self._opened = Changelog(self._scratch)
        return self._opened


def _moved(each: _Dataset, moved: Moved) -> DatasetEvent:
    what = "is gone" if moved.gone else "is not the record it was"
    why = "may only grow at its end, since a key template has {@row} in it"
    detail = f"{each.found.shown} {why}; row {moved.row} {what}"
    return DatasetEvent(each.name, "moved", detail)
