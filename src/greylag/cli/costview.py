"""A cost report, and comparisons alone, as blocks and as a chart."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.console.document import Block, Bullets, Heading, Table, Text
from greylag.cost import chart as drawing
from greylag.cost.bill import money, total
from greylag.operations.cost.compare import FREE_TIER, TABLES, choice_money, crossing_text
from greylag.operations.cost.compose import month
from greylag.operations.cost.cost import price_findings
from greylag.operations.cost.report import CostReport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from greylag.core.findings import Finding
    from greylag.cost.bill import Line
    from greylag.operations.cost.compare import Comparison

_FREE = {
    "none": "without free tier",
    "always": "with what is always free",
    "first-year": "with the free tier of an account's first year",
}


def sections(report: CostReport, *, explain: bool) -> list[Block]:
    """All of the report, the findings first."""
    environment = f", environment {report.environment}" if report.environment else ""
    told: list[Block] = [
        Heading(f"Cost of {report.project}{environment}", 1),
        Text(f"US dollars in {report.region}, {_FREE[report.free]}, without taxes. A month has 730 hours."),
    ]
    told += _findings(report.findings)
    told += _months(report)
    told += _migration(report)
    for each in report.comparisons:
        told += _comparison(each, explain=explain)
    told += _savings(report)
    if explain:
        for service in report.services:
            told += _lines(f"Arithmetic: {service.name}", service.expected.lines)
        told += _sources([line for each in report.services for line in each.expected.lines])
    return [*told, Bullets(report.notes)]


def comparisons(found: Sequence[Comparison], today: date, *, explain: bool) -> list[Block]:
    """Comparisons alone."""
    lines = [line for each in found for choice in each.choices for line in choice.bill.lines]
    told: list[Block] = [Heading("Comparison", 1)]
    told += _findings(price_findings([line.price for line in lines], today), none=False)
    for each in found:
        told += _comparison(each, explain=explain)
    if explain:
        told += _sources(lines)
    return told


def chart(of: CostReport | Sequence[Comparison]) -> str:
    """A project's month, with its tables both ways; or what is compared, the first of it."""
    if isinstance(of, CostReport):
        basis = of.basis
        ways = {"the project": lambda times: total(month(basis, times=times).values()).exact}
        for each in of.comparisons:
            if each.title == TABLES:
                ways |= {name: (lambda times, way=way: way(times).exact) for name, way in each.ways.items()}  # type: ignore[misc]
        return drawing.svg(
            f"{of.project}: dollars a month", ways, axis="times the traffic that greylag.yaml states"
        )
    first = of[0]
    return drawing.svg(
        f"{first.title}: dollars a month",
        {name: (lambda times, way=way: way(times).exact) for name, way in first.ways.items()},  # type: ignore[misc]
        axis=f"times {first.axis}",
        most=1000.0,
    )


def _findings(findings: Sequence[Finding], *, none: bool = True) -> list[Block]:
    rows = tuple((each.severity.word, each.name, f"{each.message}\n{each.advice}") for each in findings)
    if not rows:
        return [Heading("Findings"), Bullets(("none",))] if none else []
    return [
        Heading("Findings"),
        Table((("severity", "about", "what and what to do"), *rows), whole=(0,)),
    ]


def _months(report: CostReport) -> list[Block]:
    every = [*report.services, report.total]
    rows = tuple(
        (
            each.name,
            money(each.low.dollars),
            money(each.expected.dollars),
            money(each.high.dollars),
            _each(each.per_call),
            _each(each.per_tenant),
            "" if each.now is None else money(each.now),
        )
        for each in every
    )
    heading = ("service", "low", "expected", "high", "a call", "a tenant", "now")
    sizes = [f"{each.name}: sizes {each.sizes}" for each in report.services if each.sizes]
    told: list[Block] = [Heading("A month"), Table((heading, *rows), right=tuple(range(1, 7)))]
    return [*told, Bullets(tuple(sizes))] if sizes else told


def _each(value: Decimal | None) -> str:
    if value is None:
        return ""
    return f"${Decimal(f'{value:.3g}').normalize():f}"


def _migration(report: CostReport) -> list[Block]:
    rows = tuple((each.what, money(each.dollars), each.worked) for each in report.migration)
    whole = sum((each.dollars for each in report.migration), Decimal(0))
    return [
        Heading("Moving, once"),
        Table((("what", "dollars", "how"), *rows, ("in all", money(whole), "")), right=(1,)),
    ]


def _comparison(each: Comparison, *, explain: bool) -> list[Block]:
    least = min((choice.bill.dollars for choice in each.choices), default=Decimal(0))
    rows = tuple(
        (choice.name, choice_money(choice), "least" if choice.bill.dollars == least else "")
        for choice in each.choices
    )
    lines = [crossing_text(one) for one in each.crossings]
    if not lines and each.title != FREE_TIER:
        lines = ["Between a thousandth and a thousand times this traffic none overtakes another."]
    told: list[Block] = [
        Heading(each.title),
        Text(f"For {each.axis}."),
        Table((("choice", "a month", ""), *rows), right=(1,)),
        *([Bullets((*lines, *each.notes))] if lines or each.notes else []),
    ]
    if explain and each.title != FREE_TIER:
        for choice in each.choices:
            told += _lines(choice.name, choice.bill.lines)
    return told


def _savings(report: CostReport) -> list[Block]:
    rows = tuple(
        (
            each.name,
            each.service,
            money(each.dollars),
            "in place" if each.done else "open",
            each.worked,
        )
        for each in report.savings
    )
    if not rows:
        return []
    heading = ("saving", "service", "a month", "", "how")
    return [Heading("Savings"), Table((heading, *rows), right=(2,), whole=(0,))]


def _lines(title: str, lines: Sequence[Line]) -> list[Block]:
    if not lines:
        return []
    return [
        Heading(title, 3),
        Bullets(
            tuple(
                f"{each.what}: {each.arithmetic}" + (f"\n{each.worked}" if each.worked else "")
                for each in lines
            )
        ),
    ]


def _sources(lines: Sequence[Line]) -> list[Block]:
    places = dict.fromkeys(
        f"{each.price.service}: {each.price.source}, {each.price.date}"
        + (" (unconfirmed)" if each.price.unconfirmed else "")
        for each in lines
    )
    return [Heading("Sources of the prices"), Bullets(tuple(places))]
