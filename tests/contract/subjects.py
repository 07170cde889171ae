"""What the contract suite asks of a connector, and the connectors that answer.

A subject puts data where its connector reads or writes, by other means than the connector itself, and declares what
it can: a test skips by what is declared, never by a name.
"""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.connectors import memory
from greylag.connectors.registry import connector_type
from greylag.core.extended_json import dumps
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.ports import DatasetInfo
from greylag.core.records import Item, Page, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.paths import Path as FieldPath
    from greylag.core.ports import Codec, Connector
    from greylag.core.records import Partition
    from greylag.core.values import Document
    from tests.documentdb.proxy import DocumentDB


@dataclass
class SourceSubject:
    """A source with a dataset that holds `records`, in the connector's own order of ids.

    `family` decides which values `records` may hold. `ids` are the records' ids as the source must give them.
    """

    connector: Connector
    dataset: str
    family: str
    records: Sequence[Document]
    ids: Sequence[Any]
    fingerprint: Callable[[], Any]
    """Differs when anything in the source does."""
    undecodable: int = 0
    """How many records beside `records` the dataset holds that no value can say exactly."""
    write: Callable[[], None] | None = None
    """Adds or changes a record, as the application would; fails if it must wait. None where nobody writes."""
    replace: Callable[[], None] | None = None
    """Makes the dataset anew under its name; None where a dataset has no life of its own."""


@dataclass
class TargetSubject:
    """A target and the names of tables that are this test's alone."""

    connector: Connector
    family: str
    prefix: str = ""
    drop: Callable[[str], None] | None = None
    """Drops a table behind the connector's back."""
    own_identity: bool = True
    """Whether a table that was made anew has another identity than the one before it."""
    documents: bool = False
    """Whether its tables all have the key `_id` and no indexes in greylag.yaml (`ports.Documents`)."""

    def key(self, pk: str, sk: int) -> Document:
        """The key attributes of an item."""
        return {"_id": {"pk": pk, "sk": sk}} if self.documents else {"pk": pk, "sk": sk}

    def item(self, pk: str, sk: int, fields: Document) -> Item:
        """An item with this key, part of which a template wrote."""
        derived = frozenset[str]() if self.documents else frozenset({"pk"})
        return Item({**self.key(pk, sk), **fields}, derived)

    def spec(self, name: str) -> TableSpec:
        """A table of such items."""
        ref = DatasetRef("subject", name)
        if self.documents:
            return TableSpec(ref, ("_id",), any_type=True)
        return TableSpec(ref, ("pk", "sk"), {"by_kind": ("kind", "pk")}, {"pk": "S", "sk": "N", "kind": "S"})


@dataclass
class FeedSubject:
    """A source whose changes can be followed, `dataset` and `another` empty, and ways to write to it as an
    application would. Records have an `_id`; with family "json" they are only ever added.
    """

    connector: Connector
    family: str
    write: Callable[[str, Sequence[Document]], None]
    """Inserts, or replaces by `_id`."""
    delete: Callable[[str, Sequence[Any]], None]
    """Deletes by `_id`; with family "json" by place."""
    drop: Callable[[str], None]
    cut: Callable[[], None] | None = None
    """Makes the source forget its changes up to now; None where nobody can."""
    dataset: str = "things"
    another: str = "others"
    fields: tuple[FieldPath, ...] = ()
    """What tells its records apart, where it keeps no id."""
    every_state: bool = True
    """Whether states that were soon followed by others are given too."""


def open_connector(root: Path, **options: Any) -> Connector:
    """A connector as greylag.yaml would open it."""
    kind = connector_type(options["kind"])
    return kind.open("subject", kind.options.model_validate(options), root)


FAULTS = {"short_page": 0.4, "slow": 0.1, "throttle": 0.3, "repeat": 0.3}
"""Those that a connector hides; the ones it raises belong to tests of the engine."""


def json_lines(folder: Path, records: Sequence[Document]) -> SourceSubject:
    """A .jsonl file, and one line with a name that stands twice."""
    lines = [_json(each) for each in records]
    path = folder / "things.jsonl"
    path.write_text("\n".join([*lines, '{"twice": 1, "twice": 2}', ""]), encoding="utf-8")
    return SourceSubject(
        open_connector(folder, kind="json", path="."),
        "things",
        "json",
        records,
        range(len(records)),
        path.read_bytes,
        undecodable=1,
    )


