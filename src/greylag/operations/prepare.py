"""From greylag.yaml to routes: what every operation that touches data does first.

Nothing is written here unless `create` says so; then missing tables are made where their connection allows it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from greylag.core.mapping import MappingError, compile_mapping, overlaps
from greylag.core.ports import TableInfo
from greylag.engine.route import Route
from greylag.errors import ConfigurationError, SchemaError, StateError
from greylag.operations.check import refuse_problems
from greylag.operations.keytypes import with_key_types

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any, TypeAlias

    from greylag.config import Project
    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.mapping import Mapping
    from greylag.core.ports import DatasetInfo, Source, Target

    Functions: TypeAlias = Callable[[str], Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The routes asked for, and beside them those of every flow that writes one of their tables (`siblings`,
    `routes` included): key collisions and ownership concern all of them.
    """

    routes: tuple[Route, ...]
    siblings: tuple[Route, ...]


def prepare(
    project: Project,
    *,
    only: Sequence[str] = (),
    create: bool = False,
    pretend: bool = False,
    begun: Collection[str] = (),
) -> Prepared:
    """Connect to everything the flows need and decide what they leave open.

    `only` names services or flows. `create` makes missing tables where allowed; `pretend` takes a missing table
    as if it had been made. Without either a missing table is a SchemaError. `begun` names the flows that have
    state: where their table is gone, a StateError is raised and none is made.
    """
    refuse_problems(project)
    functions = project.functions
    with ExitStack() as stack:
        ends = _Ends(project, stack)
        flows = project.expand(lambda connection: ends.source(connection).datasets())
        chosen = project.select(only, flows)
        tables = {str(flow.table.ref) for flow in chosen}
        related = [flow for flow in flows if str(flow.table.ref) in tables]
        drafts = [_draft(flow, ends, functions) for flow in related]
        _refuse_overlaps(drafts)
        by_table: dict[str, list[_Draft]] = defaultdict(list)
        for draft in drafts:
            by_table[str(draft.flow.table.ref)].append(draft)
        infos = {
            name: _table(group, ends, create=create, pretend=pretend, begun=begun)
            for name, group in by_table.items()
        }
        routes = tuple(
            Route(
                draft.mapping.spec,
                project.connector(draft.flow.source.connection),
                project.connector(draft.flow.table.ref.connection),
                draft.dataset,
                infos[str(draft.flow.table.ref)],
                functions,
            )
            for draft in drafts
        )
    names = {flow.name for flow in chosen}
    return Prepared(tuple(route for route in routes if route.name in names), routes)


@dataclass(frozen=True, slots=True)
class _Draft:
    flow: FlowSpec
    dataset: DatasetInfo
    mapping: Mapping
    source: Source


class _Ends:
    """Connections opened for the time of preparing, one of each."""

    def __init__(self, project: Project, stack: ExitStack) -> None:
        self._project = project
        self._stack = stack
        self._sources: dict[str, Source] = {}
        self._targets: dict[str, Target] = {}

    def source(self, name: str) -> Source:
        if name not in self._sources:
            self._sources[name] = self._stack.enter_context(closing(self._project.connector(name).source()))
        return self._sources[name]

    def target(self, name: str) -> Target:
        if name not in self._targets:
            self._targets[name] = self._stack.enter_context(closing(self._project.connector(name).target()))
        return self._targets[name]


def _draft(flow: FlowSpec, ends: _Ends, functions: Functions) -> _Draft:
    source = ends.source(flow.source.connection)
    dataset = source.describe(flow.source.dataset)
    try:
        mapping = compile_mapping(flow, unique_id=dataset.unique_id, load=functions)
    except MappingError as error:
        raise ConfigurationError(
            f"flow {flow.name}, {error.where}: {error.message}", advice=error.advice
        ) from error
    return _Draft(flow, dataset, mapping, source)


def _refuse_overlaps(drafts: Sequence[_Draft]) -> None:
    for one, other in itertools.combinations(drafts, 2):
        if one.flow.table.ref == other.flow.table.ref and overlaps(one.mapping.claim, other.mapping.claim):
            raise ConfigurationError(
                f"flows {one.flow.name} and {other.flow.name} both claim items of table {one.flow.table.ref}",
                advice="Give each a constant attribute of its own (entityType: USER) or key templates that begin "
                "differently (USER#, ORDER#), so that it can be told which flow an item belongs to.",
            )


def _table(
    group: Sequence[_Draft], ends: _Ends, *, create: bool, pretend: bool, begun: Collection[str]
) -> TableInfo:
    spec = group[0].flow.table
    target = ends.target(spec.ref.connection)
    existing = target.describe(spec.ref.dataset)
    loaded = [each.flow.name for each in group if each.flow.name in begun]
    if existing is None and loaded:
        raise StateError(
            f"table {spec.ref} is gone: flow {', '.join(loaded)} had been loaded into it, or had begun to",
            advice="`greylag run --restart` makes it anew and loads from the start; --only names the flows.",
        )
    spec = with_key_types(
        replace(spec, key_types={}),
        [(each.mapping, each.flow.source.dataset, each.source) for each in group],
        existing,
    )
    if create or (existing is not None):
        return target.prepare(spec)
    if pretend:
        return _as_if_made(spec)
    raise SchemaError(
        f"table {spec.ref} does not exist",
        advice="`greylag run` makes it where its connection has create_tables: true.",
    )


def _as_if_made(spec: TableSpec) -> TableInfo:
    return TableInfo(
        name=spec.ref.dataset,
        identity="not created",
        key=spec.key,
        indexes=spec.indexes,
        key_types=spec.key_types,
        ttl_attribute=spec.ttl_attribute,
    )
