"""Capture: a process that reads one stream into its spool, from before the load is planned until it is told to stop.

It takes the position before it does anything else and saves it in the spool (law 1); from then on it goes on from
what the spool holds, whoever ended it and however. While the spool is full it waits and reads nothing: the source's own
history then holds what is to come. Between two batches it looks for marks that were asked for, and puts a barrier into
the spool for each that the stream has passed.

`capture.json` in the spool's folder, which it alone writes, tells others how far it is.
"""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from greylag.core.change import ChangeBatch, History
from greylag.core.ports import Followable
from greylag.engine.disk import sync_folder, writing
from greylag.engine.follow.spool import SpoolWriter
from greylag.errors import ConfigurationError, GreylagError
from greylag.state.locks import hold_worker_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from greylag.core.change import Followed
    from greylag.core.ports import ChangeFeed, Connector

_TOLD_SECONDS: Final = 0.5
_HISTORY_SECONDS: Final = 15.0
_FULL_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class CaptureProgress:
    """How far capture is, as it last told.

    `at`: when it told, seconds since 1970. `changes` counts since it was started, `spooled` the entries of the spool.
    `clock_ms` is the source's time up to which everything is in the spool, where the stream tells. `behind_ms`: how old
    the newest change was when it was spooled; 0 where the stream had nothing more. `full`: the spool is, and capture
    waits. `history` is that of `position`, asked once in a while. `ended` says why the stream has no more.
    """

    position: str
    at: float
    changes: int = 0
    spooled: int = 0
    clock_ms: int | None = None
    behind_ms: int = 0
    spool_bytes: int = 0
    limit_bytes: int = 0
    full: bool = False
    history: History = History(None, None)  # noqa: RUF009 - frozen
    ended: str | None = None


def read_progress(spool: Path) -> CaptureProgress | None:
    """What the capture of this spool last told; None where there was none."""
    try:
        told = json.loads((spool / "capture.json").read_bytes())
        return CaptureProgress(**{**told, "history": History(**told["history"])})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def ask_barrier(spool: Path, name: str, mark: str) -> None:
    """Ask for a barrier of this name in the spool once its stream has passed `mark`; durable on return. `name` is not
    used twice.
    """
    folder = spool / "marks"
    path = folder / quote(name, safe="")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(mark, encoding="utf-8")
        draft.replace(path)
        sync_folder(folder)


@dataclass(frozen=True, slots=True)
class CaptureWork:
    """The capture of one stream, as its process gets it. `folder` is the state's, `limit_bytes` bounds the spool."""

    folder: Path
    connection: str
    source: Connector
    followed: tuple[Followed, ...]
    spool: Path
    scratch: Path
    limit_bytes: int
    bytes_per_second: float | None = None

    def open(self) -> CaptureWorker:
        """See `core.work.Work`."""
        return CaptureWorker(self)


class CaptureWorker:
    """Runs one task: to read until it is told to stop."""

    def __init__(self, work: CaptureWork) -> None:
        self._work = work
        self._stop = threading.Event()
        with writing(work.folder):
            work.folder.mkdir(parents=True, exist_ok=True)
        self._worker_lock = hold_worker_lock(
            work.folder
        )  # one capture at a time: the next run waits for this one

    def run(self, task: object, emit: Callable[[CaptureProgress], None]) -> None:  # noqa: ARG002 - there is one
        """Emits once the position is saved, so that a load may be planned; then only once more, at the end."""
        gc.enable()  # unlike a load's, this process may live for weeks
        work = self._work
        with writing(work.scratch):
            work.scratch.mkdir(parents=True, exist_ok=True)
        with closing(work.source.source()) as source:
            if not isinstance(source, Followable):
                raise ConfigurationError(
                    f"connection {work.connection} keeps no changes that could be followed",
                    advice="Freeze its writes and load it: `greylag run` without --follow.",
                )
            with (
                closing(source.feed(work.followed, work.scratch)) as feed,
                SpoolWriter(work.spool, limit_bytes=work.limit_bytes) as spool,
            ):
                feed.limit(work.bytes_per_second)
                capture = Capture(feed, spool, stopped=self._stop)
                emit(capture.begin())
                emit(capture.run())

    def control(self, message: object) -> None:  # noqa: ARG002 - whatever it says
        """Stop soon."""
        self._stop.set()

    def close(self) -> None:
        """Nothing is left open."""


