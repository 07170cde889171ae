"""A token bucket: no more than so many units a second, changeable at any time from another thread."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_BURST_SECONDS: Final = 0.25
_LONGEST_SLEEP_SECONDS: Final = 0.2
"""So that a changed rate is seen soon."""


class Bucket:
    """Whoever spends may overdraw once; the next waits until the debt is paid. So the average holds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.units_per_second: float | None = None
        self._clock = clock
        self._balance = 0.0
        self._at = clock()

    async def spend(self, units: float) -> None:
        """Return once `units` may be spent."""
        while (seconds := self.try_spend(units)) > 0:
            await asyncio.sleep(min(seconds, _LONGEST_SLEEP_SECONDS))

    def try_spend(self, units: float) -> float:
        """0 and the units are spent, or the seconds until that may be tried again."""
        rate = self.units_per_second
        if rate is None:
            return 0.0
        now = self._clock()
        self._balance = min(self._balance + (now - self._at) * rate, rate * _BURST_SECONDS)
        self._at = now
        if self._balance < 0:
            return -self._balance / rate
        self._balance -= units
        return 0.0

    def settle(self, units: float) -> None:
        """Correct what was spent by `units`: more (positive) or less than foreseen."""
        if self.units_per_second is not None:
            self._balance -= units
