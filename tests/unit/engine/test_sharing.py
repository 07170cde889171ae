"""Rates are divided among the workers that still have something to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.core.work import Abandonable, Finished, Message
from greylag.engine.connections import Rates
from greylag.engine.sharing import Sharing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greylag.core.work import Work

WORK: Any = object()


class Scripted:
    """An executor of four processes: takes all tasks, tells a page of each, then ends them one after the other."""

    processes = 4

    def __init__(self) -> None:
        self.told: list[Rates] = []
        self.given: Any = None

    def run(self, work: Work, tasks: Iterable[Any]) -> Iterator[Message[Any] | Finished[Any]]:
        self.given = tasks
        taken = iter(tasks)
        first = next(taken)
        yield Message(first, "while tasks are still planned")
        waiting = [first, *taken]
        for task in waiting:
            yield Message(task, "once all are planned")
            yield Finished(task)

    def broadcast(self, message: Rates) -> None:
        self.told.append(message)


def told(executor: Scripted) -> list[float | None]:
    return [rates.write_units["table"] for rates in executor.told]


def test_the_last_tasks_share_the_whole_rate() -> None:
    executor = Scripted()
    sharing = Sharing(executor, Rates({"table": 120.0}, {"source": 12.0}))
    assert len(list(sharing.run(WORK, range(6)))) == 13
    # four processes, also with five and four unfinished; then three, two, and one task alone
    assert told(executor) == [30.0, 40.0, 60.0, 120.0]
    assert executor.told[-1].read_bytes == {"source": 12.0}


def test_fewer_tasks_than_processes() -> None:
    executor = Scripted()
    events = Sharing(executor, Rates({"table": 120.0})).run(WORK, [1, 2])
    next(events)
    assert told(executor) == [30.0]
    next(events)
    assert told(executor) == [30.0, 60.0]
    list(events)
    assert told(executor) == [30.0, 60.0, 120.0]


def test_a_new_rate_is_divided_as_the_old_one() -> None:
    executor = Scripted()
    sharing = Sharing(executor, Rates({"table": 120.0}))
    events = sharing.run(WORK, [1, 2, 3])
    next(events)
    next(events)
    sharing.limit(Rates({"table": 30.0}))
    assert told(executor)[-1] == 10.0
    sharing.limit(Rates({"table": None}))
    assert told(executor)[-1] is None


def test_tasks_are_told_when_the_run_is_over() -> None:
    class Tasks:
        abandoned = False

        def __iter__(self) -> Iterator[int]:
            return iter([1])

        def abandon(self) -> None:
            self.abandoned = True

    executor, tasks = Scripted(), Tasks()
    list(Sharing(executor, Rates({"table": None})).run(WORK, tasks))
    assert isinstance(executor.given, Abandonable)
    executor.given.abandon()
    assert tasks.abandoned
