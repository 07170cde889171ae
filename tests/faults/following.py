"""A following run under faults, one seeded episode after another, each of which ends drained and compared."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
from boto3.dynamodb.types import TypeDeserializer
from pymongo import MongoClient

from tests.command import Command
from tests.faults.ledger import Ledger
from tests.faults.proxy import FAULTS, Proxy

if TYPE_CHECKING:
    import subprocess

DEADLINE_SECONDS: Final = 180.0
LATE_SECONDS: Final = 4
"""What the target is told of late writes: the proxy's latest land after less than one second."""

_MONGODB: Final = """
project: ledger
connections:
  old: {{kind: mongodb, url: "{source}", database: {database}}}
  new: {{kind: mongodb, url: "{target}", database: {database}_new, create_tables: true, late_write_seconds: {late}}}
services:
  s:
    flows:
      things: {{from: old.things, to: new.things, key: {{_id: "{{_id}}"}}}}
"""
_DYNAMODB: Final = """
project: ledger
connections:
  old: {{kind: mongodb, url: "{source}", database: {database}}}
  new: {{kind: dynamodb, region: us-east-1, endpoint_url: "{target}", create_tables: true, late_write_seconds: {late}}}
tables:
  {table}: {{in: new, key: [pk]}}
services:
  s:
    flows:
      moved: {{from: old.things, to: new.{table}, attributes: {{pk: "{{kind}}#{{_id}}", is: moved}}}}
      plain: {{from: old.things, to: new.{table}, attributes: {{pk: "ID/{{_id}}", is: plain}}}}
"""
PATHS: Final = {"mongodb-dynamodb": _DYNAMODB, "mongodb-mongodb": _MONGODB}


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the tests' servers are."""

    mongodb: str
    dynamodb: str


class Session:
    """One project, its ledger, its proxies, and the run that follows."""

    def __init__(self, path: str, folder: Path, servers: Servers, name: str, seed: int) -> None:
        self.path, self.seed, self._servers, self._name = path, seed, servers, name
        self.ledger = Ledger(servers.mongodb, name, seed=seed)
        self.ledger.create()
        self.proxies = [_proxy(servers.mongodb, seed)]
        source = _through(servers.mongodb, self.proxies[0])
        there = servers.dynamodb if path == "mongodb-dynamodb" else servers.mongodb
        self.proxies.append(_proxy(there, seed + 1))
        folder.mkdir(parents=True)
        self.greylag = Command(folder)
        self.greylag.write(
            PATHS[path].format(
                source=source,
                target=_through(there, self.proxies[1]),
                database=name,
                table=name,
                late=LATE_SECONDS,
            )
        )
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Run --follow, its output in a file."""
        arguments = ("run", "--follow", "--processes", "1", "--page-bytes", "2000")
        self._process = self.greylag.start(*arguments)
        # Its pipes are never full: what it tells is a line now and then.

    def episode(self, seed: int) -> None:
        """Writes and faults for a while; then what the target holds is what was written."""
        chance = random.Random(seed)
        with self.ledger:
            for _ in range(chance.randint(1, 3)):
                self._fault(chance)
        self.drained()
        self.compare()

    def _fault(self, chance: random.Random) -> None:
        time.sleep(chance.uniform(0.05, 0.4))  # when a fault comes is part of the seed
        what = chance.choice(("kill a child", "kill a child", "kill all", "network", "network", "network"))
        if what == "network":
            proxy = chance.choice(self.proxies)
            proxy.share = chance.choice((0.02, 0.1, 0.5))
            proxy.fault = chance.choice(FAULTS)
            time.sleep(chance.uniform(0.1, 0.6))
            proxy.fault = None
        elif what == "kill a child":
            if children := self._children():
                _kill(chance.choice(children))
        else:
            self._end(signal.SIGKILL)
            self.start()

    def drained(self) -> None:
        """Everything written before now is applied; a run that ended by an error that passes is begun again."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            assert self._process is not None
            if self._process.poll() is not None:
                out, err = self._process.communicate()
                assert self._process.returncode in (4, 7), f"{self._process.returncode}\n{out}\n{err}"
                assert "Traceback" not in err, err
                self.start()
            told = self.greylag("drain", "--timeout", "20", "--json", expect=None)
            if told.returncode == 0:
                return
            assert time.monotonic() < deadline, f"not drained\n{told.stdout}\n{told.stderr}"

    def compare(self) -> None:
        """Target == map(source), and the source is the ledger."""
        records = self.ledger.records()
        if self.path == "mongodb-mongodb":
            with MongoClient[dict[str, Any]](self._servers.mongodb) as client:
                found = {each["_id"]: each for each in client[f"{self._name}_new"]["things"].find()}
            assert found == {each["_id"]: each for each in records}
            return
        expected: dict[str, dict[str, Any]] = {}
        for each in records:
            for pk, kind in ((f"{each['kind']}#{each['_id']}", "moved"), (f"ID/{each['_id']}", "plain")):
                expected[pk] = {"pk": pk, "is": kind, **each}
        assert _items(self._servers.dynamodb, self._name) == expected

    def close(self) -> None:
        """End everything; the run cleanly."""
        self._end(signal.SIGTERM)
        for proxy in self.proxies:
            proxy.close()
        self.ledger.close()
        with MongoClient[dict[str, Any]](self._servers.mongodb) as client:
            client.drop_database(self._name)
            client.drop_database(f"{self._name}_new")

    def _end(self, how: int) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        self._process.communicate(timeout=DEADLINE_SECONDS)

    def _children(self) -> list[int]:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        found = []
        with contextlib.suppress(OSError):
            for task in path.parents[1].iterdir():
                found += [int(each) for each in (task / "children").read_text().split()]
        return [each for each in found if b"spawn_main" in _command(each)]


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _proxy(url: str, seed: int) -> Proxy:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return Proxy(parts.hostname, parts.port, seed=seed)


def _through(url: str, proxy: Proxy) -> str:
    """The address of the same server by way of the proxy; MongoDB's members are not looked for behind it."""
    if url.startswith("mongodb:"):
        return f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
    return f"http://127.0.0.1:{proxy.port}"


def _items(endpoint: str, table: str) -> dict[str, dict[str, Any]]:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    read = TypeDeserializer().deserialize
    try:
        found = {}
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                plain = {name: read(value) for name, value in item.items() if not name.startswith("__")}
                found[plain["pk"]] = {
                    name: value if isinstance(value, str) else int(value) for name, value in plain.items()
                }
    finally:
        client.close()
    return found


def seeds_told() -> tuple[int, str]:
    """How many seeds `make faults` was asked for, and on which path; none where it was not."""
    return int(os.environ.get("SEEDS") or 0), os.environ.get("PATH_") or ""


def show(told: str) -> Any:
    """What `--json` printed."""
    return json.loads(told)