def json_array(folder: Path, records: Sequence[Document]) -> SourceSubject:
    """An array inside a document, with whitespace and another member around it."""
    path = folder / "db.json"
    body = ",\n ".join(_json(each) for each in records)
    path.write_text(f'{{"other": [1, {{"a": "]"}}], "things": [\n {body}\n]}}', encoding="utf-8")
    return SourceSubject(
        open_connector(folder, kind="json", path="."),
        "db.json#/things",
        "json",
        records,
        range(len(records)),
        path.read_bytes,
    )


def memory_source(folder: Path, records: Sequence[Document], family: str) -> SourceSubject:
    """The memory connector, with bytes that are no record in their midst."""
    return _memory(folder, records, family, {"kind": "memory", "path": "data", "family": family})


def faulty_source(folder: Path, records: Sequence[Document], family: str) -> SourceSubject:
    """The same behind faults."""
    inner = {"kind": "memory", "path": "data", "family": family}
    options = {"kind": "faulty", "inner": inner, "faults": FAULTS, "seed": 3, "slow_seconds": 0.002}
    return _memory(folder, records, family, options)


def _memory(folder: Path, records: Sequence[Document], family: str, options: dict[str, Any]) -> SourceSubject:
    path = folder / "data"
    with_ids = (
        records if family == "json" else [{"_id": number, **each} for number, each in enumerate(records)]
    )

    def put() -> None:
        memory.put(path, "things", [*with_ids, b"\xff\xfe no record"], family=family)

    put()
    changed: Document = {"value": 1}
    return SourceSubject(
        open_connector(folder, **options),
        "things",
        family,
        with_ids,
        range(len(records)) if family == "json" else [each["_id"] for each in with_ids],
        lambda: _rows(path),
        undecodable=1,
        write=lambda: memory.change(path, "things", 0, changed),
        replace=put,
    )


def mongodb(
    url: str, database: str, records: Sequence[Document], *, read_url: str | None = None
) -> SourceSubject:
    """A collection, filled with raw BSON by pymongo; one document has a field twice. `read_url`: where DocumentDB is
    read, which has no UUID by which a collection made anew would be known.
    """
    import bson
    from bson.raw_bson import RawBSONDocument
    from pymongo import MongoClient

    from greylag.connectors.mongodb.wire import encode_document

    with_ids: list[Document] = [{"_id": number, **each} for number, each in enumerate(records)]
    twice = bytes.fromhex("1b000000105f69640000ca9a3b1061000100000010610002000000 00".replace(" ", ""))
    twice = len(twice).to_bytes(4, "little") + twice[4:]

    def fill() -> None:
        with MongoClient[Any](url) as client:
            client[database].things.drop()
            things = client[database].things
            things.insert_many([RawBSONDocument(encode_document(each)) for each in with_ids], ordered=True)
            things.insert_one(RawBSONDocument(twice))

    def fingerprint() -> Any:
        with MongoClient[Any](url) as client:
            return b"".join(client[database].things.find_raw_batches(sort=[("_id", 1)]))

    def write() -> None:
        with MongoClient[Any](url, timeoutMS=1000) as client:
            client[database].things.insert_one({"_id": bson.ObjectId()})

    fill()
    return SourceSubject(
        open_connector(_nowhere(), kind="mongodb", url=read_url or url, database=database),
        "things",
        "bson",
        with_ids,
        [each["_id"] for each in with_ids],
        fingerprint,
        undecodable=1,
        write=write,
        replace=None if read_url else fill,
    )


def memory_feed(folder: Path, family: str) -> FeedSubject:
    """The memory connector's log of changes."""
    return _memory_feed(folder, family, {"kind": "memory", "path": "data", "family": family})


def faulty_feed(folder: Path, family: str) -> FeedSubject:
    """The same behind faults."""
    inner = {"kind": "memory", "path": "data", "family": family}
    options = {"kind": "faulty", "inner": inner, "faults": FAULTS, "seed": 3, "slow_seconds": 0.002}
    return _memory_feed(folder, family, options)


def _memory_feed(folder: Path, family: str, options: dict[str, Any]) -> FeedSubject:
    path = folder / "data"
    for dataset in ("things", "others"):
        memory.put(path, dataset, [], family=family)
    return FeedSubject(
        open_connector(folder, **options),
        family,
        lambda dataset, records: memory.write(path, dataset, records, family=family),
        lambda dataset, ids: memory.delete(path, dataset, ids),
        lambda dataset: memory.drop(path, dataset),
        lambda: memory.forget_changes(path),
    )


