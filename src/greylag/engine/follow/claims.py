"""What the load's workers note of the keys they write, for the index that apply needs.

Each worker has a file of its own (SQLite). A page's claims are durable before any of its items is written: if the
worker dies then, and the record has another key by the time its page is read again, the item under the first key is
known still, and goes when the record's change is applied. Before apply begins all files go over into the index.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.core.records import Record, Refused, Rejection, Undecoded
from greylag.engine.disk import writing
from greylag.engine.follow.carrier import tells_keys
from greylag.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.ports import ChangeFeed
    from greylag.core.records import Encoded, Page
    from greylag.engine.follow.stream import Stream
    from greylag.engine.lane import Lane

_SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    flow TEXT, id BLOB, key BLOB, place TEXT NOT NULL, erase BLOB NOT NULL, body BLOB, size_bytes INTEGER,
    contested INTEGER NOT NULL, PRIMARY KEY (flow, id, key)
) STRICT, WITHOUT ROWID;
"""


class ClaimsFile:
    """One worker's file, made when first needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db: sqlite3.Connection | None = None

    def add(self, rows: Sequence[tuple[object, ...]]) -> None:
        """Note these; durable on return."""
        try:
            if self._db is None:
                with writing(self._folder):
                    self._folder.mkdir(parents=True, exist_ok=True)
                path = self._folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.sqlite"
                self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute("PRAGMA synchronous=FULL")
                self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN")
            self._db.executemany(
                "INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body ="
                " coalesce(excluded.body, body), size_bytes = coalesce(excluded.size_bytes, size_bytes)",
                rows,
            )
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise ResourceError(
                f"cannot save in {self._folder}: {error}",
                advice="Make room on that disk and run the command again: it goes on from the last checkpoint.",
            ) from error

    def close(self) -> None:
        """Close the file; what was added stays."""
        if self._db is not None:
            self._db.close()
            self._db = None


class Claiming:
    """Carries a lane's pages as `Lane.carry_all` does, noting the keys before any item leaves. `contested`: other
    records could have them too; known of a route that has its colliding keys.
    """

    def __init__(
        self, lane: Lane, feed: ChangeFeed, file: ClaimsFile, *, contested: bool | None = None
    ) -> None:
        self._lane = lane
        self._feed = feed
        self._file = file
        self._contested = lane.route.colliding is not None if contested is None else contested
        self.needed = self._contested or not tells_keys(lane, feed)

    def note(self, made: Iterable[tuple[Record | Undecoded, Sequence[bytes]]]) -> None:
        """Note the keys of items (their bodies) that are going to be written for these records; durable on return."""
        rows = [
            (*self._named(record), *self._key(body), None, None, self._contested)
            for record, bodies in made
            for body in bodies
        ]
        if rows:
            self._file.add(rows)

    def carry_all(self, page: Page) -> Iterator[tuple[Record | Undecoded, list[Encoded] | Rejection]]:
        """A page's records beside their items, their claims durable before the first is yielded."""
        carried = list(self._lane.carry_all(page))
        rows = [row for record, outcome in carried for row in self._claims(record, outcome)]
        if rows:
            self._file.add(rows)
        yield from carried

    def _claims(
        self, record: Record | Undecoded, outcome: list[Encoded] | Rejection
    ) -> Iterator[tuple[object, ...]]:
        unwritten = isinstance(outcome, Rejection)
        items: list[Encoded] = []
        if isinstance(outcome, Rejection):
            items = self._refused(record) if self._contested and outcome.original else []
        else:
            items = outcome
        if not items:
            return
        named = self._named(record)
        for each in items:
            body = (each.body, each.size_bytes) if unwritten else (None, None)
            yield *named, *self._key(each.body), *body, self._contested

    def _named(self, record: Record | Undecoded) -> tuple[str, bytes]:
        return self._lane.route.name, self._feed.id_of(self._lane.route.dataset.dataset, _whole(record))

    def _key(self, body: bytes) -> tuple[bytes, str, bytes]:
        erased = self._lane.codec.erased(body)
        return erased.key, str(self._lane.route.flow.table.ref), erased.body

    def _refused(self, record: Record | Undecoded) -> list[Encoded]:
        """The items of a record whose keys others have too; none where that is not why it was refused."""
        whole = _whole(record)
        codec = self._lane.codec
        try:
            items = [codec.encode(item) for item in self._lane.items(whole)]
        except Refused:
            return []
        return items if len({each.key for each in items}) == len(items) else []


@dataclass(frozen=True, slots=True)
class Noting:
    """Which flows are followed, so that whoever writes their items notes the keys. Picklable."""

    streams: tuple[Stream, ...] = ()
    contested: frozenset[str] | None = None

    def open(self) -> Notes:
        """For one process."""
        return Notes(self)


class Notes:
    """What one process notes: a file for each stream."""

    def __init__(self, noting: Noting) -> None:
        self._streams = {route.name: stream for stream in noting.streams for route in stream.routes}
        self._contested = noting.contested
        self._files: dict[str, ClaimsFile] = {}
        self._claiming: dict[str, Claiming | None] = {}

    def of(self, lane: Lane) -> Claiming | None:
        """Where the lane's flow is followed and its keys have to be noted."""
        name = lane.route.name
        if name not in self._streams:
            return None
        if name not in self._claiming:
            stream = self._streams[name]
            file = self._files.setdefault(stream.name, ClaimsFile(stream.claims))
            contested = None if self._contested is None else name in self._contested
            made = Claiming(lane, stream.feed(lane.source), file, contested=contested)
            self._claiming[name] = made if made.needed else None
        return self._claiming[name]

    def close(self) -> None:
        """Close the files; what was noted stays."""
        for file in self._files.values():
            file.close()


def _whole(record: Record | Undecoded) -> Record:
    if isinstance(record, Record):
        return record
    try:
        return record.record()
    except Refused:  # it is carried as it is, of whatever types
        return Record(record.id, {})
