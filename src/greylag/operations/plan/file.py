"""A plan in a file, and whether what it shows is still what a run would do. No secrets are in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greylag.errors import ConfigurationError, StateError
from greylag.operations.belonging import identity
from greylag.operations.prepare import NOT_CREATED, prepare
from greylag.state.store import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.operations.plan.plan import Plan
    from greylag.operations.prepare import Looked, Prepared

SCHEMA = 1
"""Raised whenever a file means something else than before."""

_AGAIN = "Look at what changed, then make a new plan: `greylag plan --out {path}`."


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table as the plan saw it; `made` says whether it was there."""

    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    key_types: Mapping[str, str]
    ttl_attribute: str | None
    identity: str

    @property
    def made(self) -> bool:
        """Whether it stood when the plan was made."""
        return self.identity != NOT_CREATED


@dataclass(frozen=True, slots=True)
class PlanFile:
    """What a plan promises of a run."""

    path: Path
    project: str
    environment: str
    processes: int
    partition_bytes: int
    page_bytes: int
    flows: Mapping[str, Identity]
    tables: Mapping[str, PlannedTable]
    offline: bool = False


def save(plan: Plan, path: Path) -> None:
    """Write the plan. Raises ConfigurationError where the file cannot be written."""
    document = {
        "greylag_plan": SCHEMA,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "promises": {
            "flows": {flow.name: asdict(flow.identity) for flow in plan.flows},
            "tables": {
                table.name: {
                    "key": list(table.key),
                    "indexes": {name: list(names) for name, names in table.indexes.items()},
                    "key_types": dict(table.key_types),
                    "ttl_attribute": table.ttl_attribute,
                    "identity": table.identity,
                }
                for table in plan.tables
            },
        },
        **plan.as_json(),
    }
    try:
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None


def read(path: Path) -> PlanFile:
    """The plan in the file. Raises ConfigurationError for what is no plan of this version."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise _no_plan(path) from None
    schema = document.get("greylag_plan") if isinstance(document, dict) else None
    if schema is not None and schema != SCHEMA:
        raise ConfigurationError(
            f"{path} is a plan of another version of Greylag (schema {schema!r}, not {SCHEMA})",
            advice=_AGAIN.format(path=path),
        )
    try:
        return _parsed(path, document)
    except (KeyError, TypeError, AttributeError):
        raise _no_plan(path) from None


def _parsed(path: Path, document: Mapping[str, Any]) -> PlanFile:
    if document["greylag_plan"] != SCHEMA:
        raise KeyError("greylag_plan")
    promises = document["promises"]
    sizes = [document[name] for name in ("processes", "partition_bytes", "page_bytes")]
    if not all(type(each) is int and each > 0 for each in sizes):
        raise TypeError(sizes)
    processes, partition_bytes, page_bytes = sizes
    return PlanFile(
        path,
        document["project"],
        document["environment"] or "",
        processes,
        partition_bytes,
        page_bytes,
        {name: Identity(**told) for name, told in promises["flows"].items()},
        {
            name: PlannedTable(
                tuple(told["key"]),
                {index: tuple(names) for index, names in told["indexes"].items()},
                dict(told["key_types"]),
                told["ttl_attribute"],
                told["identity"],
            )
            for name, told in promises["tables"].items()
        },
        bool(document["offline"]),
    )


def _no_plan(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is no plan", advice=f"`greylag plan --out {path}` makes one; its file is not for editing."
    )


def prepare_planned(planned: PlanFile, project: Project, begun: Mapping[str, Identity]) -> Prepared:
    """The planned flows, prepared. Raises StateError before anything is written unless a run of them is what was
    planned. `begun` is what the state of flows belongs to: a table that the plan found missing may stand if this very
    run made it before it was interrupted.
    """
    known = {flow.name for flow in project.flows}
    gone = [name for name in planned.flows if name not in known and name.partition(".")[0] not in known]
    wrong = [*_of_project(planned, project), *(f"flow {name} is gone" for name in gone)]
    if not wrong:
        looked = _only(planned, prepare(project, only=tuple(planned.flows), look=True))
        wrong = [*_of_flows(planned, project, looked), *_of_tables(planned, looked, begun)]
    if wrong:
        raise StateError(
            f"{planned.path} no longer fits: " + "; ".join(wrong), advice=_AGAIN.format(path=planned.path)
        )
    return _only(planned, prepare(project, only=tuple(planned.flows), create=True, begun=begun.keys()))


def _only(planned: PlanFile, prepared: Prepared) -> Prepared:
    """A service may have a flow's name: what `only` took too much."""
    routes = tuple(route for route in prepared.routes if route.name in planned.flows)
    return replace(prepared, routes=routes)


def _of_project(planned: PlanFile, project: Project) -> list[str]:
    found = []
    if planned.project != project.name:
        found.append(f"it is of project {planned.project}, this is {project.name}")
    if planned.environment != project.environment:
        found.append(
            f"it is of {_environment(planned.environment)}, this is {_environment(project.environment)}"
        )
    if planned.offline:
        found.append("it was made --offline, so nobody saw the tables")
    return found


def _environment(name: str) -> str:
    return f"environment {name}" if name else "no environment"


def _of_flows(planned: PlanFile, project: Project, prepared: Prepared) -> list[str]:
    now = {route.name: identity(route, project.environment) for route in prepared.routes}
    found = [f"flow {name} is gone" for name in sorted(planned.flows.keys() - now.keys())]
    for name, before in planned.flows.items():
        if name not in now:
            continue
        if before.mapping_digest != now[name].mapping_digest:
            found.append(f"the mapping of flow {name} has changed")
        if before.source_identity != now[name].source_identity:
            found.append(f"the source of flow {name} is another one, or a file has changed")
    return found


def _of_tables(planned: PlanFile, prepared: Prepared, begun: Mapping[str, Identity]) -> list[str]:
    found = []
    looked = {str(each.spec.ref): each for each in prepared.tables}
    for name, before in planned.tables.items():
        now = looked.get(name)
        if now is None:
            found.append(f"no flow writes to table {name} any more")
            continue
        made_by_run = {
            begun[route.name].target_identity
            for route in prepared.siblings
            if str(route.flow.table.ref) == name and route.name in begun
        }
        found += _of_table(name, before, now, made_by_run)
    return found


def _of_table(name: str, before: PlannedTable, now: Looked, made_by_run: set[str]) -> Sequence[str]:
    told = (now.spec.key, dict(now.spec.key_types), now.spec.ttl_attribute)
    if told != (before.key, dict(before.key_types), before.ttl_attribute) or (
        not before.made and dict(now.spec.indexes) != dict(before.indexes)
    ):
        return [f"greylag.yaml or the records describe table {name} otherwise"]
    if now.existing is None:
        return [f"table {name} was there and is gone"] if before.made else []
    if now.differences:
        return [f"table {name}: {each}" for each in now.differences]
    if before.made:
        if now.existing.identity != before.identity:
            return [f"table {name} is another one: the one that was planned was deleted"]
        if dict(now.existing.indexes) != dict(before.indexes):
            return [f"table {name} has other indexes"]
        return []
    if now.existing.identity in made_by_run:
        return []
    return [f"table {name} was to be created, and somebody else has made it"]
