"""What one stream's apply keeps on disk: how far it is, what it intends, what has to wait, and what is stale.

One SQLite file, written by one process, the one that applies. Everything a window changes is one transaction with the
position after it. Others read it at any time (`Applied.look`). The index of keys (`index`) stands in the same file.
While items are taken away to be put again a file beside it says so: the window's transaction is open then.
"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from greylag.core.records import Encoded, Erased
from greylag.engine.disk import write_whole
from greylag.engine.follow.index import SCHEMA as INDEX_SCHEMA
from greylag.engine.follow.lag import LagFigures
from greylag.engine.follow.rejoined import SCHEMA as FAMILY_SCHEMA
from greylag.engine.quarantine import key_text, line
from greylag.errors import ResourceError, StateError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.records import Rejection

_SCHEMA = (
    INDEX_SCHEMA
    + FAMILY_SCHEMA
    + """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS held (place TEXT, key BLOB, PRIMARY KEY (place, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
    place TEXT, key BLOB, body BLOB NOT NULL, size_bytes INTEGER, ordinal INTEGER NOT NULL, flow TEXT NOT NULL,
    id BLOB NOT NULL, PRIMARY KEY (place, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stale (
    flow TEXT, id BLOB, kind TEXT NOT NULL, entry TEXT NOT NULL, ordinal INTEGER NOT NULL, since REAL NOT NULL,
    loaded INTEGER NOT NULL, PRIMARY KEY (flow, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settled (flow TEXT, key TEXT, PRIMARY KEY (flow, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS barriers (name TEXT PRIMARY KEY, ordinal INTEGER NOT NULL, passed REAL) STRICT;
"""
)

BEGIN_ANEW = (
    "`greylag run --follow --reload FLOW` loads the datasets again from a new position, and takes what is gone at the "
    "source from the target."
)


MOST_DUE = 5000
"""How many states that waited are taken up at once."""
BEHIND_NO_BARRIER = 2**62
"""The ordinal of states that a unique index keeps out: no barrier waits for them, they are stale."""


class Waiting(NamedTuple):
    """The newest state of a key whose earlier write may still land. `ordinal`: of the first change that waits."""

    place: str
    item: Encoded | Erased
    ordinal: int
    flow: str
    id: bytes


class Stale(NamedTuple):
    """A record that could not be carried while following: what the target holds of it, if anything, is an earlier one.
    `kind` is "refused", "collision", "duplicate" or, behind a fence, "late". `loaded`: it was the load that could
    not carry it. `key` names the record as quarantine does.
    """

    flow: str
    id: bytes
    kind: str
    entry: dict[str, Any]
    ordinal: int
    since: float
    loaded: bool


@dataclass(frozen=True, slots=True)
class ApplyProgress:
    """How far apply is. `ordinal`: of the spool's next entry; everything before is applied, but for `waiting` keys.

    `changes` counts those applied, `put` and `deleted` the items; `windows` how many at once they were. `stale` counts
    records not carried while following, accepted or not; `held` keys of writes with an unknown outcome. `clock_ms`
    is the source's time up to which everything is applied, where the stream tells; `at` when this was saved.
    """

    ordinal: int
    changes: int
    put: int
    deleted: int
    windows: int
    waiting: int
    held: int
    stale: int
    unknown: int
    lag: LagFigures
    clock_ms: int | None
    at: float


class Applied:
    """The file of one stream. For the process that applies, or with `read_only` for any other."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._away = path.with_name(f"{path.name}-away")
        with self._translated():
            if read_only:
                self.db = sqlite3.connect(
                    f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30, isolation_level=None
                )
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                self.db = sqlite3.connect(path, timeout=30, isolation_level=None)
                self.db.execute("PRAGMA journal_mode=WAL")
                self.db.execute("PRAGMA synchronous=FULL")
                self.db.execute("PRAGMA cache_size=-65536")
                self.db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is durable at its end, or none of it happened."""
        with self._translated():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "full" in str(error) or "disk I/O" in str(error):
                raise ResourceError(
                    f"cannot save in {self.path}: {error}",
                    advice="Make room on that disk and run the command again: it goes on where it was.",
                ) from error
            raise StateError(f"cannot use {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StateError(f"{self.path} is damaged: {error}", advice=BEGIN_ANEW) from error

    def noted(self, name: str) -> Any:
        """A small value kept under `name`, None if there is none."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def note(self, name: str, value: object) -> None:
        """Keep a small JSON value."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    # Items that are taken away before they are put.

    @property
    def took_away(self) -> bool:
        """Whether deletes that no state of the open window is may have been on their way at a crash."""
        return self._away.exists()

    def take_away(self) -> None:
        """Such deletes come now. Durable at once; raises ResourceError."""
        write_whole(self._away, b"")

    def put_back(self) -> None:
        """The window that took something away is durable."""
        self._away.unlink(missing_ok=True)

    # Keys that are held, and the states that wait for them.

    def held(self) -> list[tuple[str, bytes]]:
        """Keys whose write may still land."""
        return self.db.execute("SELECT place, key FROM held").fetchall()

    def hold(self, keys: Iterable[tuple[str, bytes]]) -> None:
        """Keep later states of these keys back, until `release`."""
        self.db.executemany("INSERT OR IGNORE INTO held VALUES (?, ?)", keys)

    def release(self, keys: Iterable[tuple[str, bytes]]) -> None:
        """Hold them no longer."""
        self.db.executemany("DELETE FROM held WHERE place = ? AND key = ?", keys)

    def wait(self, states: Iterable[Waiting]) -> None:
        """Keep states for later. A later one of a key takes an earlier one's place, with the lesser of the ordinals."""
        self.db.executemany(
            "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body,"
            " size_bytes = excluded.size_bytes, flow = excluded.flow, id = excluded.id,"
            " ordinal = min(ordinal, excluded.ordinal)",
            (
                (
                    each.place,
                    each.item.key,
                    each.item.body,
                    each.item.size_bytes if isinstance(each.item, Encoded) else None,
                    each.ordinal,
                    each.flow,
                    each.id,
                )
                for each in states
            ),
        )

    def due(self) -> list[Waiting]:
        """The states that wait for keys no longer held."""
        rows = self.db.execute(
            "SELECT place, key, body, size_bytes, ordinal, flow, id FROM waiting w WHERE NOT EXISTS"
            " (SELECT 1 FROM held h WHERE h.place = w.place AND h.key = w.key) ORDER BY ordinal, place, key LIMIT ?",
            (MOST_DUE,),
        )
        return [
            Waiting(
                place,
                Erased(key, body) if size is None else Encoded(key, body, size),
                ordinal,
                flow,
                id_,
            )
            for place, key, body, size, ordinal, flow, id_ in rows
        ]

    def waiting_before_barriers(self) -> int:
        """How many states a barrier waits for: all but those that a unique index keeps out."""
        return self.count("waiting", f"ordinal < {BEHIND_NO_BARRIER}")

    def waited(self, keys: Iterable[tuple[str, bytes]]) -> None:
        """What waited for these keys is written, or a newer state is."""
        self.db.executemany("DELETE FROM waiting WHERE place = ? AND key = ?", keys)

    def count(self, table: str, where: str = "1") -> int:
        """Rows of a table of this file."""
        return int(self.db.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0])  # noqa: S608

    # Stale records.

    def spoil(
        self,
        flow: str,
        id: bytes,  # noqa: A002 - it is one
        kind: str,
        rejection: Rejection,
        ordinal: int,
        *,
        loaded: bool = False,
        tried_again: bool = False,
    ) -> None:
        """The record cannot be carried as it is now. One that the load could not carry stays one of the load's; one
        whose state was only `tried_again` stays of the change that it was of.
        """
        entry = line(flow, rejection).decode()
        self.db.execute(
            "INSERT INTO stale VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET kind = excluded.kind,"
            " entry = excluded.entry, ordinal = CASE WHEN loaded OR ? THEN ordinal ELSE excluded.ordinal END",
            (flow, id, kind, entry, ordinal, time.time(), loaded, tried_again),
        )

    def mend(self, records: Iterable[tuple[str, bytes]], *, kind: str | None = None) -> None:
        """These records are carried, or gone. With `kind`, only what is stale for that reason. What a unique index
        keeps out stays stale while a state of the record waits.
        """
        for flow, id_ in records:
            row = self.db.execute(
                "SELECT loaded, entry, kind FROM stale WHERE flow = ? AND id = ?", (flow, id_)
            ).fetchone()
            if (
                row is None
                or kind not in (None, row[2])
                or (row[2] == "duplicate" and self._waits(flow, id_))
            ):
                continue
            self.db.execute("DELETE FROM stale WHERE flow = ? AND id = ?", (flow, id_))
            if row[0]:
                key = key_text(json.loads(row[1])["key"])
                self.db.execute("INSERT OR IGNORE INTO settled VALUES (?, ?)", (flow, key))

    def renew(self, records: Iterable[tuple[str, bytes]], ordinal: int) -> None:
        """What a unique index keeps out of these records is of a newer change now, not yet tried."""
        self.db.executemany(
            "UPDATE stale SET ordinal = ? WHERE flow = ? AND id = ? AND kind = 'duplicate' AND NOT loaded",
            [(ordinal, *each) for each in records],
        )

    def _waits(self, flow: str, id_: bytes) -> bool:
        found = self.db.execute("SELECT 1 FROM waiting WHERE flow = ? AND id = ? LIMIT 1", (flow, id_))
        return found.fetchone() is not None

    def retried(self, flow: str, left: Collection[str]) -> None:
        """The load's refused records are carried now, or gone, but for those in `left` (`key_text` of each)."""
        rows = self.db.execute("SELECT id, entry FROM stale WHERE flow = ? AND loaded", (flow,)).fetchall()
        gone = [id_ for id_, entry in rows if key_text(json.loads(entry)["key"]) not in left]
        self.db.executemany("DELETE FROM stale WHERE flow = ? AND id = ?", [(flow, id_) for id_ in gone])

    def stale(self) -> Iterator[Stale]:
        """The records that could not be carried while following."""
        rows = self.db.execute(
            "SELECT flow, id, kind, entry, ordinal, since FROM stale WHERE NOT loaded ORDER BY since, flow, id"
        )
        for flow, id_, kind, entry, ordinal, since in rows:
            yield Stale(flow, id_, kind, json.loads(entry), ordinal, since, loaded=False)

    def settled(self, flow: str, key: object) -> bool:
        """Whether a record that the load put in quarantine has been carried since, or is gone. `key` as in its line."""
        found = self.db.execute("SELECT 1 FROM settled WHERE flow = ? AND key = ?", (flow, key_text(key)))
        return found.fetchone() is not None

    # Barriers.

    def reach(self, names: Sequence[str], ordinal: int) -> None:
        """Barriers that stand before `ordinal` in the spool."""
        self.db.executemany(
            "INSERT OR IGNORE INTO barriers VALUES (?, ?, NULL)", [(name, ordinal) for name in names]
        )

    def pass_barriers(self) -> None:
        """Those before which nothing waits have been passed. The thousand newest are kept."""
        self.db.execute(
            "UPDATE barriers SET passed = ? WHERE passed IS NULL AND ordinal <="
            " coalesce((SELECT min(ordinal) FROM waiting), ordinal)",
            (time.time(),),
        )

    def passed(self, barrier: str) -> bool:
        """Whether everything before the barrier has been applied."""
        row = self.db.execute("SELECT passed FROM barriers WHERE name = ?", (barrier,)).fetchone()
        return row is not None and row[0] is not None

    # Progress.

    def publish(self, progress: ApplyProgress) -> None:
        """For everyone who looks."""
        self.note("progress", asdict(progress))

    def progress(self) -> ApplyProgress | None:
        """As last published, None before the first window."""
        told = self.noted("progress")
        return None if told is None else ApplyProgress(**{**told, "lag": LagFigures(**told["lag"])})

    @classmethod
    @contextmanager
    def look(cls, path: Path) -> Iterator[Applied | None]:
        """The file, to read; None where apply has not begun."""
        if not path.exists():
            yield None
            return
        with closing(cls(path, read_only=True)) as applied:
            if applied.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'barriers'").fetchone() is None:
                yield None
            else:
                yield applied
