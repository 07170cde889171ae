"""MongoDB to MongoDB by the command: what stands at the target is what stands at the source, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from greylag.connectors.mongodb.bounds import as_sent
from greylag.connectors.mongodb.statements import replace_literally
from greylag.connectors.mongodb.wire import document_of, encode_document
from greylag.core.values import Decimal128, Int64, ObjectId, Symbol, Timestamp
from tests.command import Command
from tests.contract.records import BSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pymongo.synchronous.database import Database

    from greylag.core.values import Document

    Server = MongoClient[dict[str, Any]]

MEGABYTE = 1 << 20
ODD: list[Document] = [
    {"_id": 1, "zero": Timestamp(0, 0), "after": 1},
    {"_id": 2, "$set": {"$inc": 1}, "": 3, "a.b": {"": {"$x": [1]}}, "a": 1},
    {"_id": 3, "twice": {"zero": Timestamp(0, 0)}},
    {"_id": 4.5, "$where": "no", "zero": Timestamp(0, 0)},
    {"_id": {"$ref": "people", "$id": 7}, "b": 1},
    {"_id": None},
    {"_id": Symbol("symbol"), "name": Symbol("x")},
    {"_id": "large", "bytes": b"x" * (16 * MEGABYTE - 60)},
    *({"_id": Int64(100 + place), **each} for place, each in enumerate(BSON[:20])),
]
TWICE = document_of(b"\x10_id\0\x63\0\0\0\x10a\0\1\0\0\0\x10a\0\2\0\0\0")
"""A document with one name twice: no value says that, its bytes do."""
NAN = encode_document({"_id": 98, "n": Decimal128("NaN")})
PAYLOAD = NAN[:-17] + b"\x07" + NAN[-16:]
"""A NaN that carries a payload."""


@pytest.fixture
def client(mongodb_url: str) -> Iterator[Server]:
    with MongoClient[dict[str, Any]](mongodb_url) as opened:
        yield opened


@pytest.fixture
def moved(client: Server, database: str) -> Iterator[str]:
    """The name of the database that the test's is moved to."""
    name = f"{database}_moved"
    yield name
    client.drop_database(name)


@pytest.fixture
def command(tmp_path: Path, mongodb_url: str, database: str, moved: str) -> Command:
    made = Command(tmp_path)
    write(made, mongodb_url, database, moved, "all: {from: mongo.*, to: docdb.*}")
    return made


def write(command: Command, url: str, database: str, moved: str, *flows: str) -> None:
    lines = "\n".join(f"      {each}" for each in flows)
    command.write(
        f"""
project: moved
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  docdb: {{kind: mongodb, url: "{url}", database: {moved}, create_tables: true}}
services:
  all:
    flows:
{lines}
"""
    )


def put(collection: Any, *documents: bytes) -> None:
    """As they are: by a pipeline, which changes nothing."""
    for each in documents:
        command = {"update": collection.name, "updates": [replace_literally(each)]}
        done = collection.database.command(command)
        assert not done.get("writeErrors"), done


def everything(database: Database[dict[str, Any]], name: str) -> list[bytes]:
    found = b"".join(iter(database[name].find_raw_batches(sort=[("_id", 1)])))
    documents = []
    while found:
        length = int.from_bytes(found[:4], "little")
        documents.append(found[:length])
        found = found[length:]
    return documents


def test_every_document_comes_byte_for_byte_and_again(
    command: Command, client: Server, database: str, moved: str
) -> None:
    put(client[database].odd, *map(encode_document, ODD))
    client[database].odd.insert_many([as_sent(TWICE), as_sent(PAYLOAD)])
    before = everything(client[database], "odd")
    assert len(before) == len(ODD) + 2
    assert PAYLOAD in before
    assert TWICE in before
    command("run")
    assert everything(client[moved], "odd") == before
    [flow] = command.json("verify")["flows"]
    assert (flow["verified"], flow["quarantined"]) == (len(before), 0)
    client[moved].odd.update_many({"_id": {"$type": "number"}}, {"$set": {"stale": True}})
    command("run", "--restart")
    assert everything(client[moved], "odd") == before


