"""Every record once, whatever its `_id`, however often reading is interrupted."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import bson
import pytest
from bson.raw_bson import RawBSONDocument

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.decoding import split_documents
from greylag.core.canonical import canonical
from greylag.core.extended_json import dumps, loads
from greylag.core.records import Page, Partition
from greylag.core.values import DBPointer, Int64, ObjectId, Symbol, Undefined, Value
from greylag.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.ports import Source
    from tests.integration.mongodb.conftest import Documents, OpenSource

IDS: list[Any] = [
    bson.MinKey(),
    None,
    float("nan"),
    float("-inf"),
    -0.0,
    1,
    bson.Int64(2),
    2.5,
    bson.Decimal128("3.30"),
    bson.Int64(2**60),
    float("inf"),
    "",
    "A",
    "a",
    "é",
    "\U0001f40d",
    {},
    {"a": 1},
    {"a": 1, "b": None},
    {"b": 1},
    b"",
    b"z",
    bson.Binary(b"zz", 4),
    bson.ObjectId("0123456789abcdef01234567"),
    bson.ObjectId("0123456789abcdef01234568"),
    False,
    True,
    datetime(1969, 1, 1, tzinfo=UTC),
    bson.DatetimeMS(2**60),
    bson.Timestamp(4294967295, 1),
    bson.Code("x"),
    bson.Code("x", {"a": 1}),
    bson.MaxKey(),
]


@pytest.fixture
def mixed(server: Documents) -> list[bytes]:
    """A collection whose ids have every type an id may have; the canonical ids, sorted."""
    server.mixed.insert_many([{"_id": each, "n": n} for n, each in enumerate(IDS)])
    odd: list[Value] = [Symbol("symbol"), DBPointer("a.b", ObjectId(bytes(12)))]
    server.mixed.insert_many([RawBSONDocument(wire.encode_document({"_id": each})) for each in odd])
    raw = b"".join(cast("Iterator[bytes]", server.mixed.find_raw_batches()))
    found = [canonical(wire.decode_exact(each)["_id"]) for each in split_documents(raw)]
    assert len(set(found)) == len(IDS) + len(odd)
    return sorted(found)


def ids(pages: Iterator[Page]) -> list[bytes]:
    found = []
    for page in pages:
        assert not page.rejected
        found += [canonical(record.id) for record in page.records]
    return found


def stored(partition: Partition) -> Partition:
    """As it comes back from the engine's store: bounds through JSON."""
    bounds = loads(dumps(partition.bounds))  # type: ignore[arg-type]
    assert isinstance(bounds, dict)
    return Partition(partition.dataset, partition.ordinal, dict(bounds), 1, 1)


@pytest.mark.parametrize("partition_bytes", [1, 60, 100, 1 << 30])
@pytest.mark.parametrize("page_bytes", [1, 150, 1 << 20])
def test_mixed_ids_are_read_once(
    source: Source, mixed: list[bytes], partition_bytes: int, page_bytes: int
) -> None:
    partitions = list(source.partitions("mixed", partition_bytes=partition_bytes))
    assert [each.ordinal for each in partitions] == list(range(len(partitions)))
    assert len(partitions) > 5 or partition_bytes > 100 or len(partitions) == 1
    assert list(source.partitions("mixed", partition_bytes=partition_bytes)) == partitions
    found: list[bytes] = []
    for each in partitions:
        found += ids(source.read(stored(each), None, page_bytes=page_bytes))
    assert len(found) == len(mixed)
    assert sorted(found) == mixed


def test_partitions_of_one_record_each(source: Source, mixed: list[bytes]) -> None:
    partitions = list(source.partitions("mixed", partition_bytes=1))
    sizes = [len(ids(source.read(each, None, page_bytes=1 << 20))) for each in partitions]
    assert sizes == [1] * (len(mixed) - 2) + [2]  # MaxKey stands outside of what the server can step over


def test_reading_goes_on_from_every_cursor(source: Source, mixed: list[bytes]) -> None:
    for partition in source.partitions("mixed", partition_bytes=300):
        pages = list(source.read(partition, None, page_bytes=1))
        for place, page in enumerate(pages):
            rest = list(source.read(partition, page.cursor, page_bytes=1))
            assert [each.cursor for each in rest] == [each.cursor for each in pages[place + 1 :]]
            assert ids(iter(rest)) == ids(iter(pages[place + 1 :]))


