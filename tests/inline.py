"""An executor of one worker in this very process, for tests that need no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greylag.core.work import Finished, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from greylag.core.work import Work


class Inline:
    """See `core.work.Executor`."""

    processes = 1

    def run(self, work: Work, tasks: Iterable[Any]) -> Iterator[Message[Any] | Finished[Any]]:
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
        pass
