"""Forecasts and prices against arithmetic done by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from greylag.cost.bill import GB
from greylag.cost.duration import Load, forecast, ramp_seconds
from greylag.cost.loading import LINE_BYTES, loading_cost
from greylag.cost.prices import regions, shipped


@pytest.mark.parametrize(
    ("units", "start", "seconds"),
    [
        (4_000, 4_000, 1),
        (4_000 * 1800, 4_000, 1800),
        (4_000 * 1800 + 8_000, 4_000, 1801),  # doubled after half an hour
        ((4_000 + 8_000 + 16_000 + 32_000) * 1800 + 80_000, 4_000, 4 * 1800 + 2),  # then the quota
        (400_000, 100_000, 10),  # nothing takes more than the quota
    ],
)
def test_capacity_doubles_each_half_hour_up_to_the_quota(units: int, start: int, seconds: float) -> None:
    assert ramp_seconds(units, start) == pytest.approx(seconds)


def test_the_slowest_of_the_limits_decides() -> None:
    even = Load(items=1_001, units={"": 40_000, "ByUser": 80_000})
    told = forecast(even)
    assert (told.seconds, told.bound_by, told.requests) == (20.0, "the capacity of index ByUser", 41)
    hot = forecast(Load(1_001, {"": 40_000}, heaviest={"": 30_000}))
    assert (hot.seconds, hot.bound_by) == (30.0, "the heaviest partition key")
    slow = forecast(Load(1_001, {"": 40_000, "ByUser": 40_000}, stated_units=100))
    assert (slow.seconds, slow.bound_by) == (800.0, "write_units_per_second of the connection")
    provisioned = forecast(Load(10, {"": 500}, on_demand=False, exists=True, capacity={"": 5}))
    assert provisioned.seconds == 100.0
    assert "provisioned capacity of 5 write units" in provisioned.assumptions[0].text
    warm = forecast(Load(10, {"": 60_000}, exists=True, capacity={"": 12_000}))
    assert warm.seconds == 5.0
    assert forecast(Load(0, {})).seconds == 0.0


def test_every_assumption_about_aws_says_where_it_is_written() -> None:
    *told, last = forecast(Load(1, {"": 1})).assumptions
    assert all(each.source.startswith("https://docs.aws.amazon.com/") for each in told)
    assert not last.source  # what is assumed of this side


def test_both_ways_to_load_with_their_arithmetic() -> None:
    written, imported = loading_cost(
        items=1000,
        units=8_000_000,
        body_bytes=2 * GB - 1000 * LINE_BYTES,
        region="us-east-1",
        prices=shipped(),
        new=True,
        on_demand=True,
    )
    assert written.dollars == Decimal("5.00")
    assert written.arithmetic == "8,000,000 write units / 1,000,000 x $0.625 = $5.00"
    assert imported.dollars == Decimal("0.30")
    assert imported.arithmetic.startswith("2.000 GB of DynamoDB JSON x $0.15 = $0.30")
    assert (
        loading_cost(
            items=1, units=1, body_bytes=1, region="us-east-1", prices=shipped(), new=False, on_demand=True
        )[1].dollars
        is None
    )


@pytest.mark.parametrize("region", ["eu-north-1", None])
def test_a_region_without_prices_is_told_and_not_guessed(region: str | None) -> None:
    for each in loading_cost(
        items=1, units=1, body_bytes=1, region=region, prices=None, new=True, on_demand=True
    ):
        assert each.dollars is None
        assert "us-east-1" in each.arithmetic


def test_a_load_is_priced_from_the_one_file() -> None:
    assert regions() == ("us-east-1",)
    written, imported = loading_cost(
        items=1, units=1, body_bytes=1, region="us-east-1", prices=shipped(), new=True, on_demand=True
    )
    assert written.price == shipped().price("dynamodb", "write-request-unit")
    assert imported.price == shipped().price("dynamodb", "import")
