"""What `greylag assess --documentdb` says of a real server, of its logs, and of programs alone."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import bson
import pytest
from pymongo import MongoClient

from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pymongo.synchronous.database import Database

PROJECT = """
project: quiz
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  files: {{kind: json, path: .}}
"""


@pytest.fixture
def server(mongodb_url: str, database: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client[database]


@pytest.fixture
def folder(tmp_path: Path, mongodb_url: str, database: str) -> Path:
    (tmp_path / "greylag.yaml").write_text(
        PROJECT.format(url=mongodb_url, database=database), encoding="utf-8"
    )
    return tmp_path


def assessed(folder: Path, *arguments: str, code: int = 12) -> list[dict[str, Any]]:
    done = Command(folder)("assess", "--documentdb", *arguments, "--json", "--processes", "1", expect=code)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert all(
        set(each) == {"severity", "kind", "name", "message", "advice", "file", "line"} for each in found
    )
    order = ["blocker", "warning", "note"]
    assert [order.index(each["severity"]) for each in found] == sorted(
        order.index(each["severity"]) for each in found
    )
    return found


def about(found: list[dict[str, Any]], name: str) -> set[tuple[str, str]]:
    """But for how far back the oplog reaches: this machine's server is young."""
    told = {(each["severity"], each["kind"]) for each in found if each["name"] == name}
    return told - {("note", "short-change-window")}


def test_data_and_indexes(server: Database[dict[str, Any]], folder: Path) -> None:
    server.users.insert_many(
        [
            {
                "_id": number,
                "script": bson.Code("f()"),
                "friend": bson.DBRef("users", 1),
                "note": "x" * (3000 if number == 3 else 10),
                "a.b": 1,
            }
            for number in range(10)
        ]
    )
    server.users.create_index("email", unique=True, partialFilterExpression={"email": {"$type": "string"}})
    server.users.create_index([("place", "2d")])
    server.users.create_index([("name", "hashed")])
    server.users.create_index([("$**", 1)], name="all")
    server.users.create_index("note")
    server.users.create_index("city", collation={"locale": "fr"})
    server.users.create_index("seen", expireAfterSeconds=60)
    server.create_collection("log", capped=True, size=4096)
    server.create_collection("checked", validator={"a": {"$exists": True}})
    server.create_collection("seen", viewOn="users", pipeline=[])
    server.create_collection("measured", timeseries={"timeField": "at"})
    found = assessed(folder, "5.0", "mongo")
    assert about(found, "mongo.users: script") == {("blocker", "refused-type")}
    assert about(found, "mongo.users: friend") == {("blocker", "refused-type")}
    assert about(found, "mongo.users: a\\.b") == {("warning", "odd-names")}
    assert about(found, "mongo.users: note_1") == {("blocker", "long-index-key"), ("note", "index")}
    assert about(found, "mongo.users: place_2d") == {("blocker", "unsupported-index")}
    assert about(found, "mongo.users: name_hashed") == {("blocker", "unsupported-index")}
    assert about(found, "mongo.users: all") == {("blocker", "unsupported-index")}
    assert about(found, "mongo.users: city_1") == {("warning", "unsupported-index")}
    assert about(found, "mongo.users: email_1") == {("warning", "partial-index"), ("note", "index")}
    assert about(found, "mongo.users: seen_1") == {("note", "index")}
    assert about(found, "mongo.log") == {("warning", "collection-option")}
    assert about(found, "mongo.checked") == {("note", "collection-option")}
    assert about(found, "mongo.seen") == {("warning", "view")}
    assert about(found, "mongo.measured") == {("blocker", "time-series")}
    elastic = assessed(folder, "5.0", "mongo", "--flavour", "elastic")
    assert ("blocker", "unsupported-index") in about(elastic, "mongo.users: email_1")
    assert about(elastic, "mongo.checked") == {("warning", "collection-option")}
    three = assessed(folder, "3.6", "mongo.users")
    assert ("blocker", "odd-names") in about(three, "mongo.users: a\\.b")
    eight = assessed(folder, "8.0", "mongo")
    assert about(eight, "mongo.users: city_1") == {("note", "index")}


def test_a_database_without_collections(server: Database[dict[str, Any]], folder: Path) -> None:
    nothing = assessed(folder, "5.0", "mongo", "--fail-on", "never", code=0)
    assert ("warning", "no-collections") in about(nothing, "mongo")
    server.create_collection("measured", timeseries={"timeField": "at"})
    found = assessed(folder, "5.0", "mongo")
    assert about(found, "mongo.measured") == {("blocker", "time-series")}


def test_what_set_a_server_up_is_no_programs(folder: Path) -> None:
    line = {"attr": {"ns": "local.system.replset", "command": {"replSetInitiate": {"_id": "rs0"}}}}
    (folder / "mongod.log").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert assessed(folder, "5.0", "--log", "mongod.log", code=0) == []


