"""Tiers, allowances and missing prices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from greylag.cost.bill import Account, money
from greylag.cost.dynamodb import TableUse, on_demand, provisioned, read_units, write_units
from greylag.cost.prices import HOME, MissingPrice, oldest, shipped

if TYPE_CHECKING:
    from greylag.cost.bill import Free


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (409_600, 400)])
def test_a_write_unit_for_each_kb_begun(size: int, units: int) -> None:
    assert write_units(size) == units


def test_half_a_read_unit_for_each_4_kb_begun_twice_that_where_consistent() -> None:
    assert read_units(4096) == Decimal("0.5")
    assert read_units(4097) == 1
    assert read_units(4096, Decimal(1)) == 1
    assert read_units(8192, Decimal("0.5")) == Decimal("1.5")


def test_an_allowance_is_given_once_to_all_that_share_it() -> None:
    account = Account(shipped())
    first = account.line("one", "lambda", "request", 700_000)
    second = account.line("two", "lambda", "request-arm", 700_000)
    assert first.free == 700_000
    assert first.exact == 0
    assert second.free == 300_000
    assert second.exact == Decimal("0.08")


@pytest.mark.parametrize(
    ("free", "dollars"), [("none", "11.68"), ("always", "11.68"), ("first-year", "0.00")]
)
def test_no_allowance_and_that_of_the_first_year(free: Free, dollars: str) -> None:
    line = Account(shipped(), free).line("db", "rds", "db.t4g.micro", 730)
    assert str(line.dollars) == dollars


def test_tiers_count_what_was_used_before() -> None:
    account = Account(shipped(), "none")
    account.line("a", "apigateway", "http-request", 299_000_000)
    assert account.line("b", "apigateway", "http-request", 2_000_000).exact == Decimal("1.9")


def test_a_missing_price_is_an_error_that_says_how_to_get_it() -> None:
    with pytest.raises(MissingPrice) as refused:
        Account(shipped()).line("db", "rds", "db.x99.huge", 1)
    assert "--refresh" in refused.value.advice
    assert "db.t4g.micro" in refused.value.advice
    with pytest.raises(MissingPrice) as refused:
        shipped("eu-north-1")
    assert "greylag cost --refresh --region eu-north-1" in refused.value.advice


def test_every_price_has_a_source_and_a_date() -> None:
    prices = shipped()
    assert len(prices.prices) > 100
    for price in prices.prices.values():
        assert price.region == HOME
        assert price.source.startswith("https://")
        assert date(2024, 1, 1) <= price.date <= date(2026, 12, 31)
        assert price.tiers[0].start == 0
        assert [tier.start for tier in price.tiers] == sorted({tier.start for tier in price.tiers})
        assert price.per > 0
        assert all(tier.price >= 0 for tier in price.tiers)
    assert [price.sku for price in prices.prices.values() if price.unconfirmed] == ["dcu-hour"]
    for allowance in prices.allowances:
        assert allowance.source.startswith("https://")
        assert all(prices.find(allowance.service, sku) for sku in allowance.skus)


def test_an_old_price_is_told() -> None:
    prices = shipped().prices.values()
    first = min(price.date for price in prices)
    assert oldest(prices, first) is None
    found = oldest(prices, date(first.year + 2, 1, 1))
    assert found is not None
    assert found[0].date == first


def test_capacity_is_whole_units_of_each_table_and_index() -> None:
    use = TableUse("t", indexes=2, pitr=False)
    bill = provisioned(Account(shipped(), "none"), use)
    assert [line.quantity for line in bill.lines[:2]] == [3 * 730, 3 * 730]
    busy = TableUse("t", writes=Decimal(100 * 2_628_000), peak=Decimal(3))
    assert "143 units" in provisioned(Account(shipped()), busy).lines[0].worked
    assert "429 units" in provisioned(Account(shipped()), busy, held=True).lines[0].worked


def test_another_region_is_written_both_ways() -> None:
    use = TableUse("t", writes=Decimal(10**6), indexes=1, replicas=2)
    demanded = {line.price.sku: line for line in on_demand(Account(shipped(), "none"), use).lines}
    assert demanded["replicated-write-request-unit"].quantity == 4 * 10**6
    held = {line.price.sku: line for line in provisioned(Account(shipped(), "none"), use).lines}
    assert held["replicated-write-capacity-hour"].quantity == 2 * held["write-capacity-hour"].quantity


def test_an_index_is_written_and_kept_as_the_table_is() -> None:
    one = on_demand(Account(shipped(), "none"), TableUse("t", writes=Decimal(10**6), items=10**6))
    three = on_demand(
        Account(shipped(), "none"), TableUse("t", writes=Decimal(10**6), items=10**6, indexes=2)
    )
    assert one.lines[0].dollars == Decimal("0.63")
    assert three.lines[0].exact == 3 * one.lines[0].exact
    assert three.lines[2].exact == 3 * one.lines[2].exact
    assert three.lines[3].exact == one.lines[3].exact  # recovery keeps the table alone


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.000012", "$0.000012"),
        ("1234.5", "$1,234.50"),
        ("-3", "-$3.00"),
        ("0.125", "$0.13"),
    ],
)
def test_money(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text
