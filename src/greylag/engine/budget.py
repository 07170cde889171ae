"""How fast all workers together may write to one table.

With a stated rate the budget is that rate. Without one it adapts: unlimited until the table throttles, then 70 %
of what was getting through, and from there 5 % of that more each second without a throttle (additive increase,
multiplicative decrease, as TCP finds the width of a link nobody tells it).
"""

from __future__ import annotations

from collections import deque

DECREASE = 0.7
INCREASE_PER_SECOND = 0.05
_WINDOW_SECONDS = 5.0
_FLOOR_UNITS = 25.0
"""One batch a second: below that a worker could not write at all."""


class Budget:
    """The write units a second of one table; told what each delivery cost, asked once in a while for the rate."""

    def __init__(self, stated: float | None, *, now: float) -> None:
        self.stated = stated
        self.rate = stated
        self._step = 0.0
        self._changed = now
        self._throttled = False
        self._spent: deque[tuple[float, float]] = deque()

    def spend(self, units: float, throttles: int, *, now: float) -> None:
        """Note `units` acknowledged and how often the table said "slower" meanwhile."""
        self._spent.append((now, units))
        while self._spent and self._spent[0][0] < now - _WINDOW_SECONDS:
            self._spent.popleft()
        self._throttled = self._throttled or throttles > 0

    def adapt(self, *, now: float) -> bool:
        """Change the rate if a second has passed; whether it did."""
        elapsed = now - self._changed
        if self.stated is not None or elapsed < 1.0:
            return False
        before = self.rate
        if self._throttled:
            self.rate = max(_FLOOR_UNITS, DECREASE * min(self.rate or float("inf"), self.measured(now=now)))
            self._step = self.rate * INCREASE_PER_SECOND
        elif self.rate is not None:
            self.rate += self._step * elapsed
        self._throttled = False
        self._changed = now
        return self.rate != before

    def measured(self, *, now: float) -> float:
        """Units a second over the last few seconds."""
        if not self._spent:
            return 0.0
        return sum(units for _, units in self._spent) / max(1.0, now - self._spent[0][0])
