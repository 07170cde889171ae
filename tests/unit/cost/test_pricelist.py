"""Excerpts of AWS's price list of eu-west-2, recorded in August and September 2026, and what may be wrong with one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greylag.cost.pricelist import read
from greylag.cost.prices import MissingPrice
from greylag.errors import SourceDataError
from greylag.operations.cost.pricelists import prices_of

if TYPE_CHECKING:
    from greylag.cost.prices import Price

CASES = Path(__file__).parents[2] / "cases" / "price-list"
REGION = "eu-west-2"


def lines(offer: str) -> list[str]:
    return (CASES / f"{offer}-{REGION}.csv").read_text(encoding="utf-8").splitlines(keepends=True)


def recorded(offer: str) -> dict[str, Price]:
    return {each.sku: each for each in read(lines(offer), offer=offer, region=REGION)}


def test_functions_with_their_tiers() -> None:
    found = recorded("AWSLambda")
    assert set(found) == {"request", "request-arm", "gb-second", "gb-second-arm", "provisioned-gb-second"}
    assert found["request"].price == Decimal("0.2")
    assert found["request"].per == 1_000_000
    assert [(tier.start, tier.price) for tier in found["gb-second"].tiers] == [
        (Decimal(0), Decimal("0.0000166667")),
        (Decimal(6_000_000_000), Decimal("0.000015")),
        (Decimal(15_000_000_000), Decimal("0.0000133334")),
    ]
    assert found["provisioned-gb-second"].price == Decimal("0.0000048304")
    assert found["request"].date == date(2026, 8, 31)
    assert found["request"].region == REGION
    assert found["request"].source.endswith("/AWSLambda/current/eu-west-2/index.csv")


def test_queues_whose_tiers_stand_in_any_order() -> None:
    found = recorded("AWSQueueService")
    assert set(found) == {"standard", "fifo"}
    assert [tier.price for tier in found["standard"].tiers] == [
        Decimal("0.4"),
        Decimal("0.35"),
        Decimal("0.32"),
    ]
    assert found["fifo"].price == Decimal("0.5")


def test_a_usage_type_is_known_whole() -> None:
    found = recorded("AmazonEC2")
    assert {sku: each.price for sku, each in found.items()} == {
        "nat-gateway-hour": Decimal("0.05"),
        "nat-gateway-gb": Decimal("0.05"),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("AWSLambda", "AWSGlue"), "the price list of AWSGlue"),
        (('"PricePerUnit"', '"Price"'), "no column PricePerUnit"),
        (("0.0000166667", "n/a"), "no price that is a number"),
        (('"Publication Date"', '"Published"'), "when it was published"),
        (('"0","6000000000"', '"5","6000000000"'), "no price from 0 on"),
        (('"SKU","OfferTermCode"', '"Sku","OfferTermCode"'), "no line names its columns"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(change: tuple[str, str], message: str) -> None:
    text = "".join(lines("AWSLambda")).replace(*change)
    with pytest.raises(SourceDataError, match=message):
        read(text.splitlines(keepends=True), offer="AWSLambda", region=REGION)


def test_two_prices_of_one_thing_are_not_guessed_from() -> None:
    text = "".join(lines("AWSLambda"))
    [row] = [line for line in text.splitlines() if '"EUW2-Request"' in line]
    other = row.replace("NDYBVXT3KB548Z2A", "SOMETHINGELSE").replace("0.0000002000", "0.0000003000")
    with pytest.raises(SourceDataError, match="several prices of lambda request"):
        read([*text.splitlines(keepends=True), other], offer="AWSLambda", region=REGION)


def test_a_damaged_line_is_refused() -> None:
    whole = lines("AWSLambda")
    with pytest.raises(SourceDataError, match="a line has 3 of"):
        read([*whole, '"A","B","C"\n'], offer="AWSLambda", region=REGION)
    with pytest.raises(SourceDataError, match="is damaged"):
        read([*whole, '"' + "x" * 200_000 + '"\n'], offer="AWSLambda", region=REGION)
    assert read([*whole, "\n"], offer="AWSLambda", region=REGION)


def test_a_region_that_nobody_fetched(tmp_path: Path) -> None:
    with pytest.raises(MissingPrice, match="no prices of eu-west-2"):
        prices_of(REGION, tmp_path)


@pytest.mark.parametrize("content", ["{", "{}", '{"sources": [{"prices": [{"service": 1}]}]}'])
def test_a_damaged_cache_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / f"{REGION}.json").write_text(content, encoding="utf-8")
    with pytest.raises(SourceDataError, match="is damaged") as refused:
        prices_of(REGION, tmp_path)
    assert "--refresh --region eu-west-2" in refused.value.advice
