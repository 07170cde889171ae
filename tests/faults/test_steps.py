"""Killed at any of its durable steps, each process of a run that follows leaves what the next one goes on from.

Not at random: before and after every commit, fsync, and file put in place or removed (`steps`), one run each, from a
process's first step to the last that the scenario has: a load in several pages, changes while it is loaded and
afterwards, moved keys, deletes, a drain. In the end the target is what the source maps to.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from greylag.config import load
from greylag.connectors import memory
from greylag.errors import GreylagError
from greylag.operations.drain import drain
from tests.faults import steps
from tests.faults.commands import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """
project: steps
connections:
  a: {kind: memory, path: a.sqlite, family: bson}
  b: {kind: memory, path: b.sqlite}
services:
  s:
    flows:
      things: {from: a.things, to: b.things, key: {pk: "T#{_id}"}}
      named: {from: a.things, to: b.named, key: {name: "{name}"}}
"""
DEADLINE_SECONDS = 60.0
ROLES = ("coordinator", "worker", "capture", "apply")
IN_CI = 9
"""Every so many steps of a process are tried with each commit."""


class Scenario:
    """One run, in which one process is killed at one step."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.records: dict[int, dict[str, Any]] = {n: {"_id": n, "name": f"n{n}", "v": 0} for n in range(8)}
        (folder / "greylag.yaml").write_text(PROJECT)
        memory.put(folder / "a.sqlite", "things", self.records.values(), family="bson")

    def killed(self, role: str, step: int, when: str) -> bool:
        """Whether the run came so far; what it left is compared in any case."""
        steps.tell(self.folder, role, step, when)
        running = self._start()
        try:
            while not (self.folder / ".greylag" / "spool" / "a" / "capture.json").exists():
                running = self._checked(running)
                time.sleep(0.01)
            self._write(1)
            running = self._drained(running)
            self._write(2)
            running = self._drained(running)
            assert running.end(signal.SIGTERM) in {0, -signal.SIGKILL}, running.text
            if steps.killed(self.folder) and running.code:  # at one of its last steps
                running = self._drained(self._start())
                assert running.end(signal.SIGTERM) == 0, running.text
            self._compare()
        finally:
            running.send(signal.SIGKILL)
        return steps.killed(self.folder)

    def _start(self) -> Running:
        return Running(self.folder, "run", "--follow", "--processes", "1", "--page-bytes", "100")

    def _checked(self, running: Running) -> Running:
        if running.code is None:
            return running
        assert running.code in {4, 7, -signal.SIGKILL}, f"{running.code}: {running.text}"
        assert steps.killed(self.folder), running.text
        return self._start()

    def _drained(self, running: Running) -> Running:
        deadline = time.monotonic() + DEADLINE_SECONDS
        project = load(self.folder / "greylag.yaml")
        while True:
            with contextlib.suppress(GreylagError):
                if drain(project, timeout_seconds=0.5).drained:
                    return running
            running = self._checked(running)
            assert time.monotonic() < deadline, running.text
            time.sleep(0.02)

    def _write(self, turn: int) -> None:
        """A new record, one that is gone, one whose key moves, two that change their names."""
        source = self.folder / "a.sqlite"
        changed: list[dict[str, Any]] = [
            {"_id": 10 * turn, "name": f"new{turn}", "v": turn},
            {**self.records[turn], "name": f"moved{turn}", "v": turn},
            {**self.records[5], "name": self.records[6]["name"], "v": turn},
            {**self.records[6], "name": self.records[5]["name"], "v": turn},
        ]
        for each in changed:
            self.records[each["_id"]] = each
            memory.write(source, "things", [each])
        del self.records[2 + turn]
        memory.delete(source, "things", [2 + turn])

    def _compare(self) -> None:
        for table, more in (("things", True), ("named", False)):
            found = {each["_id"]: each for each in memory.items(self.folder / "b.sqlite", table)}
            wanted = self.records.items()
            assert found == {id_: {**each, "pk": f"T#{id_}"} if more else each for id_, each in wanted}


def places(every: int) -> Iterator[tuple[int, str]]:
    for number in itertools.count(0, every):
        yield number // 2 + 1, ("before", "after")[number % 2]


def killed_at_steps(folder: Path, role: str, every: int) -> int:
    """How many of them there were."""
    for number, (step, when) in enumerate(places(every)):
        scenario = Scenario(folder / f"{role}-{step}-{when}")
        try:
            if not scenario.killed(role, step, when):
                return number
        except BaseException as error:
            error.add_note(f"{role}, {when} step {step}")
            raise
        shutil.rmtree(scenario.folder)
    raise AssertionError("unreachable")


@pytest.mark.parametrize("role", ["capture", "apply"])
def test_killed_at_some_steps(tmp_path: Path, role: str) -> None:
    assert killed_at_steps(tmp_path, role, IN_CI) > 0


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_killed_at_every_step(tmp_path: Path, role: str) -> None:
    print(f"{role}: killed at {killed_at_steps(tmp_path, role, 1)} places", flush=True)
