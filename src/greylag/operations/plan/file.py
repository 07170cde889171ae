"""A plan in a file, and whether what it shows is still what a run would do. No secrets are in it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greylag.errors import ConfigurationError, StateError
from greylag.operations.belonging import identity
from greylag.operations.prepare import NOT_CREATED, prepare
from greylag.state.store import Identity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.operations.plan.plan import Plan
    from greylag.operations.prepare import Looked, Prepared
    from greylag.state.store import Store

SCHEMA = 1
"""Raised whenever a file means something else than before."""

MAKING = "tables being made"
"""The note in a state of which tables a planned run is about to make, until the flows that write them have a state."""

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
    """What a plan promises of a run. `beside` are flows that are not planned and write a planned table."""

    path: Path
    project: str
    environment: str
    processes: int
    partition_bytes: int
    page_bytes: int
    flows: Mapping[str, Identity]
    beside: Mapping[str, Identity]
    tables: Mapping[str, PlannedTable]
    offline: bool = False


def refuse_place(path: Path) -> None:
    """Raise ConfigurationError where `save` could not write, or would write over something that is no plan."""
    if path.is_file():
        try:
            mark = b'"greylag_plan"' in path.read_bytes()[:200]
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
        if not mark:
            raise ConfigurationError(
                f"{path} exists and is no plan: it is not written over", advice="Name another file for --out."
            )
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK):
        why = "permission denied" if place.exists() else f"there is no folder {place}"
        raise ConfigurationError(f"{path} cannot be written: {why}")


def save(plan: Plan, path: Path) -> None:
    """Write the plan. Raises ConfigurationError where the file cannot be written."""
    document = {
        "greylag_plan": SCHEMA,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "promises": {
            "flows": {flow.name: asdict(flow.identity) for flow in plan.flows},
            "beside": {name: asdict(identity) for name, identity in plan.beside.items()},
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
    except (ValueError, RecursionError):
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
        {name: Identity(**told) for name, told in promises["beside"].items()},
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


def prepare_planned(planned: PlanFile, project: Project, store: Store, *, restart: bool = False) -> Prepared:
    """The planned flows, prepared. Raises StateError before anything is written unless a run of them is what was
    planned. A table that the plan found missing may stand if this very run made it before it was interrupted: the
    state of its flows, or before they have one a note in `store`, says so.
    """
    begun = {each.flow: each.identity for each in store.flows()}
    known = {flow.name for flow in project.flows}
    gone = [name for name in planned.flows if name not in known and name.partition(".")[0] not in known]
    wrong = [*_of_project(planned, project), *(f"flow {name} is gone" for name in gone)]
    if not wrong:
        looked = prepare(project, exactly=planned.flows, look=True)
        making = store.noted(MAKING) or []
        wrong = [*_of_flows(planned, project, looked), *_of_tables(planned, looked, begun, making)]
    if wrong:
        raise StateError(
            f"{planned.path} no longer fits: " + "; ".join(wrong), advice=_AGAIN.format(path=planned.path)
        )
    missing = [str(each.spec.ref) for each in looked.tables if each.existing is None]
    store.note(MAKING, [*making, *missing])
    return prepare(project, exactly=planned.flows, create=True, begun=() if restart else begun.keys())


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
    everything = {route.name: identity(route, project.environment) for route in prepared.siblings}
    now = {route.name: everything[route.name] for route in prepared.routes}
    found = [f"flow {name} is gone" for name in sorted(planned.flows.keys() - now.keys())]
    for name, before in planned.flows.items():
        if name not in now:
            continue
        if before.mapping_digest != now[name].mapping_digest:
            found.append(f"the mapping of flow {name} has changed")
        if before.source_identity != now[name].source_identity:
            found.append(f"the source of flow {name} is another one, or a file has changed")
    beside = {name: each for name, each in everything.items() if name not in now}
    found += [
        f"flow {name}, which was not planned, now writes to a planned table, or no longer does"
        for name in sorted(beside.keys() ^ planned.beside.keys())
    ]
    for name in sorted(beside.keys() & planned.beside.keys()):
        one, other = beside[name], planned.beside[name]
        if (one.mapping_digest, one.source_identity) != (other.mapping_digest, other.source_identity):
            found.append(f"flow {name}, which writes to a planned table, has changed")
    return found


def _of_tables(
    planned: PlanFile, prepared: Prepared, begun: Mapping[str, Identity], making: Collection[str]
) -> list[str]:
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
        if now.existing is not None and name in making:
            made_by_run.add(now.existing.identity)
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
