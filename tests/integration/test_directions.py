"""Forward or back, never both: what is refused when, and that it holds through kills."""

from __future__ import annotations

import json
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from greylag.connectors import memory
from tests.command import Command
from tests.integration.test_drain import drained, followed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """
project: directions
connections:
  a: {{kind: json, path: data}}
  b: {{kind: mongodb, url: "{url}", database: {database}, create_tables: true,
      late_write_seconds: 1}}
  c: {{kind: memory, path: c.sqlite, family: bson}}
  d: {{kind: memory, path: d.sqlite}}
services:
  s:
    flows:
      named: {{from: a.named, to: b.named, attributes: {{_id: "{{name}}"}}}}
  t:
    flows:
      other: {{from: c.other, to: d.other, key: {{pk: "T#{{_id}}"}}}}
"""
BACK = ("follow", "--reverse", "s", "--once")


class Moving:
    """The project, and both stores of service s."""

    def __init__(self, folder: Path, url: str, database: str) -> None:
        self.greylag = Command(folder)
        self.greylag.write(PROJECT.format(url=url, database=database))
        self.file = folder / "data" / "named.json"
        self.file.parent.mkdir()
        self.file.write_text(json.dumps([{"name": f"n{n}", "n": n} for n in range(5)]))
        memory.put(folder / "c.sqlite", "other", [{"_id": n} for n in range(5)], family="bson")
        self.client = MongoClient[dict[str, Any]](url)
        self.new = self.client[database]["named"]

    def old(self) -> dict[str, Any]:
        return {each["name"]: each["n"] for each in json.loads(self.file.read_bytes())}

    def change(self, name: str, n: int) -> None:
        """As the application writes at the target."""
        self.new.replace_one({"_id": name}, {"name": name, "n": n})


@pytest.fixture
def moving(tmp_path: Path, mongodb_url: str, database: str) -> Iterator[Moving]:
    made = Moving(tmp_path, mongodb_url, database)
    with made.client:
        yield made


@pytest.mark.long
def test_back_begins_behind_fence_and_drain_and_forward_stays_refused(moving: Moving) -> None:
    greylag = moving.greylag
    with followed(greylag):
        drained(greylag)
        assert "another greylag" in greylag(*BACK, expect=7).stderr
    assert "service s is not fenced" in greylag(*BACK, expect=14).stderr
    greylag("fence", "s")
    assert "not been drained since service s was fenced" in greylag(*BACK, expect=14).stderr
    with followed(greylag):
        drained(greylag)
    process = greylag.start("follow", "--reverse", "s")
    try:
        assert process.stderr is not None
        assert any("following" in line for line in process.stderr)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    status = greylag.json("status")
    assert (status["carried_back"], status["back_running"]) == (["named"], False)
    assert "`greylag follow --reverse` goes on" in greylag("status").stdout
    assert [each["stream"] for each in status["streams"]] == ["a", "c", "b, back for s"]
    for refused in (
        ("run", "--follow", "--only", "s"),
        ("repair", "--only", "s"),
        ("fence", "s", "--release"),
    ):
        assert "carried back" in greylag(*refused, expect=7).stderr, refused
    shutil.rmtree(greylag.folder / ".greylag" / "reverse" / "s" / "spool")
    assert "--compare" in greylag(*BACK, expect=13).stderr


@pytest.mark.long
def test_one_service_goes_forward_while_another_goes_back_and_back_has_an_end(moving: Moving) -> None:
    greylag = moving.greylag
    with followed(greylag):
        drained(greylag)
    drains = greylag.folder / ".greylag" / "drained.json"
    told = drains.read_bytes()
    drains.unlink()
    assert "has not been drained" in greylag(*BACK, "--frozen", expect=14).stderr, "that is no user's word"
    drains.write_bytes(told)
    assert greylag.json(*BACK, "--frozen")["changes"] == 0
    with followed(greylag):
        memory.write(greylag.folder / "c.sqlite", "other", [{"_id": 9}])
        drained(greylag)
        moving.change("n1", 10)
        assert greylag.json(*BACK)["changes"] == 1
        assert moving.old()["n1"] == 10
    assert len(memory.items(greylag.folder / "d.sqlite", "other")) == 6
    moving.change("n2", 20)
    greylag("follow", "--reverse", "s", "--end")
    assert moving.old() == {"n0": 0, "n1": 10, "n2": 20, "n3": 3, "n4": 4}
    assert greylag.json("status")["given_up"] == ["named"]
    assert "--reload" in greylag("run", "--follow", expect=7).stderr
    assert "carried back before" in greylag(*BACK, "--frozen", expect=14).stderr
    process = greylag.start("run", "--follow", "--reload", "named", "--processes", "1")
    try:
        drained(greylag)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert greylag.json("status")["carried_back"] == []
    assert [each["verified"] for each in greylag.json("verify")["flows"]] == [5, 6]
