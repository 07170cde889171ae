"""What the source says of collections, and what it says when it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.synchronous.database import Database

from greylag.errors import AuthenticationError, SchemaError, TransientError

if TYPE_CHECKING:
    from greylag.core.ports import Source
    from tests.integration.mongodb.conftest import Documents, OpenSource


def test_describe(source: Source, server: Documents) -> None:
    server.people.insert_many([{"_id": bson.ObjectId(), "s": "x" * 100} for _ in range(50)])
    info = source.describe("people")
    assert (info.dataset, info.family, info.unique_id) == ("people", "bson", "_id")
    assert info.estimated_records == 50
    assert info.estimated_bytes is not None
    assert info.estimated_bytes > 5000
    assert info.resumable_changes
    assert source.describe("people") == info
    server.people.drop()
    server.people.insert_one({"_id": 1})
    assert source.describe("people").identity != info.identity


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["a", "b"], "_id"),
        ([1, 2], "_id"),
        ([1, bson.Int64(2**40), 3], "_id"),
        ([1, 2.5, 3], None),
        ([0.5, 1.5], "_id"),
        ([0.5, 1, 1.5], None),
        ([bson.Decimal128("0.1"), 0.1, bson.Decimal128("0.2")], None),
        ([1, "a"], None),
        (["a", bson.ObjectId("65f0c0ffee65f0c0ffee65f1")], None),
        ([b"a", b"b"], None),
        ([{"a": 1}, {"a": 2}], None),
        ([None], None),
        ([], None),
    ],
    ids=str,
)
def test_unique_id_only_where_it_is_proven(
    source: Source, server: Documents, ids: list[Any], expected: str | None
) -> None:
    server.create_collection("some")
    if ids:
        server.some.insert_many([{"_id": each} for each in ids])
    assert source.describe("some").unique_id == expected


def test_no_id_is_unique_across_shards(
    open_source: OpenSource, server: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = Database.command

    def routed(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = command(self, *arguments, **options)
        return {"msg": "isdbgrid"} if arguments[0] == "hello" else answer

    server.some.insert_one({"_id": "a"})
    assert open_source().describe("some").unique_id == "_id"
    monkeypatch.setattr(Database, "command", routed)
    info = open_source().describe("some")
    assert info.unique_id is None
    assert info.resumable_changes


def test_datasets(source: Source, server: Documents) -> None:
    for name in ("zebra", "apple"):
        server.create_collection(name)
    server.create_collection("seen", viewOn="apple", pipeline=[])
    server.create_collection("measured", timeseries={"timeField": "t"})
    assert source.datasets() == ["apple", "zebra"]
    source.check()
    for name, reason in (("seen", "view"), ("measured", "time series")):
        with pytest.raises(SchemaError, match=reason):
            source.describe(name)


def test_a_collection_that_does_not_exist(source: Source, server: Documents) -> None:
    server.create_collection("products")
    with pytest.raises(SchemaError, match="did you mean 'products'"):
        source.describe("prodcuts")
    with pytest.raises(SchemaError):
        list(source.partitions("prodcuts", partition_bytes=1))


def test_a_database_that_does_not_exist(open_source: OpenSource, server: Documents) -> None:
    server.create_collection("products")
    with pytest.raises(SchemaError, match=f"did you mean '{server.name}'"):
        open_source(database=server.name + "x").check()


def test_an_unreachable_server(open_source: OpenSource) -> None:
    url = "mongodb://u:s3cr3t@127.0.0.1:9/?serverSelectionTimeoutMS=200"
    source = open_source(url=url, patience_seconds=0.3)
    with pytest.raises(TransientError, match=r"127\.0\.0\.1:9") as failure:
        source.check()
    assert "s3cr3t" not in str(failure.value)
    with pytest.raises(TransientError, match="patience_seconds"):
        source.describe("any")


def test_wrong_credentials(open_source: OpenSource, mongodb_url: str) -> None:
    url = mongodb_url.replace("mongodb://", "mongodb://nobody:s3cr3t@")
    with pytest.raises(AuthenticationError, match="credentials") as failure:
        open_source(url=url).check()
    assert "s3cr3t" not in str(failure.value)


def test_two_clients_see_one_identity(open_source: OpenSource, server: Documents, mongodb_url: str) -> None:
    server.create_collection("one")
    with MongoClient[dict[str, Any]](mongodb_url) as other:
        assert other[server.name].list_collection_names() == ["one"]
    assert open_source().describe("one").identity == open_source().describe("one").identity