class Capture:
    """Reads a feed into a spool in this process."""

    def __init__(
        self,
        feed: ChangeFeed,
        spool: SpoolWriter,
        *,
        stopped: threading.Event,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._feed = feed
        self._spool = spool
        self._stopped = stopped
        self._clock = clock
        self._progress = CaptureProgress("", 0.0)
        self._next_history = 0.0

    def begin(self) -> CaptureProgress:
        """Recover the spool; in a new one save the stream's position of now. Then a load may be planned (law 1)."""
        position = self._spool.recover()
        if position is None:
            position = self._feed.position()
            self._spool.append(ChangeBatch((), position))
        self._progress = CaptureProgress(position, 0.0)
        return self._tell()

    def run(self) -> CaptureProgress:
        """Read until told to stop, or until the stream ends by an event."""
        for batch in self._feed.read(self._progress.position):
            self._take(batch)
            if batch.event is not None:
                self._progress = replace(self._progress, ended=batch.event.detail)
                break
            self._wait_while_full()
            if self._stopped.is_set():
                break
        return self._tell()

    def _take(self, batch: ChangeBatch) -> None:
        if batch.changes or batch.event is not None or batch.position != self._progress.position:
            self._spool.append(batch)
        behind = 0
        if batch.changes:
            behind = max(0, round(self._clock() * 1000) - batch.changes[-1].written_ms)
        self._progress = replace(
            self._progress,
            position=batch.position,
            changes=self._progress.changes + len(batch.changes),
            clock_ms=batch.clock_ms if batch.clock_ms is not None else self._progress.clock_ms,
            behind_ms=behind,
        )
        for name, mark in self._asked():
            if self._feed.passed(mark):
                self._spool.barrier(name)
                with suppress(FileNotFoundError):
                    (self._spool.folder / "marks" / quote(name, safe="")).unlink()
        if self._clock() - self._progress.at >= _TOLD_SECONDS:
            self._tell()

    def _asked(self) -> Sequence[tuple[str, str]]:
        folder = self._spool.folder / "marks"
        try:
            paths = [path for path in folder.iterdir() if path.suffix != ".new"]
        except FileNotFoundError:
            return ()
        return [(unquote(path.name), path.read_text(encoding="utf-8")) for path in sorted(paths)]

    def _wait_while_full(self) -> None:
        while self._spool.full and not self._stopped.is_set():
            if not self._progress.full or self._clock() - self._progress.at >= _TOLD_SECONDS:
                self._progress = replace(self._progress, full=True)
                self._tell()
            self._stopped.wait(_FULL_POLL_SECONDS)
        self._progress = replace(self._progress, full=False)

    def _tell(self) -> CaptureProgress:
        now = self._clock()
        if now >= self._next_history:
            self._next_history = now + _HISTORY_SECONDS
            # Some sources cannot tell, and none needs to for capture to go on.
            with suppress(GreylagError):
                self._progress = replace(self._progress, history=self._feed.history(self._progress.position))
        self._progress = replace(
            self._progress,
            at=now,
            spooled=self._spool.next_ordinal,
            spool_bytes=self._spool.size_bytes,
            limit_bytes=self._spool.limit_bytes,
        )
        _write(self._spool.folder / "capture.json", asdict(self._progress))
        return self._progress


def _write(path: Path, told: dict[str, Any]) -> None:
    """Not durable: it is told anew soon."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with writing(path):
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(path)
