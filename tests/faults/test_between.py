"""`repair` and `quarantine retry` of flows that are followed, while nothing follows: apply knows what they wrote."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from greylag.operations.follow.anew import UNSETTLED
from greylag.state.store import Store
from tests.faults.commands import Running, call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.conftest import Things

PROJECT = """
project: between
connections:
  old: {{kind: mongodb, url: "{url}", database: {database}}}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true, late_write_seconds: 0.2}}
services:
  s:
    flows:
      things: {{from: old.things, to: new.things, attributes: {{_id: "{{kind}}#{{_id}}"}}, rename: {{_id: id}}}}
"""


@contextmanager
def following(folder: Path) -> Iterator[None]:
    running = Running(folder, "run", "--follow", "--processes", "1")
    deadline = time.monotonic() + 60
    try:
        while "following" not in call(folder, "status")[1]:
            assert running.code is None, running.text
            assert time.monotonic() < deadline, running.text
        yield
        assert running.end(signal.SIGTERM) == 0
    finally:
        running.send(signal.SIGKILL)


def names(things: Things) -> list[str]:
    return sorted(each["_id"] for each in things.find())


def unsettled(folder: Path) -> bool:
    with Store(folder / ".greylag" / "state.sqlite", read_only=True) as store:
        return bool(store.noted(UNSETTLED))


def test_what_repair_wrote_goes_when_its_record_has_moved(
    tmp_path: Path, things: tuple[Things, Things]
) -> None:
    old, new = things
    old.insert_many([{"_id": 1, "kind": "a"}, {"_id": 2, "kind": "a"}])
    with following(tmp_path):
        assert call(tmp_path, "drain")[0] == 0
    assert not unsettled(tmp_path)
    old.update_one({"_id": 1}, {"$set": {"kind": "b"}})
    call(tmp_path, "repair")
    assert names(new) == ["a#1", "a#2", "b#1"]
    assert unsettled(tmp_path)
    old.update_one({"_id": 1}, {"$set": {"kind": "c"}})
    with following(tmp_path):
        assert call(tmp_path, "drain")[0] == 0
        assert names(new) == ["a#2", "c#1"]


def test_what_a_retry_carried_goes_when_its_record_has_moved_and_is_told_when_it_is_stale(
    tmp_path: Path, things: tuple[Things, Things]
) -> None:
    old, new = things
    old.insert_many([{"_id": 1, "kind": "a"}, {"_id": 2}])
    with following(tmp_path):
        assert call(tmp_path, "drain")[0] == 0
    assert names(new) == ["a#1"]
    old.update_one({"_id": 2}, {"$set": {"kind": "a"}})
    assert call(tmp_path, "quarantine", "retry")[0] == 0
    assert names(new) == ["a#1", "a#2"]
    assert unsettled(tmp_path)
    old.update_one({"_id": 2}, {"$set": {"kind": "b"}})
    with following(tmp_path):
        assert call(tmp_path, "drain")[0] == 0
        assert names(new) == ["a#1", "b#2"]
        old.update_one({"_id": 2}, {"$unset": {"kind": 1}})
        assert call(tmp_path, "drain", "--timeout", "3")[0] == 14
        assert "kind" in call(tmp_path, "quarantine", "list")[1]
