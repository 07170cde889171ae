"""What a greylag.yaml says of its sources, also while its flows are unfinished: a connection and a `from:` do."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from greylag.config.load import DEFAULT_FILE, load, substituted
from greylag.config.problems import InvalidProject, Problem
from greylag.config.project import Connection, Project
from greylag.core.flows import DatasetRef
from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.config.tree import Node

_FIELD = re.compile(r"\{([^{}|:@][^{}|:]*)")


@dataclass(frozen=True, slots=True)
class SourceFlow:
    """As much of a flow as concerns its source. `target` is the kind of the connection it goes to, empty where that
    is not said; `key_fields` are the fields that its keys' and indexes' templates name.
    """

    name: str
    service: str
    source: DatasetRef
    excluded: frozenset[str]
    target: str
    key_fields: frozenset[str]


@dataclass(frozen=True)
class Sources:
    """The connections of a project and what its flows read. `problems` is what keeps the file from being a whole
    project; `project` then holds its connections and no flows.
    """

    project: Project
    flows: tuple[SourceFlow, ...]
    problems: tuple[Problem, ...] = field(default=())

    def connection(self, name: str) -> Connection:
        """The connection `name`. Raises ConfigurationError for one that is not there or cannot be opened."""
        known = self.project.connections
        if name in known:
            return known[name]
        if name in self.project.tree.at("connections").entries and self.problems:
            raise InvalidProject.of(self.problems)
        raise ConfigurationError(
            f"there is no connection {name!r}{did_you_mean(name, known)}",
            advice=f"Connections: {', '.join(known) or 'none'}.",
        )


def load_sources(
    file: str | Path = DEFAULT_FILE, environment: str | None = None, environ: Mapping[str, str] = os.environ
) -> Sources:
    """The sources that `file` describes in `environment`. Raises InvalidProject where it cannot be read at all."""
    file = Path(file)
    given = substituted(file, environment, environ)
    flows = tuple(_flows(given.tree, given.connections))
    try:
        return Sources(load(file, environment, environ), flows)
    except InvalidProject as error:
        name = given.tree.at("project").value
        connections_alone = Project(
            name=name if isinstance(name, str) else file.parent.resolve().name,
            file=file,
            root=file.parent,
            environment=environment or "",
            connections=given.connections,
            services={},
            flows=(),
            tables={},
            excluded={},
            service_specs={},
            infrastructure=None,
            tree=given.tree,
        )
        return Sources(connections_alone, flows, error.problems)


def _flows(tree: Node, connections: Mapping[str, Connection]) -> Iterator[SourceFlow]:
    keyed = _keyed(tree)
    for service, node in _entries(tree, "services").items():
        for name, flow in _entries(node, "flows").items():
            connection, _, dataset = _text(flow, "from").partition(".")
            if not connection or not dataset:
                continue
            target, _, table = _text(flow, "to").partition(".")
            excluded = flow.entries["except"].plain() if "except" in flow.entries else []
            yield SourceFlow(
                name,
                service,
                DatasetRef(connection, dataset),
                frozenset(map(str, excluded)) if isinstance(excluded, list) else frozenset(),
                connections[target].kind if target in connections else "",
                frozenset(_key_fields(flow, keyed.get(table, frozenset()))),
            )


def _keyed(tree: Node) -> dict[str, frozenset[str]]:
    """The attributes that are keys of each declared table or of its indexes."""
    found = {}
    for name, table in _entries(tree, "tables").items():
        parts = [table.entries[each] for each in ("key", "indexes") if each in table.entries]
        found[name] = frozenset(str(each.value) for part in parts for each in part.walk())
    return found


def _key_fields(flow: Node, keyed: frozenset[str]) -> Iterator[str]:
    nodes = [flow.entries[each] for each in ("key", "indexes") if each in flow.entries]
    nodes += [node for name, node in _entries(flow, "attributes").items() if name in keyed]
    for node in nodes:
        for each in node.walk():
            if isinstance(each.value, str):
                yield from _FIELD.findall(each.value)


def _entries(node: Node, name: str) -> dict[str, Node]:
    return node.entries[name].entries if name in node.entries else {}


def _text(node: Node, name: str) -> str:
    value = node.entries[name].value if name in node.entries else None
    return value if isinstance(value, str) else ""
