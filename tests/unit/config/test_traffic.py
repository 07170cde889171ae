"""What is said of a service's traffic and budget."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from greylag.config.traffic import MONTH_SECONDS, rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.config import Project

FILE = """\
project: shop
connections: {{dynamo: {{kind: dynamodb, region: us-east-1}}}}
services:
  api:
    traffic: {{reads: 20/s, writes: 5000/d, requests: 3000000/month, consistent: 0.1, item_bytes: 900}}
    budget: {budget}
"""


@pytest.mark.parametrize(
    ("text", "monthly"),
    [
        ("1/s", MONTH_SECONDS),
        ("1/h", 730),
        ("60/m", MONTH_SECONDS),
        ("24/d", 730),
        ("0.5/s", MONTH_SECONDS / 2),
        ("7/month", 7),
    ],
)
def test_rates_are_a_month_of_730_hours(text: str, monthly: float) -> None:
    assert rate(text) == Decimal(monthly)


@pytest.mark.parametrize("text", ["20", "20 /s", "-1/s", "1/y", "1e3/s", "/s", ""])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a rate"):
        rate(text)


def test_decimals_stay_what_was_written(project: Callable[..., Project]) -> None:
    spec = project(FILE.format(budget="{per_call_usd: 0.0001}")).service_specs["api"]
    assert spec.traffic is not None
    assert spec.budget is not None
    assert spec.traffic.consistent == Decimal("0.1")
    assert spec.traffic.reads == 20 * MONTH_SECONDS
    assert spec.traffic.requests == 3_000_000
    assert spec.traffic.messages is None
    assert spec.traffic.high == 2
    assert spec.budget.per_call_usd == Decimal("0.0001")
    assert spec.budget.monthly_usd is None


def test_a_number_is_a_monthly_budget(project: Callable[..., Project]) -> None:
    budget = project(FILE.format(budget="99.5")).service_specs["api"].budget
    assert budget is not None
    assert budget.monthly_usd == Decimal("99.5")
