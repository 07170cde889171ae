"""A process that works until it is told to stop: started again when it was killed, not when it raised."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from greylag.errors import StateError, TransientError
from greylag.executors.child import Child

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_SECONDS = 60.0


@dataclass
class Tells:
    """Tells its process, then waits, or raises."""

    raises: Exception | None = None

    def open(self) -> Tells:
        self.stopped = threading.Event()
        return self

    def run(self, task: object, emit: Callable[[int], None]) -> None:
        emit(os.getpid())
        if self.raises is not None:
            raise self.raises
        self.stopped.wait()

    def control(self, message: object) -> None:
        self.stopped.set()

    def close(self) -> None:
        pass


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_process_is_started_again_until_it_is_stopped() -> None:
    told: list[int] = []
    child = Child("child", Tells(), told.append)
    for number in range(1, 3):
        until(lambda: len(told) == number)  # noqa: B023 - called at once
        os.kill(told[-1], signal.SIGKILL)
    until(lambda: len(told) == 3)
    assert child.running
    assert child.restarts == 2
    assert len(set(told)) == 3
    child.stop()
    assert child.join(DEADLINE_SECONDS)
    child.check()


@pytest.mark.parametrize("error", [TransientError("away"), StateError("lost", advice="do this")])
def test_what_it_raises_ends_it(error: Exception) -> None:
    child = Child("child", Tells(error))
    assert child.join(DEADLINE_SECONDS)
    assert child.restarts == 0
    with pytest.raises(type(error), match=str(error).splitlines()[0]):
        child.check()


def test_stopped_before_it_was_started_it_is_none() -> None:
    child = Child("child", Tells())
    child.stop()
    assert child.join(DEADLINE_SECONDS)
    child.check()
