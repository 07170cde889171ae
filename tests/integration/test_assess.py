"""`greylag assess` on hand-made sources where the right answer is known: a real mongod and JSON files."""

from __future__ import annotations

import gzip
import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import ASCENDING, DESCENDING, MongoClient

from tests.command import Command

if TYPE_CHECKING:
    from pathlib import Path

FORUM = """\
project: forum
connections:
  files: {kind: json, path: data}
  dynamo: {kind: dynamodb, region: us-east-1, endpoint_url: "http://127.0.0.1:9"}
services:
  users:
    flows:
      users: {from: files.users, to: dynamo.users, key: {id: "{id}"}, indexes: {ByMail: {email: "{email}"}}}
      posts: {from: "files.posts.json#/posts", to: dynamo.posts, key: {id: "{id}"}}
"""


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    command.write(FORUM)
    (tmp_path / "data").mkdir()
    return command


def lines(folder: Path, name: str, records: list[Any]) -> None:
    (folder / "data" / name).write_text("".join(json.dumps(each) + "\n" for each in records))


def kinds(dataset: dict[str, Any]) -> dict[str, list[str]]:
    """The names that each kind of finding is about."""
    found: dict[str, list[str]] = {}
    for each in dataset["findings"]:
        found.setdefault(each["kind"], []).append(each["name"])
    return found


def field(dataset: dict[str, Any], path: str) -> dict[str, Any]:
    return next(each for each in dataset["profile"]["fields"] if each["path"] == path)


def test_json_files_of_a_known_content(greylag: Command, tmp_path: Path) -> None:
    users: list[Any] = [
        {"id": f"u{number}", "email": f"{number}@example.org", "age": number % 90, "tags": ["a"]}
        for number in range(200)
    ]
    users[5]["age"] = "5"
    users[6]["email"] = ""
    users[7]["id"] = "u8"
    users[8]["body"] = "x" * 420_000
    users[9]["body"] = "x" * 380_000
    users[10]["big"] = int("1" * 39)
    users[12][""] = 1
    users[11]["deep"] = json.loads("[" * 40 + "]" * 40)
    lines(tmp_path, "users.jsonl", users)
    with (tmp_path / "data" / "users.jsonl").open("a") as file:
        file.write('{"id": "twice", "id": "twice"}\n')
    (tmp_path / "data" / "posts.json").write_text(json.dumps({"posts": [{"id": 1}, {"id": 2}]}))
    found = greylag.json("assess", "--full", expect=12)
    assert found["sample"] is None
    assert found["worst"] == "blocker"
    users_found, posts = found["datasets"]
    assert (users_found["source"], users_found["flows"], users_found["kind"]) == (
        "files.users",
        ["users"],
        "json",
    )
    profile = users_found["profile"]
    assert (profile["records_read"], profile["unreadable"], profile["whole"]) == (201, 1, True)
    assert profile["sizes"]["count"] == 200
    assert profile["sizes"]["largest"] == len(json.dumps(users[8], separators=(",", ":")))
    assert field(users_found, "age")["types"] == {"int": 199, "string": 1}
    assert field(users_found, "body")["missing"] == 198
    assert profile["keys"] == [
        {"path": "email", "type": "string", "duplicates": 0, "proven": False},
        {"path": "id", "type": "string", "duplicates": 2, "proven": False},
    ]
    assert kinds(users_found) == {
        "deep-records": ["users"],
        "empty-key-value": ["email"],
        "empty-name": [""],
        "large-records": ["users"],
        "mixed-types": ["age"],
        "nearly-unique": ["id"],
        "oversize-records": ["users"],
        "unfit-numbers": ["big"],
        "unreadable-records": ["users"],
    }
    blockers = {each["kind"] for each in users_found["findings"] if each["severity"] == "blocker"}
    assert blockers == {
        "deep-records",
        "empty-key-value",
        "empty-name",
        "oversize-records",
        "unfit-numbers",
        "unreadable-records",
    }
    assert all(each["advice"] for each in users_found["findings"])
    assert kinds(posts) == {}
    assert posts["profile"]["keys"] == [{"path": "id", "type": "int", "duplicates": 0, "proven": True}]


