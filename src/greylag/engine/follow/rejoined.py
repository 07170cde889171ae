"""Carries a flow with `split` back: a record is its own item and those of its elements, wherever a change finds them.

A change concerns one item, a record may have thousands. So what the items of such flows hold stands in the file of the
apply, by their record, and changes in the transaction of the window: after a crash the window sees the same items, and
makes the same records of them.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from greylag.core.mapping.text import text_of
from greylag.core.records import Record, Refused, Rejection
from greylag.core.values import is_number
from greylag.engine.follow.backward import Backward

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from greylag.core.change import RawChange
    from greylag.core.ports import OldStore, Target
    from greylag.core.records import Encoded
    from greylag.core.values import Document, Value
    from greylag.engine.route import Route

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS family (
    flow TEXT, id BLOB, record BLOB NOT NULL, kind INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (flow, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS family_of_record ON family (flow, record);
"""

_STRAY: Final = -1
"""The kind of an item that does not tell whose it is."""


class _Item(NamedTuple):
    kind: int
    body: bytes


class Rejoined(Backward):
    """See `carrier.Carrier` and `carrier.Gathering`. Records are called by the key of their own item."""

    def __init__(self, route: Route, target: Target, store: OldStore, db: sqlite3.Connection) -> None:
        """`db` has the SCHEMA; every call belongs in a transaction of its owner's."""
        super().__init__(route, target, store)
        self._db = db

    def gather(
        self, changes: Iterable[tuple[bytes, RawChange]]
    ) -> Iterator[tuple[bytes, list[Encoded] | Rejection]]:
        """See `Gathering`."""
        touched: dict[bytes, None] = {}
        for id_, change in changes:
            touched.update(dict.fromkeys(self.note(id_, change)))
        for record in touched:
            made = self.whole(record)
            if made is None or isinstance(made, Rejection):
                yield record, made or []
            else:
                yield record, [made[1]]

    def note(self, id: bytes, change: RawChange) -> Iterator[bytes]:  # noqa: A002 - it is one
        """Hold the item as it is now, or that it is gone; the records that this concerns."""
        before = self._db.execute(
            "SELECT record FROM family WHERE flow = ? AND id = ?", (self.flow, id)
        ).fetchone()
        if before is not None:
            self._db.execute("DELETE FROM family WHERE flow = ? AND id = ?", (self.flow, id))
            yield before[0]
        if change.document is None or not self.owns(change.document):
            return
        record, kind = self._belongs(id, change.document)
        self._db.execute(
            "INSERT INTO family VALUES (?, ?, ?, ?, ?)", (self.flow, id, record, kind, change.document)
        )
        yield record

    def whole(self, record: bytes) -> tuple[Record, Encoded] | Rejection | None:
        """What the items of a record make of it now; None where there are none."""
        rows = self._db.execute(
            "SELECT kind, body FROM family WHERE flow = ? AND record = ? ORDER BY kind, id",
            (self.flow, record),
        )
        items = [_Item(*row) for row in rows]
        if not items:
            return None
        try:
            found = self._record(items)
            return found, self.encode(found)
        except Refused as refused:
            return self._rejected(record, items[0].body, refused)

    def records(self) -> Iterator[bytes]:
        """All that any item belongs to."""
        rows = self._db.execute("SELECT DISTINCT record FROM family WHERE flow = ?", (self.flow,))
        yield from (row[0] for row in rows)

    def forget(self) -> None:
        """No item is known any more."""
        self._db.execute("DELETE FROM family WHERE flow = ?", (self.flow,))

    def _record(self, items: list[_Item]) -> Record:
        """Raises Refused."""
        first, *children = items
        if first.kind == _STRAY:
            self._parent(first.body)
        if first.kind != 0:
            raise Refused(
                "its own item is not there, and items of its elements are",
                "delete those too, or let the application write the record's own item",
            )
        own = self._codec.decode(first.body)
        return self._inverse.record(own, [(each.kind, self._codec.decode(each.body)) for each in children])

    def _rejected(self, record: bytes, body: bytes, refused: Refused) -> Rejection:
        name = record.decode("utf-8", "backslashreplace")
        try:
            return Rejection(name, refused.reason, refused.fix, self._codec.decode(body))
        except Refused:
            return Rejection(name, refused.reason, refused.fix, raw=body)

    def _belongs(self, id_: bytes, body: bytes) -> tuple[bytes, int]:
        try:
            return self._parent(body)
        except Refused:
            return id_, _STRAY

    def _parent(self, body: bytes) -> tuple[bytes, int]:
        """The record an item is of, and its kind. Raises Refused where the item does not tell."""
        attributes = self._codec.decode(body)
        kind = self._inverse.kind(attributes)
        if kind is None:
            raise Refused("it is not told from the flow's other items", "write what greylag.yaml derives")
        if kind:
            key = self._inverse.parent_key(attributes, kind)
        else:
            key = {name: attributes[name] for name in self.route.table.key}
        return _name(key), kind


def _name(key: Document) -> bytes:
    """The key as text, the same for numbers that are the same key."""
    return json.dumps([_text(each) for each in key.values()], ensure_ascii=False).encode()


def _text(value: Value) -> str:
    if isinstance(value, bytes):
        return bytes(value).hex()
    if is_number(value):
        return f"{Decimal(repr(value) if isinstance(value, float) else value).normalize():f}"
    return str(text_of(value))
