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
from greylag.core.ports import Structured, Structuring, TableInfo
from greylag.core.tables import differences
from greylag.engine.route import Route
from greylag.errors import ConfigurationError, SchemaError, StateError
from greylag.operations.check import refuse_problems
from greylag.operations.keytypes import with_key_types
from greylag.operations.structure.decide import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any, TypeAlias

    from greylag.config import Project
    from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
    from greylag.core.mapping import Mapping
    from greylag.core.ports import DatasetInfo, Source, Target
    from greylag.operations.structure.decide import Made

    Functions: TypeAlias = Callable[[str], Callable[[Any], Any]]


NOT_CREATED = "not created"
"""The identity of a table that nobody has made yet."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The routes asked for, and beside them those of every flow that writes one of their tables (`siblings`,
    `routes` included): key collisions and ownership concern all of them. `tables`: as they were before. `flows`: all
    that the project has.
    """

    routes: tuple[Route, ...]
    siblings: tuple[Route, ...]
    tables: tuple[Looked, ...]
    flows: tuple[FlowSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Looked:
    """A table that the routes write: as greylag.yaml describes it, with the types of its keys, and as it stands (None:
    it does not, or nobody asked), with what is not alike.
    """

    spec: TableSpec
    existing: TableInfo | None
    differences: tuple[str, ...] = ()
    made: tuple[tuple[str, Made], ...] = ()
    """By flow: what the options and indexes of its dataset become, where both sides speak of that."""


def prepare(
    project: Project,
    *,
    only: Sequence[str] = (),
    exactly: Collection[str] | None = None,
    create: bool = False,
    pretend: bool = False,
    look: bool = False,
    offline: bool = False,
    begun: Collection[str] = (),
) -> Prepared:
    """Connect to everything the flows need and decide what they leave open.

    `only` names services or flows, `exactly` flows and nothing but those. `create` makes missing tables where allowed;
    `pretend` takes a missing table as if it had been made, and changes nothing at the target. Without either a missing
    table is a SchemaError. `look` is `pretend`, and takes a table that differs as if it were as greylag.yaml says too;
    `offline` asks no target, and takes every table as missing. `begun` names the flows that have state: where their
    table is gone, a StateError is raised and none is made.
    """
    refuse_problems(project)
    functions = project.functions
    with ExitStack() as stack:
        ends = _Ends(project, stack)
        flows = project.expand(lambda connection: ends.source(connection).datasets())
        chosen = project.select(only, flows)
        if exactly is not None:
            chosen = tuple(flow for flow in chosen if flow.name in exactly)
        tables = {str(flow.table.ref) for flow in chosen}
        related = [flow for flow in flows if str(flow.table.ref) in tables]
        drafts = [_draft(flow, ends, functions) for flow in related]
        _refuse_overlaps(drafts)
        by_table: dict[str, list[_Draft]] = defaultdict(list)
        for draft in drafts:
            by_table[str(draft.flow.table.ref)].append(draft)
        looked = {
            name: _look(group, None if offline else ends.target(_ref(group).connection), begun)
            for name, group in by_table.items()
        }
        if look:
            infos = {name: _as_said(each) for name, each in looked.items()}
        else:
            infos = {
                name: _table(each, ends.target(each.spec.ref.connection), create=create, pretend=pretend)
                for name, each in looked.items()
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
    chosen_routes = tuple(route for route in routes if route.name in names)
    return Prepared(chosen_routes, routes, tuple(looked.values()), tuple(flows))


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
        mapping = compile_mapping(
            flow, unique_id=dataset.unique_id, unique_value=dataset.unique_value, load=functions
        )
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


def _ref(group: Sequence[_Draft]) -> DatasetRef:
    return group[0].flow.table.ref


def _look(group: Sequence[_Draft], target: Target | None, begun: Collection[str]) -> Looked:
    spec = group[0].flow.table
    existing = None if target is None else target.describe(spec.ref.dataset)
    loaded = [each.flow.name for each in group if each.flow.name in begun]
    if existing is None and loaded:
        raise StateError(
            f"table {spec.ref} is gone: flow {', '.join(loaded)} had been loaded into it, or had begun to",
            advice="`greylag run --restart` makes it anew and loads from the start; --only names the flows.",
        )
    spec = with_key_types(
        spec,
        [(each.mapping, each.flow.source.dataset, each.source) for each in group],
        existing,
    )
    made = [] if target is None else [(each.flow.name, one) for each in group if (one := _made(each, target))]
    for _, one in made:
        spec = replace(spec, options={**one.options, **spec.options})
    return Looked(spec, existing, () if existing is None else tuple(differences(spec, existing)), tuple(made))


def _made(draft: _Draft, target: Target) -> Made | None:
    if not isinstance(draft.source, Structured) or not isinstance(target, Structuring) or not target.creates:
        return None
    structure = draft.source.structure(draft.flow.source.dataset)
    return (
        decide(structure, draft.flow, target.product()) if structure.form == target.structure_form else None
    )


def _table(looked: Looked, target: Target, *, create: bool, pretend: bool) -> TableInfo:
    spec, existing = looked.spec, looked.existing
    if create or (existing is not None and not pretend):
        return target.prepare(spec)
    if existing is None and not pretend:
        raise SchemaError(
            f"table {spec.ref} does not exist",
            advice="`greylag run` makes it where its connection has create_tables: true.",
        )
    if looked.differences:
        raise SchemaError(
            f"table {spec.ref} is not as greylag.yaml says: " + "; ".join(looked.differences),
            advice="Change greylag.yaml to the table as it stands, or write to a new table.",
        )
    return _as_said(looked)


def _as_said(looked: Looked) -> TableInfo:
    """The table, or what greylag.yaml says of it where there is none or another."""
    spec = looked.spec
    if looked.existing is not None and not looked.differences:
        return looked.existing
    return TableInfo(
        name=spec.ref.dataset,
        identity=NOT_CREATED,
        key=spec.key,
        indexes=spec.indexes,
        key_types=spec.key_types,
        ttl_attribute=spec.ttl_attribute,
    )
