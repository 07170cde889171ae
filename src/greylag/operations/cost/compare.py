"""Choices side by side, and the traffic at which each becomes dearer than another."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from greylag.cost import databases, dynamodb, network
from greylag.cost.bill import Account, Bill, cents, money, number, total
from greylag.cost.breakeven import crossings
from greylag.cost.prices import MissingPrice
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from greylag.cost.bill import Free
    from greylag.cost.prices import PriceList
    from greylag.operations.cost.compose import Basis

PRESETS: Final = ("small", "medium")
TABLES, FREE_TIER = "Tables", "Free tier"
"""Titles of comparisons that are shown in a way of their own."""
SERVICES: Final = ("dynamodb", "rds", "aurora", "documentdb", "nat")
_DAYS: Final = Decimal(730) / 24


@dataclass(frozen=True, slots=True)
class Choice:
    """One way, and its month."""

    name: str
    bill: Bill

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "name": self.name,
            "dollars": str(self.bill.dollars),
            "lines": [each.as_json() for each in self.bill.lines],
        }


@dataclass(frozen=True, slots=True)
class Crossing:
    """Above `times` the traffic `dearer` costs more than `cheaper`."""

    dearer: str
    cheaper: str
    times: Decimal

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {"dearer": self.dearer, "cheaper": self.cheaper, "above_times": str(self.times)}


@dataclass(frozen=True)
class Comparison:
    """`axis` says what traffic 1 is. `ways` give the month at a multiple of it."""

    title: str
    axis: str
    choices: tuple[Choice, ...]
    crossings: tuple[Crossing, ...]
    notes: tuple[str, ...]
    ways: Mapping[str, Callable[[Decimal], Bill]]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "title": self.title,
            "axis": self.axis,
            "choices": [each.as_json() for each in self.choices],
            "crossings": [each.as_json() for each in self.crossings],
            "notes": list(self.notes),
        }


def compare(
    title: str, axis: str, ways: Mapping[str, Callable[[Decimal], Bill]], notes: Sequence[str] = ()
) -> Comparison:
    """Every way at the traffic there is, and every pair of them where one overtakes the other."""

    reckoned: dict[
        tuple[str, Decimal], Decimal
    ] = {}  # each way is compared with every other at the same multiples

    def exact(name: str) -> Callable[[Decimal], Decimal]:
        def at(times: Decimal) -> Decimal:
            if (name, times) not in reckoned:
                reckoned[name, times] = ways[name](times).exact
            return reckoned[name, times]

        return at

    names = list(ways)
    found = [
        Crossing(one if dearer else other, other if dearer else one, times)
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        for times, dearer in crossings(exact(one), exact(other))
    ]
    return Comparison(
        title,
        axis,
        tuple(Choice(name, way(Decimal(1))) for name, way in ways.items()),
        tuple(sorted(found, key=lambda each: each.times)),
        tuple(notes),
        ways,
    )


def table_ways(
    uses: Sequence[dynamodb.TableUse], prices: PriceList, free: Free
) -> dict[str, Callable[[Decimal], Bill]]:
    """DynamoDB on demand, and provisioned."""

    def scaled(times: Decimal) -> list[dynamodb.TableUse]:
        return [replace(each, reads=each.reads * times, writes=each.writes * times) for each in uses]

    def demanded(times: Decimal) -> Bill:
        account = Account(prices, free)
        return total(dynamodb.on_demand(account, each) for each in scaled(times))

    def followed(times: Decimal) -> Bill:
        account = Account(prices, free)
        return total(dynamodb.provisioned(account, each) for each in scaled(times))

    def held(times: Decimal) -> Bill:
        account = Account(prices, free)
        return total(dynamodb.provisioned(account, each, held=True) for each in scaled(times))

    ways: dict[str, Callable[[Decimal], Bill]] = {
        "DynamoDB on demand": demanded,
        "DynamoDB autoscaled": followed,
    }
    if any(each.peak > 1 for each in uses):
        ways["DynamoDB held at its peak"] = held
    return ways


def table_note(prices: PriceList) -> str:
    """At which use of the capacity both cost the same."""
    write = prices.price("dynamodb", "write-request-unit")
    hour = prices.price("dynamodb", "write-capacity-hour")
    share = hour.price / 3600 / (write.price / write.per)
    return (
        f"Provisioned capacity that is used above {share * 100:.1f} % costs less than on demand "
        f"(${hour.price} an hour / 3,600 s against ${write.price} a million)."
    )


def postgres_ways(
    use: databases.DatabaseUse, prices: PriceList, free: Free, aurora: str
) -> dict[str, Callable[[Decimal], Bill]]:
    """RDS in one zone and in two, Aurora by instance and by capacity. Instances stay what they are at any traffic:
    which one carries it, only a rehearsal tells.
    """

    def at(times: Decimal, **changes: Any) -> databases.DatabaseUse:
        return replace(use, reads=use.reads * times, writes=use.writes * times, **changes)

    ways: dict[str, Callable[[Decimal], Bill]] = {
        f"RDS {use.instance}": lambda k: databases.rds(Account(prices, free), at(k, multi_az=False)),
        f"RDS {use.instance} Multi-AZ": lambda k: databases.rds(Account(prices, free), at(k, multi_az=True)),
        f"Aurora {aurora}": lambda k: databases.aurora(Account(prices, free), at(k, instance=aurora)),
        f"Aurora serverless, {number(use.capacity)} ACU": lambda k: databases.aurora(
            Account(prices, free), at(k), serverless=True
        ),
    }
    return _priced(ways)


def documentdb_ways(
    use: databases.DatabaseUse, prices: PriceList, free: Free
) -> dict[str, Callable[[Decimal], Bill]]:
    """DocumentDB by instance and by capacity."""

    def at(times: Decimal) -> databases.DatabaseUse:
        return replace(use, reads=use.reads * times, writes=use.writes * times)

    ways: dict[str, Callable[[Decimal], Bill]] = {
        f"DocumentDB {use.instance}": lambda k: databases.documentdb(Account(prices, free), at(k)),
        f"DocumentDB serverless, {number(use.capacity)} DCU": lambda k: databases.documentdb(
            Account(prices, free), at(k), serverless=True
        ),
    }
    return _priced(ways)


def capacity_note(service: str, sku: str, unit: str, instance: str, prices: PriceList) -> str:
    """At which mean capacity serverless becomes dearer than an instance."""
    hour, each = prices.find(service, instance), prices.find(service, sku)
    if hour is None or each is None:
        return ""
    mean = hour.price / each.price
    return (
        f"Serverless becomes dearer than {instance} above a mean of {mean:.2f} {unit} "
        f"(${hour.price} / ${each.price} an hour)."
    )


def nat_ways(gigabytes: Decimal, prices: PriceList, free: Free) -> dict[str, Callable[[Decimal], Bill]]:
    """A NAT gateway and a NAT instance."""
    return {
        "NAT gateway": lambda k: network.nat_gateway(Account(prices, free), gigabytes=gigabytes * k),
        "NAT instance": lambda k: network.nat_instance(Account(prices, free)),  # noqa: ARG005
    }


def of_project(of: Basis) -> tuple[Comparison, ...]:
    """What stands open for this project."""
    from greylag.operations.cost.compose import database_use, month

    prices, free = of.prices, of.free
    found = []
    uses = [use for kept in of.kept.values() for use in kept.tables]
    if uses:
        ways = table_ways(uses, prices, free)
        found.append(compare(TABLES, "the tables' reads and writes", ways, [table_note(prices)]))
    infrastructure = of.project.infrastructure
    if infrastructure is not None:
        for name, each in infrastructure.databases.items():
            use = database_use(of, name, each)
            if each.kind == "postgres":
                aurora = use.instance if prices.find("aurora", use.instance) else "db.t4g.medium"
                ways = postgres_ways(replace(use, copies=0, proxy=False), prices, free, aurora)
                note = capacity_note("aurora", "acu-hour", "ACU", aurora, prices)
            else:
                ways = documentdb_ways(use, prices, free)
                note = capacity_note("documentdb", "dcu-hour", "DCU", use.instance, prices)
            if len(ways) > 1:
                found.append(
                    compare(f"Database {name}", "its reads and writes", ways, [note] if note else [])
                )
        if infrastructure.nat != "none":
            ways = nat_ways(Decimal(10), prices, free)
            found.append(compare("Way out", "10 GB a month through it", ways))
    tiers: dict[str, Callable[[Decimal], Bill]] = {
        "without free tier": lambda k: total(month(replace(of, free="none"), times=k).values()),
        "what is always free": lambda k: total(month(replace(of, free="always"), times=k).values()),
        "an account's first year": lambda k: total(month(replace(of, free="first-year"), times=k).values()),
    }
    choices = tuple(Choice(name, way(Decimal(1))) for name, way in tiers.items())
    found.append(Comparison(FREE_TIER, "the project's traffic", choices, (), (), tiers))
    return tuple(found)


def compare_presets(
    services: Sequence[str], presets: Sequence[str], prices: PriceList, free: Free
) -> tuple[Comparison, ...]:
    """`services` (of SERVICES) side by side for each preset. Raises ConfigurationError for others."""
    for name in services:
        if name not in SERVICES:
            raise ConfigurationError(
                f"there is nothing to compare named {name!r}", advice=f"Known: {', '.join(SERVICES)}."
            )
    found = []
    for preset in presets:
        said = _presets()[preset]
        table = _table(said)
        use = _database(said)
        ways: dict[str, Callable[[Decimal], Bill]] = {}
        notes = []
        if "dynamodb" in services:
            ways |= table_ways([table], prices, free)
            notes.append(table_note(prices))
        if "rds" in services or "aurora" in services:
            every = postgres_ways(use, prices, free, said["aurora"])
            ways |= {
                name: way for name, way in every.items() if "rds" in services or name.startswith("Aurora")
            }
            notes.append(capacity_note("aurora", "acu-hour", "ACU", said["aurora"], prices))
        if "documentdb" in services:
            ways |= documentdb_ways(replace(use, instance=said["documentdb"]), prices, free)
            notes.append(capacity_note("documentdb", "dcu-hour", "DCU", said["documentdb"], prices))
        axis = (
            f"{said['reads']:,} reads and {said['writes']:,} writes a day, {said['items']:,} records of "
            f"{said['item_bytes']:,} B"
        )
        title = f"A {preset} application"
        if ways:
            found.append(compare(title, axis, ways, [each for each in notes if each]))
        if "nat" in services:  # by itself: no database stands in for a way out
            out = nat_ways(Decimal(said["nat_gb"]), prices, free)
            found.append(compare(f"{title}: way out", f"{said['nat_gb']:,} GB a month through it", out))
    return tuple(found)


def crossing_text(each: Crossing) -> str:
    """In one line."""
    return f"{each.dearer} becomes dearer than {each.cheaper} above {number(each.times)} times this traffic."


def choice_money(each: Choice) -> str:
    """A month, rounded as it is billed."""
    return money(cents(each.bill.dollars))


def _priced(ways: dict[str, Callable[[Decimal], Bill]]) -> dict[str, Callable[[Decimal], Bill]]:
    """Those that have prices: an alternative without one is no alternative, and no error."""
    kept = {}
    for name, way in ways.items():
        try:
            way(Decimal(1))
        except MissingPrice:
            continue
        kept[name] = way
    return kept


def _table(said: Mapping[str, Any]) -> dynamodb.TableUse:
    return dynamodb.TableUse(
        "table",
        reads=said["reads"] * _DAYS,
        writes=said["writes"] * _DAYS,
        items=said["items"],
        item_bytes=said["item_bytes"],
        indexes=said["indexes"],
        peak=Decimal(said["peak"]),
    )


def _database(said: Mapping[str, Any]) -> databases.DatabaseUse:
    return databases.DatabaseUse(
        "database",
        said["rds"],
        storage_gb=Decimal(said["storage_gb"]),
        capacity=Decimal(said["capacity"]),
        reads=said["reads"] * _DAYS,
        writes=said["writes"] * _DAYS,
        item_bytes=said["item_bytes"],
    )


@cache
def _presets() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("greylag.cost").joinpath("presets.toml").read_text(encoding="utf-8"))
