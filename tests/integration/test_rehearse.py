"""`greylag rehearse`: real sources, a stand-in of its own, and nothing of a real run touched."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import Command, items_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FORUM = Path(__file__).parents[2] / "examples" / "forum"
AWAY = "http://127.0.0.1:9"  # where AWS would be: nothing answers, so whatever asks it fails
THINGS = """
project: things
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  aws: {{kind: dynamodb, region: eu-west-1, endpoint_url: "{away}", patience_seconds: 1}}
services:
  things:
    flows:
      things: {{from: mongo.things, to: aws.things, key: {{id: "{{_id}}"}}}}
"""


@pytest.fixture
def forum(tmp_path: Path) -> Command:
    shutil.copy(FORUM / "greylag.yaml", tmp_path)
    shutil.copytree(FORUM / "data", tmp_path / "data")
    return Command(tmp_path, {"FORUM_DATA": "data", "DYNAMODB_ENDPOINT": AWAY})


@pytest.fixture
def things(mongodb_url: str, tmp_path: Path) -> Iterator[Command]:
    from pymongo import MongoClient

    database = f"rehearse_{os.getpid()}"
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database].things.insert_many({"_id": number, "n": number} for number in range(5000))
        client[database].things.insert_one({"_id": 9999, "n": float("nan")})
        command = Command(tmp_path)
        command.write(THINGS.format(url=mongodb_url, database=database, away=AWAY))
        yield command
        assert client[database].things.count_documents({}) == 5001
        client.drop_database(database)


def expected_in_quarantine() -> dict[str, int]:
    expected = json.loads((FORUM / "data" / "expected.json").read_text())
    return {name: service["count"] for name, service in expected.items()}


@pytest.mark.parametrize("server", ["dynamodb", "moto"])
def test_everything_is_carried_to_a_stand_in(forum: Command, server: str) -> None:
    found = forum.json("rehearse", "--full", "--on", server, expect=10)
    wanted = expected_in_quarantine()
    quarantined = dict.fromkeys(wanted, 0)
    for each in found["quarantined"]:
        quarantined[each["flow"]] += each["records"]
    assert quarantined == wanted
    assert found["sample"] is None
    assert found["endpoint"] is None
    assert found["verification"]["mismatches"] == 0
    assert sum(each["items"] for each in found["tables"]) == 370
    assert {each["state"] for each in found["plan"]["tables"]} == {"assumed"}
    assert len(found["assessment"]["datasets"]) == 3


def test_a_sample_is_about_as_large_as_was_said(things: Command) -> None:
    found = things.json("rehearse", "--sample", "200")
    [flow] = found["run"]["flows"]
    assert 200 <= flow["records_read"] <= 216
    assert flow["items_written"] == flow["records_read"]


def test_all_of_it_holds_what_a_sample_missed(things: Command) -> None:
    [reason] = things.json("rehearse", "--full", expect=10)["quarantined"]
    assert (reason["records"], reason["example"]) == (1, 9999)


def test_a_real_run_knows_nothing_of_it(forum: Command, dynamodb_endpoint: str, table_prefix: str) -> None:
    text = (forum.folder / "greylag.yaml").read_text()
    forum.write(text.replace("dynamo.forum-", f"dynamo.{table_prefix}forum-"))
    forum.environment["DYNAMODB_ENDPOINT"] = dynamodb_endpoint
    forum("run", "--only", "users", expect=10)
    before = forum.json("status")
    tables = items_of(dynamodb_endpoint, f"{table_prefix}forum-users")
    forum("rehearse", expect=10)
    assert forum.json("status") == before
    assert items_of(dynamodb_endpoint, f"{table_prefix}forum-users") == tables
    assert forum.json("quarantine", "list")["total"] == expected_in_quarantine()["users"]


def test_tables_stay_up_where_asked_until_they_are_ended(forum: Command) -> None:
    assert "No rehearsal" in forum("rehearse", "--end").stdout
    endpoint = forum.json("rehearse", "--keep", expect=10)["endpoint"]
    assert len(items_of(endpoint, "forum-users")) == 59
    again = forum.json("rehearse", "--keep", "--only", "users", expect=10)["endpoint"]
    assert len(items_of(again, "forum-users")) == 59
    [pid] = pids(forum)
    assert forum.json("rehearse", "--end") == {"ended": True}
    assert not alive(pid)
    assert not (forum.folder / ".greylag" / "rehearsal").exists()


def test_a_killed_rehearsal_leaves_no_server(forum: Command) -> None:
    process = forum.start("rehearse", "--full")
    wait(lambda: process.poll() is not None or bool(pids(forum)))
    running = pids(forum)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait(lambda: not any(map(alive, running)))
    forum("rehearse", "--only", "users", expect=10)


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        ("project: x\nconnections: {}\nservices: {a: {flows: {b: {from: q.c, to: d.e}}}}\n", "q"),
        (
            """
project: x
connections:
  files: {kind: json, path: .}
  out: {kind: memory, path: out}
services: {a: {flows: {b: {from: files.users, to: out.users, key: {id: "{@row}"}}}}}
""",
            "no stand-in on this machine for kind memory",
        ),
    ],
)
def test_what_cannot_be_rehearsed_is_said(tmp_path: Path, yaml: str, told: str) -> None:
    (tmp_path / "users.json").write_text("[{}]")
    command = Command(tmp_path)
    command.write(yaml)
    assert told in command("rehearse", expect=3).stderr


def pids(command: Command) -> list[int]:
    """The servers of the rehearsal that `command` has started."""
    try:
        state = json.loads((command.folder / ".greylag/rehearsal/.greylag/lab/state.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    return [each["pid"] for server in state["servers"].values() for each in server["processes"]]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def wait(until: Any) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)
