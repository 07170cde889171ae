"""A project as the rest of Greylag sees it: connections by name, services, flows, tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from greylag.config.functions import load_function
from greylag.config.places import path_of
from greylag.config.problems import InvalidProject, Problem, redact
from greylag.core.change import SPOOL_BYTES
from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from greylag.config.tree import Node
    from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
    from greylag.core.ports import Connector, ConnectorType
    from greylag.core.services import InfrastructureSpec, ServiceSpec

EVERY = "*"
"""The dataset of a flow that carries every dataset of its connection."""


@dataclass(frozen=True)
class Connection:
    """A connection of greylag.yaml. Its options may hold secrets: they are in no repr."""

    name: str
    kind: str
    options: Any = field(repr=False)
    root: Path = field(repr=False)
    type: ConnectorType = field(repr=False)
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @cached_property
    def connector(self) -> Connector:
        """The connector for these options, made when it is first asked for. No I/O."""
        return self.type.open(self.name, self.options, self.root)

    def redact(self, text: str) -> str:
        """`text` with the values of this connection's variables replaced by their references."""
        return redact(text, self.variables)


@dataclass(frozen=True)
class Project:
    """One project in one environment.

    `flows` stand in the order of the file; one whose source is `connection.*` has `EVERY` as its datasets until
    `expand` puts the flows it stands for in its place. `services` gives the names of each service's flows,
    `service_specs` how each runs on AWS, and `infrastructure` what they share there: None where the file says nothing.
    `root` is the folder of `file`. `environment` is empty where none was chosen. `rehearsal`:
    its state is that of a rehearsal. `spool_bytes` bounds what each followed source may spool.
    """

    name: str
    file: Path
    root: Path
    environment: str
    connections: Mapping[str, Connection]
    services: Mapping[str, tuple[str, ...]]
    flows: tuple[FlowSpec, ...]
    tables: Mapping[DatasetRef, TableSpec]
    excluded: Mapping[str, frozenset[str]]
    service_specs: Mapping[str, ServiceSpec]
    infrastructure: InfrastructureSpec | None
    tree: Node = field(repr=False, compare=False)
    spool_bytes: int = SPOOL_BYTES
    rehearsal: bool = False

    @property
    def state_folder(self) -> Path:
        """Where checkpoints, quarantine and locks are: a folder of its own for each environment (law 12), and for its
        rehearsal. May not exist yet.
        """
        folder = self.root / ".greylag"
        if self.environment:
            folder = folder / "environments" / self.environment
        return folder / "rehearsal" if self.rehearsal else folder

    @property
    def functions(self) -> Callable[[str], Callable[..., Any]]:
        """Gives the function that `python: "module:function"` names, from the project's folder. Picklable."""
        return partial(load_function, self.root.resolve())

    def connector(self, name: str) -> Connector:
        """The connector of the connection `name`, which a flow names. No I/O."""
        return self.connections[name].connector

    def write_units_per_second(self, name: str) -> float | None:
        """The write budget that the connection sets for each of its tables; None where it sets none."""
        return _rate(self.connections[name], "write_units_per_second")

    def read_bytes_per_second(self, name: str) -> float | None:
        """The most that may be read from the connection; None where it sets no limit."""
        return _rate(self.connections[name], "read_bytes_per_second")

    def expand(self, datasets_of: Callable[[str], Sequence[str]]) -> tuple[FlowSpec, ...]:
        """The flows with every `connection.*` replaced by one flow for each dataset it stands for.

        Such a flow is named `flow.dataset`, with characters a file name cannot hold percent-encoded.
        `datasets_of` gives the datasets of the connection it is called with; it is called only for those.

        Raises ConfigurationError where nothing is left to carry, where `except` names what is not there, or where
        two flows would write one table.
        """
        flows: list[FlowSpec] = []
        taken = {flow.table.ref: flow.name for flow in self.flows if flow.source.dataset != EVERY}
        for flow in self.flows:
            if flow.source.dataset != EVERY:
                flows.append(flow)
                continue
            for dataset in self._datasets(flow, datasets_of(flow.source.connection)):
                one = _for_dataset(flow, dataset)
                if one.table.ref in taken:
                    raise self._error(
                        flow,
                        "from",
                        f"{flow.source} includes {dataset!r}, whose table {one.table.ref} flow {taken[one.table.ref]}"
                        f" writes already; add it to `except` of flow {flow.name}",
                    )
                taken[one.table.ref] = one.name
                flows.append(one)
        return tuple(flows)

    def select(self, names: Iterable[str], flows: Sequence[FlowSpec] | None = None) -> tuple[FlowSpec, ...]:
        """Those of `flows` (the project's own, if none are given) that are or belong to one of `names`: a service,
        a flow, or a `connection.*` flow they were expanded from. All of them for no names.

        Raises ConfigurationError, with the nearest name, for a name that is neither.
        """
        flows = self.flows if flows is None else flows
        wanted = tuple(names)
        if not wanted:
            return tuple(flows)
        known = {*self.services, *(flow.name for flow in (*self.flows, *flows))}
        for name in wanted:
            if name not in known:
                raise ConfigurationError(
                    f"there is no service or flow {name!r}{did_you_mean(name, known)}",
                    advice=f"Services: {', '.join(self.services)}. Flows: {', '.join(flow.name for flow in flows)}.",
                )
        origins = {flow.name for flow in self.flows if flow.source.dataset == EVERY}
        return tuple(
            flow
            for flow in flows
            if {flow.service, flow.name} & set(wanted)
            or (flow.name.partition(".")[0] in origins and flow.name.partition(".")[0] in wanted)
        )

    def problem(self, flow: FlowSpec, where: str, message: str) -> Problem:
        """`message` about `where` in `flow` (as a MappingError says it), with its line, free of secrets."""
        whole = self.tree.at("services", flow.service, "flows", flow.name.partition(".")[0])
        return self._problem(whole.at(*path_of(whole, where)), message)

    def connection_problem(self, name: str, message: str) -> Problem:
        """`message` about the connection `name`, with its line, free of secrets."""
        return self._problem(self.tree.at("connections", name), message)

    def _problem(self, node: Node, message: str) -> Problem:
        secrets = [pair for below in node.walk() for pair in below.variables]
        return Problem(str(self.file), node.line, redact(message, secrets))

    def _error(self, flow: FlowSpec, where: str, message: str) -> InvalidProject:
        return InvalidProject.of([self.problem(flow, where, message)])

    def _datasets(self, flow: FlowSpec, datasets: Sequence[str]) -> list[str]:
        excluded = self.excluded.get(flow.name, frozenset())
        for name in sorted(excluded.difference(datasets)):
            raise self._error(
                flow,
                "except",
                f"flow {flow.name}: {flow.source.connection} has no dataset {name!r} to leave out"
                f"{did_you_mean(name, datasets)}",
            )
        left = [dataset for dataset in datasets if dataset not in excluded]
        if not left:
            raise self._error(
                flow, "from", f"flow {flow.name}: there is no dataset that {flow.source} stands for"
            )
        return left


def _rate(connection: Connection, option: str) -> float | None:
    rate = getattr(connection.options, option, None)
    return float(rate) if isinstance(rate, (int, float)) else None


def _for_dataset(flow: FlowSpec, dataset: str) -> FlowSpec:
    return replace(
        flow,
        name=f"{flow.name}.{quote(dataset, safe='')}",
        source=replace(flow.source, dataset=dataset),
        table=replace(flow.table, ref=replace(flow.table.ref, dataset=dataset)),
    )
