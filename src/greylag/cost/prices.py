"""Prices, each with its source and its date; what has none is told, never guessed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

FILE = "prices.toml"


@dataclass(frozen=True, slots=True)
class Price:
    """`price` US dollars pay for `per` of what `unit` says."""

    service: str
    sku: str
    unit: str
    per: int
    price: Decimal
    region: str
    source: str
    date: date

    def of(self, amount: float | Decimal) -> Decimal:
        """What `amount` costs, in US dollars."""
        return Decimal(amount) / self.per * self.price

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "service": self.service,
            "sku": self.sku,
            "unit": self.unit,
            "price": str(self.price),
            "region": self.region,
            "source": self.source,
            "date": self.date.isoformat(),
        }


def price(service: str, sku: str, region: str) -> Price | None:
    """The price there; None where this version knows none."""
    return _prices().get((service, sku, region))


def regions(service: str) -> tuple[str, ...]:
    """The regions that have prices of `service`."""
    return tuple(sorted({place for known, _, place in _prices() if known == service}))


@cache
def _prices() -> dict[tuple[str, str, str], Price]:
    text = resources.files("greylag.cost").joinpath(FILE).read_text(encoding="utf-8")
    rows = [Price(**{**row, "price": Decimal(row["price"])}) for row in tomllib.loads(text)["price"]]
    return {(row.service, row.sku, row.region): row for row in rows}
