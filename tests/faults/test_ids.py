"""An `_id` that changes its type in place while it is followed: two ids of the source, one key at the target."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from tests.faults.commands import Running, call

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
project: ids
connections:
  old: {{kind: mongodb, url: "{url}", database: {database}}}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true}}
services:
  s:
    flows:
      things: {{from: old.things, to: new.things}}
      kept: {{from: old.kept, to: new.kept, where: {{_id: {{exists: true}}}}}}
"""
DEADLINE_SECONDS = 90.0


def drained(folder: Path, running: Running) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while call(folder, "drain", "--timeout", "5")[0] != 0:
        assert running.code is None, running.text
        assert time.monotonic() < deadline


def test_an_id_that_changes_its_type(tmp_path: Path, mongodb_url: str, database: str) -> None:
    (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        old, new = client[database], client[f"{database}_new"]
        for name in ("things", "kept"):
            old[name].insert_many([{"_id": n} for n in range(30)])
        running = Running(tmp_path, "run", "--follow", "--processes", "1")
        try:
            drained(tmp_path, running)
            for name in ("things", "kept"):
                for n in range(30):
                    old[name].replace_one({"_id": n}, {"_id": float(n), "a": 1})
                for n in range(5):
                    old[name].replace_one({"_id": n}, {"_id": n, "a": 2})
                for n in range(5, 10):
                    old[name].delete_one({"_id": n})
            drained(tmp_path, running)
            for name in ("things", "kept"):
                found = list(new[name].find(sort=[("_id", 1)]))
                assert found == list(old[name].find(sort=[("_id", 1)]))
                assert [type(each["_id"]) for each in found] == [int] * 5 + [float] * 20
            assert running.end(signal.SIGTERM) == 0
        finally:
            running.send(signal.SIGKILL)
            client.drop_database(f"{database}_new")
