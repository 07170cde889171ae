"""Checkpoints in one SQLite file, `state.sqlite`.

Guarantee: what `checkpoint` has returned for survives a kill of every process and a power cut; counts, cursor and
the length of the quarantine file are saved in one transaction, so a resumed run neither loses nor doubles any of
them. One process writes (see `locks`); any number may read at the same time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from greylag.core.progress import FlowProgress, Snapshot
from greylag.core.records import Partition
from greylag.errors import ResourceError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS flows (
    flow TEXT PRIMARY KEY,
    environment TEXT NOT NULL,
    mapping_digest TEXT NOT NULL,
    source_identity TEXT NOT NULL,
    target_identity TEXT NOT NULL,
    stage TEXT NOT NULL,
    planned INTEGER NOT NULL DEFAULT 0,
    records_estimate INTEGER,
    bytes_estimate INTEGER,
    quarantine_bytes INTEGER NOT NULL DEFAULT 0,
    started_at REAL NOT NULL,
    loaded_at REAL,
    seconds REAL NOT NULL DEFAULT 0,
    retried_records INTEGER NOT NULL DEFAULT 0,
    retried_items INTEGER NOT NULL DEFAULT 0,
    retrying INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS partitions (
    flow TEXT NOT NULL REFERENCES flows (flow) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    bounds TEXT NOT NULL,
    estimated_records INTEGER NOT NULL,
    estimated_bytes INTEGER NOT NULL,
    cursor TEXT,
    done INTEGER NOT NULL DEFAULT 0,
    records_read INTEGER NOT NULL DEFAULT 0,
    records_filtered INTEGER NOT NULL DEFAULT 0,
    items_written INTEGER NOT NULL DEFAULT 0,
    records_quarantined INTEGER NOT NULL DEFAULT 0,
    bytes_read INTEGER NOT NULL DEFAULT 0,
    bytes_written INTEGER NOT NULL DEFAULT 0,
    throttles INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (flow, ordinal)
) STRICT, WITHOUT ROWID;
"""

_BEGIN_ANEW = "Begin anew with `greylag run --restart`; writing a record again does no harm."


@dataclass(frozen=True, slots=True)
class Identity:
    """What a flow's state belongs to (law 12)."""

    environment: str
    mapping_digest: str
    source_identity: str
    target_identity: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What one checkpoint adds to its partition's counts."""

    records_read: int = 0
    records_filtered: int = 0
    items_written: int = 0
    records_quarantined: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    throttles: int = 0


@dataclass(frozen=True, slots=True)
class FlowState:
    """A flow's row: `stage` is "loading" or one of `core.progress.LOADED`; `planned` says whether every partition is
    known; `retrying` that a rewritten quarantine file counts and has yet to be put in place.
    """

    flow: str
    identity: Identity
    stage: str
    planned: bool
    records_estimate: int | None
    bytes_estimate: int | None
    quarantine_bytes: int
    started_at: float
    loaded_at: float | None
    seconds: float
    retrying: bool


_COUNTS = tuple(Counts.__dataclass_fields__)
_ADD = ", ".join(f"{name} = {name} + :{name}" for name in _COUNTS)
_SUMS = ", ".join(f"coalesce(sum(p.{name}), 0)" for name in _COUNTS)


