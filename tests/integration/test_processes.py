"""Local worker processes: order, errors, and that none outlives its coordinator."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.work import Finished, Message
from greylag.errors import ConfigurationError, TransientError
from greylag.executors.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Squares:
    """Emits the pid, then the square; a task of "die" kills its process, "fail" and "odd" raise, "exit" exits."""

    def open(self) -> Squares:
        return self

    def run(self, task: Any, emit: Callable[[Any], None]) -> None:
        emit(os.getpid())
        if task == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if task == "fail":
            raise ConfigurationError("no such thing", advice="name another")
        if task == "odd":
            raise ValueError("unforeseen")
        if task == "exit":
            sys.exit(0)
        emit(task * task)

    def control(self, message: Any) -> None:
        pass

    def close(self) -> None:
        pass


def test_every_task_is_done_and_its_messages_come_before_its_end() -> None:
    seen: dict[int, list[Any]] = {}
    for event in Processes(2).run(Squares(), range(20)):
        match event:
            case Message(task, content):
                seen.setdefault(task, []).append(content)
            case Finished(task):
                assert seen[task][-1] == task * task
                seen[task].append("end")
    assert set(seen) == set(range(20))
    assert all(messages[-1] == "end" for messages in seen.values())
    assert 1 <= len({messages[0] for messages in seen.values()}) <= 2


def test_the_coordinator_rests_while_every_worker_is_busy() -> None:
    running = Processes(2).run(Napper(), range(6))
    next(running)  # the workers have started
    before = time.process_time()
    assert sum(isinstance(each, Finished) for each in running) == 6
    assert time.process_time() - before < 0.5


@dataclass(frozen=True)
class Napper:
    """Takes a second for a task."""

    def open(self) -> Napper:
        return self

    def run(self, task: Any, emit: Callable[[Any], None]) -> None:
        emit(task)
        time.sleep(1)

    def control(self, message: Any) -> None:
        pass

    def close(self) -> None:
        pass


def test_no_task_means_no_process() -> None:
    assert list(Processes(2).run(Squares(), [])) == []


def test_an_error_in_a_worker_is_raised_with_its_advice() -> None:
    with pytest.raises(ConfigurationError) as caught:
        list(Processes(1).run(Squares(), ["fail"]))
    assert caught.value.advice == "name another"


def test_an_unforeseen_error_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="unforeseen") as caught:
        list(Processes(1).run(Squares(), ["odd"]))
    assert "in a worker process" in caught.value.__notes__[0]


def test_a_worker_cannot_end_its_coordinator() -> None:
    with pytest.raises(RuntimeError, match="SystemExit in a worker process"):
        list(Processes(1).run(Squares(), ["exit"]))


@dataclass(frozen=True)
class SlowToCome:
    """Takes long to be imported by a worker, as large programs do."""

    def __setstate__(self, state: object) -> None:
        print("unpickled", flush=True)
        for _ in range(100):
            time.sleep(0.1)

    def __getstate__(self) -> object:
        return ()


def test_ctrl_c_while_a_worker_starts_is_the_coordinators_alone() -> None:
    program = textwrap.dedent("""
        from tests.integration.test_processes import SlowToCome
        from greylag.executors.processes import Processes
        if __name__ == "__main__":
            list(Processes(1).run(SlowToCome(), [1]))
    """)
    coordinator = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert coordinator.stdout is not None
    assert coordinator.stdout.readline() == "unpickled\n"
    os.killpg(coordinator.pid, signal.SIGINT)
    _, err = coordinator.communicate(timeout=60)
    assert err.count("Traceback") == 1, err


def test_a_killed_worker_is_told_by_its_signal() -> None:
    with pytest.raises(TransientError, match="SIGKILL"):
        list(Processes(1).run(Squares(), [2, "die"]))


def test_an_error_while_planning_is_raised() -> None:
    def plan() -> Any:
        yield 1
        raise ConfigurationError("cannot plan")

    with pytest.raises(ConfigurationError, match="cannot plan"):
        list(Processes(2).run(Squares(), plan()))


def test_closing_early_ends_the_processes() -> None:
    running = Processes(2).run(Squares(), range(1000))
    pids = {next(running).content for _ in range(1)}  # type: ignore[union-attr]
    running.close()  # type: ignore[attr-defined]
    assert not any(_alive(pid) for pid in pids)


def test_workers_end_when_their_coordinator_is_killed() -> None:
    program = textwrap.dedent("""
        import sys, time
        from dataclasses import dataclass
        from tests.integration.test_processes import Sleeper
        from greylag.executors.processes import Processes
        if __name__ == "__main__":
            for event in Processes(2).run(Sleeper(), [1, 2]):
                print(event.content, flush=True)
    """)
    coordinator = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert coordinator.stdout is not None
    pids = [int(coordinator.stdout.readline()) for _ in range(2)]
    coordinator.kill()
    coordinator.wait()
    coordinator.stdout.close()
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "workers outlived their coordinator"
        time.sleep(0.01)


@dataclass(frozen=True)
class Sleeper:
    """Tells its pid and then is busy until killed."""

    def open(self) -> Sleeper:
        return self

    def run(self, task: Any, emit: Callable[[Any], None]) -> None:
        emit(os.getpid())
        signal.pause()

    def control(self, message: Any) -> None:
        pass

    def close(self) -> None:
        pass


def _alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False
