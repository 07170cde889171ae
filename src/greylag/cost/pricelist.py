"""Reads files of AWS's price list: rows of thousands of products, of which a few are ours.

Source: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/bulk-api-reading-price-list-files.html
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from greylag.cost.prices import Price, Tier
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BASE: Final = "https://pricing.us-east-1.amazonaws.com"
_PATH: Final = "/offers/v1.0/aws/{offer}/current/{region}/index.csv"
_NEEDED: Final = (
    "SKU",
    "TermType",
    "StartingRange",
    "PricePerUnit",
    "Currency",
    "usageType",
)
_PREFIX = re.compile(r"[A-Z]{2,4}\d?-")
"""A region's, such as EUW2; us-east-1 often has none. What begins with Global is what is free in every region."""
_TYPE = r"((?:db|cache)\.[a-z0-9]+\.[a-z0-9]+)"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of our prices, and how to know its rows."""

    offer: str
    service: str
    sku: str
    usage: re.Pattern[str]
    where: Mapping[str, str]
    unit: str
    per: int


def offers() -> tuple[str, ...]:
    """The services' codes in the price list."""
    return tuple(dict.fromkeys(each.offer for each in _wanted()))


def known() -> str:
    """A digest of what makes rows ours: prices that were read by another one may lack some."""
    return hashlib.sha256(_text().encode()).hexdigest()


def address_of(offer: str, region: str, base: str = BASE) -> str:
    """Where the file is: at AWS, or at a mirror of it."""
    return base.rstrip("/") + _PATH.format(offer=offer, region=region)


def read(lines: Iterable[str], *, offer: str, region: str, base: str = BASE) -> list[Price]:
    """The prices of one file, which is read line by line. On-demand prices in US dollars alone.

    Raises SourceDataError for a file that is none, or damaged, or whose tiers leave a gap.
    """
    try:
        return _read(lines, offer, region, address_of(offer, region, base))
    except csv.Error as error:
        raise SourceDataError(f"the price list of {offer} is damaged: {error}") from error


def _read(lines: Iterable[str], offer: str, region: str, address: str) -> list[Price]:
    wanted = [each for each in _wanted() if each.offer == offer]
    rows, published = _rows(lines, offer)
    found: dict[tuple[str, str], dict[str, dict[Decimal, Decimal]]] = {}
    about: dict[tuple[str, str], Wanted] = {}
    for row in rows:
        if row["TermType"] != "OnDemand" or row["Currency"] != "USD":
            continue
        usage = _PREFIX.sub("", row["usageType"], count=1)
        for each in wanted:
            match = each.usage.fullmatch(usage)
            if match is None or any(row.get(column) != value for column, value in each.where.items()):
                continue
            kind = match[1] if match.groups() else ""
            key = each.service, each.sku.replace("{}", kind)
            try:
                start, dollars = Decimal(row["StartingRange"]), Decimal(row["PricePerUnit"])
            except InvalidOperation:
                raise SourceDataError(
                    f"{offer} of {region}: {row['SKU']} has no price that is a number"
                ) from None
            found.setdefault(key, {}).setdefault(row["SKU"], {})[start] = dollars
            about[key] = each
    return [
        _price(key, about[key], products, address, published, region=region)
        for key, products in found.items()
    ]


def _price(
    key: tuple[str, str],
    each: Wanted,
    products: Mapping[str, Mapping[Decimal, Decimal]],
    address: str,
    published: date,
    *,
    region: str,
) -> Price:
    differing = {tuple(sorted(tiers.items())) for tiers in products.values()}
    if len(differing) > 1:
        raise SourceDataError(
            f"{each.offer} of {region} has several prices of {key[0]} {key[1]}: {', '.join(sorted(products))}",
            advice="This version does not know which is meant; report it with the name of the region.",
        )
    [tiers] = differing
    if tiers[0][0] != 0:
        raise SourceDataError(f"{each.offer} of {region}: {key[0]} {key[1]} has no price from 0 on")
    return Price(
        service=key[0],
        sku=key[1],
        unit=each.unit,
        per=each.per,
        tiers=tuple(Tier(start, (dollars * each.per).normalize()) for start, dollars in tiers),
        region=region,
        source=address,
        date=published,
    )


def _rows(lines: Iterable[str], offer: str) -> tuple[Iterator[dict[str, str]], date]:
    """The rows below the lines that say what the file is."""
    reader = csv.reader(lines)
    said: dict[str, str] = {}
    for row in reader:
        if row and row[0] == "SKU":
            missing = [name for name in _NEEDED if name not in row]
            if missing:
                raise SourceDataError(f"the price list of {offer} has no column {missing[0]}")
            break
        said.update([(row[0], row[1])] if len(row) > 1 else [])
    else:
        raise SourceDataError(f"this is no price list of {offer}: no line names its columns")
    if said.get("OfferCode", offer) != offer:
        raise SourceDataError(f"this is the price list of {said['OfferCode']}, not of {offer}")
    try:
        published = date.fromisoformat(said["Publication Date"][:10])
    except (KeyError, ValueError):
        raise SourceDataError(f"the price list of {offer} does not say when it was published") from None
    return _named(row, reader, offer), published


def _named(columns: list[str], reader: Iterable[list[str]], offer: str) -> Iterator[dict[str, str]]:
    for values in reader:
        if not values:
            continue
        if len(values) != len(columns):
            raise SourceDataError(
                f"the price list of {offer} is damaged: a line has {len(values)} of {len(columns)} columns",
                advice="Fetch it again; nothing was kept.",
            )
        yield dict(zip(columns, values, strict=True))


def _text() -> str:
    return resources.files("greylag.cost").joinpath("pricelist.toml").read_text(encoding="utf-8")


@cache
def _wanted() -> tuple[Wanted, ...]:
    groups: list[dict[str, Any]] = tomllib.loads(_text())["sku"]
    return tuple(
        Wanted(
            offer=group["offer"],
            service=group["service"],
            sku=row["sku"],
            usage=re.compile(re.escape(row["usage"]).replace(r"\{\}", _TYPE)),
            where=row.get("where", {}),
            unit=row["unit"],
            per=row["per"],
        )
        for group in groups
        for row in group["skus"]
    )
