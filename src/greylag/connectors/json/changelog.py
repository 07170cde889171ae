"""What a feed of JSON files keeps in its scratch folder: an index of the records as last seen, and a log of changes.

One SQLite file. A new state of a file is compared with the index in one transaction, which appends what differs to
the log: so a feed that is killed has seen all of that state or nothing, and a stream begun again at an earlier
position is given the same changes again. A position is the number of the last change before it. The log is kept for
KEPT_SECONDS behind the stream.
"""

from __future__ import annotations

import mmap
import sqlite3
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from greylag.connectors.json.identity import AMBIGUOUS, ambiguous, digest_of, row_of, written
from greylag.core.records import Record
from greylag.errors import ResourceError, StateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.connectors.json.identity import Identity
    from greylag.core.records import Page, Rejection

KEPT_SECONDS: Final = 24 * 3600.0
BATCH_CHANGES: Final = 500
BATCH_BYTES: Final = 4 << 20
_TOGETHER: Final = 500
_SHOWN_ROWS: Final = 5

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS datasets (
    serial INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, identity TEXT NOT NULL, version TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS seen (
    place INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER NOT NULL, id BLOB NOT NULL, digest BLOB NOT NULL,
    UNIQUE (dataset, id)
) STRICT;
CREATE TABLE IF NOT EXISTS pending (
    place INTEGER PRIMARY KEY, id BLOB NOT NULL, before BLOB, rows TEXT NOT NULL, document BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, id BLOB NOT NULL, document BLOB,
    written_ms INTEGER NOT NULL, at REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS cut (number INTEGER NOT NULL) STRICT;
"""


class Moved(Exception):  # noqa: N818 - it is an answer, not a failure
    """A file that may only grow at its end changed before it; `row` is the first that did, from 0."""

    def __init__(self, row: int, *, gone: bool) -> None:
        super().__init__(row)
        self.row = row
        self.gone = gone


class Logged(NamedTuple):
    """A change as the log has it."""

    number: int
    dataset: str
    id: bytes
    document: bytes | None
    written_ms: int


class Changelog:
    """Used in one process; memory does not grow with the files (a bit for each record stands in a file)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "changes.sqlite"
        with _translated(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, timeout=60, isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "temp_store=FILE"):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def version(self, dataset: str, identity: Identity) -> str | None:
        """What `compare` was last given for the dataset; None where it was never seen, or told apart otherwise."""
        rows = self._rows("SELECT version, identity FROM datasets WHERE name = ?", (dataset,))
        return rows[0][0] if rows and rows[0][1] == str(identity) else None

    def settle(self, dataset: str, version: str) -> None:
        """The dataset's content is that of `version` too."""
        with self._transaction():
            self._db.execute("UPDATE datasets SET version = ? WHERE name = ?", (version, dataset))

    def compare(
        self, dataset: str, identity: Identity, pages: Iterable[Page], *, version: str, written_ms: int
    ) -> None:
        """Take what `pages` give as the dataset's content of now; what differs goes to the log, unless the dataset was
        never seen. Raises Moved, and what `pages` raise; then nothing is taken.
        """
        with self._transaction():
            self._db.execute("DELETE FROM pending")
            serial, known = self._begin(dataset, identity, version)
            (last,) = self._rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'seen'")[0]
            with _Marks(self._folder, last + 1) as marks:
                comparison = _Comparison(self._db, serial, identity, marks, last if known else None)
                for page in pages:
                    comparison.take(page)
                gone = comparison.gone() if known else iter(())
                if identity.rows:
                    for found in gone:
                        raise Moved(int(found[1]), gone=True)
                if known:
                    self._log(dataset, gone, written_ms)
            self._db.execute("DELETE FROM pending")

    def last(self) -> int:
        """The number of the last change."""
        return int(
            self._rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'")[0][0]
        )

    def first_kept(self) -> int:
        """The earliest position that the log still reaches back to."""
        return int(self._rows("SELECT coalesce(max(number), 0) FROM cut")[0][0])

    def after(self, number: int) -> Sequence[Logged]:
        """Some of the changes after `number`, in order; none where there are none."""
        found: list[Logged] = []
        size = 0
        with _translated(self._path):
            query = "SELECT number, dataset, id, document, written_ms FROM changes WHERE number > ? ORDER BY number"
            for row in self._db.execute(query, (number,)):
                found.append(Logged(*row))
                size += len(found[-1].document or b"")
                if len(found) == BATCH_CHANGES or size >= BATCH_BYTES:
                    break
        return found

    def forget(self, number: int, *, before: float) -> None:
        """Let go of changes up to `number` that were logged before this time (seconds since 1970)."""
        where = "number <= ? AND at < ?"
        with self._transaction():
            (last,) = self._rows(f"SELECT max(number) FROM changes WHERE {where}", (number, before))[0]  # noqa: S608
            if last is not None:
                self._db.execute("DELETE FROM cut")
                self._db.execute("INSERT INTO cut VALUES (?)", (last,))
                self._db.execute("DELETE FROM changes WHERE number <= ?", (last,))

    def _begin(self, dataset: str, identity: Identity, version: str) -> tuple[int, bool]:
        """The dataset's number, and whether there is something to compare with."""
        rows = self._rows("SELECT serial, identity FROM datasets WHERE name = ?", (dataset,))
        known = bool(rows) and rows[0][1] == str(identity)
        if rows and not known:
            self._db.execute("DELETE FROM seen WHERE dataset = ?", (rows[0][0],))
        self._db.execute(
            "INSERT INTO datasets (name, identity, version) VALUES (?, ?, ?) ON CONFLICT (name)"
            " DO UPDATE SET identity = excluded.identity, version = excluded.version",
            (dataset, str(identity), version),
        )
        return int(self._rows("SELECT serial FROM datasets WHERE name = ?", (dataset,))[0][0]), known

    def _log(self, dataset: str, gone: Iterator[tuple[int, bytes]], written_ms: int) -> None:
        """Deletes first: what has another identity now may have the key of what is gone."""
        add = "INSERT INTO changes (dataset, id, document, written_ms, at) VALUES (?, ?, ?, ?, ?)"
        now = time.time()
        for place, identity in gone:
            self._db.execute(add, (dataset, identity, None, written_ms, now))
            self._db.execute("DELETE FROM seen WHERE place = ?", (place,))
        found = self._db.execute(
            "SELECT p.id, p.rows, p.document FROM pending p JOIN seen s ON s.place = p.place"
            " WHERE p.before IS NULL OR p.before <> s.digest ORDER BY p.place"
        )
        for identity, rows, document in found:
            content = (
                document
                if document is not None
                else ambiguous([int(row) for row in rows.split(",")], dataset)
            )
            self._db.execute(add, (dataset, identity, content, written_ms, now))

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with _translated(self._path):
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


class _Comparison:
    """One pass over a dataset's content. `last`: the last place of the index before; None where nothing is compared."""

    def __init__(
        self, db: sqlite3.Connection, dataset: int, identity: Identity, marks: _Marks, last: int | None
    ) -> None:
        self._db = db
        self._dataset = dataset
        self._identity = identity
        self._marks = marks
        self._last = last

    def take(self, page: Page) -> None:
        """The next records of the file."""
        both: list[Record | Rejection] = [*page.records, *page.rejected]
        both.sort(key=row_of)
        for start in range(0, len(both), _TOGETHER):
            some = [(self._id(each), each) for each in both[start : start + _TOGETHER]]
            known = self._known([identity for identity, _ in some])
            for identity, each in some:
                self._take(identity, each, known)

    def gone(self) -> Iterator[tuple[int, bytes]]:
        """Place and id of those that were seen before and not now."""
        assert self._last is not None
        place = 0
        while True:
            rows = self._db.execute(
                "SELECT place, id FROM seen WHERE place > ? AND place <= ? AND dataset = ? ORDER BY place LIMIT ?",
                (place, self._last, self._dataset, _TOGETHER),
            ).fetchall()
            if not rows:
                return
            place = rows[-1][0]
            yield from (row for row in rows if not self._marks.holds(row[0]))

    def _take(self, identity: bytes, each: Record | Rejection, known: dict[bytes, tuple[int, bytes]]) -> None:
        digest, row = digest_of(each), str(row_of(each))
        before = known.get(identity)
        if before is None:
            place = self._insert(identity, digest)
            known[identity] = place, digest
            if self._last is not None:
                self._pend(place, identity, None, row, written(each))
            return
        place, digest_before = before
        if (self._last is None or place > self._last or self._marks.holds(place)) and not self._identity.rows:
            self._again(place, identity, digest_before, row)
            known[identity] = place, AMBIGUOUS
            return
        self._marks.add(place)
        if digest_before != digest:
            if self._identity.rows:
                raise Moved(int(row), gone=False)
            self._db.execute("UPDATE seen SET digest = ? WHERE place = ?", (digest, place))
            known[identity] = place, digest
            self._pend(place, identity, digest_before, row, written(each))

    def _again(self, place: int, identity: bytes, digest: bytes, row: str) -> None:
        """A second record of this identity, or a later one."""
        pending = self._db.execute(
            "SELECT before, rows, document FROM pending WHERE place = ?", (place,)
        ).fetchone()
        if pending is None and self._last is not None:
            self._pend(place, identity, digest, row, None)
        elif pending is not None and pending[1].count(",") < _SHOWN_ROWS - 1:
            rows = f"{pending[1]},{row}"
            self._db.execute("UPDATE pending SET rows = ?, document = NULL WHERE place = ?", (rows, place))
        self._db.execute("UPDATE seen SET digest = ? WHERE place = ?", (AMBIGUOUS, place))

    def _pend(
        self, place: int, identity: bytes, before: bytes | None, row: str, document: bytes | None
    ) -> None:
        self._db.execute(
            "INSERT INTO pending VALUES (?, ?, ?, ?, ?)", (place, identity, before, row, document)
        )

    def _insert(self, identity: bytes, digest: bytes) -> int:
        cursor = self._db.execute(
            "INSERT INTO seen (dataset, id, digest) VALUES (?, ?, ?)", (self._dataset, identity, digest)
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _known(self, identities: list[bytes]) -> dict[bytes, tuple[int, bytes]]:
        marks = ",".join("?" * len(identities))
        rows = self._db.execute(
            f"SELECT id, place, digest FROM seen WHERE dataset = ? AND id IN ({marks})",  # noqa: S608
            (self._dataset, *identities),
        )
        return {identity: (place, digest) for identity, place, digest in rows}

    def _id(self, each: Record | Rejection) -> bytes:
        return (
            self._identity.of_record(each) if isinstance(each, Record) else self._identity.of_rejection(each)
        )


class _Marks:
    """A bit for each place, in a file that has no name."""

    def __init__(self, folder: Path, places: int) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with this
        self._file.truncate(places // 8 + 1)
        self._map = mmap.mmap(self._file.fileno(), 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()
        self._file.close()

    def add(self, place: int) -> None:
        self._map[place >> 3] |= 1 << (place & 7)

    def holds(self, place: int) -> bool:
        return bool(self._map[place >> 3] & 1 << (place & 7))


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise ResourceError(
                f"cannot write {path}: {error}",
                advice="Make room on that disk and run the same command again.",
            ) from error
        raise StateError(f"cannot use {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StateError(
            f"{path} is damaged: {error}", advice="`greylag run --follow --reload FLOW` begins anew."
        ) from error
    except OSError as error:
        raise ResourceError(f"cannot use {path}: {error.strerror or error}") from error