def test_verify_and_repair_see_what_values_hide(
    command: Command, client: Server, database: str, moved: str
) -> None:
    source, target = client[database].things, client[moved].things
    source.insert_many([{"_id": number, "a": 1, "b": 2} for number in range(20)])
    source.insert_one(as_sent(TWICE))
    command("run")
    target.replace_one({"_id": 0}, {"b": 2, "a": 1})  # another order
    target.replace_one({"_id": 1}, {"a": 1.0, "b": 2})  # another type
    target.replace_one({"_id": 99}, {"a": 2})  # what a reader would see of the name that stands twice
    target.delete_one({"_id": 2})
    target.insert_one({"_id": "extra"})
    [flow] = command.json("verify", expect=11)["flows"]
    assert {name: flow[name] for name in ("verified", "different", "missing", "extra")} == {
        "verified": 17,
        "different": 3,
        "missing": 1,
        "extra": 1,
    }
    command("repair", "--delete-extra")
    assert everything(client[moved], "things") == everything(client[database], "things")
    command("verify")


def test_a_mapping_takes_the_decoded_lane(
    command: Command, client: Server, database: str, moved: str, mongodb_url: str
) -> None:
    write(
        command,
        mongodb_url,
        database,
        moved,
        "users: {from: mongo.users, to: docdb.people, rename: {name: fullName}, drop: [secret],"
        " where: {age: {gte: 5}}, attributes: {kind: user}}",
    )
    oid = ObjectId(bytes(12))
    put(
        client[database].users,
        *(
            encode_document(
                {"_id": number, "name": "n", "secret": 1, "age": number, "more": {"z": oid, "a": 1.0}}
            )
            for number in range(10)
        ),
    )
    command("run")
    assert everything(client[moved], "people") == [
        encode_document({"_id": n, "kind": "user", "fullName": "n", "age": n, "more": {"z": oid, "a": 1.0}})
        for n in range(5, 10)
    ]
    [flow] = command.json("verify")["flows"]
    assert (flow["verified"], flow["filtered"]) == (5, 5)


def test_what_a_unique_index_keeps_out_is_quarantined(
    command: Command, client: Server, database: str, moved: str
) -> None:
    client[moved].users.create_index("email", unique=True)
    client[moved].users.insert_one({"_id": "other", "email": "5@example.com"})
    client[database].users.insert_many([{"_id": n, "email": f"{n}@example.com"} for n in range(50)])
    command("run", expect=10)
    shown = command("quarantine", "list").stdout
    assert "E11000" in shown
    assert client[moved].users.count_documents({}) == 50


def test_an_id_that_became_another_number_is_replaced(
    command: Command, client: Server, database: str, moved: str
) -> None:
    client[database].things.insert_many([{"_id": 1}, {"_id": 2.5}])
    command("run")
    client[database].things.delete_one({"_id": 1})
    client[database].things.insert_one({"_id": 1.0, "new": True})
    command("run", "--restart")
    assert everything(client[moved], "things") == everything(client[database], "things")
    command("verify")