class Store:
    """The state of one environment. Safe to use from several threads of one process."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._lock = threading.RLock()
        if read_only and not path.exists():
            raise StateError(f"there is no state at {path}", advice="`greylag run` starts one.")
        with self._translated():
            if read_only:
                self._db = sqlite3.connect(
                    f"file:{path}?mode=ro", uri=True, check_same_thread=False, timeout=30
                )
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._db = sqlite3.connect(path, check_same_thread=False, timeout=30)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.execute("PRAGMA foreign_keys=ON")
                self._db.executescript(_SCHEMA)
                with self._db:
                    self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (str(FORMAT),))
            self._check_format()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the last commit has already been made durable."""
        self._db.close()

    def _check_format(self) -> None:
        found = self._db.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
        if found is None or found[0] != str(FORMAT):
            raise StateError(
                f"{self.path} was written by another version of Greylag (format {found and found[0]}, not {FORMAT})",
                advice="Finish the run with the version that began it, or begin anew with `greylag run --restart`.",
            )

    def check(self) -> None:
        """Read the whole file. Raises StateError where it is damaged."""
        told = self._rows("PRAGMA quick_check(1)")
        if told != [("ok",)]:
            raise StateError(f"{self.path} is damaged: {told[0][0]}", advice=_BEGIN_ANEW)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error) or "disk I/O" in str(error):
                raise ResourceError(
                    f"cannot save state in {self.path}: {error}",
                    advice="Make room on that disk and run the command again: it goes on from the last checkpoint.",
                ) from error
            raise StateError(f"cannot use the state in {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StateError(
                f"{self.path} is damaged: {error}",
                advice=_BEGIN_ANEW,
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated(), self._db:
            yield self._db

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._translated():
            return self._db.execute(query, values).fetchall()

    def flow(self, name: str) -> FlowState | None:
        """The flow's state, None before its first run."""
        return next((each for each in self.flows() if each.flow == name), None)

    def flows(self) -> list[FlowState]:
        """Every flow that has state, in the order they first ran."""
        rows = self._rows(
            "SELECT flow, environment, mapping_digest, source_identity, target_identity, stage, planned,"
            " records_estimate, bytes_estimate, quarantine_bytes, started_at, loaded_at, seconds, retrying"
            " FROM flows ORDER BY rowid"
        )
        return [_flow_state(row) for row in rows]

    def begin(
        self,
        flow: str,
        identity: Identity,
        *,
        now: float,
        records_estimate: int | None,
        bytes_estimate: int | None = None,
    ) -> None:
        """Start the flow's state anew; whatever was there is gone."""
        with self._transaction() as db:
            db.execute("DELETE FROM flows WHERE flow = ?", (flow,))
            db.execute(
                "INSERT INTO flows (flow, environment, mapping_digest, source_identity, target_identity, stage,"
                " records_estimate, bytes_estimate, started_at) VALUES (?, ?, ?, ?, ?, 'loading', ?, ?, ?)",
                (flow, *asdict(identity).values(), records_estimate, bytes_estimate, now),
            )

    def forget(self, flow: str) -> None:
        """Remove the flow's state."""
        with self._transaction() as db:
            db.execute("DELETE FROM flows WHERE flow = ?", (flow,))

    def add_partition(self, flow: str, partition: Partition) -> None:
        """Record a planned partition; must be durable before the partition is read."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO partitions (flow, ordinal, dataset, bounds, estimated_records, estimated_bytes)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    flow,
                    partition.ordinal,
                    partition.dataset,
                    json.dumps(partition.bounds),
                    partition.estimated_records,
                    partition.estimated_bytes,
                ),
            )

    def planned(self, flow: str) -> None:
        """Record that every partition of the flow is known."""
        with self._transaction() as db:
            db.execute("UPDATE flows SET planned = 1 WHERE flow = ?", (flow,))

    def partitions(self, flow: str, *, unfinished: bool = False) -> list[tuple[Partition, str | None]]:
        """The flow's planned partitions with their cursors, in order."""
        rows = self._rows(
            "SELECT dataset, ordinal, bounds, estimated_records, estimated_bytes, cursor FROM partitions"
            " WHERE flow = ? AND done <= ? ORDER BY ordinal",
            (flow, 0 if unfinished else 1),
        )
        return [(Partition(row[0], row[1], json.loads(row[2]), row[3], row[4]), row[5]) for row in rows]

    def checkpoint(
        self, flow: str, ordinal: int, *, cursor: str, counts: Counts, quarantine_bytes: int, seconds: float
    ) -> None:
        """Save that everything up to `cursor` is acknowledged by the target (law 4)."""
        with self._transaction() as db:
            db.execute(
                f"UPDATE partitions SET cursor = :cursor, {_ADD} WHERE flow = :flow AND ordinal = :ordinal",  # noqa: S608
                {"cursor": cursor, "flow": flow, "ordinal": ordinal, **asdict(counts)},
            )
            db.execute(
                "UPDATE flows SET quarantine_bytes = ?, seconds = seconds + ? WHERE flow = ?",
                (quarantine_bytes, seconds, flow),
            )

    def partition_done(self, flow: str, ordinal: int) -> None:
        """Record that the partition is read and acknowledged to its end."""
        with self._transaction() as db:
            db.execute("UPDATE partitions SET done = 1 WHERE flow = ? AND ordinal = ?", (flow, ordinal))

    def complete(self, flow: str, *, now: float) -> None:
        """Record that the flow's full load is complete, if every partition is known and done."""
        with self._transaction() as db:
            db.execute(
                "UPDATE flows SET stage = 'loaded', loaded_at = ? WHERE flow = ? AND stage = 'loading' AND planned"
                " AND NOT EXISTS (SELECT 1 FROM partitions p WHERE p.flow = flows.flow AND NOT p.done)",
                (now, flow),
            )

    def enter(self, flow: str, stage: str) -> None:
        """Record that the flow, whose load is complete, is in another stage of following."""
        with self._transaction() as db:
            db.execute("UPDATE flows SET stage = ? WHERE flow = ? AND stage <> 'loading'", (stage, flow))

    def commit_retry(self, flow: str, *, quarantine_bytes: int, retried: int, items: int) -> None:
        """Record that `retried` records have left quarantine as `items` items, and that the rewritten quarantine
        file, `quarantine_bytes` long, is the one that counts. `retry_settled` follows once it is in place.
        """
        with self._transaction() as db:
            db.execute(
                "UPDATE flows SET quarantine_bytes = ?, retried_records = retried_records + ?, retried_items ="
                " retried_items + ?, retrying = 1 WHERE flow = ?",
                (quarantine_bytes, retried, items, flow),
            )

    def retry_settled(self, flow: str) -> None:
        """Record that the rewritten quarantine file is in place."""
        with self._transaction() as db:
            db.execute("UPDATE flows SET retrying = 0 WHERE flow = ?", (flow,))

    def progress(self) -> list[FlowProgress]:
        """Every flow's counts as last checkpointed."""
        rows = self._rows(
            f"SELECT f.flow, f.stage, {_SUMS}, f.retried_records, f.retried_items,"  # noqa: S608
            " f.records_estimate, f.bytes_estimate,"
            " coalesce(sum(p.done), 0), count(p.ordinal), f.planned"
            " FROM flows f LEFT JOIN partitions p ON p.flow = f.flow GROUP BY f.flow ORDER BY f.rowid"
        )
        return [_progress(row) for row in rows]

    def note(self, name: str, value: object) -> None:
        """Keep a small JSON value under `name`."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (f"note.{name}", json.dumps(value)))

    def noted(self, name: str) -> Any:
        """The value kept under `name`, None if there is none."""
        rows = self._rows("SELECT value FROM meta WHERE name = ?", (f"note.{name}",))
        return json.loads(rows[0][0]) if rows else None

    def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep the newest snapshot for `status`."""
        self.note("snapshot", asdict(snapshot))


def _progress(row: tuple[Any, ...]) -> FlowProgress:
    flow, stage, *rest = row
    counts = dict(zip(_COUNTS, rest, strict=False))
    retried_records, retried_items, estimate, bytes_estimate, done, partitions, planned = rest[len(_COUNTS) :]
    counts["records_quarantined"] -= retried_records
    counts["items_written"] += retried_items
    return FlowProgress(
        flow,
        stage,
        **counts,
        records_estimate=estimate,
        bytes_estimate=bytes_estimate,
        partitions_done=done,
        partitions_planned=partitions,
        planning=stage == "loading" and not planned,
    )


def _flow_state(row: tuple[Any, ...]) -> FlowState:
    (
        flow,
        environment,
        mapping,
        source,
        target,
        stage,
        planned,
        estimate,
        bytes_estimate,
        quarantine,
        started,
        loaded,
        seconds,
        retrying,
    ) = row
    return FlowState(
        flow=flow,
        identity=Identity(environment, mapping, source, target),
        stage=stage,
        planned=bool(planned),
        records_estimate=estimate,
        bytes_estimate=bytes_estimate,
        quarantine_bytes=quarantine,
        started_at=started,
        loaded_at=loaded,
        seconds=seconds,
        retrying=bool(retrying),
    )
