"""A process that works until it is told to stop, and is started again whenever it is killed.

It ends when its coordinator does, as every worker of `processes` does.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from greylag.core.work import Message
from greylag.executors.processes import ProcessEnded, Processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.work import Work

_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 10.0
_WENT_WELL_SECONDS: Final = 30.0
"""A process that lived so long died of something new."""


class Child:
    """One process for one task of `work`, which runs until a message tells it to stop. `told` gets what it emits, in a
    thread of its own.
    """

    def __init__(self, name: str, work: Work, told: Callable[[Any], None] = lambda _: None) -> None:
        self.name = name
        self.restarts = 0
        self._work = work
        self._told = told
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._executor: Processes | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._live, daemon=True, name=f"greylag-{name}")
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has neither ended nor failed."""
        return self._thread.is_alive()

    def check(self) -> None:
        """Raises what the process raised."""
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Tell it to stop; `join` waits for it."""
        with self._starting:
            self._stopping.set()
            if self._executor is not None:
                self._executor.broadcast("stop")

    def join(self, seconds: float | None = None) -> bool:
        """Wait until it has ended; whether it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _live(self) -> None:
        wait = _FIRST_WAIT_SECONDS
        while True:
            began = time.monotonic()
            try:
                with self._starting:
                    if self._stopping.is_set():
                        return
                    self._executor = Processes(1)
                for event in self._executor.run(self._work, [None]):
                    if isinstance(event, Message):
                        self._told(event.content)
            except ProcessEnded:
                self.restarts += 1
                wait = _FIRST_WAIT_SECONDS if time.monotonic() - began > _WENT_WELL_SECONDS else wait
                self._stopping.wait(wait)
                wait = min(_LONGEST_WAIT_SECONDS, wait * 2)
            except BaseException as error:  # noqa: BLE001 - raised again by `check`
                self._error = error
                return
            else:
                return
