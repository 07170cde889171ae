"""`greylag drain`, and records that cannot be carried while following, as a user meets them."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors import memory
from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """
project: draining
connections:
  a: {kind: memory, path: a.sqlite, family: bson}
  b: {kind: memory, path: b.sqlite}
services:
  s:
    flows:
      named: {from: a.named, to: b.named, key: {name: "{name}"}}
"""
DEADLINE_SECONDS = 120.0


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    command.write(PROJECT)
    memory.put(
        tmp_path / "a.sqlite", "named", [{"_id": n, "name": f"n{n}"} for n in range(20)], family="bson"
    )
    return command


@pytest.fixture
def following(greylag: Command) -> Iterator[Command]:
    with followed(greylag):
        yield greylag


@contextmanager
def followed(greylag: Command) -> Iterator[None]:
    process = greylag.start("run", "--follow", "--processes", "1")
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=DEADLINE_SECONDS)
            assert "Traceback" not in err, err
        finally:
            process.kill()


def drained(greylag: Command, *, code: int = 0) -> str:
    """What `drain` said when it ended with this code; at first nothing may be followed yet."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        told = greylag("drain", "--timeout", "30", expect=None)
        if told.returncode == code:
            return told.stdout + told.stderr
        assert time.monotonic() < deadline, told.stdout + told.stderr


def names(greylag: Command) -> list[str]:
    return sorted(str(each["name"]) for each in memory.items(greylag.folder / "b.sqlite", "named"))


def write(greylag: Command, record: dict[str, Any]) -> None:
    memory.write(greylag.folder / "a.sqlite", "named", [record])


def test_a_stale_record_keeps_drain_false_until_it_is_accepted_or_mended(following: Command) -> None:
    drained(following)
    write(following, {"_id": 1, "name": "moved"})
    memory.delete(following.folder / "a.sqlite", "named", [2])
    drained(following)
    assert names(following) == sorted({"moved", *(f"n{n}" for n in range(20))} - {"n1", "n2"})

    write(following, {"_id": 3, "other": "it has no name now"})
    write(following, {"_id": 4, "name": "n5"})
    said = drained(following, code=14)
    assert "3 records stale" in said
    listed = {str(each["key"]): each for each in following.json("quarantine", "list")["records"]}
    assert {"stale", "accepted"} <= listed.popitem()[1].keys()
    assert "n3" in names(following), "what the target holds of it stays"

    write(following, {"_id": 4, "name": "n4"})
    said = drained(following, code=14)
    assert "1 record stale" in said
    following("quarantine", "accept", "named", "3")
    drained(following)
    write(following, {"_id": 3, "name": "again"})
    drained(following)
    assert following.json("quarantine", "list")["total"] == 0
    expected = {"moved", "again", *(f"n{n}" for n in range(20))} - {"n1", "n2", "n3"}
    assert names(following) == sorted(expected)


def test_a_write_behind_the_fence_is_told_and_not_applied(tmp_path: Path) -> None:
    greylag = Command(tmp_path)
    greylag.write(PROJECT.replace("{kind: memory, path: a.sqlite, family: bson}", "{kind: json, path: data}"))
    file = tmp_path / "data" / "named.json"
    file.parent.mkdir()
    records = [{"name": f"n{n}", "n": n} for n in range(20)]
    file.write_text(json.dumps(records))
    with followed(greylag):
        drained(greylag)
        records[7]["n"] = 70
        file.write_text(json.dumps(records))
        drained(greylag)
        greylag("fence", "s")
        drained(greylag)
        for path in (file.parent, file):  # someone who may, and does not know
            path.chmod(0o755)
        records[7]["n"], records[8]["n"] = 71, 80
        file.write_text(json.dumps(records))
        said = drained(greylag, code=14)
        assert "2 records stale" in said
        listed = greylag.json("quarantine", "list")["records"]
        assert all("after `greylag fence`" in each["reason"] for each in listed)
        held = {str(each["name"]): each["n"] for each in memory.items(tmp_path / "b.sqlite", "named")}
        assert (held["n7"], held["n8"], len(held)) == (70, 8, 20)
        greylag("fence", "s", "--release")
        records[8]["n"] = 81
        file.write_text(json.dumps(records))
        said = drained(greylag, code=14)
        assert "1 record stale" in said
        held = {str(each["name"]): each["n"] for each in memory.items(tmp_path / "b.sqlite", "named")}
        assert (held["n7"], held["n8"]) == (70, 81)


def test_what_is_not_followed_does_not_drain(greylag: Command) -> None:
    greylag("run", "--processes", "1")
    told = greylag("drain", expect=7)
    assert "run --follow" in told.stderr


def test_a_run_that_has_ended_is_named(following: Command) -> None:
    drained(following)
    assert following.json("drain", "--timeout", "20")["drained"]
