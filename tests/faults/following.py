"""Following runs under faults, one seeded episode after another, each of which ends drained and compared."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from abc import ABC, abstractmethod
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import boto3
from boto3.dynamodb.types import TypeDeserializer
from pymongo import MongoClient

from greylag.config import load
from greylag.operations.drain import drain
from tests.faults import again, sdk
from tests.faults.applications import Collection, File, Table
from tests.faults.commands import Running, call
from tests.faults.ledger import Ledger
from tests.faults.proxy import FAULTS, OF_DYNAMODB, Proxy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.faults.ledger import State, Things

DEADLINE_SECONDS: Final = 120.0
LATE_WRITE_SECONDS: Final = 1.5
"""What targets are told of late writes: the proxy's land after less than one second (`proxy.GIVEN_UP_SECONDS`)."""
AGAIN: Final = 0.4
"""The chance that the stream gives changes again, before each of an episode's faults: drawn apart from those."""
PASSING: Final = frozenset({4, 7})
"""Exit codes of what passes: a worker of a load was killed, a server was away for too long."""
_USER: Final = "application"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the tests' servers are; MongoDB's asks who one is, and the address is its administrator's."""

    mongodb: str
    dynamodb: str


@dataclass(frozen=True, slots=True)
class Path_:  # noqa: N801 - a path of data, not of files
    """From which kind of store to which, and whether the application then moves to the target and is carried back."""

    source: str
    target: str
    reversed: bool = False

    @property
    def name(self) -> str:
        back = f"{self.target}-{self.source}-reversed"
        return back if self.reversed else f"{self.source}-{self.target}"


PATHS: Final = {
    each.name: each
    for each in (
        Path_("mongodb", "dynamodb"),
        Path_("mongodb", "mongodb"),
        Path_("json", "dynamodb"),
        Path_("mongodb", "dynamodb", reversed=True),
        Path_("json", "dynamodb", reversed=True),
        Path_("mongodb", "mongodb", reversed=True),
    )
}

_CONNECTIONS: Final = {
    "mongodb": '{{kind: mongodb, url: "{url}", database: {database}, {more}}}',
    "dynamodb": '{{kind: dynamodb, region: us-east-1, endpoint_url: "{url}", {more}}}',
    "json": "{{kind: json, path: data}}",
}
_TARGET: Final = f"create_tables: true, late_write_seconds: {LATE_WRITE_SECONDS}"
_SOURCES: Final = {"mongodb": "old.things", "json": '"old.db.json#/things"'}
# Both templates of keys: one that changes move, and one of the id alone, which needs no index. Carried back, each
# record must be one item's.
_FLOWS: Final = {
    "mongodb": 'things: {{from: {source}, to: new.things, key: {{_id: "{{_id}}"}}}}',
    "dynamodb": 'moved: {{from: {source}, to: new.{table}, attributes: {{pk: "{{kind}}#{{_id}}", is: moved}}{types}}}',
    "plain": 'plain: {{from: {source}, to: new.{table}, attributes: {{pk: "ID/{{_id}}", is: plain}}}}',
}


