"""Capture: what the source gives is in the spool, once, whoever ends it; barriers stand behind their marks."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors import memory
from greylag.core.change import SPOOL_BYTES, Followed, RawChange
from greylag.core.ports import Followable
from greylag.core.work import Message
from greylag.engine.follow.capture import Capture, CaptureProgress, CaptureWork, ask_barrier, read_progress
from greylag.engine.follow.entries import Barrier
from greylag.engine.follow.spool import SpoolReader, SpoolWriter
from greylag.errors import PositionLost, TransientError
from greylag.executors.processes import Processes
from tests.contract.subjects import open_connector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEADLINE_SECONDS = 60.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    memory.put(tmp_path / "data", "things", [], family="bson")
    return tmp_path / "data"


def work(folder: Path, **options: Any) -> CaptureWork:
    source = open_connector(folder, kind="memory", path="data", family="bson")
    options = {"limit_bytes": SPOOL_BYTES, **options}
    return CaptureWork(
        folder, "a", source, (Followed("things"),), folder / "spool", folder / "scratch", **options
    )


class Running:
    """A capture process, and what it said."""

    def __init__(self, given: CaptureWork) -> None:
        self.told: list[CaptureProgress] = []
        self.error: BaseException | None = None
        self.begun = threading.Event()
        self.executor = Processes(1)
        self.thread = threading.Thread(target=self._run, args=(given,))
        self.thread.start()
        assert self.begun.wait(DEADLINE_SECONDS)

    def _run(self, given: CaptureWork) -> None:
        try:
            for event in self.executor.run(given, [None]):
                if isinstance(event, Message):
                    self.told.append(event.content)
                    self.begun.set()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error
            self.begun.set()

    def stop(self) -> None:
        self.executor.broadcast("stop")
        self.thread.join(DEADLINE_SECONDS)
        assert not self.thread.is_alive()


def numbers(folder: Path) -> list[int]:
    """The numbers of the records, as the spool has them."""
    ids = [
        each.content.id
        for each in SpoolReader(folder / "spool").read(0)
        if isinstance(each.content, RawChange)
    ]
    return [int(each) for each in ids]


def until(condition: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def write(data: Path, first: int, last: int) -> None:
    memory.write(data, "things", [{"_id": each} for each in range(first, last)])


def test_everything_since_it_began_is_spooled(tmp_path: Path, data: Path) -> None:
    running = Running(work(tmp_path))
    write(data, 0, 5)
    until(lambda: numbers(tmp_path) == [0, 1, 2, 3, 4])
    running.stop()
    assert running.error is None
    write(data, 5, 8)
    running = Running(work(tmp_path))
    until(lambda: numbers(tmp_path) == list(range(8)))
    running.stop()
    assert running.told[-1].changes == 3
    progress = read_progress(tmp_path / "spool")
    assert progress == running.told[-1]
    assert progress.history.kept_seconds is not None


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_capture_goes_on_and_nothing_comes_twice(tmp_path: Path, data: Path, seed: int) -> None:
    written = 0
    for round_ in range(3):
        running = Running(work(tmp_path))
        [child] = children()
        write(data, written, written + 30 + 7 * seed)
        written += 30 + 7 * seed
        until(lambda: len(numbers(tmp_path)) > round_ * 11 + seed)  # noqa: B023 - called at once
        os.kill(child, signal.SIGKILL)
        running.thread.join(DEADLINE_SECONDS)
        assert isinstance(running.error, TransientError)
    running = Running(work(tmp_path))
    until(lambda: len(numbers(tmp_path)) >= written)
    running.stop()
    assert numbers(tmp_path) == list(range(written))


def children() -> list[int]:
    import multiprocessing

    return [each.pid for each in multiprocessing.active_children() if each.pid is not None]


def test_the_position_is_saved_before_anything_else(tmp_path: Path, data: Path) -> None:
    running = Running(work(tmp_path))
    running.stop()
    first = running.told[0].position
    write(data, 0, 3)
    running = Running(work(tmp_path))
    assert running.told[0].position == first or int(running.told[0].position) <= int(first) + 3
    until(lambda: numbers(tmp_path) == [0, 1, 2])
    running.stop()


def test_a_lost_position_ends_it_with_the_error(tmp_path: Path, data: Path) -> None:
    Running(work(tmp_path)).stop()
    write(data, 0, 3)
    memory.forget_changes(data)
    running = Running(work(tmp_path))
    running.thread.join(DEADLINE_SECONDS)
    assert isinstance(running.error, PositionLost)


def test_a_dropped_dataset_ends_it_by_an_event(tmp_path: Path, data: Path) -> None:
    running = Running(work(tmp_path))
    write(data, 0, 1)
    memory.drop(data, "things")
    running.thread.join(DEADLINE_SECONDS)
    assert running.error is None
    assert running.told[-1].ended
    assert numbers(tmp_path) == [0]


@pytest.fixture
def capture(tmp_path: Path, data: Path) -> Iterator[tuple[Capture, threading.Event]]:
    """In this process, stopped before it starts: it reads one batch."""
    source = open_connector(tmp_path, kind="memory", path="data", family="bson").source()
    assert isinstance(source, Followable)
    feed = source.feed([Followed("things")], tmp_path)
    stopped = threading.Event()
    stopped.set()
    with SpoolWriter(tmp_path / "spool", limit_bytes=1000) as spool:
        yield Capture(feed, spool, stopped=stopped), stopped
    feed.close()
    source.close()


def test_a_barrier_stands_behind_all_that_was_written_before_its_mark(
    tmp_path: Path, data: Path, capture: tuple[Capture, threading.Event]
) -> None:
    capture[0].begin()
    write(data, 0, 3)
    source = open_connector(tmp_path, kind="memory", path="data", family="bson").source()
    assert isinstance(source, Followable)
    feed = source.feed([Followed("things")], tmp_path)
    ask_barrier(tmp_path / "spool", "load/1", feed.mark())
    write(data, 3, 5)
    ask_barrier(tmp_path / "spool", "never", "99999")
    capture[0].run()
    contents = [each.content for each in SpoolReader(tmp_path / "spool").read(0)]
    place = contents.index(Barrier("load/1"))
    assert {0, 1, 2} <= {int(each.id) for each in contents[:place] if isinstance(each, RawChange)}
    assert Barrier("never") not in contents
    assert [path.name for path in (tmp_path / "spool" / "marks").iterdir()] == ["never"]
    feed.close()
    source.close()


def test_a_full_spool_is_waited_for_and_nothing_is_dropped(
    tmp_path: Path, data: Path, capture: tuple[Capture, threading.Event]
) -> None:
    running, stopped = capture
    running.begin()
    write(data, 0, 40)
    stopped.clear()
    thread = threading.Thread(target=running.run)
    thread.start()
    until(lambda: (progress := read_progress(tmp_path / "spool")) is not None and progress.full)
    write(data, 40, 80)
    reader, start = SpoolReader(tmp_path / "spool"), 0
    seen: list[int] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(seen) < 80:
        assert time.monotonic() < deadline
        for each in reader.read(start):
            start = each.ordinal + 1
            if isinstance(each.content, RawChange):
                seen.append(int(each.content.id))
        reader.discard(start)
    stopped.set()
    thread.join(DEADLINE_SECONDS)
    assert seen == list(range(80))
