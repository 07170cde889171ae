"""The quiz of examples/quiz moves while it is played, and back: no acknowledged write is lost on either way."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import bson
import pymongo.errors
import pytest
from bson import Int64, ObjectId
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from greylag.config import load
from greylag.operations.drain import drain
from tests.faults.commands import Running, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUIZ: Final = Path(__file__).parents[2] / "examples" / "quiz"
RECORDS: Final = 2000
PASSWORD: Final = "owl"
DEADLINE_SECONDS: Final = 120.0
NOT_AUTHORIZED: Final = 13
RAW: Final = CodecOptions(RawBSONDocument)

Document = dict[str, Any]


def _generator() -> Any:
    spec = importlib.util.spec_from_file_location("quiz_generator", QUIZ / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR: Final = _generator()
COUNTS: Final[dict[str, int]] = GENERATOR.counts_of(RECORDS)
DATABASES: Final[dict[str, str]] = {name: place for name, (place, _, _) in GENERATOR.COLLECTIONS.items()}
SERVICES: Final = sorted(set(DATABASES.values()))


class Players:
    """The three services, writing at one store; `ledger` holds what each acknowledged document is now, by collection
    and the bytes of its `_id`.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._chance = random.Random(1)
        self._clients: dict[str, MongoClient[Document]] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.refused: set[str] = set()
        self.acknowledged = 0
        self.ledger: dict[str, dict[bytes, Document]] = {
            name: {_key(each): each for each in GENERATOR.documents(name, 1, COUNTS)} for name in DATABASES
        }

    def play_at(self, urls: dict[str, str]) -> None:
        """From now on each service has this address."""
        self.close()
        self.refused.clear()
        self._clients = {service: MongoClient[Document](url) for service, url in urls.items()}

    def __enter__(self) -> Self:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        assert self._thread is not None
        self._thread.join(60)
        if self._error is not None:
            raise self._error

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Until it holds, while they go on playing."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert self._error is None, self._error
            assert time.monotonic() < deadline, what
            time.sleep(0.02)

    def more(self, writes: int) -> None:
        """Until so many more writes are acknowledged."""
        until = self.acknowledged + writes
        self.wait(lambda: self.acknowledged >= until, "nobody plays")

    def close(self) -> None:
        for each in self._clients.values():
            each.close()
        self._clients = {}

    def _work(self) -> None:
        acts = [self._insert, self._insert, self._change, self._change, self._replace, self._delete]
        try:
            while not self._stopping.is_set():
                name = self._chance.choice(list(DATABASES))
                if DATABASES[name] in self.refused:
                    self._stopping.wait(0.005)
                    continue
                try:
                    self._chance.choice(acts)(name)
                    self.acknowledged += 1
                except pymongo.errors.OperationFailure as error:
                    if error.code != NOT_AUTHORIZED:
                        raise
                    self.refused.add(DATABASES[name])
        except BaseException as error:  # noqa: BLE001 - raised where the test waits
            self._error = error

    def _collection(self, name: str) -> Any:
        service = DATABASES[name]
        return self._clients[service][self._prefix + service][name]

    def _new(self, name: str) -> Document:
        """One that is not there yet, as the generator makes them."""
        _, plain, _ = GENERATOR.COLLECTIONS[name]
        made: Document = plain(self._chance, 10**6 + self._chance.randrange(10**6), COUNTS)
        if name in ("questions", "attempts"):
            made["_id"] = ObjectId(self._chance.randbytes(12))
        return made

    def _one(self, name: str) -> Document:
        found: Document = self._chance.choice(list(self.ledger[name].values()))
        return found

    def _insert(self, name: str) -> None:
        made = self._new(name)
        if _key(made) not in self.ledger[name]:
            self._collection(name).insert_one(made)
            self.ledger[name][_key(made)] = made

    def _change(self, name: str) -> None:
        before = self._one(name)
        change = {"played": Int64(self.acknowledged), "seen": {"by": [name, self.acknowledged]}}
        self._collection(name).update_one({"_id": before["_id"]}, {"$set": change})
        self.ledger[name][_key(before)] = {**before, **change}

    def _replace(self, name: str) -> None:
        before = self._one(name)
        made = {**self._new(name), "_id": before["_id"]}
        if "email" in before:  # which a unique index keeps
            made["email"] = before["email"]
        self._collection(name).replace_one({"_id": before["_id"]}, made)
        self.ledger[name][_key(before)] = made

    def _delete(self, name: str) -> None:
        if len(self.ledger[name]) > 10:
            before = self._one(name)
            self._collection(name).delete_one({"_id": before["_id"]})
            del self.ledger[name][_key(before)]


def _key(document: Document) -> bytes:
    return bson.encode({"_id": document["_id"]})


