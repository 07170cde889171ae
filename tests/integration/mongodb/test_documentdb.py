"""DocumentDB, as far as a mongod behind a proxy shows it: what is refused there is not asked for, or told plainly."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from greylag.connectors.mongodb.bounds import as_sent
from greylag.connectors.mongodb.positions import StreamPosition
from greylag.connectors.mongodb.wire import encode_document
from greylag.core.change import Followed
from greylag.core.values import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Symbol, Timestamp
from greylag.errors import ConfigurationError, PositionLost
from tests.contract.subjects import open_connector
from tests.documentdb.proxy import DocumentDB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.connectors.mongodb.changes import MongoFeed
    from greylag.core.change import ChangeBatch
    from greylag.core.ports import Source
    from greylag.core.values import Value

NUMBERS: list[Value] = [
    math.nan,
    -math.inf,
    -7,
    0.5,
    Decimal128("2.5"),
    *range(20, 50),
    Int64(1 << 40),
    math.inf,
]
TEXTS: list[Value] = ["", "a", Symbol("b"), "ö"]
OTHERS: list[Value] = [{}, {"a": 1}, {"a": {"b": 1}}, Binary(b"", 0), Binary(b"ab", 4)]
LAST: list[Value] = [ObjectId(bytes(12)), ObjectId(b"x" * 12), False, True, Timestamp(0, 1), Timestamp(9, 9)]
IDS: list[Value] = [MinKey(), None, *NUMBERS, *TEXTS, *OTHERS, *LAST, MaxKey()]
"""An `_id` of every type that DocumentDB has, in the order of the index."""


@pytest.fixture
def client(mongodb_url: str) -> Iterator[MongoClient[Any]]:
    with MongoClient[Any](mongodb_url) as opened:
        yield opened


@pytest.fixture
def source(cluster: DocumentDB, database: str, tmp_path: Path) -> Iterator[Source]:
    connector = open_connector(tmp_path, kind="mongodb", url=cluster.url, database=database)
    opened = connector.source()
    yield opened
    opened.close()


def fill(client: MongoClient[Any], database: str, ids: list[Value]) -> list[bytes]:
    documents = [encode_document({"_id": each, "x": "y" * 50}) for each in ids]
    client[database].things.insert_many([as_sent(each) for each in documents])
    return documents


def test_the_proxy_refuses(cluster: DocumentDB) -> None:
    with MongoClient[Any](cluster.url, retryWrites=False) as opened:
        assert opened.server_info()["version"] == "5.0.0"
        things = opened.shop.things
        for call, reason in (
            (lambda: list(things.find({}, hint=[("_id", 1)]).min([("_id", 1)])), "'min' is currently not"),
            (lambda: opened.admin.command("getCmdLineOpts"), "Feature not supported: getCmdLineOpts"),
            (lambda: list(things.aggregate([{"$facet": {}}])), "stage not supported: '\\$facet'"),
            (lambda: list(things.find({"_id": {"$type": ["int"]}})), "array for \\$type"),
            (lambda: things.create_index([("a", "hashed")]), "hashed"),
            (lambda: opened.shop.create_collection("c", capped=True, size=9999), "capped:true"),
            (lambda: things.watch([{"$unset": "a"}]), "stage not supported: '\\$unset'"),
            (lambda: things.watch(start_after={"_data": "82"}), "startAfter"),
        ):
            with pytest.raises(OperationFailure, match=reason):
                call()
        with opened.start_session() as session:
            things.find_one({}, session=session)
            with pytest.raises(OperationFailure, match="causal"):
                things.find_one({}, session=session)
    with MongoClient[Any](cluster.url) as retrying, pytest.raises(OperationFailure, match="Retryable"):
        retrying.shop.things.insert_one({})


@pytest.mark.parametrize("partition_bytes", [300, 700, 1 << 20])
def test_every_type_of_id_is_read_once(
    source: Source, client: MongoClient[Any], database: str, cluster: DocumentDB, partition_bytes: int
) -> None:
    documents = fill(client, database, IDS)
    partitions = list(source.partitions("things", partition_bytes=partition_bytes))
    assert (len(partitions) > 1) == (partition_bytes < 1 << 20)
    found: list[bytes] = []
    for each in partitions:
        pages = list(source.read(each, None, page_bytes=100))
        read = [document for page in pages for document in page.documents]  # type: ignore[attr-defined]
        assert read
        found += read
        for place, page in enumerate(pages[:3]):
            rest = source.read(each, page.cursor, page_bytes=100)
            assert [one.cursor for one in rest] == [one.cursor for one in pages[place + 1 :]]
    assert found == documents
    assert [each for each in cluster.refused if "getCmdLineOpts" not in each] == []
    info = source.describe("things")
    assert info.unique_id is None
    assert "DocumentDB 5.0.0" in source.inventory("things").server


def test_numbers_of_several_types(source: Source, client: MongoClient[Any], database: str) -> None:
    fill(client, database, [1, 2, Int64(3)])
    assert source.describe("things").unique_id == "_id"
    fill(client, database, [2.5])
    assert source.describe("things").unique_id is None


def test_a_cursor_that_the_server_forgot(
    source: Source, client: MongoClient[Any], database: str, cluster: DocumentDB
) -> None:
    documents = fill(client, database, list(range(300)))
    [partition] = source.partitions("things", partition_bytes=1 << 30)
    pages = source.read(partition, None, page_bytes=1000)
    found = list(next(pages).documents)  # type: ignore[attr-defined]
    cluster.forget_cursors = 2
    for page in pages:
        found += page.documents  # type: ignore[attr-defined]
    assert found == documents
    assert cluster.forget_cursors == 0


@pytest.fixture
def feed(source: Source, client: MongoClient[Any], database: str, tmp_path: Path) -> Iterator[MongoFeed]:
    client[database].create_collection("things")
    opened: Any = source.feed([Followed("things")], tmp_path)  # type: ignore[attr-defined]
    yield opened
    opened.close()


def until_passed(feed: MongoFeed, position: str) -> list[ChangeBatch]:
    mark, batches = feed.mark(), []
    for batch in feed.read(position):
        batches.append(batch)
        if feed.passed(mark):
            return batches
        assert len(batches) < 60
    raise AssertionError


def test_changes(feed: MongoFeed, client: MongoClient[Any], database: str, cluster: DocumentDB) -> None:
    with pytest.raises(ConfigurationError, match=f"keeps no changes of {database}.things") as refused:
        feed.position()
    assert "modifyChangeStreams" in str(refused.value.advice)
    cluster.enable_change_streams(database)
    things = client[database].things
    position = feed.position()
    things.insert_one({"_id": 1})
    things.update_one({"_id": 1}, {"$set": {"a": 2}})
    things.delete_one({"_id": 1})
    things.insert_one({"_id": "last"})
    batches = until_passed(feed, position)
    found = [each for batch in batches for each in batch.changes if each.document or each.id]
    ids = [feed.known("things", each.id).id for each in found]
    assert ids[-2:] == [1, "last"]
    assert set(ids) == {1, "last"}
    assert feed.history(batches[-1].position).kept_seconds == 3 * 3600
    things.insert_one({"_id": "later"})
    again = until_passed(feed, batches[-1].position)
    assert [feed.known("things", each.id).id for batch in again for each in batch.changes] == ["later"]
    assert [each for each in cluster.refused if "getCmdLineOpts" not in each and "Oplog" not in each] == []


def test_changes_that_are_no_longer_kept(
    feed: MongoFeed, client: MongoClient[Any], database: str, cluster: DocumentDB
) -> None:
    cluster.enable_change_streams(database, "things")
    position = feed.position()
    client[database].things.insert_one({"_id": 1})
    [*_, last] = until_passed(feed, position)
    cluster.forget_changes()
    with pytest.raises(PositionLost, match="CappedPositionLost") as lost:
        next(feed.read(last.position))
    assert "change_stream_log_retention_duration" in str(lost.value.advice)


def test_a_time_that_is_no_longer_kept(feed: MongoFeed, database: str, cluster: DocumentDB) -> None:
    cluster.enable_change_streams(database)
    long_ago = bson.Timestamp(int(time.time()) - 4 * 3600, 1)
    with pytest.raises(PositionLost, match="older than the 3 hours") as lost:
        next(feed.read(StreamPosition.at(long_ago).text))
    assert "change_stream_retention_hours" in str(lost.value.advice)


@pytest.mark.parametrize(("version", "driver"), [("3.6", "<4.11"), ("4.0", "<4.14")])
def test_versions_that_the_driver_does_not_speak_to(
    mongodb_url: str, database: str, tmp_path: Path, version: str, driver: str
) -> None:
    cluster = DocumentDB(mongodb_url, version)
    connector = open_connector(tmp_path, kind="mongodb", url=cluster.url, database=database)
    opened = connector.source()
    with pytest.raises(ConfigurationError, match="wire version") as refused:
        opened.check()
    assert f"pip install 'pymongo>=4.10,{driver}'" in str(refused.value.advice)
    opened.close()
    cluster.close()
