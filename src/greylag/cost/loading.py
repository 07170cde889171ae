"""What a full load of one DynamoDB table costs, by BatchWriteItem and by ImportTable, with the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.cost.bill import GB, cents
from greylag.cost.prices import regions

if TYPE_CHECKING:
    from greylag.cost.prices import Price, PriceList

LINE_BYTES = len('{"Item":}\n')
"""Around each item of an import in DynamoDB JSON.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """One way to load. `dollars` is None where it is not open or has no price: `arithmetic` then says why."""

    way: str
    dollars: Decimal | None
    arithmetic: str
    price: Price | None = None

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "way": self.way,
            "dollars": None if self.dollars is None else str(cents(self.dollars)),
            "arithmetic": self.arithmetic,
            "price": None if self.price is None else self.price.as_json(),
        }


def loading_cost(
    *,
    items: int,
    units: int,
    body_bytes: int,
    region: str | None,
    prices: PriceList | None,
    new: bool,
    on_demand: bool,
) -> tuple[Cost, Cost]:
    """BatchWriteItem, then ImportTable. `units` are those of the table and all its indexes; `body_bytes` are those of
    the items in DynamoDB JSON, uncompressed. `prices` are those of `region`, None where there are none.
    """
    unknown = _unknown(region)
    return (
        _writing(units, prices, unknown, on_demand=on_demand),
        _importing(items, body_bytes, prices, unknown, new=new),
    )


def _writing(units: int, prices: PriceList | None, unknown: str, *, on_demand: bool) -> Cost:
    way = "BatchWriteItem"
    if not on_demand:
        return Cost(
            way, None, "the table's capacity is provisioned: it is paid by the hour, not by the write"
        )
    found = None if prices is None else prices.find("dynamodb", "write-request-unit")
    if found is None:
        return Cost(way, None, unknown)
    dollars = found.of(units)
    text = f"{units:,} write units / {found.per:,} x ${found.price} = ${cents(dollars):,}"
    return Cost(way, dollars, text, found)


def _importing(items: int, body_bytes: int, prices: PriceList | None, unknown: str, *, new: bool) -> Cost:
    way = "ImportTable"
    if not new:
        return Cost(way, None, "imports only make new tables, and this one exists")
    found = None if prices is None else prices.find("dynamodb", "import")
    if found is None:
        return Cost(way, None, unknown)
    gigabytes = Decimal(body_bytes + items * LINE_BYTES) / GB
    dollars = found.of(gigabytes)
    text = f"{gigabytes:,.3f} GB of DynamoDB JSON x ${found.price} = ${cents(dollars):,}, indexes included, S3 not"
    return Cost(way, dollars, text, found)


def _unknown(region: str | None) -> str:
    known = ", ".join(regions())
    if region is None:
        return f"the connection states no region, so there is no price (known: {known})"
    return f"there are no prices of {region} (known: {known}; `greylag cost --refresh --region {region}` fetches them)"
