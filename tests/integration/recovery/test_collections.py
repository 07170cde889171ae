"""Documents of every BSON type out and in again, compared as bytes that pymongo reads undecoded."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from greylag.config import load
from greylag.errors import ConnectorError
from greylag.executors.processes import Processes
from tests.integration.recovery.conftest import Recovery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.command import Command

YAML = """
project: shop
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  dynamo: {{kind: dynamodb, region: us-east-1}}
services:
  shop: {{flows: {{orders: {{from: mongo.orders, to: dynamo.orders, key: {{id: "{{_id:S}}"}}}}}}}}
"""
COUNT = 900


@dataclass
class Server:
    client: MongoClient[RawBSONDocument]
    database: str

    def raw(self, name: str) -> list[bytes]:
        """Every document of a collection as the server has it, in order."""
        return sorted(bytes(each.raw) for each in self.client[self.database][name].find({}))


@pytest.fixture
def server(mongodb_url: str, database: str) -> Iterator[Server]:
    with MongoClient[RawBSONDocument](mongodb_url, document_class=RawBSONDocument) as client:
        yield Server(client, database)


@pytest.fixture
def mongo(tmp_path: Path, mongodb_url: str, database: str) -> Recovery:
    (tmp_path / "greylag.yaml").write_text(YAML.format(url=mongodb_url, database=database))
    return Recovery(tmp_path)


def document(number: int) -> dict[str, Any]:
    chance = random.Random(number)
    identity: Any = [
        ObjectId(number.to_bytes(12)),
        f"order-{number}",
        number,
        Int64(1 << 40 | number),
        {"n": number},
    ]
    return {
        "_id": identity[number % 5],
        "z": 1,
        "a": Int64(1),
        "double": chance.choice([1.0, -0.0, float("nan"), float("inf"), 5e-324]),
        "decimal": Decimal128(
            chance.choice(["1.00", "NaN", "-0E+3", "9.999999999999999999999999999999999E+6144"])
        ),
        "text": chance.choice(["", "a\u0000b", "\U0001f9a2"]),
        "binary": Binary(chance.randbytes(9), chance.choice([0, 4, 128])),
        "old": Binary(b"old", 2),
        "when": bson.DatetimeMS(chance.choice([0, -(1 << 55), 1 << 60])),
        "none": None,
        "yes": True,
        "regex": Regex("^a", "im"),
        "stamp": Timestamp(1, number),
        "code": Code("f()", {"x": 1}),
        "plain": Code("g()"),
        "least": MinKey(),
        "most": MaxKey(),
        "ref": DBRef("users", 1, "other"),
        "list": [1, [], {}, {"b": 1, "a": None}],
        "$dollar": {"$x": 1, "a.b": 2},
        "unique": number,
    }


def fill(server: Server, count: int) -> None:
    orders = server.client[server.database].create_collection("orders", validator={"_id": {"$exists": True}})
    for start in range(0, count, 1000):
        orders.insert_many(
            [RawBSONDocument(bson.encode(document(each))) for each in range(start, min(count, start + 1000))]
        )
    orders.create_index([("unique", -1)], unique=True, name="one")
    orders.create_index(
        [("text", 1)], name="some", partialFilterExpression={"when": {"$gt": bson.DatetimeMS(0)}}
    )


def test_documents_of_every_type(mongo: Recovery, server: Server) -> None:
    fill(server, COUNT)
    told = mongo.backup("backups", "mongo")
    [table] = told.tables
    assert (table.name, table.records) == ("mongo.orders", COUNT)
    assert table.consistency is not None
    assert table.consistency.operation_time is not None
    mongo.restore(into="mongo.copy", verify=True)
    before = server.raw("orders")
    assert len(before) == COUNT
    assert server.raw("copy") == before
    old, new = (
        sorted(str(dict(each)) for each in server.client[server.database][name].list_indexes())
        for name in ("orders", "copy")
    )
    assert old == new
    [info] = server.client[server.database].list_collections(filter={"name": "copy"})
    assert "validator" in info["options"]


def test_what_moment_a_backup_is_of_is_said_once(greylag: Command, mongo: Recovery, server: Server) -> None:
    for name in ("orders", "users", "carts"):
        server.client[server.database][name].insert_one(RawBSONDocument(bson.encode({"_id": name})))
    told = greylag("backup", "mongo", "--to", "backups", "--processes", "1").stdout
    assert mongo.folder.joinpath("backups").exists()
    assert told.count("Reading is not a snapshot") == 1


def test_a_unique_index_that_was_not_there_refuses(mongo: Recovery, server: Server) -> None:
    fill(server, 10)
    mongo.backup("backups", "mongo.orders")
    server.client[server.database]["other"].create_index([("z", 1)], unique=True)
    with pytest.raises(ConnectorError, match="refuses a document"):
        mongo.restore(into="mongo.other")


@pytest.mark.long
def test_200_000_documents_of_every_type(mongo: Recovery, server: Server) -> None:
    from greylag.operations.backup import BackupOptions, backup
    from greylag.operations.restore import RestoreOptions, restore

    fill(server, 200_000)
    project = load(mongo.folder / "greylag.yaml", environ={})
    backup(project, BackupOptions("backups", ("mongo",)), executor=Processes(2), observe=lambda _: None)
    restore(
        project,
        RestoreOptions("backups", into="mongo.copy", verify=True),
        executor=Processes(2),
        observe=lambda _: None,
    )
    assert server.raw("copy") == server.raw("orders")
