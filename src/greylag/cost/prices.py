"""Prices, each with its source and its date; what has none is an error, never guessed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal

from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FILE: Final = "prices.toml"
HOME: Final = "us-east-1"
"""The one region whose prices are part of Greylag."""

OLD_DAYS: Final = 365
"""A price read longer ago than this is told to be old."""


class MissingPrice(ConfigurationError):  # noqa: N818
    """There is no price of something in a region."""


@dataclass(frozen=True, slots=True)
class Tier:
    """From `start` units of a month on, `price` US dollars pay for `per` of them."""

    start: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What `per` of what `unit` says cost in US dollars, by tiers of the month's quantity; the first begins at 0.

    `unconfirmed`: no source of AWS's own was seen.
    """

    service: str
    sku: str
    unit: str
    per: int
    tiers: tuple[Tier, ...]
    region: str
    source: str
    date: date
    unconfirmed: bool = False

    @property
    def price(self) -> Decimal:
        """That of the first tier."""
        return self.tiers[0].price

    def parts(self, quantity: Decimal, used: Decimal = Decimal(0)) -> tuple[tuple[Decimal, Decimal], ...]:
        """How many of `quantity` units fall to which price, where `used` were used in the month before them."""
        parts = []
        for place, tier in enumerate(self.tiers):
            end = self.tiers[place + 1].start if place + 1 < len(self.tiers) else None
            first = max(tier.start, used)
            last = used + quantity if end is None else min(end, used + quantity)
            if last > first:
                parts.append((last - first, tier.price))
        return tuple(parts)

    def of(self, quantity: int | Decimal, used: int | Decimal = 0) -> Decimal:
        """What `quantity` costs, exactly, where `used` were used in the month before."""
        return sum(
            (amount / self.per * price for amount, price in self.parts(Decimal(quantity), Decimal(used))),
            Decimal(0),
        )

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "service": self.service,
            "sku": self.sku,
            "unit": self.unit,
            "per": self.per,
            "price": str(self.price),
            "tiers": [{"from": str(each.start), "price": str(each.price)} for each in self.tiers],
            "region": self.region,
            "source": self.source,
            "date": self.date.isoformat(),
            "unconfirmed": self.unconfirmed,
        }


When = Literal["always", "first-year"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What AWS gives to an account each month, shared by `skus`: always, or in its first year."""

    name: str
    service: str
    skus: frozenset[str]
    amount: Decimal
    unit: str
    when: When
    source: str
    date: date


@dataclass(frozen=True, slots=True)
class PriceList:
    """The prices of one region. Allowances are the same everywhere."""

    region: str
    prices: Mapping[tuple[str, str], Price] = field(repr=False)
    allowances: tuple[Allowance, ...] = field(default=(), repr=False)

    def price(self, service: str, sku: str) -> Price:
        """Raises MissingPrice where there is none."""
        found = self.prices.get((service, sku))
        if found is None:
            known = sorted(name for of, name in self.prices if of == service)
            raise MissingPrice(
                f"there is no price of {service} {sku} in {self.region}",
                advice=f"`greylag cost --refresh --region {self.region}` asks AWS's price list"
                + (f"; known of {service}: {', '.join(known)}." if known else "."),
            )
        return found

    def find(self, service: str, sku: str) -> Price | None:
        """The price, or None."""
        return self.prices.get((service, sku))

    def allowance(self, service: str, sku: str) -> Allowance | None:
        """What is free of it each month."""
        return next((each for each in self.allowances if each.service == service and sku in each.skus), None)


def shipped(region: str = HOME) -> PriceList:
    """The prices that are part of Greylag. Raises MissingPrice for a region it has none of."""
    found, allowances = _shipped()
    if region not in found:
        raise MissingPrice(
            f"there are no prices of {region} on this machine (known: {', '.join(found)})",
            advice=f"`greylag cost --refresh --region {region}` fetches them from AWS's price list.",
        )
    return PriceList(region, found[region], allowances)


def regions() -> tuple[str, ...]:
    """The regions whose prices are part of Greylag."""
    return tuple(_shipped()[0])


def parse(rows: Iterable[Mapping[str, Any]]) -> list[Price]:
    """Prices from the form that the file has: sources, each with its `prices`."""
    return [
        Price(
            service=row["service"],
            sku=row["sku"],
            unit=row["unit"],
            per=row["per"],
            tiers=tuple(Tier(Decimal(str(tier["from"])), Decimal(tier["price"])) for tier in row["tiers"]),
            region=source["region"],
            source=source["address"],
            date=_day(source["date"]),
            unconfirmed=row.get("unconfirmed", False),
        )
        for source in rows
        for row in source["prices"]
    ]


def oldest(prices: Iterable[Price], today: date) -> tuple[Price, int] | None:
    """The price that was read longest ago, and how many days; None where none is older than OLD_DAYS."""
    first = min(prices, key=lambda each: each.date, default=None)
    if first is None or (today - first.date).days <= OLD_DAYS:
        return None
    return first, (today - first.date).days


def _day(value: date | str) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


@cache
def _shipped() -> tuple[dict[str, dict[tuple[str, str], Price]], tuple[Allowance, ...]]:
    text = resources.files("greylag.cost").joinpath(FILE).read_text(encoding="utf-8")
    document = tomllib.loads(text)
    found: dict[str, dict[tuple[str, str], Price]] = {}
    for row in parse(document["source"]):
        found.setdefault(row.region, {})[row.service, row.sku] = row
    return found, tuple(
        Allowance(
            row["name"],
            row["service"],
            frozenset(row["skus"]),
            Decimal(row["amount"]),
            row["unit"],
            row["when"],
            row["address"],
            row["date"],
        )
        for row in document["free"]
    )