KINDS: list[dict[str, Any]] = [
    {"key": {"a": 1}},
    {"key": {"a": -1, "b.c": 1}},
    {"key": {"a": 1}, "unique": True},
    {"key": {"a": 1}, "unique": True, "sparse": True},
    {"key": {"a": 1}, "unique": True, "partialFilterExpression": {"b": {"$gt": 3}}},
    {"key": {"at": 1}, "expireAfterSeconds": 10**9},
    {"key": {"a": 1}, "sparse": True},
    {"key": {"t": "text", "b": 1}, "weights": {"t": 3}, "default_language": "german"},
    {"key": {"place": "2dsphere"}},
    {"key": {"spot": "2d"}, "min": -200, "max": 200},
    {"key": {"a": "hashed"}},
    {"key": {"$**": 1}, "wildcardProjection": {"b": 0}},
    {"key": {"sub.$**": 1}},
    {"key": {"a": 1}, "collation": {"locale": "fr", "strength": 1}},
    {"key": {"a": 1}, "hidden": True},
]
COLLECTIONS: list[dict[str, Any]] = [
    {},
    {"collation": {"locale": "en", "strength": 2}},
    {"capped": True, "size": 1 << 20, "max": 1000},
    {"validator": {"a": {"$lt": 0}}, "validationLevel": "strict", "validationAction": "error"},
    {"clusteredIndex": {"key": {"_id": 1}, "unique": True}},
    {"changeStreamPreAndPostImages": {"enabled": True}},
]
NAMES = ["dots.in.names", "ünï ködé", "with space", "UPPER", "x" * 100, "a%b", "$", "'\"\\", "1"]


def described(database: Database[dict[str, Any]]) -> dict[str, Any]:
    return {
        each["name"]: (
            each["options"],
            sorted(map(repr, database[each["name"]].list_indexes())),
        )
        for each in database.list_collections()
    }


def test_thirty_collections_with_every_type_option_and_index(
    command: Command, client: Server, database: str, moved: str
) -> None:
    source = client[database]
    wanted = [*COLLECTIONS, *({} for _ in range(30 - len(COLLECTIONS)))]
    for number, options in enumerate(wanted):
        name = NAMES[number] if number < len(NAMES) and "$" not in NAMES[number] else f"c{number}"
        source.create_collection(name, check_exists=False, **options)
        fields: Document = {
            "b": {"c": 1},
            "t": "ein Wort",
            "place": {"type": "Point", "coordinates": [number, 1]},
        }
        source.command(
            "insert",
            name,
            documents=[
                as_sent(encode_document({**each, "_id": place, "a": place, "spot": [1.0, 2.0], **fields}))
                for place, each in enumerate(BSON)
                if not {"sub", "array"} & each.keys()
            ],
            bypassDocumentValidation=True,
        )
        kind = KINDS[number % len(KINDS)]
        source.command("createIndexes", name, indexes=[{"name": f"index {number}", **kind}])
    before = described(source)
    assert len(before) == 30
    planned = command.json("plan", "--sample", "10")
    assert sum(len(made["indexes"]) for table in planned["tables"] for made in table["as_source"]) == 30
    report = command.json("run")
    assert {each["state"] for each in report["indexes"]} == {"built"}
    assert described(client[moved]) == before
    for name in before:
        assert everything(client[moved], name) == everything(source, name)
    assert {each["state"] for each in command.json("indexes")["indexes"]} == {"stands"}


def test_unique_indexes_are_built_last_and_what_breaks_them_is_told(
    command: Command, client: Server, database: str, moved: str
) -> None:
    source = client[database].users
    source.insert_many([{"_id": n, "a": n} for n in range(10)])
    source.create_index("a", unique=True, name="one a")
    source.create_index("b", name="some b")
    client[moved].users.insert_one({"_id": "other", "a": 3})
    failed = command("run", expect=6)
    assert "one a" in failed.stderr
    assert "E11000" in failed.stderr
    assert set(client[moved].users.index_information()) == {"_id_", "some b"}
    client[moved].users.delete_one({"_id": "other"})
    states = {each["index"]: each["state"] for each in command.json("indexes", "--build")["indexes"]}
    assert states == {"one a": "built", "some b": "stands"}
    assert client[moved].users.index_information()["one a"]["unique"]


def test_indexes_are_not_built_before_the_load(command: Command, client: Server, database: str) -> None:
    client[database].users.insert_one({"_id": 1})
    client[database].users.create_index("a")
    refused = command("indexes", "--build", expect=7)
    assert "greylag run" in refused.stderr
