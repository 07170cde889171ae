"""One pass over the target before its changes are carried back: which record each item is. Then a deleted or moved item
is known by its key alone. With `compare` the pass also carries what differs from the old store, both ways.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from greylag.core.canonical import canonical
from greylag.core.change import RawChange
from greylag.core.records import Encoded, Erased, Record, Refused, Rejection
from greylag.engine.follow.index import Claim, Index, Written
from greylag.engine.follow.rejoined import Rejoined
from greylag.engine.lane import Lane
from greylag.operations.reverse.backstream import PRIMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.engine.follow.backward import Backward
    from greylag.operations.reverse.backstream import BackStream

Thing = TypeVar("Thing")

_CHUNK: Final = 5000

_SCHEMA: Final = """
CREATE TABLE items (flow TEXT, key BLOB, id BLOB NOT NULL, body BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    record BLOB NOT NULL, alike INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (flow, key)) STRICT, WITHOUT ROWID;
"""


def prime(stream: BackStream, *, compare: Path | None = None) -> tuple[int, int]:
    """Fill the index anew; how many records were put and deleted at the old store, where `compare`, a file that is made
    and removed, says that they are compared.
    """
    index = Index(stream.applied.db)
    with stream.applied.transaction():
        for each in stream.carriers:
            index.forget(each.flow)
            if isinstance(each, Rejoined):
                each.forget()
    if compare is None:
        _pass(stream, index, None)
        counts = 0, 0
    else:
        compare.unlink(missing_ok=True)
        with closing(sqlite3.connect(compare, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode=OFF")
            db.execute("PRAGMA synchronous=OFF")
            db.executescript(_SCHEMA)
            _pass(stream, index, db)
            counts = _carry_differences(stream, db)
        compare.unlink(missing_ok=True)
    with stream.applied.transaction():
        index.gathered()
        stream.applied.note(PRIMED, True)
    return counts


def _pass(stream: BackStream, index: Index, db: sqlite3.Connection | None) -> None:
    for table, carriers in stream.tables.items():
        for segment in stream.target.segments(table, count=1):
            for batch in stream.target.scan(segment):
                with stream.applied.transaction():
                    for carrier in carriers:
                        for body in (each.body for each in batch if carrier.owns(each.body)):
                            change = _change(stream, carrier, body)
                            if isinstance(carrier, Rejoined):
                                deque(carrier.note(change.id, change), maxlen=0)
                            else:
                                _claim(
                                    stream, index, db, carrier, id_=change.id, made=carrier.restored(change)
                                )
    for carrier in stream.carriers:
        if isinstance(carrier, Rejoined):
            for records in _chunks(carrier.records(), _CHUNK):
                with stream.applied.transaction():
                    for record in records:
                        _claim(stream, index, db, carrier, id_=record, made=carrier.whole(record))


def _change(stream: BackStream, carrier: Backward, body: bytes) -> RawChange:
    """The item as a change would give it."""
    key, table = carrier.key(body), carrier.route.table.name
    return RawChange(table, stream.feed.id_of(table, Record(key.get("_id"), key)), body, 0)


def _claim(
    stream: BackStream,
    index: Index,
    db: sqlite3.Connection | None,
    carrier: Backward,
    *,
    id_: bytes,
    made: tuple[Record, Encoded] | Rejection | None,
) -> None:
    """The record in the index, and to be compared; it is stale where it cannot be carried back."""
    if isinstance(made, Rejection):
        stream.applied.spoil(carrier.flow, id_, "refused", made, 0)
    elif made is not None:
        record, encoded = made
        index.claim(Claim(carrier.flow, id_, carrier.place, carrier.erased(encoded), contested=True))
        if db is not None:
            row = (carrier.flow, encoded.key, id_, encoded.body, encoded.size_bytes, canonical(record.fields))
            db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?, ?, ?, 0)", row)


def _carry_differences(stream: BackStream, db: sqlite3.Connection) -> tuple[int, int]:
    """Put what the old store lacks or has otherwise; delete what the target no longer has. A record that the forward
    mapping leaves out or refuses has never been at the target, and stays.
    """
    put = deleted = 0
    apply = stream.apply()
    for carrier in stream.carriers:
        others = [each.flow for each in stream.carriers if each.place == carrier.place and each != carrier]
        gone = (Written(carrier.place, each, "", b"") for each in _vanished(carrier, others, db))
        for some in _chunks(gone, _CHUNK):
            deleted += apply.write(some)[1]
        rows = db.execute(
            "SELECT key, body, size_bytes, id FROM items WHERE flow = ? AND NOT alike", (carrier.flow,)
        )
        found = (Written(carrier.place, Encoded(*row), carrier.flow, id_) for *row, id_ in rows)
        for some in _chunks(found, _CHUNK):
            put += apply.write(some)[0]
    return put, deleted


def _vanished(carrier: Backward, others: Sequence[str], db: sqlite3.Connection) -> Iterator[Erased]:
    """Records of the old store that the target has no item of, not even one of these other flows of their dataset.
    Those that are alike are noted in `db`.
    """
    with closing(Lane(carrier.route)) as lane:
        source = lane.source
        for partition in source.partitions(carrier.route.dataset.dataset, partition_bytes=64 << 20):
            for page in source.read(partition, None, page_bytes=1 << 20):
                for record in carrier.with_ids(page.records):
                    try:
                        encoded = carrier.encode(record)
                    except Refused:
                        continue
                    found = db.execute(
                        "SELECT record FROM items WHERE flow = ? AND key = ?", (carrier.flow, encoded.key)
                    ).fetchone()
                    if found is None:
                        if _is_carried(lane, record) and not _is_anothers(others, encoded.key, db):
                            yield carrier.erased(encoded)
                    elif found[0] == canonical(record.fields):
                        db.execute(
                            "UPDATE items SET alike = 1 WHERE flow = ? AND key = ?",
                            (carrier.flow, encoded.key),
                        )


def _is_anothers(others: Sequence[str], key: bytes, db: sqlite3.Connection) -> bool:
    return any(
        db.execute("SELECT 1 FROM items WHERE flow = ? AND key = ?", (other, key)).fetchone()
        for other in others
    )


def _is_carried(lane: Lane, record: Record) -> bool:
    try:
        return bool(lane.encode(record))
    except Refused:
        return False


def _chunks(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """`things`, so many at a time."""
    waiting = iter(things)
    while some := list(islice(waiting, size)):
        yield some