def test_severity_decides_the_exit_code(greylag: Command, tmp_path: Path) -> None:
    lines(tmp_path, "users.jsonl", [{"id": 1, "a": 1}, {"id": 2, "a": "x"}])
    greylag("assess", "files.users")
    told = greylag("assess", "files.users", "--fail-on", "warning", expect=12)
    assert "mixed-types" in told.stderr
    greylag("assess", "files.users", "--fail-on", "never")
    assert "mixed-types" in greylag("assess", "files.users").stdout
    greylag("assess", "--full", "--sample", "3", expect=2)


def test_what_cannot_be_looked_at_is_a_finding_and_the_rest_is_looked_at(
    greylag: Command, tmp_path: Path
) -> None:
    lines(tmp_path, "users.jsonl", [{"id": 1}])
    (tmp_path / "data" / "posts.json").write_text('{"posts": [{"id": 1}, {"id": 2}, {"id"')
    users, posts = greylag.json("assess", expect=12)["datasets"]
    assert users["profile"]["records_read"] == 1
    assert posts["profile"]["records_read"] == 2
    assert not posts["profile"]["whole"]
    assert "damaged-source" in kinds(posts)
    (tmp_path / "data" / "posts.json").unlink()
    users, posts = greylag.json("assess", expect=12)["datasets"]
    assert (posts["profile"], kinds(posts)) == (None, {"unreadable-dataset": ["files.posts.json#/posts"]})


def test_an_unfinished_project_is_assessed(greylag: Command, tmp_path: Path) -> None:
    greylag.write(
        "project: p\nconnections:\n  files: {kind: json, path: data}\n"
        "services: {all: {flows: {users: {from: files.users}, other: {form: x}}}}\n"
    )
    lines(tmp_path, "users.jsonl", [{"id": 1}])
    lines(tmp_path, "more.jsonl", [{"id": 1}])
    found = greylag.json("assess")
    assert [each["source"] for each in found["datasets"]] == ["files.users"]
    assert {each["kind"] for each in found["findings"]} == {"unfinished-project"}
    assert [each["source"] for each in greylag.json("assess", "files")["datasets"]] == [
        "files.more",
        "files.users",
    ]
    assert "did you mean 'files'" in greylag("assess", "filse.users", expect=3).stderr
    greylag.write("project: p\nconnections:\n  files: {kind: json, path: data}\n")
    greylag("assess", expect=3)
    greylag("assess", "files")


def test_markdown_shows_data_as_data(greylag: Command, tmp_path: Path) -> None:
    lines(tmp_path, "users.jsonl", [{"id": 1, "a|b <script>\u001bm": 1}])
    told = greylag("assess", "files.users", "--markdown", "report.md")
    text = (tmp_path / "report.md").read_text()
    assert text.startswith("# Assessment of forum\n")
    assert r"a\|b \<script\>\\x1bm" in text
    assert "\x1b" not in told.stdout


@pytest.mark.parametrize("name", ["users.jsonl.gz", "users.json"])
def test_a_sample_says_how_it_was_taken(greylag: Command, tmp_path: Path, name: str) -> None:
    records = [{"id": number, "pad": "x" * 100} for number in range(60_000)]
    path = tmp_path / "data" / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in records).encode()))
    else:
        path.write_text(json.dumps(records))
    [dataset] = greylag.json("assess", "files.users", "--sample", "500")["datasets"]
    profile = dataset["profile"]
    assert not profile["whole"]
    assert 250 <= profile["records_read"] <= 1500
    assert "even distances" in profile["bias"]
    assert profile["keys"][0] == {"path": "id", "type": "int", "duplicates": 0, "proven": False}


def test_one_repeated_value_is_found_by_a_full_read(greylag: Command, tmp_path: Path) -> None:
    with (tmp_path / "data" / "users.jsonl").open("w") as file:
        for number in range(100_000):
            file.write(f'{{"id": {71 if number == 88_888 else number}}}\n')
    [dataset] = greylag.json("assess", "files.users", "--full")["datasets"]
    assert dataset["profile"]["keys"] == [{"path": "id", "type": "int", "duplicates": 2, "proven": False}]
    assert {"nearly-unique", "no-key"} <= set(kinds(dataset))


