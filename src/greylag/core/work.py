"""How work is handed to processes: a `Work` goes to each process once, tasks to whichever is free.

The engine knows only this; `greylag.executors` runs it on local processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Task = TypeVar("Task")


class Worker(Protocol):
    """Lives in one process and runs one task at a time."""

    def run(self, task: Any, emit: Callable[[Any], None]) -> None:
        """Do `task`; `emit` sends a picklable message to the coordinator, and waits while it is far behind."""

    def control(self, message: Any) -> None:
        """A message the coordinator broadcast; called from another thread, while `run` runs."""

    def close(self) -> None:
        """Called once, after the last task."""


class Work(Protocol):
    """What a process needs to become a Worker. Picklable."""

    def open(self) -> Worker:
        """Called once in each process."""


@dataclass(frozen=True, slots=True)
class Message(Generic[Task]):
    """Something a worker emitted while it ran `task`."""

    task: Task
    content: Any


@dataclass(frozen=True, slots=True)
class Finished(Generic[Task]):
    """`task` ended; everything it emitted has been yielded before."""

    task: Task


@runtime_checkable
class Abandonable(Protocol):
    """Tasks that may wait before they give the next one."""

    def abandon(self) -> None:
        """The run is over: wait no longer. Called from another thread than the one that iterates."""


class Executor(Protocol):
    """Runs tasks on processes that end when their coordinator does, however it ends."""

    processes: int

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Message[Task] | Finished[Task]]:
        """Yield what the workers emit, in order for each task. `tasks` is pulled as processes become free,
        perhaps from another thread; if it is `Abandonable` it is told when the run is over.

        An exception in a worker stops the others and is raised here; so is the death of a process, as a
        TransientError that names its exit. Closing the iterator stops all workers and waits for their end.
        """

    def broadcast(self, message: Any) -> None:
        """Hand `message` to the `control` of every live worker, and to workers that start later."""
