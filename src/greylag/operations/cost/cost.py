"""The whole report of a project."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.config import EVERY, load_sources
from greylag.core.findings import Finding, Severity, by_severity
from greylag.cost.bill import total
from greylag.cost.prices import HOME, oldest
from greylag.errors import ConfigurationError
from greylag.operations.assess.assess import AssessOptions, assess
from greylag.operations.cost.compare import of_project
from greylag.operations.cost.compose import SHARED, Basis, calls_of, month
from greylag.operations.cost.migration import migration
from greylag.operations.cost.report import CostReport, ServiceCost, by_service
from greylag.operations.cost.savings import savings
from greylag.operations.cost.sizes import assessed_sizes, flow_sizes, unstated
from greylag.operations.cost.tables import kept_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.cost.bill import Bill, Free
    from greylag.cost.prices import Price, PriceList
    from greylag.operations.cost.sizes import Size

NOT_COUNTED = (
    "Not counted: logs and alarms, requests to keys and for secrets, what passes the NAT, transfer between zones and "
    "to other regions, backups beyond what is free, support, taxes."
)


@dataclass(frozen=True, slots=True)
class CostOptions:
    """What `greylag cost` was asked. `offline`: sources are not asked for sizes."""

    region: str | None = None
    free: Free = "always"
    weeks: int = 2
    offline: bool = False


def cost(
    project: Project,
    options: CostOptions,
    *,
    prices_of: Callable[[str], PriceList],
    today: date,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> CostReport:
    """Reckon a month. Reads sources only where sizes are not stated. Raises MissingPrice."""
    region = options.region or region_of(project)
    prices = prices_of(region)
    found: dict[str, Size] = {}
    asked = unstated(project, tuple(project.service_specs))
    if asked and not options.offline:
        found = assessed_sizes(
            assess(
                load_sources(project.file, project.environment or None),
                AssessOptions(only=asked),
                executor=executor,
                observe=observe,
            )
        )
    kept = {name: kept_by(project, name, found) for name in project.service_specs}
    basis = Basis(project, kept, prices, options.free)
    bills: Mapping[str, Mapping[str, Bill]] = {
        "low": month(basis, "low"),
        "expected": month(basis, "expected"),
        "high": month(basis, "high"),
    }
    names = [*project.service_specs, *([SHARED] if SHARED in bills["expected"] else [])]
    services = tuple(_service(project, name, bills, found) for name in names)
    whole = total(bills["expected"].values())
    comparisons = of_project(basis)
    priced = [line.price for bill in bills["expected"].values() for line in bill.lines]
    priced += [line.price for each in comparisons for choice in each.choices for line in choice.bill.lines]
    findings = [
        *_budgets(project, services),
        *price_findings(priced, today),
        *_unknown(project, found, options),
        *_silent(project),
    ]
    return CostReport(
        project=project.name,
        environment=project.environment,
        region=region,
        free=options.free,
        weeks=options.weeks,
        services=services,
        migration=migration(basis, whole.dollars, options.weeks),
        comparisons=comparisons,
        savings=savings(basis),
        findings=by_severity(findings),
        notes=(NOT_COUNTED,),
        basis=basis,
    )


def region_of(project: Project) -> str:
    """That of the infrastructure, else of the first DynamoDB connection. Raises ConfigurationError for none."""
    if project.infrastructure is not None:
        return project.infrastructure.region
    for each in project.connections.values():
        region = getattr(each.options, "region", None)
        if each.kind == "dynamodb" and region:
            return str(region)
    raise ConfigurationError(
        "the project names no region", advice=f"Give `region` of `infrastructure:`, or --region {HOME}."
    )


def price_findings(prices: list[Price], today: date) -> list[Finding]:
    """Old prices, and those that no source of AWS's own confirms."""
    found = []
    old = oldest(prices, today)
    if old is not None:
        first, days = old
        found.append(
            Finding(
                Severity.WARNING,
                "old-prices",
                first.region,
                f"the oldest price ({first.service} {first.sku}) was read {days:,} days ago, on {first.date}",
                f"`greylag cost --refresh --region {first.region}` asks AWS's price list.",
            )
        )
    found += [
        Finding(
            Severity.WARNING,
            "unconfirmed-price",
            f"{each.service} {each.sku}",
            f"${each.price} a {each.unit} is from {each.source}, not from AWS itself",
            "`greylag cost --refresh` asks AWS's price list.",
        )
        for each in dict.fromkeys(each for each in prices if each.unconfirmed)
    ]
    return found


