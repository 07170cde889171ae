"""What a round leaves to the next: what was written after it was looked at, and keys that a record came back to."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from greylag.engine.follow.stream import Stream
from greylag.operations.changes import SCHEMA, Changes

if TYPE_CHECKING:
    from pathlib import Path


def note(stream: Stream, part: int, *rows: tuple[str, Any, Any]) -> None:
    """As apply does."""
    path = stream.changed / f"{part}.jsonl"
    with path.open("a") as file:
        file.writelines(json.dumps([what, "users", id_, key]) + "\n" for what, id_, key in rows)


def extra(key: str) -> dict[str, Any]:
    return {"kind": "extra", "flow": "users", "key": {"pk": key}}


def record(id_: int) -> dict[str, Any]:
    return {"kind": "different", "flow": "users", "id": id_, "key": {"pk": ""}}


def test_a_key_that_its_record_came_back_to_is_left_to_the_next_round(tmp_path: Path) -> None:
    stream = Stream("mongo", (), tmp_path)
    with closing(sqlite3.connect(tmp_path / "rounds.sqlite")) as db:
        db.executescript(SCHEMA)
        changes = Changes([stream], {"users"}, db)
        changes.begin_part()
        moved: list[tuple[str, Any, Any]] = [
            ("record", 1, None),
            ("erased", None, {"pk": "a#1"}),
            ("put", None, {"pk": "b#1"}),
        ]
        note(stream, 1, *moved, ("record", 2, None), ("erased", None, {"pk": "a#2"}))
        changes.begin_part()
        assert changes.take() == ""
        lines = [json.loads(each) for each in changes.candidates()]
        assert [each["key"]["pk"] for each in lines if "key" in each] == ["a#1", "a#2"]
        # It comes back before the round has looked at anything.
        note(stream, 2, ("record", 1, None), ("put", None, {"pk": "a#1"}), ("erased", None, {"pk": "b#1"}))
        places = changes.places()
        note(stream, 2, ("record", 3, None), ("erased", None, {"pk": "a#3"}))
        changes.later_than(places)
        assert changes.changed_later(extra("a#1"))
        assert changes.changed_later(extra("a#3"))
        assert changes.changed_later(record(3))
        assert not changes.changed_later(extra("a#2"))
        assert not changes.changed_later(extra("b#1"))
        assert not changes.changed_later(record(1)), "it was looked at after that"