class Session(ABC):
    """One project, its ledger, its proxies, and the command that follows."""

    faults: tuple[tuple[str, int], ...] = (("kill", 2), ("kill all", 1), ("network", 5))

    def __init__(self, path: Path_, folder: Path, servers: Servers, name: str, seed: int) -> None:
        self.path, self.folder, self.servers, self.name = path, folder, servers, name
        self.done: dict[str, int] = {}
        sdk.read_once()
        folder.mkdir(parents=True)
        self.proxies: dict[str, Proxy] = {}
        for number, (end, kind) in enumerate((("old", path.source), ("new", path.target))):
            if kind != "json":
                self.proxies[end] = _proxy(getattr(servers, kind), seed + number)
        (folder / "greylag.yaml").write_text(self._project())
        (folder / "data").mkdir()
        if "mongodb" in (path.source, path.target):
            self._make_users()
        self.ledger = Ledger(self._application("old", seed), seed=seed)
        self.ledger.begin()
        self.running: Running | None = None

    def episode(self, seed: int) -> None:
        """Writes and faults for a while; then what one side holds is what was written at the other."""
        chance, repeats = random.Random(seed), random.Random(f"{seed} again")
        before = again.times(self.folder)
        with self.ledger:
            for _ in range(chance.randint(3, 5)):
                if repeats.random() < AGAIN:
                    again.tell(self.folder, repeats.choice((1, 2, 5, 50)))
                self._fault(chance)
        again.unsay(self.folder)
        assert not self.ledger.refused
        self.drained()
        self.compare()
        if found := again.times(self.folder) - before:
            self.done["changes again"] = self.done.get("changes again", 0) + found

    def _fault(self, chance: random.Random) -> None:
        time.sleep(chance.uniform(0.02, 0.25))  # when a fault comes is part of the seed
        what = chance.choice([name for name, share in self.faults for _ in range(share)])
        if what == "network" and self.proxies:
            end = chance.choice(sorted(self.proxies))
            proxy = self.proxies[end]
            kind = self.path.source if end == "old" else self.path.target
            proxy.share = chance.choice((0.02, 0.1, 0.5))
            proxy.fault = what = chance.choice(OF_DYNAMODB if kind == "dynamodb" else FAULTS)
            time.sleep(chance.uniform(0.1, 0.35))
            proxy.fault = None
        elif what == "kill":
            assert self.running is not None
            if workers := sorted(self.running.workers().items()):
                pid, role = chance.choice(workers)
                what = f"kill {role}"
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        else:
            what = "kill all"
            self.end(signal.SIGKILL)
            self.start()
        self.done[what] = self.done.get(what, 0) + 1

    @abstractmethod
    def start(self) -> None:
        """Begin to follow."""

    @abstractmethod
    def drained(self) -> None:
        """Everything written before now is applied; a command that ended by an error that passes is begun again."""

    @abstractmethod
    def compare(self) -> None:
        """What one side holds is what was written at the other."""

    def end(self, how: int) -> int | None:
        """End what follows."""
        if self.running is None:
            return None
        running, self.running = self.running, None
        return running.end(how)

    def close(self) -> None:
        """End everything, and remove what was made."""
        if self.running is not None:
            self.running.send(signal.SIGKILL)
        for proxy in self.proxies.values():
            proxy.fault = None
            proxy.close()
        self.ledger.close()
        if "mongodb" in (self.path.source, self.path.target):
            with MongoClient[dict[str, Any]](self.servers.mongodb) as client:
                for each in (self.name, f"{self.name}_new"):
                    client[each].command("dropAllUsersFromDatabase")
                    client[each].command("dropAllRolesFromDatabase")
                    client.drop_database(each)
        if "dynamodb" in (self.path.source, self.path.target):
            dynamodb = boto3.client("dynamodb", "us-east-1", endpoint_url=self.servers.dynamodb)
            with closing(dynamodb), contextlib.suppress(dynamodb.exceptions.ResourceNotFoundException):
                dynamodb.delete_table(TableName=self.name)

    def check(self) -> None:
        """Begin again what ended by an error that passes; any other end is a failure."""
        if self.running is not None and (code := self.running.code) is not None:
            text = self.running.text
            assert code in PASSING, f"exit code {code}\n{text}"
            assert "Traceback" not in text, text
            self.running = None
            self.start()

    def _begin(self, *arguments: str) -> None:
        self.running = Running(self.folder, *arguments)

    def _project(self) -> str:
        path = self.path
        named = {"source": _SOURCES[path.source], "table": self.name}
        named["types"] = ", types: {_id: int, version: int}" if path.source == "mongodb" else ""
        flows = [_FLOWS[path.target]]
        if path.target == "dynamodb" and not path.reversed:
            flows.append(_FLOWS["plain"])
        ends = {
            "old": (
                path.source,
                self.name,
                f'application_user: "{_USER}@{self.name}"' if path.source == "mongodb" else "",
            ),
            "new": (path.target, f"{self.name}_new", _TARGET),
        }
        if path.reversed and path.source == "mongodb":
            kind, database, more = ends["old"]
            ends["old"] = (kind, database, f"{more}, late_write_seconds: {LATE_WRITE_SECONDS}")
        lines = ["project: ledger", "connections:"]
        for end, (kind, database, more) in ends.items():
            url = _through(getattr(self.servers, kind), self.proxies[end]) if end in self.proxies else ""
            lines.append(f"  {end}: {_CONNECTIONS[kind].format(url=url, database=database, more=more)}")
        if path.target == "dynamodb":
            lines += ["tables:", f"  {self.name}: {{in: new, key: [pk]}}"]
        lines += ["services:", "  s:", "    flows:"]
        lines += [f"      {each.format(**named)}" for each in flows]
        return "\n".join(lines) + "\n"

    def _make_users(self) -> None:
        with MongoClient[dict[str, Any]](self.servers.mongodb) as client:
            database = client[self.name]
            database["things"].create_index("name", unique=True)
            for each in (
                self.name,
                f"{self.name}_new",
            ):  # at the new store it is another user, whom no fence holds
                roles = [{"role": "readWrite", "db": each}]
                client[each].command("createUser", _USER, pwd="secret", roles=roles)

    def _application(self, end: str, seed: int) -> Things:
        kind = self.path.source if end == "old" else self.path.target
        if kind == "json":
            return File(self.folder / "data" / "db.json", seed)
        if kind == "dynamodb":
            return Table(self.servers.dynamodb, self.name)
        parts = urlsplit(self.servers.mongodb)
        hosts = parts.netloc.rpartition("@")[2]
        database = self.name if end == "old" else f"{self.name}_new"
        return Collection(f"mongodb://{_USER}:secret@{hosts}/?replicaSet=rs0&authSource={database}", database)