class Stores:
    """Both MongoDBs, asked by their administrators."""

    def __init__(self, prefix: str, now: str, later: str) -> None:
        self.prefix = prefix
        self.urls = {"now": now, "later": later}

    def fill(self) -> None:
        with MongoClient[Document](self.urls["now"]) as client:
            for name, service in DATABASES.items():
                database = client[self.prefix + service]
                database[name].insert_many(list(GENERATOR.documents(name, 1, COUNTS)))
                GENERATOR.make_indexes(database, name)
            for service in SERVICES:
                roles = [{"role": "readWrite", "db": self.prefix + service}]
                client.admin.command("createUser", self.user(service), pwd=PASSWORD, roles=roles)

    def user(self, service: str) -> str:
        return f"{self.prefix}{service}_app"

    def as_services(self) -> dict[str, str]:
        """The addresses that the services have at first."""
        hosts = urlsplit(self.urls["now"]).netloc.rpartition("@")[2]
        return {
            each: f"mongodb://{self.user(each)}:{PASSWORD}@{hosts}/?replicaSet=rs0&authSource=admin"
            for each in SERVICES
        }

    def held(self, end: str) -> dict[str, dict[bytes, bytes]]:
        """The bytes of every document, by collection and `_id`."""
        found: dict[str, dict[bytes, bytes]] = {}
        with MongoClient[Any](self.urls[end]) as client:
            for name, service in DATABASES.items():
                batches = client[self.prefix + service][name].find_raw_batches()
                documents = [each for batch in batches for each in bson.decode_all(batch, RAW)]
                found[name] = {_key(bson.decode(each.raw)): bytes(each.raw) for each in documents}
        return found

    def drop(self) -> None:
        for end, url in self.urls.items():
            with MongoClient[Document](url) as client:
                for service in SERVICES:
                    client.drop_database(self.prefix + service)
                    if end == "now":
                        client.admin.command("dropUser", self.user(service))


@pytest.fixture
def stores(mongodb_users_url: str, mongodb_url: str) -> Iterator[Stores]:
    made = Stores(f"q{os.getpid()}_", mongodb_users_url, mongodb_url)
    made.fill()
    yield made
    made.drop()


def _project(folder: Path, stores: Stores) -> None:
    text = (QUIZ / "greylag.yaml").read_text()
    text = text.replace("${MONGODB_URI}", stores.urls["now"]).replace(
        "${DOCUMENTDB_URI}", stores.urls["later"]
    )
    for service in SERVICES:
        text = text.replace(f"database: {service}", f"database: {stores.prefix}{service}")
    (folder / "greylag.yaml").write_text(text)


def _call(folder: Path, *arguments: str) -> str:
    code, text = call(folder, *arguments)
    assert code == 0, f"{arguments}: {code}\n{text}"
    return text


def _drained(folder: Path, running: Running) -> None:
    project = load(folder / "greylag.yaml")
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (report := drain(project, timeout_seconds=3)).drained:
        assert running.code is None, running.text
        assert time.monotonic() < deadline, report.hindrances


@pytest.mark.long
def test_the_quiz_moves_and_comes_back_while_it_is_played(tmp_path: Path, stores: Stores) -> None:
    _project(tmp_path, stores)
    players = Players(stores.prefix)
    players.play_at(stores.as_services())
    running = Running(tmp_path, "run", "--follow", "--processes", "1", "--page-bytes", "20000")
    try:
        with players:
            players.more(300)
            players.wait(lambda: "following" in running.text or running.code is not None, "it never follows")
            assert running.code is None, running.text
            players.more(300)
            for service in SERVICES:  # while they play
                _call(tmp_path, "fence", service, "--user", f"{stores.user(service)}@admin")
            players.wait(lambda: players.refused == set(SERVICES), "the fence refuses nothing")
        _drained(tmp_path, running)
        _compare(players, stores)
        assert running.end(signal.SIGTERM) == 0
        _call(tmp_path, "verify")

        for service in SERVICES:
            _call(tmp_path, "follow", "--reverse", service, "--once")
        players.play_at(dict.fromkeys(SERVICES, stores.urls["later"]))
        running = Running(tmp_path, "follow", "--reverse")
        with players:
            players.more(600)
        running.end(signal.SIGTERM)
        for service in SERVICES:
            _call(tmp_path, "follow", "--reverse", service, "--once")
        _compare(players, stores)
        for service in SERVICES:
            _call(tmp_path, "follow", "--reverse", service, "--end")
            _call(tmp_path, "fence", service, "--release")
    finally:
        running.send(signal.SIGKILL)
        players.close()


def _compare(players: Players, stores: Stores) -> None:
    """Both stores hold what was acknowledged, byte for byte."""
    now, later = stores.held("now"), stores.held("later")
    for name in DATABASES:
        assert later[name].keys() == players.ledger[name].keys()
        assert later[name] == {key: bson.encode(each) for key, each in players.ledger[name].items()}
        assert now[name] == later[name]