def test_a_page_holds_what_brings_it_to_its_size(source: Source, server: Documents) -> None:
    server.sized.insert_many([{"_id": n, "s": "x" * (n % 7) * 1000} for n in range(300)])
    [partition] = source.partitions("sized", partition_bytes=1 << 30)
    pages = list(source.read(partition, None, page_bytes=10_000))
    sizes = [[len(wire.encode_document(record.fields)) for record in page.records] for page in pages]
    assert [sum(each) for each in sizes] == [page.bytes_read for page in pages]
    assert all(sum(each) >= 10_000 > sum(each[:-1]) for each in sizes[:-1])
    assert sum(map(len, sizes)) == 300
    server.sized.delete_many({"_id": {"$lt": 0}})
    assert list(source.read(partition, pages[2].cursor, page_bytes=10_000)) == pages[3:]


def test_a_cursor_holds_when_its_record_is_deleted(source: Source, server: Documents) -> None:
    server.kept.insert_many([{"_id": n} for n in range(10)])
    [partition] = source.partitions("kept", partition_bytes=1 << 30)
    first = next(source.read(partition, None, page_bytes=60))
    server.kept.delete_many({"_id": {"$in": [first.records[-1].id, first.records[-1].id + 1]}})  # type: ignore[operator]
    rest = [
        record.id for page in source.read(partition, first.cursor, page_bytes=60) for record in page.records
    ]
    assert rest == list(range(len(first.records) + 1, 10))


def test_a_record_replaced_by_an_equal_id_of_another_type_is_read(source: Source, server: Documents) -> None:
    server.kept.insert_many([{"_id": n} for n in range(4)])
    [partition] = source.partitions("kept", partition_bytes=1 << 30)
    first = next(source.read(partition, None, page_bytes=1))
    server.kept.delete_one({"_id": 0})
    server.kept.insert_one({"_id": bson.Int64(0)})
    again = next(source.read(partition, first.cursor, page_bytes=1))
    assert again.records[0].id == Int64(0)


def test_records_deleted_while_reading(source: Source, server: Documents) -> None:
    server.moving.insert_many([{"_id": n, "s": "x" * 100} for n in range(2000)])
    [partition] = source.partitions("moving", partition_bytes=1 << 30)
    found = []
    for page in source.read(partition, None, page_bytes=5000):
        found += [record.id for record in page.records]
        server.moving.delete_many({"_id": {"$mod": [3, 0], "$gt": found[-1]}})
    assert {n for n in range(2000) if n % 3} <= set(found)
    assert len(found) == len(set(found))


def test_cursors_the_server_kills_are_opened_again(source: Source, server: Documents) -> None:
    server.killed.insert_many([{"_id": n, "s": "x" * 100} for n in range(3000)])
    [partition] = source.partitions("killed", partition_bytes=1 << 30)
    pages = source.read(partition, None, page_bytes=20_000)
    found = [record.id for page in islice(pages, 2) for record in page.records]
    open_cursors = [
        each["cursor"]["cursorId"]
        for each in server.client.admin.aggregate([{"$currentOp": {"idleCursors": True}}])
        if each.get("type") == "idleCursor" and each["ns"] == f"{server.name}.killed"
    ]
    assert open_cursors
    assert server.command({"killCursors": "killed", "cursors": open_cursors})["cursorsKilled"]
    found += [record.id for page in pages for record in page.records]
    assert found == list(range(3000))


@pytest.mark.parametrize("clustered", [False, True])
def test_collations_order_but_lose_nothing(source: Source, server: Documents, clustered: bool) -> None:
    options: dict[str, Any] = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}} if clustered else {}
    server.create_collection("words", collation={"locale": "en", "strength": 3}, **options)
    words = ["b", "B", "a", "A", "c", "C", "Z", "z", "_", "é", "e"]
    server.words.insert_many([{"_id": each} for each in words])
    for partition_bytes in (1, 50, 1 << 20):
        found = []
        for partition in source.partitions("words", partition_bytes=partition_bytes):
            pages = list(source.read(partition, None, page_bytes=1))
            found += [record.id for page in pages for record in page.records]
            for place, page in enumerate(pages):
                assert list(source.read(partition, page.cursor, page_bytes=1)) == pages[place + 1 :]
        assert sorted(found) == sorted(words)  # type: ignore[type-var]
    assert [record.id for record in source.fetch("words", ["a", "Z", "y"])] == ["a", "Z"]


