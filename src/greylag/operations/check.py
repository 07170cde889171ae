"""`greylag check`: what greylag.yaml means and what is wrong with it. Reads and connects; changes nothing."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from greylag.config import EVERY, InvalidProject, Problem
from greylag.core.mapping import Mapping, MappingError, compile_mapping, overlaps
from greylag.errors import ConfigurationError, GreylagError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from greylag.config import Connection, Project
    from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
    from greylag.core.ports import Connector, Source, Target

Role = Literal["source", "target"]


@dataclass(frozen=True, slots=True)
class Tried:
    """One connection opened as what the flows use it as, or one `dataset` that it lacks. `error` says why it cannot
    be used; None if it can.
    """

    connection: str
    kind: str
    role: Role
    error: GreylagError | None = None
    dataset: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        answer: dict[str, Any] = {"connection": self.connection, "kind": self.kind, "role": self.role}
        if self.dataset is not None:
            answer["dataset"] = self.dataset
        if self.error is None:
            return {**answer, "ok": True}
        return {**answer, "ok": False, "message": self.error.message, "advice": self.error.advice}


@dataclass(frozen=True, slots=True)
class Check:
    """What a project means (`flows`, `tables`), its problems, and the connections that were tried."""

    project: Project
    flows: tuple[FlowSpec, ...]
    problems: tuple[Problem, ...] = ()
    tried: tuple[Tried, ...] = ()

    @property
    def tables(self) -> tuple[TableSpec, ...]:
        """The tables that are declared or written, each once."""
        return tuple(
            {table.ref: table for table in (*self.project.tables.values(), *_tables(self.flows))}.values()
        )

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": not self.problems and all(tried.error is None for tried in self.tried),
            "project": self.project.name,
            "environment": self.project.environment or None,
            "flows": [
                {
                    "flow": flow.name,
                    "service": flow.service,
                    "from": str(flow.source),
                    "to": str(flow.table.ref),
                }
                for flow in self.flows
            ],
            "tables": [
                {
                    "table": str(table.ref),
                    "key": list(table.key),
                    "indexes": {name: list(attributes) for name, attributes in table.indexes.items()},
                    "key_types": dict(table.key_types),
                    "ttl": table.ttl_attribute,
                }
                for table in self.tables
            ],
            "connections": [tried.as_json() for tried in self.tried],
            "problems": [problem_as_json(problem) for problem in self.problems],
        }


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """A problem for `--json`."""
    return {"file": problem.file, "line": problem.line, "message": problem.message}


def check(project: Project, *, connect: bool = False) -> Check:
    """Compile every mapping and look for flows that claim the same items (law 11); with `connect`, also open and
    check every connection, look for every dataset that is read, and name the flows that each `connection.*` stands for.
    """
    problems = _problems(project)
    if not connect:
        return Check(project, project.flows, problems)
    tried = tuple(_try(project.connections[name], role) for name, role in _roles(project))
    flows = project.flows
    if not problems and all(each.error is None for each in tried):
        if any(flow.source.dataset == EVERY for flow in flows):
            flows = project.expand(lambda name: _datasets(project.connections[name]))
            problems = mapping_problems(project, flows)
        named = {flow.source for flow in project.flows if flow.source.dataset != EVERY}
        tried += tuple(_lacking(project, sorted(named, key=str)))
    return Check(project, flows, problems, tried)


def refuse_problems(project: Project) -> None:
    """Raises InvalidProject where `check` would find something without connecting."""
    problems = _problems(project)
    if problems:
        raise InvalidProject.of(problems)


def _problems(project: Project) -> tuple[Problem, ...]:
    return tuple(sorted((*connection_problems(project), *mapping_problems(project, project.flows))))


def connection_problems(project: Project) -> tuple[Problem, ...]:
    """Options that their connectors refuse, and connections that cannot be what flows use them as. No I/O."""
    problems: list[Problem] = []
    for name, role in _roles(project):
        try:
            connector = project.connector(name)
        except ConfigurationError as error:
            problems.append(project.connection_problem(name, _sentence(f"connection {name}", error)))
            continue
        try:
            if role is not None:
                _open(connector, role).close()
        except ConfigurationError as error:
            key = "from" if role == "source" else "to"
            problems += [
                project.problem(flow, key, _sentence(f"`{key}` of flow {flow.name}", error))
                for flow in project.flows
                if name == (flow.source if role == "source" else flow.table.ref).connection
            ]
    return tuple(sorted(set(problems)))


def _open(connector: Connector, role: Role) -> Source | Target:
    return connector.source() if role == "source" else connector.target()


def _sentence(place: str, error: ConfigurationError | MappingError) -> str:
    return "; ".join(part for part in (f"{place}: {error.message}", error.advice) if part)


def mapping_problems(project: Project, flows: Sequence[FlowSpec]) -> tuple[Problem, ...]:
    """What is wrong with the mappings of `flows`, alone and beside each other, each with its line."""
    problems: list[Problem] = []
    mappings: dict[str, Mapping] = {}
    for flow in flows:
        try:
            mappings[flow.name] = compile_mapping(flow, load=project.functions)
        except MappingError as error:
            message = _sentence(f"flow {flow.name}, {error.where}", error)
            problems.append(project.problem(flow, error.where, message))
        except ConfigurationError as error:
            problems.append(project.problem(flow, "python", _sentence(f"flow {flow.name}", error)))
    compiled = [flow for flow in flows if flow.name in mappings]
    for one, other in itertools.combinations(compiled, 2):
        if one.table.ref == other.table.ref and overlaps(
            mappings[one.name].claim, mappings[other.name].claim
        ):
            problems.append(
                project.problem(
                    other,
                    "",
                    f"flows {one.name} and {other.name} both claim items of table {one.table.ref.dataset}; give each a"
                    " constant attribute of its own (entityType: USER) or keys that begin differently (USER#, ORDER#)",
                )
            )
    return tuple(sorted(problems))


def _tables(flows: Sequence[FlowSpec]) -> list[TableSpec]:
    return [flow.table for flow in flows]


def _roles(project: Project) -> list[tuple[str, Role | None]]:
    """Every connection with the roles flows give it, in the order of the file; one that no flow uses has none."""
    used: set[tuple[str, Role]] = set()
    for flow in project.flows:
        used |= {(flow.source.connection, "source"), (flow.table.ref.connection, "target")}
    used |= {(ref.connection, "target") for ref in project.tables}
    roles: list[tuple[str, Role | None]] = []
    for name in project.connections:
        mine: list[tuple[str, Role | None]] = [(name, role) for role in _ROLES if (name, role) in used]
        roles += mine or [(name, None)]
    return roles


_ROLES: tuple[Role, Role] = ("source", "target")


def _try(connection: Connection, role: Role | None) -> Tried:
    if role is None:
        as_source = _try(connection, "source")
        return _try(connection, "target") if isinstance(as_source.error, ConfigurationError) else as_source
    try:
        with closing(_open(connection.connector, role)) as end:
            end.check()
    except GreylagError as error:
        return Tried(connection.name, connection.kind, role, _safe(connection, error))
    return Tried(connection.name, connection.kind, role)


def _safe(connection: Connection, error: GreylagError) -> GreylagError:
    return type(error)(connection.redact(error.message), advice=connection.redact(error.advice))


def _lacking(project: Project, datasets: Iterable[DatasetRef]) -> Iterator[Tried]:
    """The datasets that cannot be read, each with the reason."""
    for name, group in itertools.groupby(datasets, key=lambda ref: ref.connection):
        connection = project.connections[name]
        with closing(connection.connector.source()) as source:
            for ref in group:
                try:
                    source.describe(ref.dataset)
                except GreylagError as error:
                    safe = _safe(connection, error)
                    yield Tried(name, connection.kind, "source", safe, dataset=ref.dataset)


def _datasets(connection: Connection) -> Sequence[str]:
    with closing(connection.connector.source()) as source:
        return source.datasets()
