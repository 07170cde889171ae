"""Killed at any of its durable steps, `greylag follow --reverse` leaves what the same command goes on from.

Before and after every commit, fsync, and file put in place or removed (`steps`), one way back each: of the command's
own thread and of the one that captures, while it begins and follows, while it compares after a lost position, while it
gives the way back up. The application inserts, replaces, moves and deletes at the target, records of one item and of
several. In the end the old store is what the application would expect.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pymongo import MongoClient

from greylag.state import directions
from tests.faults import steps
from tests.faults.commands import Running, call
from tests.faults.test_steps import places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """
project: steps
connections:
  old: {old}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true}}
services:
  s:
    flows:
      things: {{from: old.things, to: new.things, attributes: {{_id: "{{kind}}#{{{id}}}"}}{rename}}}
      lists:
        from: old.lists
        to: new.lists
        attributes: {{_id: "P#{{{id}}}"}}
        split: {{tags: {{attributes: {{_id: "C#{{@parent.{id}}}#{{@index}}"}}}}}}
        {lists}
"""
OLD = {
    "json": "{{kind: json, path: data}}",
    "mongodb": '{{kind: mongodb, url: "{url}", database: {database}, late_write_seconds: 0.2}}',
}
DEADLINE_SECONDS = 60.0
MISSED = 4
"""Behind so many places in a row at which nobody was killed there are no more."""
LOST = 13
ENDED = 14
Phase = Literal["follow", "compare", "end"]
PLACES: list[tuple[Phase, str]] = [
    ("follow", "coordinator"),
    ("follow", steps.CAPTURING),
    ("compare", "coordinator"),
    ("end", "coordinator"),
]
_serial = itertools.count()


class Scenario:
    """One way back, in which one thread's process is killed at one step."""

    def __init__(self, folder: Path, url: str, old: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.database = f"steps{os.getpid()}x{next(_serial)}"
        self.client = MongoClient[dict[str, Any]](url)
        self.new = self.client[f"{self.database}_new"]
        self.id = "id" if old == "json" else "_id"
        self.things: dict[int, dict[str, Any]] = {n: {"kind": "a", "v": 0} for n in range(6)}
        self.lists: dict[int, list[Any]] = {n: [{"t": n}, {"t": "x"}] for n in range(3)}
        named = {"url": url, "database": self.database, "id": self.id}
        named["rename"] = ", rename: {_id: id}" if old == "mongodb" else ""
        named["lists"] = "rename: {_id: id}" if old == "mongodb" else "drop: []"
        (folder / "greylag.yaml").write_text(PROJECT.format(old=OLD[old].format(**named), **named))
        things, lists = self._expected()
        if old == "json":
            (folder / "data").mkdir()
            for name, records in (("things", things), ("lists", lists)):
                (folder / "data" / f"{name}.json").write_text(json.dumps(list(records.values())))
        else:
            self.client[self.database].things.insert_many(things.values())
            self.client[self.database].lists.insert_many(lists.values())

    def close(self) -> None:
        for each in (self.database, f"{self.database}_new"):
            self.client.drop_database(each)
        self.client.close()

    def killed(self, phase: Phase, role: str, step: int, when: str) -> bool:
        """Whether the command came so far; what it left is compared in any case."""
        assert call(self.folder, "run", "--processes", "1")[0] == 0
        if phase == "follow":
            steps.tell(self.folder, role, step, when)
            self._follow()
        else:
            self._once()
        self._write(1)
        if phase == "compare":
            shutil.rmtree(self.folder / ".greylag" / "reverse" / "s" / "spool")
            steps.tell(self.folder, role, step, when)
            self._once("--compare")
        else:
            self._once()
        self._write(2)
        if phase == "end":
            steps.tell(self.folder, role, step, when)
        self._once("--end")
        self._compare()
        steps.unsay(self.folder)
        return steps.killed(self.folder)

    def _follow(self) -> None:
        """Follows until what is written meanwhile has been carried back, or until it is killed. The application begins
        to write when it is told that it may.
        """
        running = Running(self.folder, "follow", "--reverse", "--frozen")
        try:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while "following" not in running.text:
                if running.code is not None:
                    assert steps.killed(self.folder), running.text
                    running = Running(self.folder, "follow", "--reverse", "--frozen")
                assert time.monotonic() < deadline, running.text
                time.sleep(0.01)
            self._write(0)
            while running.code is None and self._old() != self._expected():
                assert time.monotonic() < deadline, running.text
                time.sleep(0.02)
            # It may have been killed, and may have had no time to learn what SIGTERM means.
            assert running.end(signal.SIGTERM) in {0, -signal.SIGTERM, -signal.SIGKILL}, running.text
        finally:
            running.send(signal.SIGKILL)

    def _once(self, *more: str) -> None:
        """Until it ends by itself. Once killed the command is given as the one before has left it."""
        while True:
            code, text = call(self.folder, "follow", "--reverse", "--once", "--frozen", *more)
            if code == 0:
                return
            assert steps.killed(self.folder), text
            if code == ENDED and "--end" in more:  # killed when that was noted
                assert not directions.carried_back(self.folder / ".greylag"), text
                return
            assert code == -signal.SIGKILL or (code == LOST and "--compare" in text), f"{code}: {text}"
            if "--end" not in more:
                more = ("--compare",) if code == LOST else ()

    def _write(self, turn: int) -> None:
        """A new record, one that is replaced, one that is gone, one whose key moves; and of those of several items one
        more element, one that is another, a record that is new and one that is gone.
        """
        things, lists = self.new.things, self.new.lists
        self._put(10 + turn, "b", turn)
        self._put(turn, "a", turn + 1)
        things.delete_one({"_id": f"a#{3 + turn}"})
        del self.things[3 + turn]
        before = self.things[turn]["kind"]
        things.delete_one({"_id": f"{before}#{turn}"})
        self._put(turn, "c", turn + 2)
        lists.replace_one({"_id": "C#0#1"}, {"_id": "C#0#1", "t": f"y{turn}"}, upsert=True)
        self.lists[0][1] = {"t": f"y{turn}"}
        place = len(self.lists[1])
        lists.insert_one({"_id": f"C#1#{place}", "t": "more"})
        self.lists[1].append({"t": "more"})
        lists.insert_many([{"_id": f"P#{20 + turn}", "id": 20 + turn}, {"_id": f"C#{20 + turn}#0", "t": "n"}])
        self.lists[20 + turn] = [{"t": "n"}]
        gone = 2 if turn == 0 else 19 + turn
        if gone in self.lists:
            lists.delete_many({"_id": {"$in": [f"P#{gone}", f"C#{gone}#0", f"C#{gone}#1"]}})
            del self.lists[gone]

    def _put(self, number: int, kind: str, v: int) -> None:
        item = {"_id": f"{kind}#{number}", "id": number, "kind": kind, "v": v}
        self.new.things.replace_one({"_id": item["_id"]}, item, upsert=True)
        self.things[number] = {"kind": kind, "v": v}

    def _expected(self) -> tuple[dict[int, Any], dict[int, Any]]:
        return (
            {number: {self.id: number, **each} for number, each in self.things.items()},
            {number: {self.id: number, "tags": each} for number, each in self.lists.items()},
        )

    def _old(self) -> tuple[dict[int, Any], dict[int, Any]]:
        found: list[list[dict[str, Any]]]
        if self.id == "id":
            files = [self.folder / "data" / f"{name}.json" for name in ("things", "lists")]
            found = [json.loads(each.read_bytes()) for each in files]
        else:
            found = [list(self.client[self.database][name].find()) for name in ("things", "lists")]
        assert all(len({each[self.id] for each in some}) == len(some) for some in found), found
        return {each[self.id]: each for each in found[0]}, {each[self.id]: each for each in found[1]}

    def _compare(self) -> None:
        assert self._old() == self._expected()


def at_steps(
    folder: Path, url: str, old: str, phase: Phase, role: str, numbers: Iterator[tuple[int, str]]
) -> int:
    """At how many of these places it was killed, up to the last that there is. Nobody is killed after a step that
    failed (removing what is not there), so one place without a kill is not the end.
    """
    done = missed = 0
    for step, when in numbers:
        scenario = Scenario(folder / f"{step}-{when}", url, old)
        try:
            if scenario.killed(phase, role, step, when):
                done, missed = done + 1, 0
            else:
                missed += 1
        except BaseException as error:
            error.add_note(f"{old}, {phase}, {role}, {when} step {step}")
            raise
        finally:
            scenario.close()
        shutil.rmtree(scenario.folder)
        if missed == MISSED:
            break
    return done


def test_the_way_back_killed_at_two_steps(tmp_path: Path, mongodb_url: str) -> None:
    for role, step in (("coordinator", 21), (steps.CAPTURING, 4)):
        folder = tmp_path / role
        folder.mkdir()
        assert at_steps(folder, mongodb_url, "json", "follow", role, iter([(step, "after")])) == 1


@pytest.mark.long
@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize(("phase", "role"), PLACES, ids=[f"{phase}-{role}" for phase, role in PLACES])
def test_the_way_back_killed_at_every_step(
    tmp_path: Path, mongodb_url: str, old: str, phase: Phase, role: str
) -> None:
    count = at_steps(tmp_path, mongodb_url, old, phase, role, places(1))
    print(f"{old}, {phase}, {role}: killed at {count} places", flush=True)
    assert count
