"""MongoDB to MongoDB, killed again and again while it writes: in the end the target is the source, byte for byte."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from tests.command import Command

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 6000
KILLS = 3
PROJECT = """
project: killed
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  docdb: {{kind: mongodb, url: "{url}", database: {database}_moved, create_tables: true, write_units_per_second: 1500}}
services:
  all:
    flows:
      things: {{from: mongo.things, to: docdb.things}}
"""


@pytest.mark.long
def test_killed_runs_end_with_every_document(tmp_path: Path, mongodb_url: str, database: str) -> None:
    command = Command(tmp_path)
    command.write(PROJECT.format(url=mongodb_url, database=database))
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        source, target = client[database].things, client[f"{database}_moved"].things
        try:
            source.insert_many(
                [{"_id": n, "email": f"{n}@example.com", "x": "y" * 500} for n in range(RECORDS)]
            )
            source.create_index("email", unique=True)
            for kill in range(KILLS):
                wanted = target.estimated_document_count() + RECORDS // (KILLS + 2)
                process = command.start("run", "--page-bytes", "20000")
                deadline = time.monotonic() + 120
                while target.estimated_document_count() < wanted and process.poll() is None:
                    assert time.monotonic() < deadline, f"kill {kill}"
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            command("run", "--page-bytes", "20000")
            found, expected = (
                b"".join(iter(each.find_raw_batches(sort=[("_id", 1)]))) for each in (target, source)
            )
            assert found == expected
            assert target.index_information()["email_1"]["unique"]
            assert command.json("verify")["flows"][0]["verified"] == RECORDS
        finally:
            client.drop_database(f"{database}_moved")