def json_feed(folder: Path, form: str) -> FeedSubject:
    """Files of arrays or of lines: replaced whole, or written anew in place, as it comes."""
    suffix = ".json" if form == "array" else ".jsonl"
    (folder / "data").mkdir()
    times = itertools.count()

    def path_of(dataset: str) -> Path:
        return folder / "data" / (dataset + suffix)

    def records_of(dataset: str) -> dict[Any, str]:
        text = path_of(dataset).read_text(encoding="utf-8")
        lines = text.strip("[]\n").split(",\n" if form == "array" else "\n")
        return {json.loads(line)["_id"]: line for line in lines if line}

    def put(dataset: str, records: dict[Any, str]) -> None:
        lines = list(records.values())
        content = "[" + ",\n".join(lines) + "]" if form == "array" else "".join(f"{line}\n" for line in lines)
        if next(times) % 2:
            path_of(dataset).write_text(content, encoding="utf-8")
        else:
            beside = folder / "beside"
            beside.write_text(content, encoding="utf-8")
            beside.replace(path_of(dataset))

    def write(dataset: str, records: Sequence[Document]) -> None:
        put(dataset, records_of(dataset) | {each["_id"]: _json(each) for each in records})

    def delete(dataset: str, ids: Sequence[Any]) -> None:
        put(dataset, {key: line for key, line in records_of(dataset).items() if key not in ids})

    for dataset in ("things", "others"):
        put(dataset, {})
    return FeedSubject(
        open_connector(folder, kind="json", path="data"),
        "json",
        write,
        delete,
        lambda dataset: path_of(dataset).unlink(),
        fields=(("_id",),),
        every_state=False,
    )


def documentdb_feed(url: str, database: str, cluster: DocumentDB) -> FeedSubject:
    """Collections that are written to by `url` and read as those of DocumentDB."""
    cluster.enable_change_streams(database)
    options = {"kind": "mongodb", "url": cluster.url, "database": database}
    connector = open_connector(_nowhere(), **options)
    return replace(mongodb_feed(url, database), connector=connector, cut=cluster.forget_changes)


def mongodb_feed(url: str, database: str) -> FeedSubject:
    """Collections of a replica set. Its oplog cannot be cut."""
    from pymongo import MongoClient, ReplaceOne

    from greylag.connectors.mongodb.bounds import as_sent
    from greylag.connectors.mongodb.wire import encode_document

    def raw(document: Document) -> Any:
        return as_sent(encode_document(document))

    def write(dataset: str, records: Sequence[Document]) -> None:
        with MongoClient[Any](url) as client:
            client[database][dataset].bulk_write(
                [ReplaceOne(raw({"_id": each["_id"]}), raw(each), upsert=True) for each in records]
            )

    def delete(dataset: str, ids: Sequence[Any]) -> None:
        with MongoClient[Any](url) as client:
            client[database][dataset].delete_many({"_id": {"$in": list(ids)}})

    def drop(dataset: str) -> None:
        with MongoClient[Any](url) as client:
            client[database].drop_collection(dataset)

    with MongoClient[Any](url) as client:
        for dataset in ("things", "others"):
            client[database].create_collection(dataset)
    options = {"kind": "mongodb", "url": url, "database": database}
    return FeedSubject(open_connector(_nowhere(), **options), "bson", write, delete, drop)


def dynamodb_feed(endpoint: str, prefix: str) -> FeedSubject:
    """The streams of two tables of DynamoDB Local or moto. Its target is what follows, and reads."""
    import boto3
    import orjson

    options = {"kind": "dynamodb", "region": "us-east-1", "endpoint_url": endpoint, "create_tables": True}
    connector = open_connector(_nowhere(), **options)
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    spec = FlowSpec(
        "f", "s", DatasetRef("a", "b"), TableSpec(DatasetRef("c", "d"), ("_id",)), numbers="string"
    )
    target = connector.target()
    for each in ("things", "others"):
        target.prepare(TableSpec(DatasetRef("c", prefix + each), ("_id",), {}, {"_id": "N"}))
    info = target.describe(f"{prefix}things")
    assert info is not None
    codec = target.codec(spec, info, "bson")
    target.close()

    def wire(fields: Document) -> Any:
        return boto(orjson.loads(codec.encode(Item(fields)).body))

    def boto(item: Any) -> Any:
        """DynamoDB JSON with the bytes of binary values."""
        if isinstance(item, dict):
            return {
                name: base64.b64decode(each) if name == "B" and isinstance(each, str) else boto(each)
                for name, each in item.items()
            }
        return [boto(each) for each in item] if isinstance(item, list) else item

    def write(table: str, records: Sequence[Document]) -> None:
        for each in records:
            client.put_item(TableName=table, Item=wire(each))

    def delete(table: str, ids: Sequence[Any]) -> None:
        for each in ids:
            client.delete_item(TableName=table, Key={"_id": {"N": str(each)}})

    def drop(table: str) -> None:
        client.delete_table(TableName=table)

    return FeedSubject(
        _TargetAsSource(connector, codec),  # type: ignore[arg-type]
        "bson",
        write,
        delete,
        drop,
        dataset=f"{prefix}things",
        another=f"{prefix}others",
    )


