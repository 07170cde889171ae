"""The change stream of kind `memory`: a log beside the records, written by the triggers of their file.

A position is the number of the last change that was read. The log is kept until `forget` cuts it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.pace import Pace
from greylag.core import extended_json
from greylag.core.change import ChangeBatch, DatasetEvent, History, RawChange
from greylag.core.records import Record
from greylag.errors import PositionLost

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from greylag.core.paths import Path
    from greylag.core.records import Rejection
    from greylag.core.values import Value

FORM: Final = "memory"
_BATCH_CHANGES: Final = 500
_POLL_SECONDS: Final = 0.02
_IDLE_SECONDS: Final = 1.0
_NOW: Final = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"

SCHEMA: Final = f"""
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, kind TEXT NOT NULL, place INTEGER NOT NULL,
    fields BLOB, written_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS changes_cut (number INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE TRIGGER IF NOT EXISTS record_inserted AFTER INSERT ON records BEGIN
    INSERT INTO changes (dataset, kind, place, fields, written_ms)
    SELECT name, 'put', NEW.place, NEW.fields, {_NOW} FROM datasets WHERE serial = NEW.dataset;
END;
CREATE TRIGGER IF NOT EXISTS record_updated AFTER UPDATE ON records BEGIN
    INSERT INTO changes (dataset, kind, place, fields, written_ms)
    SELECT name, 'put', NEW.place, NEW.fields, {_NOW} FROM datasets WHERE serial = NEW.dataset;
END;
CREATE TRIGGER IF NOT EXISTS record_deleted AFTER DELETE ON records BEGIN
    INSERT INTO changes (dataset, kind, place, fields, written_ms)
    SELECT name, 'deleted', OLD.place, OLD.fields, {_NOW} FROM datasets WHERE serial = OLD.dataset;
END;
CREATE TRIGGER IF NOT EXISTS dataset_dropped BEFORE DELETE ON datasets BEGIN
    INSERT INTO changes (dataset, kind, place, fields, written_ms) VALUES (OLD.name, 'dropped', 0, NULL, {_NOW});
END;
"""  # noqa: S608 - no value in it


class MemoryFeed:
    """See `ports.ChangeFeed`. Ids are extended JSON; a document is its place, a line's end, and its fields."""

    form = FORM

    def __init__(
        self,
        datasets: Sequence[str],
        *,
        open_file: Callable[[], sqlite3.Connection],
        translated: Callable[[], AbstractContextManager[None]],
        decode: Callable[[int, bytes], Record | Rejection],
        by_place: bool,
    ) -> None:
        self._datasets = frozenset(datasets)
        self._open = open_file
        self._translated = translated
        self._decode = decode
        self._by_place = by_place
        self._db: sqlite3.Connection | None = None
        self._bytes = Pace()
        self._seen = -1

    def position(self) -> str:
        """See `ports.ChangeFeed.position`."""
        return str(self._last())

    def read(self, position: str) -> Iterator[ChangeBatch]:
        """See `ports.ChangeFeed.read`."""
        after = int(position)
        self._seen = -1
        given = time.monotonic()
        while True:
            clock_ms = time.time_ns() // 1_000_000
            last = self._last()
            rows = self._rows(
                "SELECT number, dataset, kind, place, fields, written_ms FROM changes WHERE number > ? AND"
                " number <= ? ORDER BY number LIMIT ?",
                (after, last, _BATCH_CHANGES),
            )
            if after < self._cut()[0]:  # asked after the rows, which are then all there were
                raise PositionLost(
                    f"the log of changes no longer reaches back to number {after}",
                    advice="`greylag run --follow --reload FLOW` loads the flow's dataset again from a new position.",
                )
            if not rows and time.monotonic() - given < _IDLE_SECONDS:
                time.sleep(_POLL_SECONDS)
                continue
            after = rows[-1][0] if len(rows) == _BATCH_CHANGES else last
            given = time.monotonic()
            batch = self._batch(rows, after, clock_ms if after == last else None)
            self._bytes.spend(sum(len(each.document or b"") for each in batch.changes))
            self._seen = int(batch.position)
            yield batch
            if batch.event is not None:
                return

    def mark(self) -> str:
        """See `ports.ChangeFeed.mark`. Nothing is written."""
        return self.position()

    def passed(self, mark: str) -> bool:
        """See `ports.ChangeFeed.passed`."""
        return self._seen >= int(mark)

    def id_of(self, dataset: str, record: Record) -> bytes:  # noqa: ARG002 - alike for all
        """See `ports.ChangeFeed.id_of`."""
        return _id(record.id)

    def known_fields(self, dataset: str) -> frozenset[Path]:  # noqa: ARG002
        """See `ports.ChangeFeed.known_fields`."""
        return frozenset({("@row",) if self._by_place else ("_id",)})

    def known(self, dataset: str, id: bytes) -> Record:  # noqa: A002, ARG002
        """See `ports.ChangeFeed.known`."""
        value = extended_json.loads(id.decode("utf-8", "surrogatepass"))
        return Record(value, {} if self._by_place else {"_id": value})

    def decode(self, change: RawChange) -> Record | Rejection:
        """See `ports.ChangeFeed.decode`."""
        assert change.document is not None
        place, _, fields = change.document.partition(b"\n")
        return self._decode(int(place), fields)

    def history(self, position: str) -> History:
        """See `ports.ChangeFeed.history`."""
        begun = self._rows("SELECT written_ms FROM changes ORDER BY number LIMIT 1")
        oldest = max(begun[0][0] if begun else 0, self._cut()[1])
        if not oldest:
            return History(None, None)
        kept = max(0.0, time.time() - oldest / 1000)
        following = self._rows(
            "SELECT written_ms FROM changes WHERE number > ? ORDER BY number LIMIT 1", (int(position),)
        )
        return History(kept, min(kept, max(0.0, (following[0][0] - oldest) / 1000)) if following else kept)

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.ChangeFeed.limit`."""
        self._bytes.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.ChangeFeed.close`."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _batch(self, rows: list[tuple[Any, ...]], after: int, clock_ms: int | None) -> ChangeBatch:
        changes: list[RawChange] = []
        for number, dataset, kind, place, fields, written_ms in rows:
            if dataset not in self._datasets:
                continue
            if kind == "dropped":
                event = DatasetEvent(dataset, kind, "the dataset was deleted or put anew as a whole")
                return ChangeBatch(changes, str(number), clock_ms, event)
            found = self._decode(place, fields)
            document = None if kind == "deleted" else b"%d\n%b" % (place, fields)
            changes.append(RawChange(dataset, _id(found.id), document, written_ms))
        return ChangeBatch(changes, str(after), clock_ms)

    def _last(self) -> int:
        return int(
            self._rows("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'changes'")[0][0]
        )

    def _cut(self) -> tuple[int, int]:
        """The number before which nothing is left, and when it was cut."""
        number, at_ms = self._rows(
            "SELECT coalesce(max(number), 0), coalesce(max(at_ms), 0) FROM changes_cut"
        )[0]
        return number, at_ms

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._translated():
            if self._db is None:
                self._db = self._open()
            return self._db.execute(query, values).fetchall()


def forget(db: sqlite3.Connection) -> None:
    """Delete every change that is in the log."""
    db.execute(
        f"INSERT INTO changes_cut SELECT coalesce(max(seq), 0), {_NOW} FROM sqlite_sequence"  # noqa: S608
        " WHERE name = 'changes'"
    )
    db.execute("DELETE FROM changes")


def _id(value: Value) -> bytes:
    return extended_json.dumps(_sorted(value)).encode("utf-8", "surrogatepass")


def _sorted(value: Value) -> Value:
    """Ids are alike whatever the order of a document's fields."""
    if isinstance(value, dict):
        return dict(sorted((name, _sorted(each)) for name, each in value.items()))
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value
