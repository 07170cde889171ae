"""What changed since a round of `verify --follow` began, as apply noted it: on disk, however much it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from greylag.core.extended_json import to_extended
from greylag.engine.follow.changed import ChangedParts, TooMuchError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence

    from greylag.core.values import Value
    from greylag.engine.follow.changed import Touched
    from greylag.engine.follow.stream import Stream

SCHEMA: Final = """
CREATE TABLE records (flow TEXT, id TEXT, PRIMARY KEY (flow, id)) WITHOUT ROWID;
CREATE TABLE keys (flow TEXT, key TEXT, erased INTEGER, PRIMARY KEY (flow, key)) WITHOUT ROWID;
CREATE TABLE later (flow TEXT, name TEXT, PRIMARY KEY (flow, name)) WITHOUT ROWID;
"""


class Changes:
    """The parts of all streams, one after the other. `db` has the SCHEMA. `flows`: of those that are verified."""

    def __init__(self, streams: Sequence[Stream], flows: Collection[str], db: sqlite3.Connection) -> None:
        self._parts = [ChangedParts(each.changed) for each in streams]
        self._flows = frozenset(flows)
        self._db = db
        self._number = 0

    def begin_part(self) -> None:
        """What is applied from now on is of the next part."""
        self._number += 1
        for each in self._parts:
            each.ask(self._number)
            each.drop(self._number - 2)

    def take(self) -> str:
        """Hold what the part before the last tells, which is whole once a barrier has been passed since the last
        began. Why not all is known, if so.
        """
        self._db.execute("DELETE FROM records")
        self._db.execute("DELETE FROM keys")
        why = ""
        for each in self._parts:
            try:
                for _, touched in each.read(self._number - 1):
                    if touched.flow in self._flows:
                        self._hold(touched)
            except TooMuchError as error:
                why = str(error)
        self._db.commit()
        return why

    @property
    def records(self) -> int:
        """How many records changed."""
        return int(self._db.execute("SELECT count(*) FROM records").fetchone()[0])

    def candidates(self) -> Iterator[bytes]:
        """What changed, as lines for `recheck`: the records, and the keys taken away and not written since."""
        for flow, id_ in self._db.execute("SELECT flow, id FROM records ORDER BY flow, id"):
            yield _line({"flow": flow, "id": json.loads(id_), "item": ""})
        for flow, key in self._db.execute("SELECT flow, key FROM keys WHERE erased ORDER BY flow, key"):
            yield _line({"kind": "extra", "flow": flow, "key": json.loads(key)})

    def holds(self, line: dict[str, Any]) -> bool:
        """Whether the record or key of this line changed: what `candidates` has is all that there is to look at."""
        if "id" in line:
            query, name = "SELECT 1 FROM records WHERE flow = ? AND id = ?", line["id"]
        else:
            query, name = "SELECT 1 FROM keys WHERE flow = ? AND key = ?", line["key"]
        return self._db.execute(query, (line["flow"], _said(name))).fetchone() is not None

    def places(self) -> list[int]:
        """Where the last part ends now."""
        return [each.size(self._number) for each in self._parts]

    def later_than(self, places: Sequence[int]) -> None:
        """Hold, for `changed_later`, what the last part tells after those `places`, and all keys that it says were
        written: behind one that had been taken away a record may stand again. Where it tells no more, all is.
        """
        self._db.execute("DELETE FROM later")
        for each, place in zip(self._parts, places, strict=True):
            try:
                for end, touched in each.read(self._number):
                    if end <= place and touched.what != "put":
                        continue
                    name = touched.id if touched.key is None else touched.key
                    self._db.execute("INSERT OR IGNORE INTO later VALUES (?, ?)", (touched.flow, _name(name)))
            except TooMuchError:
                self._db.execute("INSERT OR IGNORE INTO later VALUES ('', '')")
        self._db.commit()

    def changed_later(self, line: dict[str, Any]) -> bool:
        """Whether the record or key of this line is among what `later_than` held."""
        name = _said(line["id"] if "id" in line else line["key"])
        found = self._db.execute(
            "SELECT 1 FROM later WHERE (flow = ? AND name = ?) OR flow = ''", (line["flow"], name)
        )
        return found.fetchone() is not None

    def end(self) -> None:
        """Nothing is to be noted any more."""
        for each in self._parts:
            each.end()

    def _hold(self, touched: Touched) -> None:
        if touched.what == "record":
            row: tuple[Any, ...] = touched.flow, _name(touched.id)
            self._db.execute("INSERT OR IGNORE INTO records VALUES (?, ?)", row)
        else:
            row = touched.flow, _name(touched.key), touched.what == "erased"
            self._db.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", row)


def _name(value: Value) -> str:
    return _said(to_extended(value))


def _said(told: Any) -> str:
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