def test_a_collation_blind_to_case(source: Source, server: Documents) -> None:
    server.create_collection("words", collation={"locale": "en", "strength": 2})
    server.words.insert_many([{"_id": each} for each in ["B", "a", "c"]])
    partitions = list(source.partitions("words", partition_bytes=1))
    found = [
        r.id for each in partitions for page in source.read(each, None, page_bytes=1) for r in page.records
    ]
    assert found == ["a", "B", "c"]
    assert [record.id for record in source.fetch("words", ["A", "B", "b"])] == ["B"]


@pytest.mark.parametrize(
    "options",
    [{"capped": True, "size": 100_000}, {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}],
    ids=["capped", "clustered"],
)
def test_collections_of_other_kinds(source: Source, server: Documents, options: dict[str, Any]) -> None:
    server.create_collection("special", **options)
    given = [3, "x", bson.MaxKey(), None, 1, bson.MinKey(), 2]
    server.special.insert_many([{"_id": each} for each in given])
    for partition_bytes in (1, 60, 1 << 20):
        found = []
        for each in source.partitions("special", partition_bytes=partition_bytes):
            found += ids(source.read(each, None, page_bytes=1))
        assert len(found) == len(set(found)) == len(given)


def test_an_empty_collection_is_one_empty_partition(source: Source, server: Documents) -> None:
    server.create_collection("empty")
    [partition] = source.partitions("empty", partition_bytes=100)
    assert list(source.read(partition, None, page_bytes=100)) == []


def test_what_no_value_says_is_rejected(source: Source, server: Documents) -> None:
    twice = b"\x10\0\0\0\x10_id\0\x02\0\0\0\x0aa\0\x0aa\0\0"
    twice = len(twice).to_bytes(4, "little") + twice[4:]
    server.odd.insert_many(
        [RawBSONDocument(each) for each in (wire.encode_document({"_id": 1, "u": Undefined()}), twice)]
    )
    [partition] = source.partitions("odd", partition_bytes=1 << 20)
    [page] = source.read(partition, None, page_bytes=1 << 20)
    assert [record.fields for record in page.records] == [{"_id": 1, "u": Undefined()}]
    assert [(each.id, each.raw) for each in page.rejected] == [(2, twice)]
    assert list(source.read(partition, page.cursor, page_bytes=1 << 20)) == []


def test_a_collection_replaced_while_it_is_read(source: Source, server: Documents) -> None:
    server.gone.insert_many([{"_id": n} for n in range(100)])
    [partition] = source.partitions("gone", partition_bytes=1 << 20)
    pages = source.read(partition, None, page_bytes=100)
    next(pages)
    server.gone.drop()
    with pytest.raises(SchemaError, match="no collection"):
        list(pages)
    server.gone.insert_one({"_id": 1})
    with pytest.raises(SchemaError, match="replaced"):
        list(source.read(partition, None, page_bytes=100))


def test_fetch(source: Source, server: Documents, mixed: list[bytes]) -> None:
    every = [loads_id(each) for each in IDS] + [Symbol("symbol"), DBPointer("a.b", ObjectId(bytes(12)))]
    found = [canonical(record.id) for record in source.fetch("mixed", iter(every))]
    assert sorted(found) == mixed
    assert list(source.fetch("mixed", ["no such", Undefined(), 2**80])) == []
    assert [record.id for record in source.fetch("mixed", [2**60])] == [Int64(2**60)]


def loads_id(value: Any) -> Value:
    return wire.decode_exact(bson.encode({"_id": value}))["_id"]


def test_a_rate_holds(open_source: OpenSource, server: Documents) -> None:
    import time

    server.paced.insert_many([{"_id": n, "s": "x" * 1000} for n in range(300)])
    source = open_source(read_bytes_per_second=400_000)
    [partition] = source.partitions("paced", partition_bytes=1 << 30)
    started = time.monotonic()
    total = sum(page.bytes_read for page in source.read(partition, None, page_bytes=30_000))
    assert time.monotonic() - started > total / 400_000 * 0.8 - 0.1
