"""The command against DocumentDB (a mongod behind a proxy that refuses what DocumentDB refuses): there, and back."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from bson import Binary, Int64, ObjectId
from pymongo import GEOSPHERE, HASHED, TEXT, MongoClient

from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.documentdb.proxy import DocumentDB

DEADLINE_SECONDS = 90.0
PROJECT = """
project: moved
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}, create_tables: true}}
  docdb: {{kind: mongodb, url: "{docdb}", database: {database}_moved, create_tables: true{options}}}
services:
  all:
    flows:
      things: {{from: {flow}}}
"""


@pytest.fixture
def both(mongodb_url: str, database: str) -> Iterator[tuple[Any, Any]]:
    """The collection here and the one behind the proxy, as their mongod has them."""
    with MongoClient[Any](mongodb_url) as client:
        yield client[database].things, client[f"{database}_moved"].things
        client.drop_database(f"{database}_moved")


@pytest.fixture
def project(tmp_path: Path, mongodb_url: str, database: str, cluster: DocumentDB) -> Callable[..., Command]:
    def written(flow: str, options: str = "") -> Command:
        command = Command(tmp_path)
        command.write(
            PROJECT.format(url=mongodb_url, docdb=cluster.url, database=database, flow=flow, options=options)
        )
        return command

    return written


FORTH = "mongo.things, to: docdb.things"
BACK = "docdb.things, to: mongo.things"


def fill(collection: Any) -> None:
    odd = [None, "a", 2.5, Int64(7), ObjectId(), Binary(b"x"), {"a": 1}, True]
    collection.insert_many([{"_id": each, "email": f"{each}@x"} for each in (*odd, *range(100, 400))])


def content(collection: Any) -> bytes:
    return b"".join(collection.find_raw_batches(sort=[("_id", 1)]))


@contextmanager
def running(command: Command, *arguments: str) -> Iterator[Any]:
    process = command.start(*arguments)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until(condition: Callable[[], bool], process: Any) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_forth_with_its_indexes(
    project: Callable[..., Command], both: tuple[Any, Any], cluster: DocumentDB
) -> None:
    source, target = both
    fill(source)
    source.create_index("email", unique=True)
    source.create_index([("email", HASHED)], name="hash")
    source.create_index([("place", GEOSPHERE)], name="place")
    source.create_index([("words", TEXT)], name="words")
    source.create_index([("$**", 1)], name="all")
    source.create_index("at", name="ttl", expireAfterSeconds=3600)
    source.create_index("n", name="some", partialFilterExpression={"n": {"$gt": 5}})
    command = project(FORTH)
    command("run")
    assert content(source) == content(target)
    made = target.index_information()
    assert set(made) == {"_id_", "email_1", "hash", "place", "words", "ttl", "some"}
    assert made["email_1"]["unique"]
    assert made["hash"]["key"] == [("email", 1)]
    said = {each["index"]: each["state"] for each in command.json("indexes")["indexes"]}
    assert said.pop("all") == "left out"
    assert set(said.values()) == {"stands"}
    target.update_one({"_id": 100}, {"$set": {"email": "other"}})
    target.delete_one({"_id": None})
    report = command.json("verify", expect=None)["flows"][0]
    assert (report["missing"], report["different"]) == (1, 1)
    command("repair")
    assert content(source) == content(target)
    asked = [each for each in cluster.refused if "getCmdLineOpts" not in each]
    assert asked == []


@pytest.mark.long
def test_killed_and_gone_on_with(project: Callable[..., Command], both: tuple[Any, Any]) -> None:
    source, target = both
    fill(source)
    command = project(FORTH, ", write_units_per_second: 100")
    options = ("run", "--processes", "1", "--page-bytes", "2000")
    with running(command, *options) as process:
        wait_until(lambda: target.estimated_document_count() > 60, process)
    command = project(FORTH)
    command(*options)
    assert content(source) == content(target)
    assert command.json("verify")["flows"][0]["verified"] == 308


@pytest.mark.parametrize(
    "flow", [pytest.param(FORTH, id="forth", marks=pytest.mark.long), pytest.param(BACK, id="back")]
)
def test_followed(
    project: Callable[..., Command], both: tuple[Any, Any], cluster: DocumentDB, flow: str
) -> None:
    source, target = both if flow == FORTH else both[::-1]
    fill(source)
    command = project(flow)
    follow = ("run", "--follow", "--processes", "1")
    if flow == BACK:
        refused = command(*follow, expect=3)
        assert "modifyChangeStreams" in refused.stderr
        cluster.enable_change_streams()
    with running(command, *follow) as process:
        wait_until(lambda: target.estimated_document_count() == 308, process)
        source.insert_one({"_id": "new"})
        source.update_one({"_id": 100}, {"$set": {"email": "changed"}})
        source.delete_one({"_id": None})
        wait_until(lambda: content(source) == content(target), process)
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE_SECONDS)
    source.insert_one({"_id": "meanwhile"})
    with running(command, *follow) as process:
        wait_until(lambda: content(source) == content(target), process)
        assert command.json("drain", "--timeout", "60")
        process.send_signal(signal.SIGINT)
        process.wait(DEADLINE_SECONDS)
    assert command.json("verify")["flows"][0]["verified"] == 309
