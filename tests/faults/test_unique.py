"""Carried back, a record that the old store's unique index keeps out comes in as soon as it can."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from greylag.engine.follow.applied import Applied
from tests.faults.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Things

PROJECT = """
project: unique
connections:
  old: {{kind: mongodb, url: "{url}", database: {database}, late_write_seconds: 0.5}}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true}}
services:
  s: {{flows: {{things: {{from: old.things, to: new.things}}}}}}
"""


def load(folder: Path, things: tuple[Things, Things], records: list[dict[str, Any]], **index: Any) -> None:
    """These are loaded, and go back; their names are unique at the old store alone."""
    old, new = things
    old.insert_many(records)
    old.create_index("name", unique=True, **index)
    assert call(folder, "run")[0] == 0
    new.drop_index("name_1")
    assert back(folder) == (0, 0)


def rename(things: Things, names: dict[int, str]) -> None:
    for id_, name in names.items():
        things.update_one({"_id": id_}, {"$set": {"name": name}})


def named(things: Things) -> dict[int, str]:
    return {each["_id"]: each["name"] for each in things.find()}


def back(folder: Path, *more: str) -> tuple[int, int]:
    """The exit code, and how many records are stale."""
    code, text = call(folder, "follow", "--reverse", "--once", "--frozen", "--json", *more)
    return code, json.loads(text[text.index("{") : text.rindex("}") + 1])["stale"]


def test_once_ends_when_what_was_kept_out_was_tried_again(
    tmp_path: Path, things: tuple[Things, Things]
) -> None:
    old, new = things
    load(tmp_path, things, [{"_id": n, "name": f"n{n}"} for n in range(3)])
    rename(new, {2: "n1"})
    assert back(tmp_path) == (10, 1)
    new.delete_one({"_id": 1})
    assert back(tmp_path) == (0, 0)
    assert list(old.find(sort=[("_id", 1)])) == [{"_id": 0, "name": "n0"}, {"_id": 2, "name": "n1"}]


def test_what_comparing_finds_swapped_or_kept_out_is_not_passed_over(
    tmp_path: Path, things: tuple[Things, Things]
) -> None:
    old, new = things
    load(tmp_path, things, [{"_id": n, "name": f"n{n}"} for n in range(4)])
    rename(new, {0: "n1", 1: "n0", 3: "n2"})
    assert back(tmp_path, "--compare") == (10, 1)
    assert named(old) == {0: "n1", 1: "n0", 2: "n2", 3: "n3"}
    rename(new, {2: "n3"})
    assert back(tmp_path) == (0, 0)
    assert named(old) == {0: "n1", 1: "n0", 2: "n3", 3: "n2"}


def test_a_swap_behind_a_partial_index_comes_in(tmp_path: Path, things: tuple[Things, Things]) -> None:
    old, new = things
    records = [{"_id": n, "name": "xxy"[n], "on": n > 0} for n in range(3)]
    load(tmp_path, things, records, partialFilterExpression={"on": True})
    rename(new, {1: "y", 2: "x"})
    assert back(tmp_path) == (0, 0)
    assert named(old) == {0: "x", 1: "y", 2: "x"}


def applied(folder: Path) -> Path:
    """What the way back keeps of what it has applied."""
    [path] = (folder / ".greylag" / "reverse" / "s" / "apply").glob("*.sqlite")
    return path


def test_comparing_waits_for_what_a_killed_way_back_had_sent(
    tmp_path: Path, things: tuple[Things, Things]
) -> None:
    load(tmp_path, things, [{"_id": 0}])
    assert "waiting" not in call(tmp_path, "follow", "--reverse", "--once", "--compare")[1]
    with closing(Applied(applied(tmp_path))) as kept, kept.transaction():
        kept.note("intent", 1)  # as a kill leaves it
    assert "waiting 0.5 s" in call(tmp_path, "follow", "--reverse", "--once", "--compare")[1]


def test_the_way_back_ends_once_nothing_can_land(tmp_path: Path, things: tuple[Things, Things]) -> None:
    project = tmp_path / "greylag.yaml"
    project.write_text(project.read_text().replace("seconds: 0.5", "seconds: 4"))
    load(tmp_path, things, [{"_id": 0}])
    with closing(Applied(applied(tmp_path))) as kept, kept.transaction():
        kept.hold([("old.things", b"n0;")])  # as a window leaves it that a kill left open
    code, text = call(tmp_path, "follow", "--reverse", "--end", "--frozen", "--timeout", "1")
    assert code == 14
    assert "1 key of which a request may still land" in text
    assert back(tmp_path, "--end") == (0, 0)
    with closing(Applied(applied(tmp_path))) as kept:
        assert kept.held() == []
