"""Reads greylag.yaml: from its bytes to a project, or to everything that is wrong with it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greylag.config.environment import Variables, environment_files, read_environment_file, substitute
from greylag.config.findings import Findings
from greylag.config.model import ProjectFile
from greylag.config.overlay import overlay
from greylag.config.problems import InvalidProject, Problem
from greylag.config.project import Connection, Project
from greylag.config.resolve import resolve
from greylag.config.services import region_of, resolve_infrastructure, resolve_services
from greylag.config.tree import Node, parse
from greylag.config.validation import validate
from greylag.connectors.registry import connector_type, kinds
from greylag.core.nearest import did_you_mean
from greylag.core.ports import Documents
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.config.tree import Step
    from greylag.core.services import ServiceSpec

DEFAULT_FILE = Path("greylag.yaml")


def load(
    file: str | Path = DEFAULT_FILE,
    environment: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    offline: bool = False,
) -> Project:
    """The project that `file` describes, in `environment`. Connects to nothing, imports none of its functions.

    `offline` is for what needs no connection: variables in `connections:` and `alarm_email` may then be unset, and a
    connection that has one is left out.

    Raises InvalidProject, a ConfigurationError, with every problem of the file and of the environment files.
    """
    file = Path(file)
    given = substituted(file, environment, environ, offline=offline)
    tree, findings = given.tree, given.findings
    model, skipped = _validate(tree, findings)
    _check_other_environments(given.written, given.environments, environment, findings)
    resolved = infrastructure = None
    services: Mapping[str, ServiceSpec] = {}
    if model is not None:
        skipped_tables = {str(path[1]) for path in skipped if path[0] == "tables" and len(path) > 1}
        entries = tree.at("connections").entries
        resolved = resolve(model, tuple(entries), own_keys(entries), skipped_tables, findings)
        tables = {ref.dataset for ref in resolved.tables}
        services = resolve_services(model, tables, file.parent, findings)
        region = region_of(tree.at("connections").entries)
        infrastructure = resolve_infrastructure(model, given.raw, region, findings)
    findings.stop_if_any()
    assert model is not None
    assert resolved is not None
    return Project(
        name=model.project,
        file=file,
        root=file.parent,
        environment=environment or "",
        connections=given.connections,
        services={name: tuple(service.flows) for name, service in model.services.items()},
        flows=resolved.flows,
        tables=resolved.tables,
        excluded=resolved.excluded,
        service_specs=services,
        infrastructure=infrastructure,
        tree=tree,
        spool_bytes=model.spool_bytes,
    )


@dataclass(frozen=True, slots=True)
class Substituted:
    """The file as `written`; with its environment laid over it (`raw`); with its variables put in (`tree`), the
    connections that can be opened, and what has been found wrong so far.
    """

    written: Node
    environments: Mapping[str, Node]
    raw: Node
    tree: Node
    connections: dict[str, Connection]
    findings: Findings


def substituted(
    file: Path, environment: str | None, environ: Mapping[str, str], *, offline: bool = False
) -> Substituted:
    """The first half of `load`. Raises InvalidProject where there is no tree to go on with."""
    written = _read(file)
    findings = Findings(str(file), written)
    tree = written.without("environments")
    environments = _environments(written, findings)
    if environment is not None:
        if environment not in environments:
            raise _unknown_environment(file, written, environment, environments)
        tree = overlay(tree, environments[environment], findings, ("environments", environment), 2)
    variables, unreadable = read_variables(file.parent, environment, environ)
    findings.problems.extend(unreadable)

    findings.tree = raw = tree
    if offline:
        tree = tree.without(
            "infrastructure", "alarm_email"
        )  # its name is all that is read, from what was written
    unasked = Findings(str(file), tree)
    entries = {
        key: substitute(node, variables, unasked if offline and key == "connections" else findings, (key,))
        for key, node in tree.entries.items()
    }
    findings.tree = tree = replace(tree, value=entries) if tree.entries else tree
    connections = _connections(tree, file.parent, findings)
    return Substituted(written, environments, raw, tree, connections, findings)


def own_keys(connections: Mapping[str, Node]) -> dict[str, str]:
    """The key of the tables of those connections that give every table the same one."""
    found = {}
    for name, node in connections.items():
        kind = node.entries.get("kind")
        if kind is not None and kind.value in kinds():
            with suppress(ConfigurationError):
                connector = connector_type(str(kind.value))
                if isinstance(connector, Documents):
                    found[name] = connector.own_key
    return found


def read_variables(
    root: Path, environment: str | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[Variables, list[Problem]]:
    """What `${VAR}` may stand for in a greylag.yaml in `root`, and lines of environment files that cannot be read."""
    layers, problems = [], []
    for path in environment_files(root, environment):
        layer, unreadable = read_environment_file(path)
        layers.append(layer)
        problems += unreadable
    return Variables(environ, layers), problems


def environment_names(file: str | Path = DEFAULT_FILE) -> tuple[str, ...]:
    """The environments that `file` lays over itself, in its order. Raises as `load` does for what is not YAML."""
    written = _read(Path(file))
    return tuple(_environments(written, Findings(str(file), written)))


def _read(file: Path) -> Node:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no {file}", advice="Run greylag in the project's folder, or name the file with --file."
        ) from None
    except UnicodeDecodeError as error:
        raise InvalidProject.of(
            [Problem(str(file), 1, f"this is not UTF-8 text, from byte {error.start}")]
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None
    tree = parse(text, str(file))
    if isinstance(tree, Problem):
        raise InvalidProject.of([tree])
    return tree


def _environments(written: Node, findings: Findings) -> dict[str, Node]:
    """The overlays by name; `prod:` with nothing below it is an environment without changes."""
    node = written.entries.get("environments")
    if node is None or node.value is None:
        return {}
    if not isinstance(node.value, dict):
        findings.add(("environments",), "`environments` should be a mapping of `key: value`")
        return {}
    overlays = {}
    for name, over in node.value.items():
        if over.value is None:
            overlays[name] = replace(over, value={})
        elif not isinstance(over.value, dict):
            findings.add(("environments", name), f"environment {name} should be a mapping of `key: value`")
        elif "environments" in over.value:
            findings.add(
                ("environments", name, "environments"), f"environment {name} cannot hold environments"
            )
        else:
            overlays[name] = over
    return overlays


def _unknown_environment(
    file: Path, written: Node, environment: str, environments: Mapping[str, Node]
) -> InvalidProject:
    hint = did_you_mean(environment, environments)
    known = (
        f"; environments: {', '.join(environments)}" if environments else "; the file has no `environments:`"
    )
    line = written.at("environments").line if environments else 1
    return InvalidProject.of(
        [Problem(str(file), line, f"there is no environment {environment!r}{hint or known}")]
    )


def _connections(tree: Node, root: Path, findings: Findings) -> dict[str, Connection]:
    """The connections whose options their connectors accept."""
    connections = {}
    for name, node in tree.entries["connections"].entries.items() if "connections" in tree.entries else ():
        path = ("connections", name)
        kind = node.entries.get("kind")
        if kind is None or not isinstance(kind.value, str):
            if isinstance(node.value, dict):
                findings.add(path, f"connection {name} needs `kind`")
            continue
        if kind.unset:
            continue
        try:
            found = connector_type(kind.value)
        except ConfigurationError as error:
            findings.add(
                (*path, "kind"), " ".join([f"connection {name}: {error.message}", error.advice]).strip()
            )
            continue
        options = {key: value.plain() for key, value in node.entries.items() if not value.absent}
        model, _ = validate(found.options, options, findings, path)
        if model is not None:
            variables = tuple(pair for below in node.walk() for pair in below.variables)
            connections[name] = Connection(name, kind.value, model, root, found, variables)
    return connections


def _validate(tree: Node, findings: Findings) -> tuple[ProjectFile | None, list[tuple[Step, ...]]]:
    """The model of what is right, with the paths of what had to be left out for it."""
    plain = tree.plain()
    model, wrong = validate(ProjectFile, plain, findings)
    if model is None:
        for path in wrong:
            tree = tree.without(*_unit(path))
        model, _ = validate(ProjectFile, tree.plain(), Findings("", tree))
    return (model if isinstance(model, ProjectFile) else None), wrong


def _unit(path: tuple[Step, ...]) -> tuple[Step, ...]:
    """The smallest part of the file that means something without what stands at `path`."""
    match path:
        case ("services", _, "flows", _, *_):
            return path[:4]
        case ("services", _, *_):
            return path[:3]
        case ("tables" | "connections", _, *_):
            return path[:2]
    return path[:1]


def _check_other_environments(
    written: Node, environments: Mapping[str, Node], chosen: str | None, findings: Findings
) -> None:
    """Unknown keys in environments that are not chosen; their variables need no value now."""
    base = written.without("environments")
    for name, over in environments.items():
        if name == chosen:
            continue
        inside = Findings(findings.file, written)
        merged = overlay(base, over, inside, ("environments", name), 2)
        inside.tree = merged
        validate(ProjectFile, merged.plain(), inside, only_keys=True)
        for connection, node in (
            merged.entries["connections"].entries.items() if "connections" in merged.entries else ()
        ):
            found = _connector_options(node)
            if found is not None:
                validate(found, node.plain(), inside, ("connections", connection), only_keys=True)
        lines = {node.line for node in over.walk()}
        findings.problems += [problem for problem in inside.problems if problem.line in lines]


def _connector_options(node: Node) -> Any:
    kind = node.entries.get("kind")
    try:
        return (
            connector_type(kind.value).options if kind is not None and isinstance(kind.value, str) else None
        )
    except ConfigurationError:
        return None
