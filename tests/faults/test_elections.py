"""A replica set of three whose primary steps down, loses a member, its primary, and its majority, while it is followed.

Source and target are databases of the same set: what happens to one happens to the other. The ledger's application
writes all the while; it repeats what an election left open, and every write that was acknowledged is at the target.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo.errors
import pytest
from pymongo import MongoClient

from greylag.config import load
from greylag.errors import GreylagError
from greylag.lab.lab import temporary_lab
from greylag.operations.drain import drain
from tests.faults.applications import Collection
from tests.faults.commands import Running
from tests.faults.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = """
project: elections
connections:
  old: {{kind: mongodb, url: "{url}", database: old}}
  new: {{kind: mongodb, url: "{url}", database: new, create_tables: true, late_write_seconds: 2}}
services:
  s: {{flows: {{things: {{from: old.things, to: new.things}}}}}}
"""
DEADLINE_SECONDS = 120.0


class Members:
    """The set's processes, each to be killed and begun again."""

    def __init__(self, url: str) -> None:
        self.client = MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=1000)
        self._begun: list[subprocess.Popen[bytes]] = []
        self._commands: dict[int, tuple[list[str], dict[str, str]]] = {}
        self._pids: dict[int, int] = {}
        ports = [int(each.rpartition(":")[2]) for each in url.split("/")[2].split(",")]
        for path in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                command = (path / "cmdline").read_bytes().decode().split("\0")[:-1]
                if "--port" in command and int(command[command.index("--port") + 1]) in ports:
                    environment = (path / "environ").read_bytes().decode().split("\0")[:-1]
                    port = int(command[command.index("--port") + 1])
                    self._commands[port] = command, dict(each.split("=", 1) for each in environment)
                    self._pids[port] = int(path.name)
        assert len(self._pids) == 3

    def primary(self) -> int:
        """The port of the primary, once there is one."""
        found = until(lambda: self.client.primary)
        return int(found[1])

    def kill(self, port: int) -> None:
        os.kill(self._pids[port], signal.SIGKILL)

    def begin(self, port: int) -> None:
        command, environment = self._commands[port]
        null = subprocess.DEVNULL
        process = subprocess.Popen(command, env=environment, stdout=null, stderr=null)
        self._begun.append(process)
        self._pids[port] = process.pid

    def others(self, *ports: int) -> list[int]:
        return [each for each in self._pids if each not in ports]

    def close(self) -> None:
        self.client.close()
        for each in self._begun:
            each.kill()
            each.wait()


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        with contextlib.suppress(pymongo.errors.PyMongoError):
            if found := condition():
                return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def following(folder: Path) -> Iterator[Running]:
    running = Running(folder, "run", "--follow", "--processes", "1")
    try:
        yield running
        assert running.end(signal.SIGTERM) == 0, running.text
    finally:
        running.send(signal.SIGKILL)


@pytest.mark.long
def test_every_acknowledged_write_outlives_elections(tmp_path: Path) -> None:
    with temporary_lab(["mongod"], members=3) as environment:
        url = environment["MONGODB_URI"]
        (tmp_path / "greylag.yaml").write_text(PROJECT.format(url=url))
        with closing(Members(url)) as members:
            members.client.old.things.create_index("name", unique=True)
            ledger = Ledger(Collection(url, "old"), seed=4)
            ledger.begin()
            with following(tmp_path) as running:
                for happen in (_steps_down, _loses_a_member, _loses_its_primary, _loses_its_majority):
                    before = ledger.acknowledged
                    with ledger:
                        happen(members)
                        wanted = ledger.acknowledged + 50
                        until(partial(_has_acknowledged, ledger, wanted))
                    assert ledger.acknowledged > before
                    _compare(tmp_path, running, ledger, url)
            ledger.close()


def _compare(folder: Path, running: Running, ledger: Ledger, url: str) -> None:
    def drained() -> bool:
        assert running.code is None, running.text
        with contextlib.suppress(GreylagError):
            return drain(load(folder / "greylag.yaml"), timeout_seconds=5).drained
        return False

    until(drained)
    records = {each["_id"]: each for each in ledger.records()}
    with MongoClient[dict[str, Any]](url) as client:
        assert {each["_id"]: each for each in client.new.things.find()} == records


def _has_acknowledged(ledger: Ledger, count: int) -> bool:
    return ledger.acknowledged >= count


def _steps_down(members: Members) -> None:
    before = members.primary()
    with contextlib.suppress(pymongo.errors.AutoReconnect):
        members.client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=2)
    until(lambda: members.client.primary and members.client.primary[1] != before)


def _loses_a_member(members: Members) -> None:
    lost = members.others(members.primary())[0]
    members.kill(lost)
    members.client.old.things.find_one()
    members.begin(lost)


def _loses_its_primary(members: Members) -> None:
    lost = members.primary()
    members.kill(lost)
    until(lambda: members.client.primary and members.client.primary[1] != lost)
    members.begin(lost)


def _loses_its_majority(members: Members) -> None:
    """Nothing can be written; then it comes back."""
    lost = members.others(members.primary())
    for each in lost:
        members.kill(each)
    until(lambda: members.client.primary is None)
    for each in lost:
        members.begin(each)
