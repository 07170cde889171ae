"""What the contract suite asks of a connector, and the connectors that answer.

A subject puts data where its connector reads or writes, by other means than the connector itself, and declares what
it can: a test skips by what is declared, never by a name.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from greylag.connectors import memory
from greylag.connectors.registry import connector_type
from greylag.core.extended_json import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.ports import Connector
    from greylag.core.values import Document


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
    keys: dict[str, str] = field(default_factory=lambda: {"pk": "S", "sk": "S"})


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


def mongodb(url: str, database: str, records: Sequence[Document]) -> SourceSubject:
    """A collection, filled with raw BSON by pymongo; one document has a field twice."""
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
        open_connector(_nowhere(), kind="mongodb", url=url, database=database),
        "things",
        "bson",
        with_ids,
        [each["_id"] for each in with_ids],
        fingerprint,
        undecodable=1,
        write=write,
        replace=fill,
    )


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
