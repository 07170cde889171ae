"""Several kinds of work, one after the other, on one set of processes.

No task of a phase begins before every task of the phase before it has ended, also where phases run on many
processes. A process opens a phase's work when its first task comes, and closes the phase before.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.work import Finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from greylag.core.work import Executor, Message, Work, Worker


@dataclass(frozen=True, slots=True)
class Phase:
    """Work, its tasks, and what is done with what it emits. `begin` is called before anything of it is received, and
    `finish` after its last task ended; the next phase's tasks may run by then.
    """

    work: Work
    tasks: Callable[[], Iterable[Any]]
    receive: Callable[[Any, Any], None]
    """Called with a task and what was emitted while it ran."""
    begin: Callable[[], None] = lambda: None
    finish: Callable[[], None] = lambda: None


def run_phases(executor: Executor, phases: Sequence[Phase]) -> None:
    """Run them in their order. `tasks` may be called in another thread; the rest is called in this one. Raises what
    the executor raises.
    """
    turns = _Turns(phases)
    try:
        for event in executor.run(PhasedWork(tuple(phase.work for phase in phases)), turns):
            turns.take(event)
        turns.end()
    finally:
        turns.abandon()


class _Turns:
    """Holds back a phase's tasks until the coordinator has seen the end of every task before."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        self._phases = phases
        self._change = threading.Condition()
        self._issued = 0
        self._ended = 0
        self._phase = -1
        self._abandoned = False

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        for number, phase in enumerate(self._phases):
            for task in phase.tasks():
                with self._change:
                    self._issued += 1
                yield number, task
            with self._change:
                self._change.wait_for(lambda: self._ended == self._issued or self._abandoned)
                if self._abandoned:
                    return

    def take(self, event: Message[Any] | Finished[Any]) -> None:
        number, task = event.task
        self._enter(number)
        if not isinstance(event, Finished):
            self._phases[number].receive(task, event.content)
            return
        with self._change:
            self._ended += 1
            self._change.notify_all()

    def end(self) -> None:
        self._enter(len(self._phases))

    def abandon(self) -> None:
        with self._change:
            self._abandoned = True
            self._change.notify_all()

    def _enter(self, number: int) -> None:
        while self._phase < number:
            if self._phase >= 0:
                self._phases[self._phase].finish()
            self._phase += 1
            if self._phase < len(self._phases):
                self._phases[self._phase].begin()


@dataclass(frozen=True, slots=True)
class PhasedWork:
    """Runs a task (number of its phase, the phase's own task) with that phase's work."""

    works: tuple[Work, ...]

    def open(self) -> Worker:
        """See `Work.open`."""
        return _PhasedWorker(self.works)


class _PhasedWorker:
    def __init__(self, works: tuple[Work, ...]) -> None:
        self._works = works
        self._number = -1
        self._worker: Worker | None = None
        self._message: tuple[Any] | None = None

    def run(self, task: tuple[int, Any], emit: Callable[[Any], None]) -> None:
        number, inner = task
        if number != self._number or self._worker is None:
            self.close()
            self._worker, self._number = self._works[number].open(), number
            if self._message is not None:
                self._worker.control(*self._message)
        self._worker.run(inner, emit)

    def control(self, message: Any) -> None:
        self._message = (message,)
        worker = self._worker
        if worker is not None:
            worker.control(message)

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None
