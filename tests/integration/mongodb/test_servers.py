"""Servers that stand alone, ask who is there, or go away for a while."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from greylag.connectors.mongodb import connector
from greylag.connectors.mongodb.wire import encode_document
from greylag.core.records import Encoded
from greylag.errors import AuthenticationError, TransientError
from greylag.lab.mongod import _options_for, _program
from greylag.lab.ports import free_ports
from tests.contract.subjects import mongodb_target
from tests.faults.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.ports import Source


class Standalone:
    """A mongod without a replica set, that can be ended and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        [self.port] = free_ports(1)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        program, environment = _program(self.folder)
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        arguments = [program, "--dbpath", str(data), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*arguments, *_options_for(program, environment), *options],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        with self.client() as client:
            client.admin.command("ping")

    def client(self, credentials: str = "") -> MongoClient[dict[str, Any]]:
        return MongoClient(self.url(credentials), serverSelectionTimeoutMS=30_000)

    def url(self, credentials: str = "") -> str:
        options = "directConnection=true&serverSelectionTimeoutMS=1000"
        return f"mongodb://{credentials}127.0.0.1:{self.port}/?{options}"

    def source(self, credentials: str = "", **options: Any) -> Source:
        given = {"kind": "mongodb", "url": self.url(credentials), "database": "shop", **options}
        return connector.open("mongo", connector.options(**given), Path()).source()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def standalone(tmp_path: Path, mongodb_url: str) -> Iterator[Standalone]:
    server = Standalone(tmp_path)
    yield server
    server.kill()


def test_a_standalone_server_can_be_read_but_not_followed(standalone: Standalone) -> None:
    standalone.start()
    with standalone.client() as client:
        client.shop.orders.insert_many([{"_id": n} for n in range(10)])
    source = standalone.source()
    source.check()
    assert not source.describe("orders").resumable_changes
    [partition] = source.partitions("orders", partition_bytes=1 << 20)
    [page] = source.read(partition, None, page_bytes=1 << 20)
    assert [record.id for record in page.records] == list(range(10))
    source.close()


def test_a_server_that_goes_away_while_it_is_read(standalone: Standalone) -> None:
    standalone.start()
    with standalone.client() as client:
        client.shop.orders.insert_many([{"_id": n, "s": "x" * 200} for n in range(3000)])
        client.admin.command("fsync")
    source = standalone.source(patience_seconds=60)
    partitions = list(source.partitions("orders", partition_bytes=400_000))
    assert len(partitions) == 2
    found: list[Any] = []
    pages = source.read(partitions[0], None, page_bytes=50_000)
    found += [record.id for record in next(pages).records]
    standalone.kill()
    back = threading.Timer(1, standalone.start)
    back.start()
    found += [record.id for page in pages for record in page.records]
    back.join()
    found += [r.id for page in source.read(partitions[1], None, page_bytes=50_000) for r in page.records]
    assert found == list(range(3000))
    standalone.kill()
    impatient = standalone.source(patience_seconds=0)
    with pytest.raises(TransientError, match=f"127.0.0.1:{standalone.port}"):
        next(impatient.read(partitions[1], None, page_bytes=50_000))
    impatient.close()
    source.close()


def test_a_server_that_is_away_when_writing_begins(mongodb_url: str, database: str) -> None:
    made = mongodb_target(mongodb_url, database)
    with closing(made.connector.target()) as target:
        table = target.prepare(made.spec("things"))
    [(host, port)] = parse_uri(mongodb_url)["nodelist"]
    proxy = Proxy(host, port)
    proxy.fault, proxy.share = "reset", 1.0

    def come_back() -> None:
        while proxy.met.get("reset", 0) < 3:  # by then the driver has given up once
            time.sleep(0.01)
        proxy.fault = None

    coming = threading.Thread(target=come_back)
    coming.start()
    options = "directConnection=true&serverSelectionTimeoutMS=50"
    there = mongodb_target(f"mongodb://127.0.0.1:{proxy.port}/?{options}", database)
    document = encode_document({"_id": 1})
    with closing(there.connector.target()) as target, closing(target.writer(table)) as writer:
        [delivery] = writer.write([[Encoded(document, document, len(document))]])
    assert delivery.items == 1
    coming.join()
    proxy.close()


def test_who_may_read(standalone: Standalone) -> None:
    standalone.start("--auth")
    with standalone.client() as client:
        client.admin.command("createUser", "root", pwd="s3cr3t", roles=["root"])
    with standalone.client("root:s3cr3t@") as client:
        client.shop.orders.insert_one({"_id": 1})
        client.admin.command("createUser", "reader", pwd="s3cr3t", roles=[{"role": "read", "db": "shop"}])
        client.admin.command("createUser", "other", pwd="s3cr3t", roles=[{"role": "read", "db": "other"}])
    reader = standalone.source("reader:s3cr3t@")
    reader.check()
    assert reader.describe("orders").unique_id == "_id"
    [partition] = reader.partitions("orders", partition_bytes=1 << 20)
    assert [record.id for page in reader.read(partition, None, page_bytes=1) for record in page.records] == [
        1
    ]
    assert [record.id for record in reader.fetch("orders", [1, 2])] == [1]
    reader.close()
    for credentials, reason in (
        ("other:s3cr3t@", "privilege for 'listCollections'"),
        ("", "privilege|[Aa]uthentication"),
        ("reader:wr0ng@", "credentials"),
    ):
        source = standalone.source(credentials)
        with pytest.raises(AuthenticationError, match=reason) as failure:
            source.check()
        assert failure.value.advice
        assert "s3cr3t" not in str(failure.value)
        assert "wr0ng" not in str(failure.value)
        source.close()
