"""One stream back: the tables of one target connection, their changes, and the flows that own their items."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from greylag.core.change import Followed
from greylag.core.ports import Followable
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.apply import Apply
from greylag.engine.follow.backward import Backward, old_store
from greylag.engine.follow.capture import Capture
from greylag.engine.follow.rejoined import Rejoined
from greylag.engine.follow.spool import SpoolReader, SpoolWriter
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from greylag.core.ports import ChangeFeed, Target
    from greylag.engine.route import Route

PRIMED: Final = "primed"


class BackStream:
    """Opened by the process that follows; a thread of it captures, the rest is for one thread."""

    def __init__(self, name: str, routes: Sequence[Route], folder: Path, *, limit_bytes: int) -> None:
        self.name = name
        self.folder = folder
        self.routes = tuple(routes)
        self.spool = folder / "spool" / quote(name, safe="")
        self._stack = ExitStack()
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None
        try:
            self.target: Target = self._stack.enter_context(closing(routes[0].target.target()))
            self.applied = self._stack.enter_context(
                closing(Applied(folder / "apply" / f"{quote(name, safe='')}.sqlite"))
            )
            self.carriers = [self._carrier(route) for route in routes]
            self.feed: ChangeFeed = self._stack.enter_context(closing(self.another_feed()))
            writer = self._stack.enter_context(SpoolWriter(self.spool, limit_bytes=limit_bytes))
            self._capture = Capture(self.feed, writer, stopped=self._stop)
            self._capture.begin()
        except BaseException:
            self._stack.close()
            raise

    @property
    def tables(self) -> dict[str, list[Backward]]:
        """The flows of each table."""
        found: dict[str, list[Backward]] = {}
        for each in self.carriers:
            found.setdefault(each.route.table.name, []).append(each)
        return found

    @property
    def late_write_seconds(self) -> float:
        """How long a request to one of the old stores may still land after it was given up."""
        return max(each.writer.late_write_seconds for each in self.carriers)

    @property
    def primed(self) -> bool:
        """Whether the index knows what there was when reverse began."""
        return self.applied.noted(PRIMED) is True

    def start(self) -> Apply:
        """Capture from now on; what applies it."""
        self._thread = threading.Thread(target=self._run, name=f"capture {self.name}", daemon=True)
        self._thread.start()
        return self.apply()

    def apply(self) -> Apply:
        """What writes to the old stores."""
        return Apply(self.tables, SpoolReader(self.spool), self.applied)

    def check(self) -> None:
        """Raise what ended the capture, if something did."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End the capture, and close everything."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._stack.close()

    def _run(self) -> None:
        try:
            self._capture.run()
        except BaseException as error:  # noqa: BLE001 - raised again where someone waits for it
            self._failure = error

    def _carrier(self, route: Route) -> Backward:
        store = self._stack.enter_context(closing(old_store(route)))
        made = Rejoined(route, self.target, store, self.applied.db) if route.flow.split else None
        return self._stack.enter_context(closing(made or Backward(route, self.target, store)))

    def another_feed(self) -> ChangeFeed:
        """The tables' changes; one feed for each thread."""
        followed = [Followed(name) for name in dict.fromkeys(route.table.name for route in self.routes)]
        scratch = self.folder / "scratch" / quote(self.name, safe="")
        scratch.mkdir(parents=True, exist_ok=True)
        if isinstance(self.target, Followable):
            return self.target.feed(followed, scratch)
        source = self._stack.enter_context(closing(self.routes[0].target.source()))
        if not isinstance(source, Followable):
            raise ConfigurationError(
                f"connection {self.name} keeps no changes that could be carried back",
                advice="Only DynamoDB and MongoDB do.",
            )
        return source.feed(followed, scratch)
