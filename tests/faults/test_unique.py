"""Carried back, a record that the old store's unique index keeps out comes in as soon as it can."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from greylag.engine.follow.applied import Applied
from tests.faults.commands import call

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
project: unique
connections:
  old: {{kind: mongodb, url: "{url}", database: {database}, late_write_seconds: 0.5}}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true}}
services:
  s: {{flows: {{things: {{from: old.things, to: new.things}}}}}}
"""


def back(folder: Path, *more: str) -> tuple[int, int]:
    """The exit code, and how many records are stale."""
    code, text = call(folder, "follow", "--reverse", "--once", "--frozen", "--json", *more)
    return code, json.loads(text[text.index("{") : text.rindex("}") + 1])["stale"]


def test_once_ends_when_what_was_kept_out_was_tried_again(
    tmp_path: Path, mongodb_url: str, database: str
) -> None:
    (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        old, new = client[database].things, client[f"{database}_new"].things
        old.insert_many([{"_id": n, "name": f"n{n}"} for n in range(3)])
        old.create_index("name", unique=True)
        try:
            assert call(tmp_path, "run")[0] == 0
            new.drop_index("name_1")
            assert back(tmp_path) == (0, 0)
            new.update_one({"_id": 2}, {"$set": {"name": "n1"}})
            assert back(tmp_path) == (10, 1)
            new.delete_one({"_id": 1})
            assert back(tmp_path) == (0, 0)
            assert list(old.find(sort=[("_id", 1)])) == [{"_id": 0, "name": "n0"}, {"_id": 2, "name": "n1"}]
        finally:
            client.drop_database(f"{database}_new")


def test_what_comparing_finds_swapped_or_kept_out_is_not_passed_over(
    tmp_path: Path, mongodb_url: str, database: str
) -> None:
    (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        old, new = client[database].things, client[f"{database}_new"].things
        old.insert_many([{"_id": n, "name": f"n{n}"} for n in range(4)])
        old.create_index("name", unique=True)
        try:
            assert call(tmp_path, "run")[0] == 0
            new.drop_index("name_1")
            assert back(tmp_path) == (0, 0)
            for id_, name in ((0, "n1"), (1, "n0"), (3, "n2")):
                new.update_one({"_id": id_}, {"$set": {"name": name}})
            assert back(tmp_path, "--compare") == (10, 1)
            assert {each["_id"]: each["name"] for each in old.find()} == {0: "n1", 1: "n0", 2: "n2", 3: "n3"}
            new.update_one({"_id": 2}, {"$set": {"name": "n3"}})
            assert back(tmp_path) == (0, 0)
            assert {each["_id"]: each["name"] for each in old.find()} == {0: "n1", 1: "n0", 2: "n3", 3: "n2"}
        finally:
            client.drop_database(f"{database}_new")


def test_comparing_waits_for_what_a_killed_way_back_had_sent(
    tmp_path: Path, mongodb_url: str, database: str
) -> None:
    (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database].things.insert_one({"_id": 0})
        try:
            assert call(tmp_path, "run")[0] == 0
            assert back(tmp_path) == (0, 0)
            assert "waiting" not in call(tmp_path, "follow", "--reverse", "--once", "--compare")[1]
            [path] = (tmp_path / ".greylag" / "reverse" / "s" / "apply").glob("*.sqlite")
            with closing(Applied(path)) as applied, applied.transaction():
                applied.note("intent", 1)  # as a kill leaves it
            assert "waiting 0.5 s" in call(tmp_path, "follow", "--reverse", "--once", "--compare")[1]
        finally:
            client.drop_database(f"{database}_new")


def test_a_swap_behind_a_partial_index_comes_in(tmp_path: Path, mongodb_url: str, database: str) -> None:
    (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        old, new = client[database].things, client[f"{database}_new"].things
        old.insert_many([{"_id": n, "name": "xxy"[n], "on": n > 0} for n in range(3)])
        old.create_index("name", unique=True, partialFilterExpression={"on": True})
        try:
            assert call(tmp_path, "run")[0] == 0
            new.drop_index("name_1")
            assert back(tmp_path) == (0, 0)
            for id_, name in ((1, "y"), (2, "x")):
                new.update_one({"_id": id_}, {"$set": {"name": name}})
            assert back(tmp_path) == (0, 0)
            assert [each["name"] for each in old.find(sort=[("_id", 1)])] == ["x", "y", "x"]
        finally:
            client.drop_database(f"{database}_new")


def test_the_way_back_ends_once_nothing_can_land(tmp_path: Path, mongodb_url: str, database: str) -> None:
    (tmp_path / "greylag.yaml").write_text(
        PROJECT.format(url=mongodb_url, database=database).replace("seconds: 0.5", "seconds: 4")
    )
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database].things.insert_one({"_id": 0})
        try:
            assert call(tmp_path, "run")[0] == 0
            assert back(tmp_path) == (0, 0)
            [path] = (tmp_path / ".greylag" / "reverse" / "s" / "apply").glob("*.sqlite")
            with closing(Applied(path)) as applied, applied.transaction():
                applied.hold([("old.things", b"n0;")])  # as a window leaves it that a kill left open
            code, text = call(tmp_path, "follow", "--reverse", "--end", "--frozen", "--timeout", "1")
            assert code == 14
            assert "1 key of which a request may still land" in text
            assert back(tmp_path, "--end") == (0, 0)
            with closing(Applied(path)) as applied:
                assert applied.held() == []
        finally:
            client.drop_database(f"{database}_new")