def _service(
    project: Project, name: str, bills: Mapping[str, Mapping[str, Bill]], found: Mapping[str, Size]
) -> ServiceCost:
    spec = project.service_specs.get(name)
    low, expected, high = by_service(bills, name)
    if spec is None:
        return ServiceCost(name, low, expected, high, Decimal(0), None, "", None)
    known = {each.source for each in flow_sizes(project, name, found).values()}
    return ServiceCost(
        name=name,
        low=low,
        expected=expected,
        high=high,
        calls=calls_of(spec),
        tenants=spec.traffic.tenants if spec.traffic is not None else None,
        sizes=", ".join(sorted(known)),
        now=spec.budget.now_usd if spec.budget is not None else None,
    )


def _budgets(project: Project, services: tuple[ServiceCost, ...]) -> list[Finding]:
    found = []
    for each in services:
        spec = project.service_specs.get(each.name)
        budget = spec.budget if spec is not None else None
        if budget is None:
            continue
        for what, limit, amount, high in (
            ("a month", budget.monthly_usd, each.expected.dollars, each.high.dollars),
            ("a call", budget.per_call_usd, each.per_call, None),
            ("a tenant and month", budget.per_tenant_usd, each.per_tenant, None),
        ):
            if limit is None or amount is None:
                continue
            if amount > limit:
                found.append(_over(each.name, what, amount, limit))
            elif high is not None and high > limit:
                found.append(_over(each.name, what, high, limit, high=True))
    return [*found, *_whole_budget(project, services)]


def _whole_budget(project: Project, services: tuple[ServiceCost, ...]) -> list[Finding]:
    """`monthly_budget_usd` counts where the file says it; its default is no promise."""
    infrastructure = project.infrastructure
    if infrastructure is None or "monthly_budget_usd" not in project.tree.at("infrastructure").entries:
        return []
    amount = sum((each.expected.dollars for each in services), Decimal(0))
    limit = Decimal(infrastructure.monthly_budget_usd)
    if amount <= limit:
        return []
    return [_over("in all", "a month", amount, limit)]


def _over(name: str, what: str, amount: Decimal, limit: Decimal, *, high: bool = False) -> Finding:
    kind, severity = ("high-over-budget", Severity.WARNING) if high else ("over-budget", Severity.BLOCKER)
    told = "at its highest, " if high else ""
    return Finding(
        severity,
        kind,
        name,
        f"{told}${Decimal(f'{amount:.6g}').normalize():,f} {what}, and the budget is ${limit.normalize():,f}",
        "--explain shows every line; the savings and the choices beside them say what is cheaper.",
    )


def _silent(project: Project) -> list[Finding]:
    """Services of which nobody said what they are asked to do: their bill looks complete and is not."""
    silent = [name for name, spec in project.service_specs.items() if spec.traffic is None]
    if not silent:
        return []
    return [
        Finding(
            Severity.NOTE,
            "no-traffic",
            ", ".join(silent),
            "greylag.yaml says no traffic: reads, writes, calls, messages and files are not reckoned",
            "State `traffic` of the service: docs/cost.md says what it may hold.",
        )
    ]


def _unknown(project: Project, found: Mapping[str, Size], options: CostOptions) -> list[Finding]:
    nobody = [
        flow.name
        for flow in project.flows
        if flow_sizes(project, flow.service, found)[flow.name].source == "unknown"
    ]
    if not nobody:
        return []
    why = "sources were not asked (--offline)" if options.offline else "the assessment could not tell"
    every = (
        " (connection.* is counted by what it stands for)"
        if any(flow.source.dataset == EVERY for flow in project.flows)
        else ""
    )
    return [
        Finding(
            Severity.WARNING,
            "unknown-size",
            ", ".join(nobody),
            f"nobody knows how many records there are: {why}{every}",
            "State `items` and `item_bytes` in the service's `traffic`.",
        )
    ]