def test_profiler_and_counters(server: Database[dict[str, Any]], folder: Path) -> None:
    server.scores.insert_many([{"_id": number, "player": number % 3, "rank": 1} for number in range(20)])
    server.command("profile", 2)
    try:
        list(server.scores.aggregate([{"$facet": {"a": [{"$set": {"b": "$$REMOVE"}}]}}]))
        list(server.scores.aggregate([{"$group": {"_id": "$rank", "n": {"$count": {}}}}]))
        list(server.scores.find({"player": 1, "rank": {"$in": [1]}}, no_cursor_timeout=True))
        server.scores.update_one({"_id": 1}, {"$set": {"rank": 2}})
        server.scores.update_one({"_id": 2}, [{"$unset": "rank"}])
    finally:
        server.command("profile", 0)
    found = [each for each in assessed(folder, "5.0", "mongo.scores") if "profiler" in each["message"]]
    told = {(each["name"], each["kind"]) for each in found}
    assert told == {
        ("$facet", "operator-in-use"),
        ("$set", "operator-in-use"),
        ("$unset", "operator-in-use"),
        ("$count", "operator-in-use"),
        ("$$REMOVE", "operator-in-use"),
        ("noCursorTimeout", "unsupported-feature"),
    }
    assert all(f"on {server.name}.scores" in each["message"] for each in found)
    counted = {
        each["name"] for each in assessed(folder, "5.0", "mongo.scores") if "counters" in each["message"]
    }
    assert {"$facet", "$count"} <= counted
    assert "$in" not in counted


def test_users_and_roles(server: Database[dict[str, Any]], folder: Path) -> None:
    name = f"u_{server.name}"
    server.command("createUser", name, pwd="hunter2", roles=[{"role": "read", "db": server.name}])
    server.command(
        "createRole", f"r_{server.name}", privileges=[], roles=[{"role": "readWrite", "db": server.name}]
    )
    server.command("createUser", f"{name}b", pwd="hunter2", roles=["userAdmin", f"r_{server.name}"])
    server.scores.insert_one({"_id": 1})
    try:
        found = assessed(folder, "5.0", "mongo.scores", "--fail-on", "never", code=0)
        assert about(found, f"{server.name}.{name}") == {("note", "user")}
        assert about(found, f"{server.name}.{name}b") == {("warning", "user")}
        assert about(found, f"{server.name}.r_{server.name}") == {("note", "role")}
        assert "hunter2" not in json.dumps(found)
    finally:
        server.command("dropAllUsersFromDatabase")
        server.command("dropAllRolesFromDatabase")


LOG = [
    {
        "msg": "Slow query",
        "attr": {"ns": "quiz.a", "command": {"aggregate": "a", "pipeline": [{"$bucketAuto": {}}]}},
    },
    {"msg": "Slow query", "attr": {"ns": "quiz.a", "command": {"find": "a", "filter": {"rank": "$facet"}}}},
    {"msg": "Slow query", "attr": {"ns": "quiz.b", "command": {"mapReduce": "b"}}},
    {"msg": "Slow query", "attr": {"ns": "quiz.b", "command": {"insert": "b", "capped": True}}},
    {"msg": "Waiting", "attr": {}},
]
OLD_LOG = (
    '2020-01-01T00:00:00.000+0000 I COMMAND  [conn1] command quiz.a command: aggregate { aggregate: "a", pipeline: '
    '[ { $graphLookup: { from: "b", startWith: "$rank" } } ], cursor: {} } planSummary: COLLSCAN 120ms\n'
)


def test_logs_and_code_need_no_project(tmp_path: Path) -> None:
    structured = "".join(json.dumps(each) + "\n" for each in LOG) + '{"cut": '
    (tmp_path / "mongod.log.gz").write_bytes(gzip.compress(structured.encode()))
    (tmp_path / "old.log").write_text(OLD_LOG, encoding="utf-8")
    (tmp_path / "none.log").write_text("nothing\n", encoding="utf-8")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text('x = [{"$unionWith": "b"}]\n', encoding="utf-8")
    logs = ["--log", "mongod.log.gz", "--log", "old.log", "--log", "none.log"]
    found = assessed(tmp_path, "5.0", "--source-code", "code", *logs)
    assert {(each["name"], each["file"], each["line"]) for each in found} == {
        ("$bucketAuto", "mongod.log.gz", None),
        ("mapReduce", "mongod.log.gz", None),
        ("$graphLookup", "old.log", None),
        ("$unionWith", "a.py", 1),
        ("none.log", "none.log", None),
    }
    done = Command(tmp_path)("assess", "--documentdb", "5.0", "--source-code", "code", expect=12)
    assert "a.py:1" in done.stdout


def test_what_cannot_be_looked_at(folder: Path, server: Database[dict[str, Any]]) -> None:
    (folder / "rows.json").write_text("[{}]", encoding="utf-8")
    for arguments, code, says in (
        (["--documentdb", "5.0", "files.rows"], 3, "is of kind json"),
        (["--documentdb", "5.0", "--source-code", "nowhere"], 3, "nowhere is no folder"),
        (["--documentdb", "5.0", "--log", "nowhere"], 3, "nowhere cannot be read"),
        (["--documentdb", "8.0", "--flavour", "elastic", "--source-code", "."], 3, "no elastic clusters"),
        (["--source-code", "."], 2, "need --documentdb"),
        (["--documentdb", "7.0"], 2, "7.0"),
    ):
        done = Command(folder)("assess", *arguments, expect=code)
        assert says in done.stderr
