"""A plan as a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from greylag.console.document import Block, Bullets, Heading, Table
from greylag.console.units import count, duration, plural, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from greylag.cost.prices import Price
    from greylag.operations.plan.plan import FlowPlan, Plan
    from greylag.operations.plan.tables import TablePlan

_STATES = {
    "create": "to be created",
    "exists": "stands",
    "differs": "stands, differs",
    "missing": "missing",
    "assumed": "not asked",
}


def sections(plan: Plan, *, out: Path | None, written: Mapping[str, Mapping[str, str]] | None) -> list[Block]:
    """All of the report, the findings first."""
    told = [
        *_heading(plan),
        *_findings(plan),
        *_tables(plan),
        *_as_source(plan),
        *_flows(plan),
        *_quarantine(plan),
    ]
    told += [*_types(plan), *_keys(plan)]
    told += [block for table in plan.tables if table.forecast is not None for block in _aws(table)]
    told += [*_assumed(plan), *_run(plan)]
    if written is not None:
        lines = [f"{place}: {json.dumps(types, ensure_ascii=False)}" for place, types in written.items()]
        told += _section("Types written into greylag.yaml", lines=lines or ("none were to be added",))
    if out is not None:
        told += _section("Plan file", lines=(f"{out}: `greylag run --plan {out}` runs exactly this.",))
    return told


def _section(
    title: str,
    heading: tuple[str, ...] = (),
    rows: Sequence[tuple[str, ...]] = (),
    lines: Sequence[str] = (),
    *,
    right: Iterable[int] = (),
    whole: Iterable[int] = (),
) -> list[Block]:
    """A heading with a table and points below it; nothing where there are neither."""
    told: list[Block] = []
    if rows:
        told.append(Table((heading, *rows), tuple(right), tuple(whole)))
    if lines:
        told.append(Bullets(tuple(lines)))
    return [Heading(title), *told] if told else []


def _heading(plan: Plan) -> list[Block]:
    environment = f", environment {plan.environment}" if plan.environment else ""
    if plan.sample is None or all(flow.whole for flow in plan.flows):
        looked = "every record was read"
    else:
        looked = (
            f"about {count(plan.sample)} records of each flow were looked at, the rest is reckoned from them"
        )
    biased = {flow.name: flow.bias for flow in plan.flows if flow.bias and not flow.whole}
    lines = [
        f"{looked[0].upper()}{looked[1:]}, in {duration(plan.seconds)}. Nothing was written to any target."
    ]
    lines += [f"{name}: {bias}" for name, bias in biased.items()]
    return [Heading(f"Plan of {plan.project}{environment}", 1), Bullets(tuple(lines))]


def _findings(plan: Plan) -> list[Block]:
    rows = tuple((each.severity.word, each.name, f"{each.message}\n{each.advice}") for each in plan.findings)
    if not rows:
        return _section("Findings", lines=("none",))
    return _section("Findings", ("severity", "about", "what and what to do"), rows, whole=[0])


def _tables(plan: Plan) -> list[Block]:
    rows = tuple(
        (
            table.name,
            _STATES[table.state],
            _attributes(table, table.key),
            "\n".join(f"{name}: {_attributes(table, names)}" for name, names in table.indexes.items()),
        )
        for table in plan.tables
    )
    lines = [f"{table.name}: {each}" for table in plan.tables for each in table.differences]
    lines += [
        f"{table.name}: items will expire by {table.ttl_attribute}"
        for table in plan.tables
        if table.turns_on_ttl
    ]
    return _section("Tables", ("table", "", "key", "indexes"), rows, lines)


def _as_source(plan: Plan) -> list[Block]:
    """What becomes of the indexes and options of the sources."""
    rows = tuple(
        (table.name, each.name, ", ".join(each.keys), _FATES[each.what, each.late], each.reason)
        for table in plan.tables
        for _, made in table.made
        for each in made.indexes
    )
    lines = [
        f"{table.name}: {note}" for table in plan.tables for _, made in table.made for note in made.notes
    ]
    return _section("Indexes and options", ("table", "index", "keys", "", "why"), rows, lines)


_FATES = {
    ("make", False): "made",
    ("make", True): "made unique at the end",
    ("change", False): "made, changed",
    ("change", True): "made unique at the end, changed",
    ("leave out", False): "left out",
}


def _attributes(table: TablePlan, names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {table.key_types.get(name, '')}".strip() for name in names)


def _flows(plan: Plan) -> list[Block]:
    heading = ("flow", "records", "filtered", "items", "quarantined", "item p50", "p99", "largest")
    rows = tuple(
        (
            flow.name,
            _about(flow, flow.records),
            _about(flow, flow.filtered),
            _about(flow, flow.items),
            _about(flow, flow.quarantined),
            size(flow.item_p50),
            size(flow.item_p99),
            size(flow.item_largest),
        )
        for flow in plan.flows
    )
    sampled = [flow for flow in plan.flows if not flow.whole]
    lines = []
    if any(flow.scale is not None for flow in sampled):
        lines.append("~ is reckoned from the sample.")
    if any(flow.scale is None for flow in sampled):
        lines.append("+ is of the sample alone: nobody knows how many records there are.")
    documents = {table.name for table in plan.tables if not table.key_types}
    lines += [
        f"{flow.name}: carried as the documents they are, undecoded"
        if flow.native
        else f"{flow.name}: decoded, since {flow.decoded_because}"
        for flow in plan.flows
        if flow.target in documents
    ]
    return _section("What is carried", heading, rows, tuple(lines), right=range(1, 8))


def _about(flow: FlowPlan, number: int) -> str:
    if flow.whole or not number:
        return count(number)
    return f"~{count(flow.scaled(number))}" if flow.scale is not None else f"{count(number)}+"


def _quarantine(plan: Plan) -> list[Block]:
    rows = []
    for flow in plan.flows:
        for group in flow.refusals:
            named = "\n".join(
                f"{json.dumps(each.id, ensure_ascii=False)}: {each.reason}" for each in group.examples
            )
            rows.append((flow.name, group.kind, count(group.records), named))
    heading = ("flow", "kind", "records read", "examples")
    return _section("What would be quarantined", heading, rows, right=[2], whole=[1])


def _types(plan: Plan) -> list[Block]:
    rows = tuple(
        (
            flow.name,
            f"split.{each.split}.types" if each.split else "types",
            f"{each.path}: {each.rule}",
            ", ".join(
                f"{name} {count(seen)}" for name, seen in sorted(each.types.items(), key=lambda one: -one[1])
            ),
            f"{each.saved_bytes:.0f} B" if each.saved_bytes >= 1 else "< 1 B",
        )
        for flow in plan.flows
        for each in flow.types
    )
    return _section("Types proposed", ("flow", "under", "line", "seen", "saves an item"), rows, right=[4])


def _keys(plan: Plan) -> list[Block]:
    # Of small tables and of keys like all others there is nothing to tell; --json has them.
    rows = tuple(
        (
            table.name,
            each.place or "table",
            json.dumps(each.value, ensure_ascii=False),
            count(each.units),
            f"{each.share:.1%}",
        )
        for table in plan.tables
        for each in table.hot_keys
        if each.share >= 0.01 and each.units >= 100
    )
    heading = ("table", "index", "partition key value", "write units", "share")
    return _section("Heaviest partition key values", heading, rows, right=[3, 4])


def _aws(table: TablePlan) -> list[Block]:
    forecast = table.forecast
    assert forecast is not None
    units = ", ".join(
        f"{f'index {place}' if place else 'table'} {count(number)}" for place, number in table.units.items()
    )
    total = sum(table.units.values())
    lines = [
        (
            f"{plural(table.items, 'item')}, {plural(total, 'write unit')} ({units}), "
            f"{plural(forecast.requests, 'BatchWriteItem request')}"
        ),
        f"AWS takes at least {duration(forecast.seconds)} for them; {forecast.bound_by} decides.",
        *(f"{cost.way}: {cost.arithmetic}{_priced(cost.price)}" for cost in table.costs),
    ]
    return _section(f"On AWS: {table.name}{f' in {table.region}' if table.region else ''}", lines=lines)


def _assumed(plan: Plan) -> list[Block]:
    """What the forecasts take for granted, each thing once."""
    told = dict.fromkeys(
        each for table in plan.tables if table.forecast is not None for each in table.forecast.assumptions
    )
    lines = [f"{each.text}{f' {each.source}' if each.source else ''}" for each in told]
    return _section("The forecasts assume", lines=lines)


def _priced(price: Price | None) -> str:
    return "" if price is None else f" ({price.source}, {price.region}, {price.date})"


def _run(plan: Plan) -> list[Block]:
    parts = sum(flow.partitions for flow in plan.flows)
    about = "" if plan.sample is None else "about "
    frozen = [flow.name for flow in plan.flows if not flow.resumable_changes]
    lines = [
        f"{count(plan.processes)} worker processes, {about}{plural(parts, 'partition')} of {size(plan.partition_bytes)}"
    ]
    if frozen:
        lines.append(f"Behind a write freeze: {', '.join(frozen)}")
    return _section("The run", lines=lines)
