"""Rates over a window, and time left by records or else by bytes."""

from __future__ import annotations

import pytest

from greylag.core.progress import FlowProgress
from greylag.engine.meter import Meter


def test_nothing_is_told_before_there_is_something_to_measure() -> None:
    snapshot = Meter("run", started=0).snapshot([FlowProgress("a", "loading")], now=1)
    assert snapshot.elapsed_seconds == 1
    assert (snapshot.records_per_second, snapshot.seconds_left) == (None, None)
    assert snapshot.flows[0].records_per_second is None


def test_rates_and_time_left_of_each_flow_and_of_all() -> None:
    meter = Meter("run", started=0)
    one = FlowProgress("one", "loading", records_estimate=100)
    two = FlowProgress("two", "loading", records_estimate=300)
    meter.snapshot([one, two], now=0)
    one = FlowProgress("one", "loading", records_read=20, bytes_read=200, records_estimate=100)
    two = FlowProgress("two", "loading", records_read=20, bytes_read=400, records_estimate=300)
    snapshot = meter.snapshot([one, two], now=2)
    assert [each.records_per_second for each in snapshot.flows] == [10, 10]
    assert [each.bytes_per_second for each in snapshot.flows] == [100, 200]
    assert [each.seconds_left for each in snapshot.flows] == [8, 28]
    assert (snapshot.records_per_second, snapshot.seconds_left) == (20, 18)


def test_a_file_tells_its_bytes_only() -> None:
    meter = Meter("run", started=0)
    meter.snapshot([FlowProgress("a", "loading", bytes_estimate=1000)], now=0)
    snapshot = meter.snapshot(
        [FlowProgress("a", "loading", records_read=3, bytes_read=100, bytes_estimate=1000)], now=1
    )
    assert snapshot.seconds_left == pytest.approx(9)


def test_old_rates_are_forgotten_and_loaded_flows_need_no_time() -> None:
    meter = Meter("run", started=0)
    for now in range(100):
        snapshot = meter.snapshot(
            [FlowProgress("a", "loading", records_read=1000 + min(now, 50), records_estimate=2000)], now=now
        )
    assert snapshot.records_per_second == 0
    assert snapshot.seconds_left is None
    done = meter.snapshot([FlowProgress("a", "loaded", records_read=2000, records_estimate=2000)], now=101)
    assert done.flows[0].seconds_left is None