class Forward(Session):
    """`greylag run --follow`, whose load is under faults too; in the end the source is fenced while it is written."""

    def start(self) -> None:
        self._begin("run", "--follow", "--processes", "1", "--page-bytes", "2000")

    def drained(self) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        project = load(self.folder / "greylag.yaml")
        while True:
            told = "its load has not begun"
            with contextlib.suppress(Exception):
                report = drain(project, timeout_seconds=3)
                told = "; ".join(report.hindrances)
                if report.drained:
                    return
            self.check()
            assert time.monotonic() < deadline, f"not drained: {told}\n{self.running and self.running.text}"
            time.sleep(0.05)

    def compare(self) -> None:
        records = self.ledger.records()
        _assert_same(_held(self.path, self.servers, self.name), _expected(self.path, records))

    def fence(self) -> None:
        """The application writes until it is refused; what was acknowledged before is at the target."""
        files = self.path.source == "json"
        with self.ledger:
            time.sleep(0.1)
            if not files:  # modes do not hold root, and a lock holds nobody who has looked already
                self._call("fence", "s")
                deadline = time.monotonic() + DEADLINE_SECONDS
                while not self.ledger.refused:
                    assert time.monotonic() < deadline, "the fence refuses nothing"
                    time.sleep(0.01)
        if files:
            self._call("fence", "s")
        self.drained()
        self.compare()

    def _call(self, *arguments: str) -> None:
        code, text = call(self.folder, *arguments)
        assert code == 0, f"{arguments}: {code}\n{text}"


