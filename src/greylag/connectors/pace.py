"""Keeps reading under a rate that may change while it waits."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Pace:
    """Lets `bytes_per_second` pass on average (None: no limit). Time unused earns at most one second's worth.

    Safe to use from several threads; a new limit ends the waits under the old one.
    """

    def __init__(
        self, bytes_per_second: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = bytes_per_second
        self._clock = clock
        self._due = clock()
        self._changed = threading.Condition()

    def limit(self, bytes_per_second: float | None) -> None:
        """Keep to this from now on."""
        with self._changed:
            if bytes_per_second != self._rate:
                self._rate = bytes_per_second
                self._due = self._clock()
                self._changed.notify_all()

    def spend(self, size_bytes: int) -> None:
        """Wait until `size_bytes` more may have been read."""
        with self._changed:
            rate = self._rate
            if rate is None:
                return
            now = self._clock()
            self._due = max(self._due, now - 1) + size_bytes / rate
            if self._due > now:
                self._wait(self._due - now, rate)

    def _wait(self, seconds: float, rate: float) -> None:
        self._changed.wait_for(lambda: self._rate != rate, timeout=seconds)
