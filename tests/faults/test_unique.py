"""Carried back, a record that the old store's unique index keeps out comes in as soon as it can."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

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


def back(folder: Path) -> tuple[int, int]:
    """The exit code, and how many records are stale."""
    code, text = call(folder, "follow", "--reverse", "--once", "--frozen", "--json")
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
