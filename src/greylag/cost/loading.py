"""What a full load of one DynamoDB table costs, by BatchWriteItem and by ImportTable, with the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from greylag.cost.prices import Price, price, regions

GB = 2**30
"""Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""

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
            "dollars": None if self.dollars is None else f"{self.dollars:.2f}",
            "arithmetic": self.arithmetic,
            "price": None if self.price is None else self.price.as_json(),
        }


def loading_cost(
    *, items: int, units: int, body_bytes: int, region: str | None, new: bool, on_demand: bool
) -> tuple[Cost, Cost]:
    """BatchWriteItem, then ImportTable. `units` are those of the table and all its indexes; `body_bytes` are those of
    the items in DynamoDB JSON, uncompressed.
    """
    return _writing(units, region, on_demand=on_demand), _importing(items, body_bytes, region, new=new)


def _writing(units: int, region: str | None, *, on_demand: bool) -> Cost:
    way = "BatchWriteItem"
    found = _known("write-request-unit", region)
    if not on_demand:
        return Cost(
            way, None, "the table's capacity is provisioned: it is paid by the hour, not by the write"
        )
    if found is None:
        return Cost(way, None, _unknown(region))
    dollars = found.of(units)
    text = f"{units:,} write units / 1,000,000 x ${found.price} = ${dollars:,.2f}"
    return Cost(way, dollars, text, found)


def _importing(items: int, body_bytes: int, region: str | None, *, new: bool) -> Cost:
    way = "ImportTable"
    found = _known("import", region)
    if not new:
        return Cost(way, None, "imports only make new tables, and this one exists")
    if found is None:
        return Cost(way, None, _unknown(region))
    gigabytes = Decimal(body_bytes + items * LINE_BYTES) / GB
    dollars = found.of(gigabytes)
    text = (
        f"{gigabytes:,.3f} GB of DynamoDB JSON x ${found.price} = ${dollars:,.2f}, indexes included, S3 not"
    )
    return Cost(way, dollars, text, found)


def _known(sku: str, region: str | None) -> Price | None:
    return None if region is None else price("dynamodb", sku, region)


def _unknown(region: str | None) -> str:
    known = ", ".join(regions("dynamodb"))
    if region is None:
        return f"the connection states no region, so there is no price (known: {known})"
    return f"this version has no prices of {region} (known: {known})"
