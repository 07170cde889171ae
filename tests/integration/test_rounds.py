"""`greylag verify --follow` while writes go on: after the first round, what changed since, as apply notes it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from greylag.config import load
from greylag.connectors import memory
from greylag.core.canonical import canonical
from greylag.core.extended_json import dumps
from greylag.operations.rounds import rounds
from tests.command import Command
from tests.inline import Inline
from tests.integration.test_drain import DEADLINE_SECONDS, drained, followed
from tests.unit.engine.test_verify import tamper

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from greylag.operations.rounds import Round

PROJECT = """
project: rounds
connections:
  a: {kind: memory, path: a.sqlite, family: bson}
  b: {kind: memory, path: b.sqlite}
services:
  s:
    flows:
      things: {from: a.things, to: b.things, key: {pk: "T#{_id}"}}
      named: {from: a.named, to: b.named, key: {name: "{name}"}}
"""


def caught_up(greylag: Command) -> None:
    """Wait until the state says so too: a drain may know it a moment before."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while {each["stage"] for each in greylag.json("status")["flows"]} != {"following"}:
        assert time.monotonic() < deadline


def place(path: Path, table: str, key: str, item: dict[str, Any]) -> None:
    """As someone else would."""
    tamper(
        path,
        "INSERT INTO items (in_table, key, body) SELECT serial, ?, ? FROM tables WHERE name = ?",
        canonical([key]),
        dumps(item).encode(),
        table,
    )


def test_later_rounds_look_at_what_changed_and_at_what_counted_before(tmp_path: Path) -> None:
    greylag = Command(tmp_path)
    greylag.write(PROJECT)
    source, target = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    memory.put(source, "things", [{"_id": n} for n in range(50)], family="bson")
    memory.put(source, "named", [{"_id": n, "name": f"n{n}"} for n in range(50)], family="bson")
    project = load(tmp_path / "greylag.yaml")
    with followed(greylag):
        drained(greylag)
        caught_up(greylag)
        found: Generator[Round] = rounds(project, (), executor=Inline(), observe=lambda _: None)
        first = next(found)
        assert (first.whole, first.because, first.verified, first.lasting) == (True, "", 100, 0)

        memory.write(source, "things", [{"_id": 1, "n": 1}, {"_id": 2, "n": 1}])
        memory.delete(source, "things", [3])
        memory.write(source, "named", [{"_id": 1, "name": "moved"}])
        drained(greylag)
        second = next(found)
        assert (second.whole, second.because) == (False, "")
        assert (second.looked_at, second.verified, second.lasting) == (4, 3, 0)

        memory.write(source, "things", [{"_id": 2, "n": 2}])
        memory.write(source, "named", [{"_id": 2, "name": "moved too"}])
        memory.delete(source, "things", [4])
        drained(greylag)
        tamper(target, "DELETE FROM items WHERE key = ?", canonical(["T#2"]))
        place(target, "things", "T#4", {"pk": "T#4", "_id": 4})
        place(target, "named", "n2", {"name": "n2", "_id": 2})
        third = next(found)
        lines = [json.loads(line) for line in (tmp_path / third.lasting_file).read_bytes().splitlines()]
        kinds: dict[str, Any] = {each["kind"]: each["key"] for each in lines if each["flow"] == "things"}
        assert (third.looked_at, third.lasting) == (3, 3)
        assert kinds == {"missing": {"pk": "T#2"}, "extra": {"pk": "T#4"}}

        fourth = next(found)
        assert (fourth.looked_at, fourth.lasting) == (0, 3)
        assert fourth.oldest_seconds > third.oldest_seconds
        memory.write(source, "things", [{"_id": 2, "n": 3}, {"_id": 4}])
        memory.write(source, "named", [{"_id": 9, "name": "n2"}])
        drained(greylag)
        assert next(found).lasting == 0
    last = next(found)
    assert last.whole
    assert "nothing is followed" in last.because
    found.close()
    assert not list((tmp_path / ".greylag" / "apply").glob("*.changed/*"))