def test_a_collection_of_a_known_content(
    greylag: Command, tmp_path: Path, mongodb_url: str, database: str
) -> None:
    import bson

    greylag.write(
        f"project: shop\nconnections:\n  mongo: {{kind: mongodb, url: '{mongodb_url}', database: {database}}}\n"
        "services: {}\n"
    )
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        shop = client[database]
        shop.create_collection("log", capped=True, size=4096)
        shop["log"].insert_one({"a": 1})
        orders = shop["orders"]
        documents: list[dict[str, Any]] = [
            {
                "sku": f"s{number}",
                "state": "open",
                "at": bson.ObjectId().generation_time,
                "tags": ["a"],
                "words": "x",
            }
            for number in range(300)
        ]
        documents[0]["price"] = 1.5
        documents[1]["price"] = bson.Int64(2)
        documents[2]["price"] = float("nan")
        documents[3]["ref"] = bson.ObjectId()
        documents[4]["ref"] = "text"
        orders.insert_many(documents)
        orders.create_index("sku", unique=True, name="by_sku")
        orders.create_index([("state", ASCENDING), ("at", DESCENDING), ("sku", ASCENDING)], name="three")
        orders.create_index("at", expireAfterSeconds=3600, name="expiry")
        orders.create_index([("words", "text")], name="search")
        orders.create_index("tags", name="by_tag")
        orders.create_index("state", name="open", partialFilterExpression={"state": "open"})
    log, found = greylag.json("assess", "mongo", "--full")["datasets"]
    assert "capped-collection" in kinds(log)
    assert found["source"] == "mongo.orders"
    assert found["resumable_changes"]
    assert kinds(found) == {
        "array-index": ["by_tag"],
        "compound-index": ["three"],
        "index-kind": ["search"],
        "mixed-numbers": ["price"],
        "mixed-types": ["ref"],
        "partial-index": ["open"],
        "short-change-window": ["mongo.orders"],
        "ttl-index": ["expiry"],
        "unfit-numbers": ["price"],
        "unique-index": ["by_sku"],
    }
    inventory = found["inventory"]
    assert (inventory["form"], inventory["topology"]) == ("collection", "replica set")
    assert inventory["growth"]["recent_records"] == 300
    three = next(each for each in inventory["indexes"] if each["name"] == "three")
    assert three["keys"] == [
        {"path": "state", "kind": "ascending"},
        {"path": "at", "kind": "descending"},
        {"path": "sku", "kind": "ascending"},
    ]
    assert found["profile"]["keys"] == [
        {"path": "_id", "type": "objectId", "duplicates": 0, "proven": True},
        {"path": "sku", "type": "string", "duplicates": 0, "proven": True},
    ]
    [sampled] = greylag.json("assess", "mongo.orders", "--sample", "50")["datasets"]
    assert 1 <= sampled["profile"]["records_read"] <= 50
    assert not sampled["profile"]["whole"]
    assert "$sample" in sampled["profile"]["bias"]
    assert [each["proven"] for each in sampled["profile"]["keys"]] == [True, True]


def test_a_server_that_is_away_is_an_error(greylag: Command) -> None:
    greylag.write(
        "project: p\nconnections:\n"
        "  mongo: {kind: mongodb, url: 'mongodb://127.0.0.1:9/x', patience_seconds: 1}\nservices: {}\n"
    )
    greylag("assess", "mongo.things", expect=4)


def test_an_interrupted_assessment_leaves_nothing(greylag: Command, tmp_path: Path) -> None:
    lines(tmp_path, "users.jsonl", [{"id": number, "pad": "x" * 1000} for number in range(8000)])
    slow = "read_bytes_per_second: 1000"
    greylag.write(FORUM.replace("path: data", f"path: data, {slow}"))
    process = greylag.start("assess", "files.users", "--full")
    work = tmp_path / ".greylag" / "assess" / "work"
    while process.poll() is None and not work.exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "interrupted" in err
    assert process.returncode == 130
    assert not work.exists()
