"""The index from a source's ids to the keys their records have at the target, and back.

For flows where a change's id does not tell the keys of its record (other fields in the key, `where`, `split`,
`python`), and for those where two records may claim one key. It answers deletes, moves, vanished children and records
that leave `where`, with no earlier state of a record at hand.

A row says that a record claims a key. Where keys are contested, what the target holds is decided by all who claim the
key once the whole window is known: nobody, and the item goes; one, and it is that one's; several, and nothing is
written until only one is left, whose newest state is kept here meanwhile (`body`). A claim that is `stale` is one of a
record that cannot be carried now: it tells what the target still holds, and gives way to any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from greylag.core.records import Encoded, Erased

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from greylag.engine.follow.carrier import Carrier

SCHEMA = """
CREATE TABLE IF NOT EXISTS claims (
    flow TEXT, id BLOB, key BLOB, place TEXT NOT NULL, erase BLOB NOT NULL, body BLOB, size_bytes INTEGER,
    contested INTEGER NOT NULL, stale INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (flow, id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_of_key ON claims (place, key) WHERE contested;
"""

_UNSURE = b""
"""In place of a body: the target holds this claimant's item or another's."""


class Claim(NamedTuple):
    """A record claims a key. `body`: its item, where that has not been written because others claim the key too."""

    flow: str
    id: bytes
    place: str
    erased: Erased
    contested: bool
    unwritten: Encoded | None = None


class Written(NamedTuple):
    """What is to be written for a key, and the record it is of."""

    place: str
    item: Encoded | Erased
    flow: str
    id: bytes


class Outcome(NamedTuple):
    """What a window comes to: what to write, at most once a key; records whose keys others claim too, each with those
    others; records that had such keys and have none now; and of these the ones of which nobody knows whether the target
    has them or the one they shared with.
    """

    writes: list[Written]
    colliding: dict[tuple[str, bytes], list[tuple[str, bytes]]]
    single: set[tuple[str, bytes]]
    unsure: set[tuple[str, bytes]]


class Index:
    """The rows in an open SQLite file. Every call belongs in a transaction of the caller's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._touched: dict[tuple[str, bytes], Erased] = {}
        self._fresh: dict[tuple[str, bytes, bytes], Encoded] = {}
        self._writes: list[Written] = []

    def set(self, carrier: Carrier, id: bytes, items: Sequence[Encoded]) -> None:  # noqa: A002
        """The record has these items now, each of a key of its own; none: it is gone, or left out by `where`."""
        flow, place = carrier.flow, carrier.place
        before = dict(
            self._db.execute("SELECT key, erase FROM claims WHERE flow = ? AND id = ?", (flow, id)).fetchall()
        )
        now = {each.key for each in items}
        gone = [(key, erase) for key, erase in before.items() if key not in now]
        if gone:
            self._db.executemany(
                "DELETE FROM claims WHERE flow = ? AND id = ? AND key = ?",
                [(flow, id, key) for key, _ in gone],
            )
        for key, erase in gone:
            if carrier.contested:
                self._touched.setdefault((place, key), Erased(key, erase))
            else:
                self._writes.append(Written(place, Erased(key, erase), flow, id))
        for each in items:
            if each.key not in before:
                self.claim(Claim(flow, id, place, carrier.erased(each), carrier.contested))
            if carrier.contested:
                self._fresh[flow, id, each.key] = each
                erase = before.get(each.key)
                self._touched.setdefault(
                    (place, each.key), carrier.erased(each) if erase is None else Erased(each.key, erase)
                )
            else:
                self._writes.append(Written(place, each, flow, id))
        if carrier.contested and before:
            self._db.execute("UPDATE claims SET stale = 0 WHERE flow = ? AND id = ? AND stale", (flow, id))

    def spoil(self, carrier: Carrier, id: bytes) -> None:  # noqa: A002
        """The record cannot be carried: what it claimed the target still holds, unless others claim it too."""
        if not carrier.contested:
            return
        rows = self._db.execute(
            "SELECT key, erase FROM claims WHERE flow = ? AND id = ?", (carrier.flow, id)
        ).fetchall()
        self._db.execute(
            "UPDATE claims SET stale = 1, body = NULL WHERE flow = ? AND id = ?", (carrier.flow, id)
        )
        for key, erase in rows:
            self._touched.setdefault((carrier.place, key), Erased(key, erase))

    def settle(self) -> Outcome:
        """Decide what was `set` and `spoil`ed since the last time."""
        # Of two records with one key (see `Apply._gone`) the later one counts.
        writes = {(each.place, each.item.key): each for each in self._writes}
        outcome = Outcome(list(writes.values()), {}, set(), set())
        queue = list(self._touched.items())
        seen = set(self._touched)
        while queue:
            (place, key), erased = queue.pop()
            for more in self._decide(place, key, erased, outcome):
                if more[0] not in seen:
                    seen.add(more[0])
                    queue.append(more)
        self._touched, self._fresh, self._writes = {}, {}, []
        return outcome

    def claim(self, claim: Claim) -> None:
        """Add a claim to those there are."""
        unwritten = claim.unwritten
        self._db.execute(
            "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (
                claim.flow,
                claim.id,
                claim.erased.key,
                claim.place,
                claim.erased.body,
                None if unwritten is None else unwritten.body,
                None if unwritten is None else unwritten.size_bytes,
                claim.contested,
            ),
        )

    def forget(self, flow: str) -> None:
        """The flow is loaded anew."""
        self._db.execute("DELETE FROM claims WHERE flow = ?", (flow,))

    def _decide(
        self, place: str, key: bytes, erased: Erased, outcome: Outcome
    ) -> Iterator[tuple[tuple[str, bytes], Erased]]:
        """What the target should hold under a contested key; other keys that have to be decided with it."""
        rows = self._db.execute(
            "SELECT flow, id, body, size_bytes, stale FROM claims WHERE place = ? AND key = ? AND contested",
            (place, key),
        ).fetchall()
        live = [each for each in rows if not each[4]]
        if not rows:
            outcome.writes.append(Written(place, erased, "", b""))
        elif len(live) == 1:
            [(flow, id_, body, size, _)] = live
            item = self._fresh.get((flow, id_, key))
            if self._shares(flow, id_):  # another of its keys: nothing of the record is written meanwhile
                if item is not None:
                    self._keep(flow, id_, item)
                return
            outcome.single.add((flow, id_))
            if item is None and body == _UNSURE:
                outcome.unsure.add((flow, id_))
                return
            if item is None and body is not None:
                item = Encoded(key, body, size)
            if item is not None:
                outcome.writes.append(Written(place, item, flow, id_))
                self._db.execute(
                    "UPDATE claims SET body = NULL WHERE flow = ? AND id = ? AND key = ?", (flow, id_, key)
                )
            self._db.execute(
                "DELETE FROM claims WHERE place = ? AND key = ? AND contested AND stale", (place, key)
            )
            for other, erase in self._db.execute(
                "SELECT key, erase FROM claims WHERE flow = ? AND id = ? AND body IS NOT NULL", (flow, id_)
            ).fetchall():
                yield (place, other), Erased(other, erase)
        elif live:
            for flow, id_, *_ in live:
                item = self._fresh.get((flow, id_, key))
                if item is not None:
                    self._keep(flow, id_, item)
                outcome.colliding[flow, id_] = [
                    (other, other_id) for other, other_id, *_ in live if (other, other_id) != (flow, id_)
                ]

    def _keep(self, flow: str, id_: bytes, item: Encoded) -> None:
        self._db.execute(
            "UPDATE claims SET body = ?, size_bytes = ? WHERE flow = ? AND id = ? AND key = ?",
            (item.body, item.size_bytes, flow, id_, item.key),
        )

    def _shares(self, flow: str, id_: bytes) -> bool:
        """Whether others claim a key of this record's."""
        found = self._db.execute(
            "SELECT 1 FROM claims c JOIN claims o ON o.place = c.place AND o.key = c.key AND o.contested AND NOT"
            " o.stale AND (o.flow, o.id) <> (c.flow, c.id) WHERE c.flow = ? AND c.id = ? LIMIT 1",
            (flow, id_),
        )
        return found.fetchone() is not None

    def gather(self, path: Path) -> None:
        """Take over what one of the load's workers noted (`claims`). In no transaction of the caller's."""
        self._db.execute("ATTACH ? AS noted", (str(path),))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(
                "INSERT INTO claims SELECT flow, id, key, place, erase, body, size_bytes, contested, 0 FROM"
                " noted.claims WHERE true ORDER BY flow, id, key ON CONFLICT DO UPDATE SET body ="
                " coalesce(excluded.body, body), size_bytes = coalesce(excluded.size_bytes, size_bytes)"
            )
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        finally:
            self._db.execute("DETACH noted")

    def gathered(self) -> None:
        """All has been taken over. What the load wrote for a key that several claim, nobody knows: what came last."""
        self._db.execute(
            "UPDATE claims SET body = ?, size_bytes = 0 WHERE contested AND body IS NULL AND EXISTS (SELECT 1 FROM"
            " claims o WHERE o.place = claims.place AND o.key = claims.key AND o.contested AND"
            " (o.flow, o.id) <> (claims.flow, claims.id))",
            (_UNSURE,),
        )

    def touch_unwritten(self, after: tuple[str, bytes, bytes], count: int) -> tuple[str, bytes, bytes] | None:
        """Have `settle` decide some of the keys that the load left to others, though nobody may claim them any more.
        Where to go on, None at the end.
        """
        rows = self._db.execute(
            "SELECT flow, id, key, place, erase FROM claims WHERE contested AND body IS NOT NULL AND size_bytes > 0"
            " AND (flow, id, key) > (?, ?, ?) ORDER BY flow, id, key LIMIT ?",
            (*after, count),
        ).fetchall()
        for _, _, key, place, erase in rows:
            self._touched.setdefault((place, key), Erased(key, erase))
        return (rows[-1][0], rows[-1][1], rows[-1][2]) if rows else None
