"""`greylag certificate check`: one side read again, alone, and held against the document."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.config import InvalidProject
from greylag.config.project import EVERY
from greylag.core.ports import DatasetInfo, TableInfo
from greylag.engine.oneside import SIDES, ranges_of
from greylag.engine.ranges import RANGES, Sides, Sum
from greylag.engine.route import Route
from greylag.errors import ConfigurationError, SchemaError, StateError
from greylag.operations.check import mapping_problems
from greylag.operations.rates import rates
from greylag.state.locks import run_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from greylag.config import Project
    from greylag.core.flows import FlowSpec
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Apart:
    """A range of a flow, of which one side is not what the document says."""

    flow: str
    side: str
    range: str
    certified: Sum
    found: Sum


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `items`: how many stand at each side that was read."""

    kind: str
    root: str
    items: Mapping[str, int]
    apart: tuple[Apart, ...]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "kind": self.kind,
            "root": self.root,
            "items": dict(self.items),
            "apart": [
                {
                    "flow": each.flow,
                    "side": each.side,
                    "range": each.range,
                    "certified": {"items": each.certified.items, "digest": each.certified.digest},
                    "found": {"items": each.found.items, "digest": each.found.digest},
                }
                for each in self.apart
            ],
        }


def check(
    project: Project,
    document: Mapping[str, Any],
    sides: Sequence[str],
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> Checked:
    """Read `sides` (of SIDES) again, each alone: the other one need not be there any more.

    Raises ConfigurationError where greylag.yaml lacks one of the document's flows, StateError where a mapping differs.
    """
    problems = mapping_problems(project, project.flows)
    if problems:
        raise InvalidProject.of(problems)
    folder = project.state_folder / "verify"
    names = [each["flow"] for each in document["flows"]]
    items: dict[str, int] = {}
    apart: list[Apart] = []
    with run_lock(folder):
        for side in sides:
            siblings = _routes(project, document, side)
            _refuse_others(siblings, document)
            found = ranges_of(
                side,
                siblings,
                names,
                executor=executor,
                folder=folder / f"certificate-{side}",
                observe=observe,
                rates=rates(project, siblings, executor.processes),
            )
            items[side] = sum(_of(each, side).items for of in found.values() for each in of.values())
            apart += _apart(document, side, found)
    return Checked(document["kind"], document["root"], items, tuple(apart))


def _apart(document: Mapping[str, Any], side: str, found: Ranges[str]) -> list[Apart]:
    out = []
    for flow in document["flows"]:
        said = {int(each["range"], 16): each[side] for each in flow["ranges"]}
        here = found.get(flow["flow"], {})
        for number in range(RANGES):
            now = _of(here.get(number, Sides.empty()), side)
            then = said.get(number, {"items": 0, "digest": "0"})
            certified = Sum(then["items"], int(then["digest"], 16))
            if now != certified:
                out.append(Apart(flow["flow"], side, f"{number:02x}", certified, now))
    return out


def _of(sides: Sides, side: str) -> Sum:
    return sides.source if side == SIDES[0] else sides.target


def _routes(project: Project, document: Mapping[str, Any], side: str) -> list[Route]:
    """The document's flows; for the source, with every other flow of their tables, which may share keys with them."""
    said = {each["flow"]: each for each in document["flows"]}
    flows = {flow.name: flow for flow in project.expand(lambda name: _datasets(project, said.values(), name))}
    for name in said:
        if name not in flows:
            raise ConfigurationError(
                f"the certificate is of flow {name}, which greylag.yaml does not have",
                advice="Check it with the greylag.yaml it was made with.",
            )
    tables = {each["table"]: each for each in document["tables"]}
    if side == SIDES[0]:
        related = [flow for flow in flows.values() if str(flow.table.ref) in tables]
        return [_from_source(project, flow, tables[str(flow.table.ref)]) for flow in related]
    return [_to_target(project, flows[name], said[name]["family"]) for name in said]


def _datasets(project: Project, said: Collection[Mapping[str, Any]], connection: str) -> list[str]:
    """Those the document has of this connection, and those left out by name: the source itself is not asked."""
    found = {
        each["dataset"].partition(".")[2] for each in said if each["dataset"].startswith(f"{connection}.")
    }
    for flow in project.flows:
        if flow.source.dataset == EVERY and flow.source.connection == connection:
            found |= project.excluded.get(flow.name, frozenset())
    return sorted(found)


def _from_source(project: Project, flow: FlowSpec, table: Mapping[str, Any]) -> Route:
    with closing(project.connector(flow.source.connection).source()) as source:
        dataset = source.describe(flow.source.dataset)
    indexes = {name: tuple(each) for name, each in table["indexes"].items()}
    info = TableInfo(
        table["name"],
        table["identity"],
        tuple(table["key"]),
        indexes,
        table["key_types"],
        ttl_attribute=table["ttl_attribute"],
    )
    return _route(project, flow, dataset, info)


def _to_target(project: Project, flow: FlowSpec, family: str) -> Route:
    ref = flow.table.ref
    with closing(project.connector(ref.connection).target()) as target:
        info = target.describe(ref.dataset)
    if info is None:
        raise SchemaError(f"table {ref} does not exist", advice="The certificate is of its items.")
    return _route(project, flow, DatasetInfo(flow.source.dataset, "", family, None, None, None), info)


def _route(project: Project, flow: FlowSpec, dataset: DatasetInfo, table: TableInfo) -> Route:
    source = project.connector(flow.source.connection)
    target = project.connector(flow.table.ref.connection)
    draft = Route(flow, source, target, dataset, table, project.functions)
    return Route(draft.mapping().spec, source, target, dataset, table, project.functions)


def _refuse_others(routes: Sequence[Route], document: Mapping[str, Any]) -> None:
    digests = {each["flow"]: each["mapping_digest"] for each in document["flows"]}
    other = [
        each.name for each in routes if digests.get(each.name, each.mapping().digest) != each.mapping().digest
    ]
    if other:
        raise StateError(
            f"the mapping of flow {', '.join(other)} in greylag.yaml is not the one that was certified",
            advice="Check the certificate with the greylag.yaml it was made with, or make a new one.",
        )
