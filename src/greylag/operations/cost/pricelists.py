"""The prices of a region: those that are part of Greylag, or those that `--refresh` fetched for this user."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from greylag.config.folders import user_cache
from greylag.cost.pricelist import BASE, address_of, known, offers, read
from greylag.cost.prices import HOME, PriceList, parse, shipped
from greylag.engine.disk import write_whole
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from greylag.cost.prices import Price

_FORM: Final = 1


def price_folder() -> Path:
    """Where this user's machine keeps what was fetched."""
    return user_cache() / "prices"


def prices_of(region: str, folder: Path) -> PriceList:
    """What `folder` keeps of the region, with what is part of Greylag for what it does not have (in us-east-1 alone).

    Raises MissingPrice where there is neither, SourceDataError for a file that somebody damaged.
    """
    file = folder / f"{region}.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        found = {(each.service, each.sku): each for each in parse(document["sources"])}
    except FileNotFoundError:
        return shipped(region)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        raise SourceDataError(
            f"{file} is damaged", advice=f"`greylag cost --refresh --region {region}` writes it anew."
        ) from None
    home = shipped()
    if region == HOME:
        return replace(home, prices={**home.prices, **found})
    return PriceList(region, found, home.allowances)


def refresh(
    region: str,
    folder: Path,
    *,
    base: str = BASE,
    tell: Callable[[str], None] = lambda _: None,
) -> PriceList:
    """Fetch what the price list at `base` says of the region, and keep it. Files are read line by line: that of EC2 has
    hundreds of MB. One that has not changed since is not sent again. Nothing is kept unless all were read; a service
    that the region does not have is told, and has no prices.

    Raises SourceDataError for a file that is damaged or truncated, and where the region has none at all, TransientError
    where the price list is away.
    """
    from greylag.operations.cost.fetching import Absent, fetched  # urllib, which `plan` never needs

    before = _before(folder / f"{region}.json")
    found: list[_File] = []
    for offer in offers():
        address = address_of(offer, region, base)
        old = before.get(address)
        try:
            with fetched(address, None if old is None else old.etag) as answer:
                if answer is None:
                    assert old is not None
                    tell(f"{offer}: unchanged")
                    found.append(old)
                    continue
                prices = read(answer.lines(), offer=offer, region=region, base=base)
                tell(f"{offer}: {len(prices):,} prices")
                found.append(_File(address, answer.etag, prices))
        except Absent:
            tell(f"{offer}: not in {region}")
    if not any(each.prices for each in found):
        raise SourceDataError(
            f"the price list at {base} has none of our prices in {region}",
            advice="Is the region's name right? `aws ec2 describe-regions` lists them.",
        )
    _keep(folder, region, found)
    return prices_of(region, folder)


@dataclass(frozen=True, slots=True)
class _File:
    """What was read of one file of the price list. `etag` is the server's name for that version of it."""

    address: str
    etag: str | None
    prices: list[Price]


def _before(file: Path) -> dict[str, _File]:
    """By address; nothing where what is kept was read by other rules, or is damaged: then it is all fetched."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["form"] != _FORM or document["known"] != known():
            return {}
        return {
            each["address"]: _File(each["address"], each["etag"], parse([each]))
            for each in document["sources"]
            if each["etag"]
        }
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
        return {}


def _keep(folder: Path, region: str, files: Iterable[_File]) -> None:
    """In the form of prices.toml, put in place at once."""
    document: dict[str, Any] = {
        "form": _FORM,
        "known": known(),
        "sources": [
            {
                "address": each.address,
                "etag": each.etag,
                "date": each.prices[0].date.isoformat() if each.prices else None,
                "region": region,
                "prices": [
                    {
                        "service": price.service,
                        "sku": price.sku,
                        "unit": price.unit,
                        "per": price.per,
                        "tiers": [
                            {"from": str(tier.start), "price": str(tier.price)} for tier in price.tiers
                        ],
                    }
                    for price in each.prices
                ],
            }
            for each in files
        ],
    }
    write_whole(folder / f"{region}.json", json.dumps(document, indent=1).encode())
