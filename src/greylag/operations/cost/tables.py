"""The tables that a service's flows write, with what its traffic asks of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from greylag.cost.dynamodb import TableUse
from greylag.operations.cost.sizes import flow_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.config import Project
    from greylag.core.flows import FlowSpec
    from greylag.operations.cost.sizes import Size


@dataclass(frozen=True, slots=True)
class Kept:
    """What a service keeps: its DynamoDB tables, and the bytes of what goes elsewhere."""

    tables: tuple[TableUse, ...]
    other_bytes: int


def kept_by(project: Project, service: str, found: Mapping[str, Size]) -> Kept:
    """A table that several services write stands with each of them, with its own records and traffic."""
    sizes = flow_sizes(project, service, found)
    spec = project.service_specs[service]
    regions = len(project.infrastructure.replicas) if project.infrastructure is not None else 0
    tables: dict[str, list[FlowSpec]] = {}
    other = 0
    for flow in project.flows:
        if flow.service != service:
            continue
        if project.connections[flow.table.ref.connection].kind == "dynamodb":
            tables.setdefault(flow.table.ref.dataset, []).append(flow)
        else:
            other += sizes[flow.name].items * sizes[flow.name].item_bytes
    uses = []
    for name, flows in tables.items():
        own = [sizes[flow.name] for flow in flows if flow.name in sizes]
        items = sum(each.items for each in own)
        weight = sum(each.items * each.item_bytes for each in own)
        uses.append(
            TableUse(
                name,
                items=items,
                item_bytes=-(-weight // items) if items else max(each.item_bytes for each in own),
                indexes=len(flows[0].table.indexes),
                replicas=regions,
            )
        )
    traffic = spec.traffic
    if traffic is None:
        return Kept(tuple(uses), other)
    reads = traffic.reads or Decimal(0)
    if spec.cache is not None:
        reads *= 1 - traffic.hit_rate
    everything = sum(use.items for use in uses)
    shares = [Decimal(use.items) / everything if everything else Decimal(1) / len(uses) for use in uses]
    return Kept(
        tuple(
            replace(
                use,
                reads=reads * share,
                writes=(traffic.writes or Decimal(0)) * share,
                consistent=traffic.consistent,
                peak=traffic.peak,
            )
            for use, share in zip(uses, shares, strict=True)
        ),
        other,
    )