class Backward(Forward):
    """Loaded, followed, fenced and drained; then the application writes at the target, and `greylag follow --reverse`
    carries that back.
    """

    faults = (("kill all", 3), ("network", 5))
    back = False

    def turn(self, seed: int) -> None:
        """The application moves."""
        super().start()
        with self.ledger:
            time.sleep(0.3)
        self.drained()
        self.fence()
        assert self.end(signal.SIGTERM) == 0
        self.back = True
        self.ledger.go_on_at(self._application("new", seed))
        self._call("follow", "--reverse", "--once")

    def start(self) -> None:
        self._begin("follow", "--reverse") if self.back else super().start()

    def drained(self) -> None:
        if not self.back:
            super().drained()
            return
        self.check()
        code = self.end(signal.SIGTERM)
        # It may have had no time to learn what SIGTERM means; what a unique index keeps out may still be stale.
        assert code in {0, 1, 10, 130, -signal.SIGTERM, *PASSING}, code
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            code, text = call(self.folder, "follow", "--reverse", "--once", "--timeout", "30")
            if code == 0:
                break
            assert code in PASSING, f"exit code {code}\n{text}"
            assert time.monotonic() < deadline, text
        self.start()

    def compare(self) -> None:
        if not self.back:
            super().compare()
            return
        records = {each["_id"]: each for each in self.ledger.records()}
        with closing(_reader(self.path, self.servers, self.folder, self.name)) as old:
            _assert_same({each["_id"]: each for each in old.read()}, records)


def session(path: Path_, folder: Path, servers: Servers, name: str, seed: int) -> Session:
    """A session of that path, following."""
    if path.reversed:
        back = Backward(path, folder, servers, name, seed)
        try:
            back.turn(seed)
            back.start()
        except BaseException:
            back.close()
            raise
        return back
    forward = Forward(path, folder, servers, name, seed)
    forward.start()
    return forward


def _assert_same(found: Mapping[Any, State], wanted: Mapping[Any, State]) -> None:
    differ = [
        f"{key}: {found.get(key)} instead of {wanted.get(key)}"
        for key in sorted({*found, *wanted})
        if found.get(key) != wanted.get(key)
    ]
    assert not differ, "\n".join(differ)


def _reader(path: Path_, servers: Servers, folder: Path, name: str) -> Things:
    if path.source == "json":
        return File(folder / "data" / "db.json", 0)
    return Collection(servers.mongodb, name)


def _held(path: Path_, servers: Servers, name: str) -> Mapping[Any, State]:
    """What the target holds, by key."""
    if path.target == "mongodb":
        with MongoClient[dict[str, Any]](servers.mongodb) as client:
            return {each["_id"]: each for each in client[f"{name}_new"]["things"].find()}
    return _items(servers.dynamodb, name)


def _expected(path: Path_, records: list[State]) -> Mapping[Any, State]:
    """What the records are at the target."""
    if path.target == "mongodb":
        return {each["_id"]: each for each in records}
    found: dict[Any, State] = {}
    for each in records:
        keys = [(f"{each['kind']}#{each['_id']}", "moved")]
        if not path.reversed:
            keys.append((f"ID/{each['_id']}", "plain"))
        found |= {pk: {"pk": pk, "is": kind, **each} for pk, kind in keys}
    return found


def _proxy(url: str, seed: int) -> Proxy:
    parts = urlsplit(url)
    host, _, port = parts.netloc.rpartition("@")[2].partition(",")[0].partition(":")
    return Proxy(host, int(port), seed=seed)


def _through(url: str, proxy: Proxy) -> str:
    """The address of the same server by way of the proxy; MongoDB's members are not looked for behind it."""
    parts = urlsplit(url)
    who, at, _ = parts.netloc.rpartition("@")
    place = f"{who}{at}127.0.0.1:{proxy.port}"
    if url.startswith("mongodb:"):
        return urlunsplit(("mongodb", place, "/", "directConnection=true&authSource=admin", ""))
    return f"http://{place}"


def _items(endpoint: str, table: str) -> dict[str, dict[str, Any]]:
    read = TypeDeserializer().deserialize
    found = {}
    with closing(boto3.client("dynamodb", "us-east-1", endpoint_url=endpoint)) as client:
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                plain = {name: read(value) for name, value in item.items() if not name.startswith("__")}
                found[plain["pk"]] = {
                    name: value if isinstance(value, str) else int(value) for name, value in plain.items()
                }
    return found


def seeds_told() -> tuple[int, str]:
    """How many seeds `make faults` was asked for, and on which path; none where it was not."""
    return int(os.environ.get("SEEDS") or 0), os.environ.get("PATH_") or ""
