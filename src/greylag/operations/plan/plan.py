"""`greylag plan`: what a run would create, carry, refuse and cost, before anything is written."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.findings import Finding, by_severity
from greylag.core.mapping.inverse import Inverse
from greylag.core.paths import every, parse_path
from greylag.core.records import Refused
from greylag.engine.collisions import doubtful_names
from greylag.engine.lane import lane_of
from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES
from greylag.engine.route import by_table
from greylag.engine.stages import Stages
from greylag.engine.survey.work import Surveyed, survey
from greylag.operations.belonging import identity
from greylag.operations.collisions import with_collisions
from greylag.operations.plan.findings import findings_of
from greylag.operations.plan.proposals import Proposal, propose
from greylag.operations.plan.tables import TablePlan, table_plan
from greylag.operations.prepare import prepare
from greylag.operations.rates import stated
from greylag.operations.rivals import rival_losses
from greylag.state.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.mapping.restoring import Loss
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.route import Route
    from greylag.engine.survey.refusals import Group
    from greylag.operations.prepare import Prepared
    from greylag.state.store import Identity

SAMPLE_RECORDS = 10_000
"""Records of each flow that a plan without `--full` looks at."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What `greylag plan` was asked. `sample` is None for every record. `only`: services or flows."""

    only: tuple[str, ...] = ()
    sample: int | None = SAMPLE_RECORDS
    offline: bool = False
    partition_bytes: int = PARTITION_BYTES
    page_bytes: int = PAGE_BYTES


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """What becomes of one flow. Counts are of the records read; `scale` is how many times as many there are (1.0 where
    every record was read, None where nobody knows). `identity` is what a run's state would belong to. `drops` says of
    how many of `tried` records each field under `drop` is left out; `unseen` the same of fields that `python:` leaves.
    """

    name: str
    service: str
    source: str
    target: str
    identity: Identity
    resumable_changes: bool
    whole: bool
    bias: str
    scale: float | None
    records: int
    filtered: int
    items: int
    bytes_read: int
    item_p50: int
    item_p99: int
    item_largest: int
    partitions: int
    refusals: tuple[Group, ...]
    damaged: tuple[str, ...]
    proven_keys: bool
    tried: int
    drops: tuple[tuple[str, int], ...]
    unseen: tuple[tuple[str, int], ...]
    types: tuple[Proposal, ...]
    types_left_out: bool = False
    losses: tuple[Loss, ...] = ()
    """Why changes could not be carried back; empty where the mapping can be inverted."""
    native: bool = False
    """Whether records are carried undecoded, as far as they are sure to come out the same."""
    decoded_because: str = ""

    @property
    def quarantined(self) -> int:
        """How many of the records read would be."""
        return sum(group.records for group in self.refusals)

    def scaled(self, count: int) -> int:
        """`count` of the records read, for all of them."""
        return round(count * (self.scale or 1.0))

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "flow": self.name,
            "service": self.service,
            "from": self.source,
            "to": self.target,
            "mapping_digest": self.identity.mapping_digest,
            "source_identity": self.identity.source_identity,
            "target_identity": self.identity.target_identity,
            "resumable_changes": self.resumable_changes,
            "whole": self.whole,
            "sample_bias": self.bias or None,
            "scale": None if self.scale is None else round(self.scale, 4),
            "records_read": self.records,
            "records_filtered": self.filtered,
            "records_quarantined": self.quarantined,
            "items": self.items,
            "bytes_read": self.bytes_read,
            "item_bytes": {"p50": self.item_p50, "p99": self.item_p99, "largest": self.item_largest},
            "partitions": self.partitions,
            "keys_proven_unique": self.proven_keys,
            "lane": "native" if self.native else "decoded",
            "decoded_because": self.decoded_because or None,
            "quarantine": [group.as_json() for group in self.refusals],
            "damaged": list(self.damaged),
            "dropped": [{"path": path, "records": count, "of": self.tried} for path, count in self.drops],
            "left_out_by_python": [
                {"path": path, "records": count, "of": self.tried} for path, count in self.unseen
            ],
            "types": [each.as_json() for each in self.types],
            "not_reversible": [
                {"kind": each.kind, "name": each.name, "message": each.message} for each in self.losses
            ],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do. `sample` is None where every record was read. `beside`: the flows that were not asked for
    and write one of the tables.
    """

    project: str
    environment: str
    sample: int | None
    offline: bool
    processes: int
    partition_bytes: int
    page_bytes: int
    flows: tuple[FlowPlan, ...]
    tables: tuple[TablePlan, ...]
    beside: Mapping[str, Identity]
    findings: tuple[Finding, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {
            "project": self.project,
            "environment": self.environment or None,
            "full": self.sample is None,
            "sample": self.sample,
            "offline": self.offline,
            "processes": self.processes,
            "partition_bytes": self.partition_bytes,
            "page_bytes": self.page_bytes,
            "flows": [flow.as_json() for flow in self.flows],
            "tables": [table.as_json() for table in self.tables],
            "findings": [finding.as_json() for finding in self.findings],
            "seconds": round(self.seconds, 3),
        }


def plan(
    project: Project, options: PlanOptions, *, executor: Executor, observe: Callable[[Snapshot], None]
) -> Plan:
    """Look at what a run would do. Writes to no target; on this machine only to a folder that is gone afterwards."""
    started = time.monotonic()
    prepared = prepare(project, only=options.only, look=True, offline=options.offline)
    found, suspects = _survey(project, prepared, options, executor, observe)
    flows = tuple(
        _flow_plan(
            project, route, prepared.routes, found[route.name], options, proven=route.name not in suspects
        )
        for route in prepared.routes
    )
    tables = tuple(_tables(project, prepared, found, flows, offline=options.offline))
    return Plan(
        project=project.name,
        environment=project.environment,
        sample=options.sample,
        offline=options.offline,
        processes=executor.processes,
        partition_bytes=options.partition_bytes,
        page_bytes=options.page_bytes,
        flows=flows,
        tables=tables,
        beside={
            route.name: identity(route, project.environment)
            for route in prepared.siblings
            if route.name not in found
        },
        findings=by_severity(findings_of(project, flows, tables, options, executor.processes)),
        seconds=time.monotonic() - started,
    )


def _survey(
    project: Project,
    prepared: Prepared,
    options: PlanOptions,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> tuple[dict[str, Surveyed], set[str]]:
    """What was found of each flow, and the names of those whose keys no template proves to be unique."""
    rates = stated(project, prepared.siblings)
    suspects = doubtful_names(prepared.siblings)
    stages = Stages("plan", prepared.routes, observe)
    with _room(project.state_folder, wanted=options.sample is None) as folder:
        routes: Sequence[Route] = prepared.routes
        if folder is not None:
            routes = with_collisions(
                list(routes), prepared.siblings, executor, folder, observe=observe, rates=rates
            )
        stages.begin("reading", estimated=options.sample is None)
        found = survey(
            routes,
            executor,
            stages,
            sample=options.sample,
            doubtful=suspects,
            partition_bytes=options.partition_bytes,
            rates=rates,
        )
        stages.finish()
    return found, suspects


@contextmanager
def _room(folder: Path, *, wanted: bool) -> Iterator[Path | None]:
    """A folder for what does not fit into memory, beside the state: that is where the user has room. It is gone
    afterwards.
    """
    if not wanted:
        yield None
        return
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with scratch(folder, "plan-") as path:
            yield path
    finally:
        if made:
            with suppress(OSError):  # a run may have begun there meanwhile
                folder.rmdir()


def _flow_plan(
    project: Project,
    route: Route,
    routes: Sequence[Route],
    found: Surveyed,
    options: PlanOptions,
    *,
    proven: bool,
) -> FlowPlan:
    """What becomes of `route`, one of these `routes`."""
    tally, flow = found.tally, route.flow
    native, because = lane_of(route)
    return FlowPlan(
        name=route.name,
        service=flow.service,
        source=str(flow.source),
        target=str(flow.table.ref),
        identity=identity(route, project.environment),
        resumable_changes=route.dataset.resumable_changes,
        whole=found.whole,
        bias=found.bias,
        scale=_scale(route, found),
        records=tally.records,
        filtered=tally.filtered,
        items=tally.items,
        bytes_read=tally.bytes_read,
        item_p50=tally.sizes.at(0.5),
        item_p99=tally.sizes.at(0.99),
        item_largest=tally.sizes.largest,
        partitions=found.partitions or _partitions(route, options.partition_bytes),
        refusals=tally.refusals.groups(),
        damaged=tuple(each.message for each in found.damaged),
        proven_keys=proven,
        tried=len(tally.sample),
        drops=_drops(route, found),
        unseen=_unseen(route, found),
        types=propose(route, tally.sample),
        types_left_out=flow.python is not None and bool(flow.split),
        losses=(*Inverse(flow).losses, *rival_losses(route, routes)),
        native=native,
        decoded_because=because,
    )


def _scale(route: Route, found: Surveyed) -> float | None:
    """How many times the records read there are: by their number where the source tells it, else by bytes."""
    if found.whole:
        return 1.0
    dataset, tally = route.dataset, found.tally
    if dataset.estimated_records is not None and tally.records:
        return max(1.0, dataset.estimated_records / tally.records)
    if dataset.estimated_bytes is not None and found.record_bytes and tally.records:
        return max(1.0, dataset.estimated_bytes / found.record_bytes / tally.records)
    return None


def _partitions(route: Route, partition_bytes: int) -> int:
    """About how many there will be, where they were not planned."""
    size = route.dataset.estimated_bytes
    return 0 if size is None else max(1, -(-size // partition_bytes))


def _drops(route: Route, found: Surveyed) -> tuple[tuple[str, int], ...]:
    flow = route.flow
    dropped = [*flow.drop, *(f"{split.path}[].{path}" for split in flow.split for path in split.drop)]
    counts = []
    for text in dropped:
        path = parse_path(text)
        having = sum(
            next(every(record.fields, path), _NOTHING) is not _NOTHING for record in found.tally.sample
        )
        counts.append((text, having))
    return tuple(counts)


_NOTHING: Any = object()


def _unseen(route: Route, found: Surveyed) -> tuple[tuple[str, int], ...]:
    """Top-level fields of records that no item of theirs has under their name: only `python:` can do that."""
    flow = route.flow
    if flow.python is None:
        return ()
    dropped = {parse_path(text)[0] for text in flow.drop if len(parse_path(text)) == 1}
    split = {parse_path(each.path)[0] for each in flow.split}
    names = {parse_path(field)[0]: attribute for field, attribute in flow.rename.items()}
    mapping, counts = route.mapping(), Counter[str]()
    for record in found.tally.sample:
        try:
            items = mapping.apply(record)
        except Refused:
            continue
        carried = {name for item in items for name in item.attributes}
        if items:
            counts.update(
                name
                for name in record.fields
                if name not in dropped and name not in split and names.get(name, name) not in carried
            )
    return tuple(sorted(counts.items()))


def _tables(
    project: Project,
    prepared: Prepared,
    found: dict[str, Surveyed],
    flows: Sequence[FlowPlan],
    *,
    offline: bool,
) -> list[TablePlan]:
    plans = {flow.name: flow for flow in flows}
    groups = by_table(prepared.routes)
    return [
        table_plan(
            project,
            looked,
            [(plans[route.name].scale, found[route.name].tally, route.table) for route in group],
            offline=offline,
        )
        for looked in prepared.tables
        if (group := groups.get(str(looked.spec.ref)))
    ]