class _TargetAsSource:
    """What the suite asks of a source, answered by a target whose tables can be followed."""

    def __init__(self, connector: Connector, codec: Codec) -> None:
        self._connector = connector
        self._codec = codec

    def source(self) -> Any:
        target: Any = self._connector.target()
        codec = self._codec

        class Source:
            feed = staticmethod(target.feed)
            close = staticmethod(target.close)

            def describe(self, dataset: str) -> DatasetInfo:
                return DatasetInfo(dataset, "", "bson", None, None, None, resumable_changes=True)

            def partitions(self, dataset: str, *, partition_bytes: int) -> Sequence[Partition]:
                assert partition_bytes
                return target.segments(dataset, count=2)  # type: ignore[no-any-return]

            def read(self, partition: Partition, cursor: None, *, page_bytes: int) -> Iterator[Page]:
                assert cursor is None
                assert page_bytes
                for batch in target.scan(partition):
                    decoded = [codec.decode(each.body) for each in batch]
                    yield Page([Record(each["_id"], each) for each in decoded], "", 0)

        return Source()


def memory_target(folder: Path) -> TargetSubject:
    """The memory connector as a target."""
    path = folder / "target"
    return TargetSubject(
        open_connector(folder, kind="memory", path="target"), "bson", drop=lambda table: _drop(path, table)
    )


def faulty_target(folder: Path) -> TargetSubject:
    """The same behind faults."""
    path = folder / "target"
    inner = {"kind": "memory", "path": "target"}
    options = {"kind": "faulty", "inner": inner, "faults": FAULTS, "slow_seconds": 0.002}
    return TargetSubject(open_connector(folder, **options), "bson", drop=lambda table: _drop(path, table))


def dynamodb_target(endpoint: str, prefix: str) -> TargetSubject:
    """DynamoDB Local."""
    import boto3

    def drop(table: str) -> None:
        client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
        client.delete_table(TableName=table)
        client.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        client.close()

    options = {"kind": "dynamodb", "region": "us-east-1", "endpoint_url": endpoint, "create_tables": True}
    return TargetSubject(open_connector(_nowhere(), **options), "bson", prefix, drop)


def mongodb_target(url: str, database: str, *, own_identity: bool = True) -> TargetSubject:
    """A replica set. `own_identity` is not DocumentDB's: it tells no collection from another of its name."""
    from pymongo import MongoClient

    def drop(table: str) -> None:
        with MongoClient[Any](url) as client:
            client[database].drop_collection(table)

    options = {"kind": "mongodb", "url": url, "database": database, "create_tables": True}
    connector = open_connector(_nowhere(), **options)
    return TargetSubject(connector, "bson", drop=drop, own_identity=own_identity, documents=True)


def _nowhere() -> Path:
    from pathlib import Path

    return Path("/nonexistent")


def _rows(path: Path) -> list[Any]:
    import sqlite3

    db = sqlite3.connect(path)
    rows = db.execute("SELECT * FROM records ORDER BY dataset, place").fetchall()
    db.close()
    return rows


def _drop(path: Path, table: str) -> None:
    import sqlite3

    db = sqlite3.connect(path)
    with db:
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("DELETE FROM tables WHERE name = ?", (table,))
    db.close()


def _json(value: Any) -> str:
    """Plain JSON, numbers as they are written: no float in between."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {_json(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_json(each) for each in value) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return dumps(value)


def paths(value: Any, here: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside of `value`, with a path to it."""
    yield here, value
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, each in children:
        yield from paths(each, f"{here}.{name}")
