"""Divides what connections may do among the workers that can do it.

While tasks are still being planned every process gets an equal share. From then on only as many share as there are
unfinished tasks: the last partition of a load has the whole rate, not one process's part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from greylag.core.work import Abandonable, Finished

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greylag.core.work import Executor, Message, Work
    from greylag.engine.connections import Rates

Task = TypeVar("Task")


class Sharing:
    """Runs tasks on `executor` whose workers take `Rates` as their control message. For one run at a time."""

    def __init__(self, executor: Executor, rates: Rates) -> None:
        """`rates` are those of all workers together."""
        self._executor = executor
        self._rates = rates
        self._tasks: _Counted[Any] | None = None
        self._ended = 0
        self._told = 0

    @property
    def workers(self) -> int:
        """Among how many the rates are divided now."""
        most = self._executor.processes
        if self._tasks is None or not self._tasks.all_taken:
            return most
        return max(1, min(most, self._tasks.taken - self._ended))

    def limit(self, rates: Rates) -> None:
        """Keep to these from now on, all workers together."""
        self._rates = rates
        self._tell()

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Message[Task] | Finished[Task]]:
        """See `Executor.run`."""
        counted = _Counted(tasks)
        self._tasks, self._ended = counted, 0
        self._tell()
        for event in self._executor.run(work, counted):
            self._ended += isinstance(event, Finished)
            if self.workers != self._told:
                self._tell()
            yield event

    def _tell(self) -> None:
        self._told = self.workers
        self._executor.broadcast(self._rates.divided(self._told))


class _Counted(Generic[Task]):
    """Tasks, and how many of them have been taken; they are taken in a thread of the executor's."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = tasks
        self.taken = 0
        self.all_taken = False

    def __iter__(self) -> Iterator[Task]:
        for task in self._tasks:
            self.taken += 1
            yield task
        self.all_taken = True

    def abandon(self) -> None:
        """See `core.work.Abandonable`."""
        if isinstance(self._tasks, Abandonable):
            self._tasks.abandon()
