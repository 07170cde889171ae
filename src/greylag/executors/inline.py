"""Runs work in this very process, for looks too small to be worth another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from greylag.core.work import Finished, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greylag.core.work import Work

Task = TypeVar("Task")


class Inline:
    """An `Executor` of one worker. What a task emits is held until the task has ended: give it small ones."""

    processes = 1

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Message[Task] | Finished[Task]]:
        """See `Executor.run`."""
        worker = work.open()
        try:
            for task in tasks:
                emitted: list[Any] = []
                worker.run(task, emitted.append)
                for content in emitted:
                    yield Message(task, content)
                yield Finished(task)
        finally:
            worker.close()

    def broadcast(self, message: Any) -> None:
        """See `Executor.broadcast`. Nothing is live between two tasks."""
