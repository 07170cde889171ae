"""What moving costs, once: the load, the changes that follow it, the way back, and running both sides."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from greylag.cost.bill import SECONDS, Account, Line, cents
from greylag.cost.dynamodb import write_units

if TYPE_CHECKING:
    from greylag.operations.cost.compose import Basis

WEEK_SECONDS: Final = 7 * 86_400
POLLS_PER_SECOND: Final = 1
"""How often a table's stream is asked for changes while the way back is kept open: once a second for each table."""


@dataclass(frozen=True, slots=True)
class Once:
    """One part of it."""

    what: str
    dollars: Decimal
    worked: str
    lines: tuple[Line, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "what": self.what,
            "dollars": str(self.dollars),
            "worked": self.worked,
            "lines": [each.as_json() for each in self.lines],
        }


def migration(of: Basis, monthly: Decimal, weeks: int) -> tuple[Once, ...]:
    """`monthly` is what the new side is expected to cost a month; both sides run beside each other for `weeks`."""
    account = Account(of.prices, "none")
    uses = [use for kept in of.kept.values() for use in kept.tables]
    share = Decimal(weeks * WEEK_SECONDS) / SECONDS
    found = []
    tables = tuple(
        account.line(
            use.name,
            "dynamodb",
            "write-request-unit",
            use.items * write_units(use.item_bytes),
            f"{use.items:,} items x {write_units(use.item_bytes)}",
        )
        for use in uses
    )
    indexes = tuple(
        account.line(
            use.name,
            "dynamodb",
            "write-request-unit",
            use.items * write_units(use.item_bytes) * use.indexes,
            f"{use.items:,} items x {write_units(use.item_bytes)} x {use.indexes} indexes",
        )
        for use in uses
        if use.indexes
    )
    replicas = tuple(
        account.line(
            use.name,
            "dynamodb",
            "replicated-write-request-unit",
            use.items * write_units(use.item_bytes) * (1 + use.indexes) * use.replicas,
        )
        for use in uses
        if use.replicas
    )
    followed = tuple(
        account.line(
            use.name,
            "dynamodb",
            "write-request-unit",
            (use.writes * share * write_units(use.item_bytes) * (1 + use.indexes)).to_integral_value(),
            f"{use.writes * share:,.0f} writes of {weeks} weeks",
        )
        for use in uses
        if use.writes
    )
    streams = tuple(
        account.line(
            use.name,
            "dynamodb",
            "stream-read",
            weeks * WEEK_SECONDS * POLLS_PER_SECOND,
            f"{POLLS_PER_SECOND} a second for {weeks} weeks",
        )
        for use in uses
    )
    for what, lines in (
        ("bulk load", tables),
        ("its index writes", indexes),
        ("its writes in other regions", replicas),
        (f"changes followed for {weeks} weeks", followed),
        (f"reverse replication for {weeks} weeks", streams),
    ):
        if lines:
            dollars = sum((each.dollars for each in lines), Decimal(0))
            found.append(
                Once(what, dollars, "; ".join(f"{each.what}: {each.arithmetic}" for each in lines), lines)
            )
    found.append(
        Once(
            f"the new side for {weeks} weeks",
            cents(monthly * share),
            f"${monthly:,} a month x {weeks * 168} / 730 hours",
        )
    )
    old = [spec.budget.now_usd for spec in of.project.service_specs.values() if spec.budget is not None]
    stated = [each for each in old if each is not None]
    if stated:
        now = sum(stated, Decimal(0))
        found.append(
            Once(
                f"the old side for {weeks} weeks more",
                cents(now * share),
                f"${now:,} a month x {weeks * 168} / 730 hours",
            )
        )
    return tuple(found)
