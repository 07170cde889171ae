"""Reading keeps to its rate, by a clock of the test's own."""

from __future__ import annotations

import threading

import pytest

from greylag.connectors.pace import Pace


class Told(Pace):
    """Notes how long it would wait, and lets that time pass."""

    def __init__(self, bytes_per_second: float | None) -> None:
        self.now = 0.0
        self.waited = 0.0
        super().__init__(bytes_per_second, clock=lambda: self.now)

    def _wait(self, seconds: float, rate: float) -> None:
        self.waited += seconds
        self.now += seconds


def test_without_a_limit_nothing_waits() -> None:
    pace = Told(None)
    pace.spend(10**9)
    assert pace.waited == 0


def test_the_average_holds_and_unused_time_earns_a_second() -> None:
    pace = Told(None)
    pace.limit(100)
    pace.spend(50)
    pace.spend(50)
    assert pace.waited == pytest.approx(1)
    pace.now += 1000
    pace.spend(300)
    assert pace.waited == pytest.approx(3)


def test_a_new_limit_ends_a_wait() -> None:
    pace = Pace(1)
    waiting = threading.Thread(target=pace.spend, args=(10**6,))
    waiting.start()
    pace.limit(None)
    waiting.join(timeout=30)
    assert not waiting.is_alive()
