"""Restores the newest backup, or the latest point in time, into a scratch table, and removes that again."""

from __future__ import annotations

import secrets
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.dynamodb.connector import DynamoDBConnector
from greylag.connectors.dynamodb.session import Session
from greylag.errors import ConfigurationError, SchemaError
from greylag.operations.drill.log import Drill, kept_if_failed
from greylag.operations.recoverable import chosen, connectors, history, journals
from greylag.operations.restore import RestoreOptions, restore
from greylag.recovery.backups import chosen as backed_up
from greylag.recovery.backups import opened
from greylag.recovery.format import Digest, moment_of, now
from greylag.recovery.journal import Journal
from greylag.recovery.places import place_of
from greylag.recovery.settings import Settings
from greylag.recovery.stores import store_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.config import Project
    from greylag.core.flows import DatasetRef
    from greylag.core.ports import Connector
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.recovery.stores import Store

SCRATCH: Final = "greylag-drill-"
"""What the names of scratch tables begin with. Nothing else is ever removed."""

_LATEST: Final = "the latest restorable time"


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """What `greylag drill` was asked. `place` is empty for the newest backup that was made from here."""

    tables: tuple[str, ...] = ()
    place: str = ""


def drill_backup(
    project: Project,
    options: DrillOptions,
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> list[Drill]:
    """Restore each table of the newest backup into a scratch table beside it, compare it by digest, and remove it.

    Raises VerificationFailed where it is not what was backed up; the scratch table is removed all the same.
    """
    ends = connectors(project)
    place, manifest = opened(place_of(options.place or _newest(project), root=project.root))
    found: list[Drill] = []
    for table in backed_up(manifest, options.tables):
        connection = table.name.partition(".")[0]
        if connection not in ends:
            raise ConfigurationError(
                f"greylag.yaml has no connection {connection!r}, from which {table.name} was backed up",
                advice="Name the tables to drill.",
            )
        began, clock = datetime.now(UTC), time.monotonic()
        with (
            kept_if_failed(project, found, table.name, "backup", str(place)),
            _scratch(project, ends, connection, table.dataset) as name,
        ):
            report = restore(
                project,
                RestoreOptions(str(place), (table.name,), f"{connection}.{name}", verify=True),
                executor=executor,
                observe=observe,
            )
            seconds = time.monotonic() - clock
        found.append(
            Drill(
                table.name,
                "backup",
                now(),
                str(place),
                report.tables[0].records,
                seconds,
                (began - moment_of(table.consistency.from_time)).total_seconds(),
                verified=True,
                note="" if table.form != "file" else "verified part by part, as it was written",
            )
        )
    return found


def drill_point_in_time(
    project: Project, options: DrillOptions, *, patience_seconds: float | None = None
) -> list[Drill]:
    """Restore each DynamoDB table to its latest restorable time in a scratch table, compare it with the table as it
    stands, and remove it. Raises SchemaError where point-in-time recovery is off.
    """
    ends = connectors(project)
    refs = [
        ref
        for ref in chosen(project, options.tables, ends)
        if isinstance(ends[ref.connection], DynamoDBConnector)
    ]
    if not refs:
        raise ConfigurationError("no DynamoDB table is named", advice="Name a CONNECTION.TABLE.")
    found: list[Drill] = []
    for ref in refs:
        with kept_if_failed(project, found, str(ref), "point-in-time", _LATEST):
            found.append(_point_in_time(project, ends, ref, patience_seconds))
    return found


def _point_in_time(
    project: Project, ends: Mapping[str, Connector], ref: DatasetRef, patience_seconds: float | None
) -> Drill:
    connector = ends[ref.connection]
    assert isinstance(connector, DynamoDBConnector)
    with closing(Settings(Session(connector.name, connector.options))) as settings:
        settings.patience_seconds = patience_seconds or max(settings.patience_seconds, 4 * 3600.0)
        found = settings.read(ref.dataset)
        recovery = {} if found is None or found.recovery is None else found.recovery
        if not recovery.get("enabled"):
            raise SchemaError(
                f"{ref} has no point-in-time recovery",
                advice=f"`greylag restore --rewire --table {ref}` turns it on.",
            )
        began, clock = time.time(), time.monotonic()
        with _scratch(project, ends, ref.connection, ref.dataset) as name:
            with settings.asking(f"restoring {ref} to a point in time"):
                settings.client.restore_table_to_point_in_time(
                    SourceTableName=ref.dataset, TargetTableName=name, UseLatestRestorableTime=True
                )
            settings.wait_until(
                name,
                lambda told: told is not None and told["TableStatus"] == "ACTIVE",
                "is still being restored",
            )
            with closing(store_of(connector)) as store:
                records, digest = _counted(store, name)
                seconds = time.monotonic() - clock
                same = (records, digest) == _counted(store, ref.dataset)
    return Drill(
        str(ref),
        "point-in-time",
        now(),
        _LATEST,
        records,
        seconds,
        max(0.0, began - float(recovery.get("latest") or began)),
        verified=True if same else None,
        note="equal to the table as it stands"
        if same
        else "the table has changed since: nothing to compare with",
    )


def _counted(store: Store, dataset: str) -> tuple[int, str]:
    records, digest = 0, Digest()
    for piece in store.pieces(dataset, processes=1):
        for chunk in store.read(piece, None, chunk_bytes=1 << 20):
            records += len(chunk.records)
            digest.add(chunk.records)
    return records, digest.text()


def _newest(project: Project) -> str:
    found: list[dict[str, Any]] = list(history(project).lines())
    if not found:
        raise ConfigurationError(
            "no backup was made from this folder",
            advice="`--from PLACE` says where one is; `greylag backup` makes one.",
        )
    newest: str = max(found, key=lambda each: each["finished_at"])["place"]
    return newest


@contextmanager
def _scratch(project: Project, ends: Mapping[str, Connector], connection: str, dataset: str) -> Iterator[str]:
    """The name of a scratch table, noted before it can exist and removed at the end; what an earlier drill that was
    killed left behind is removed first.
    """
    notes = Journal(journals(project) / "scratch.jsonl")
    for line in list(notes.lines()):
        if line["connection"] in ends:
            _remove(ends[line["connection"]], line["dataset"])
    notes.forget()
    suffix = dataset[dataset.rindex(".") :] if dataset.endswith((".json", ".jsonl", ".gz")) else ""
    name = f"{SCRATCH}{secrets.token_hex(4)}{suffix}"
    notes.add({"connection": connection, "dataset": name})
    try:
        yield name
    finally:
        _remove(ends[connection], name)
        notes.forget()


def _remove(connector: Connector, dataset: str) -> None:
    assert dataset.startswith(SCRATCH)
    with closing(store_of(connector)) as store:
        store.remove(dataset)
