"""What a cost report says; `as_json` is the form that docs/cost.md documents."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.cost.bill import Bill, cents, plain, total

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.findings import Finding
    from greylag.cost.bill import Free
    from greylag.operations.cost.compare import Comparison
    from greylag.operations.cost.compose import Basis
    from greylag.operations.cost.migration import Once
    from greylag.operations.cost.savings import Saving


@dataclass(frozen=True, slots=True)
class ServiceCost:
    """A month of one service, or of what all share. `calls` and `tenants` are what it is divided by; None or 0 where
    nothing is said.
    """

    name: str
    low: Bill
    expected: Bill
    high: Bill
    calls: Decimal
    tenants: int | None
    sizes: str
    now: Decimal | None

    @property
    def per_call(self) -> Decimal | None:
        """Of the expected month."""
        return self.expected.dollars / self.calls if self.calls else None

    @property
    def per_tenant(self) -> Decimal | None:
        """Of the expected month."""
        return self.expected.dollars / self.tenants if self.tenants else None

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "service": self.name,
            "low": str(self.low.dollars),
            "expected": str(self.expected.dollars),
            "high": str(self.high.dollars),
            "per_call": None if self.per_call is None else plain(_digits(self.per_call)),
            "per_tenant": None if self.per_tenant is None else plain(_digits(self.per_tenant)),
            "now": None if self.now is None else str(cents(self.now)),
            "sizes": self.sizes,
            "lines": [each.as_json() for each in self.expected.lines],
        }


@dataclass(frozen=True)
class CostReport:
    """All of it."""

    project: str
    environment: str
    region: str
    free: Free
    weeks: int
    services: tuple[ServiceCost, ...]
    migration: tuple[Once, ...]
    comparisons: tuple[Comparison, ...]
    savings: tuple[Saving, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    basis: Basis

    @property
    def total(self) -> ServiceCost:
        """All services together."""
        tenants = [each.tenants for each in self.services if each.tenants]
        now = [each.now for each in self.services if each.now is not None]
        return ServiceCost(
            "in all",
            total(each.low for each in self.services),
            total(each.expected for each in self.services),
            total(each.high for each in self.services),
            sum((each.calls for each in self.services), Decimal(0)),
            max(tenants, default=None),
            "",
            sum(now, Decimal(0)) if now else None,
        )

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        whole = self.total.as_json()
        del whole["lines"], whole["service"], whole["sizes"]
        return {
            "project": self.project,
            "environment": self.environment or None,
            "region": self.region,
            "free_tier": self.free,
            "weeks": self.weeks,
            "services": [each.as_json() for each in self.services],
            "total": whole,
            "migration": [each.as_json() for each in self.migration],
            "migration_total": str(sum((each.dollars for each in self.migration), Decimal("0.00"))),
            "comparisons": [each.as_json() for each in self.comparisons],
            "savings": [each.as_json() for each in self.savings],
            "findings": [each.as_json() for each in self.findings],
            "notes": list(self.notes),
        }


def by_service(bills: Mapping[str, Mapping[str, Bill]], name: str) -> tuple[Bill, Bill, Bill]:
    """Of the cases low, expected and high the bill of one service."""
    return (
        bills["low"].get(name, Bill()),
        bills["expected"].get(name, Bill()),
        bills["high"].get(name, Bill()),
    )


def _digits(value: Decimal) -> Decimal:
    return Decimal(f"{value:.3g}")
