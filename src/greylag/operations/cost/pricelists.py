"""The prices of a region: those that are part of Greylag, or those that `--refresh` fetched for this user."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greylag.config.folders import user_cache
from greylag.cost.pricelist import ADDRESS, offers, read
from greylag.cost.prices import HOME, PriceList, parse, shipped
from greylag.errors import SourceDataError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from greylag.cost.prices import Price

SECONDS: Final = 60
"""How long a connection may be silent."""


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
        fetched = {(each.service, each.sku): each for each in parse(document["sources"])}
    except FileNotFoundError:
        return shipped(region)
    except (ValueError, KeyError, TypeError):
        raise SourceDataError(
            f"{file} is damaged", advice=f"`greylag cost --refresh --region {region}` writes it anew."
        ) from None
    home = shipped()
    if region == HOME:
        return replace(home, prices={**home.prices, **fetched})
    return PriceList(region, fetched, home.allowances)


def refresh(
    region: str,
    folder: Path,
    *,
    open_lines: Callable[[str], Iterable[str]] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> PriceList:
    """Fetch what AWS's price list says of the region, and keep it. Files are read line by line: that of EC2 has
    hundreds of MB. Nothing is kept unless all were read.
    """
    opened = open_lines or lines_of
    found: list[Price] = []
    for offer in offers():
        tell(offer)
        found += read(opened(ADDRESS.format(offer=offer, region=region)), offer=offer, region=region)
    if not found:
        raise SourceDataError(f"AWS's price list has none of our prices in {region}")
    _keep(folder, region, found)
    return prices_of(region, folder)


def _keep(folder: Path, region: str, prices: Iterable[Price]) -> None:
    """In the form of prices.toml, put in place at once."""
    sources: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for each in prices:
        sources.setdefault((each.source, each.date.isoformat()), []).append(
            {
                "service": each.service,
                "sku": each.sku,
                "unit": each.unit,
                "per": each.per,
                "tiers": [{"from": str(tier.start), "price": str(tier.price)} for tier in each.tiers],
            }
        )
    document = {
        "sources": [
            {"address": address, "date": day, "region": region, "prices": rows}
            for (address, day), rows in sources.items()
        ]
    }
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        Path(name).replace(folder / f"{region}.json")
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def lines_of(address: str) -> Iterator[str]:
    """Of a file that a server gives, as they come. Raises SourceDataError where it has none, TransientError where it is
    away.
    """
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310
            for line in answer:
                yield line.decode("utf-8")
    except urllib.error.HTTPError as error:
        raise SourceDataError(
            f"{address} answered {error.code}",
            advice="Is the region's name right, and does it have the service?",
        ) from error
    except OSError as error:
        raise TransientError(
            f"{address} cannot be reached: {error}", advice="--refresh needs the internet; try again later."
        ) from error
