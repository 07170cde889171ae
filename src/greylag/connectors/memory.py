"""Kind `memory`: datasets and tables in one small SQLite file, for tests, rehearsals and connector authors.

It holds every value as it is (extended JSON), keeps all the laws a connector can break and has no limits of its
own, so what goes wrong over it went wrong in the engine. `family` says which types its records are taken to have:
with "bson" a record is found by its `_id`, with "json" by its place, from 0.

Acknowledged writes survive the death of any process; a power cut may lose the last of them.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from greylag.connectors import memory_changes
from greylag.connectors.pace import Pace
from greylag.connectors.spread import spread
from greylag.core import extended_json
from greylag.core.canonical import canonical
from greylag.core.inventory import Index, Inventory, Sample
from greylag.core.ports import DatasetInfo, Delivery, TableInfo
from greylag.core.records import Encoded, Erased, Page, Partition, Record, Refused, Rejection, Stored
from greylag.core.values import type_name
from greylag.errors import ConnectorError, ResourceError, SchemaError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.change import Followed
    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.ports import ChangeFeed, Codec, Connector, Source, Target, Writer
    from greylag.core.records import Item
    from greylag.core.values import Document, Value

kind = "memory"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS datasets (serial INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS records (
    dataset INTEGER NOT NULL REFERENCES datasets (serial) ON DELETE CASCADE,
    place INTEGER NOT NULL, id BLOB NOT NULL, fields BLOB NOT NULL,
    PRIMARY KEY (dataset, place), UNIQUE (dataset, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tables (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS items (
    place INTEGER PRIMARY KEY, in_table INTEGER NOT NULL REFERENCES tables (serial) ON DELETE CASCADE,
    key BLOB NOT NULL, body BLOB NOT NULL, UNIQUE (in_table, key)
) STRICT;
"""
_SCAN_ITEMS = 500
_SAMPLE_PAGE_BYTES = 2**20
_UNCUT = 2**62
_UNIQUE_TYPES = ("string", "int", "int64", "objectId")


class MemoryOptions(BaseModel):
    """A connection of kind `memory`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["memory"] = "memory"
    path: Annotated[
        str, Field(description="The SQLite file, relative to greylag.yaml; made when first needed.")
    ]
    family: Annotated[
        Literal["json", "bson"], Field(description="Which types plain numbers are taken for.")
    ] = "json"
    create_tables: Annotated[bool, Field(description="Whether a missing table is created.")] = True


options = MemoryOptions


@dataclass(frozen=True, slots=True)
class MemoryConnector:
    """See `ports.Connector`."""

    name: str
    path: Path
    family: str = "json"
    create_tables: bool = True

    @property
    def kind(self) -> str:
        """Always "memory"."""
        return kind

    def source(self) -> Source:
        """See `ports.Connector.source`."""
        return MemorySource(self)

    def target(self) -> Target:
        """See `ports.Connector.target`."""
        return MemoryTarget(self)


class MemoryConnectorType:
    """What the entry point `memory` names."""

    kind = kind
    options = MemoryOptions

    def open(self, name: str, options: MemoryOptions, root: Path) -> Connector:
        """See `ports.ConnectorType.open`."""
        return MemoryConnector(name, root / options.path, options.family, options.create_tables)


connector = MemoryConnectorType()


def put(path: Path, dataset: str, records: Iterable[Document | bytes], *, family: str = "json") -> None:
    """Make `dataset` hold exactly these records, as a new dataset of that name.

    With family "bson" each has an `_id`. `bytes` stand for a record that cannot be decoded.
    """
    with closing(_open(path)) as db, db:
        db.execute("DELETE FROM datasets WHERE name = ?", (dataset,))
        serial = db.execute("INSERT INTO datasets (name) VALUES (?)", (dataset,)).lastrowid
        db.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?)",
            (
                (serial, place, canonical(_identify(each, place, family)), _stored(each))
                for place, each in enumerate(records)
            ),
        )


def change(path: Path, dataset: str, place: int, fields: Document | None) -> None:
    """Replace the record at `place`, counted from 0, or with None delete it. Its id stays."""
    with closing(_open(path)) as db, db:
        where = "WHERE place = ? AND dataset = (SELECT serial FROM datasets WHERE name = ?)"
        if fields is None:
            db.execute(f"DELETE FROM records {where}", (place, dataset))  # noqa: S608 - no value in it
        else:
            db.execute(f"UPDATE records SET fields = ? {where}", (_body(fields), place, dataset))  # noqa: S608


def write(path: Path, dataset: str, records: Iterable[Document], *, family: str = "bson") -> None:
    """Insert or replace records, as an application would, each in a transaction of its own: by their `_id`, or with
    family "json" behind the last one.
    """
    with closing(_open(path)) as db:
        for each in records:
            with db:
                db.execute("BEGIN IMMEDIATE")
                serial, place = db.execute(
                    "SELECT serial, coalesce((SELECT max(place) + 1 FROM records WHERE dataset = serial), 0)"
                    " FROM datasets WHERE name = ?",
                    (dataset,),
                ).fetchone()
                db.execute(
                    "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (dataset, id) DO UPDATE SET fields = "
                    "excluded.fields",
                    (serial, place, canonical(_identify(each, place, family)), _body(each)),
                )


def delete(path: Path, dataset: str, ids: Iterable[Value]) -> None:
    """Delete records by their ids, each in a transaction of its own; what is not there is no error."""
    with closing(_open(path)) as db:
        for each in ids:
            with db:
                db.execute(
                    "DELETE FROM records WHERE id = ? AND dataset = (SELECT serial FROM datasets WHERE name = ?)",
                    (canonical(each), dataset),
                )


def drop(path: Path, dataset: str) -> None:
    """Delete a dataset as a whole."""
    with closing(_open(path)) as db, db:
        db.execute("DELETE FROM datasets WHERE name = ?", (dataset,))


def forget_changes(path: Path) -> None:
    """Cut off the history of changes: positions from before now are lost."""
    with closing(_open(path)) as db, db:
        memory_changes.forget(db)


def items(path: Path, table: str) -> list[Document]:
    """Every item of `table`, in the order of their keys. For tests: holds them all."""
    with closing(_open(path)) as db:
        rows = db.execute(
            "SELECT body FROM items JOIN tables ON serial = in_table WHERE name = ? ORDER BY key", (table,)
        ).fetchall()
    return [_document(row[0]) for row in rows]


class MemorySource:
    """See `ports.Source`. Partitions are ranges of places; a cursor is the last place read."""

    def __init__(self, connector: MemoryConnector) -> None:
        self._connector = connector
        self._db = _open(connector.path, must_exist=True)
        self._bytes = Pace()

    def check(self) -> None:
        """See `ports.Source.check`."""
        with _translated(self._connector):
            self._db.execute("SELECT count(*) FROM datasets").fetchone()

    def datasets(self) -> Sequence[str]:
        """See `ports.Source.datasets`."""
        with _translated(self._connector):
            return [row[0] for row in self._db.execute("SELECT name FROM datasets ORDER BY name")]

    def describe(self, dataset: str) -> DatasetInfo:
        """See `ports.Source.describe`."""
        serial = self._serial(dataset)
        with _translated(self._connector):
            count, size = self._db.execute(
                "SELECT count(*), coalesce(sum(length(fields)), 0) FROM records WHERE dataset = ?", (serial,)
            ).fetchone()
        return DatasetInfo(
            dataset=dataset,
            identity=f"memory:{self._connector.path}:{dataset}#{serial}",
            family=self._connector.family,
            estimated_records=count,
            estimated_bytes=size,
            unique_id=self._unique_id(serial),
            resumable_changes=True,
        )

    def partitions(self, dataset: str, *, partition_bytes: int) -> Iterator[Partition]:
        """See `ports.Source.partitions`."""
        serial = self._serial(dataset)
        ordinal = itertools.count()
        first, last, count, size = 0, -1, 0, 0
        for place, length in self._rows("SELECT place, length(fields) FROM records WHERE {}", serial):
            last, count, size = place, count + 1, size + length
            if size >= partition_bytes:
                yield Partition(dataset, next(ordinal), {"first": first, "last": last}, count, size)
                first, count, size = last + 1, 0, 0
        if count:
            yield Partition(dataset, next(ordinal), {"first": first, "last": last}, count, size)

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:
        """See `ports.Source.read`."""
        serial = self._serial(partition.dataset)
        first, last = partition.bounds["first"], partition.bounds["last"]
        assert isinstance(first, int)
        assert isinstance(last, int)
        after = first - 1 if cursor is None else int(cursor)
        records: list[Record] = []
        rejected: list[Rejection] = []
        size = 0
        for place, text in self._rows("SELECT place, fields FROM records WHERE {}", serial, after, last):
            found = _decode(place, text, self._connector.family)
            if isinstance(found, Record):
                records.append(found)
            else:
                rejected.append(found)
            after, size = place, size + len(text)
            if size >= page_bytes:
                self._bytes.spend(size)
                yield Page(records, str(after), size, rejected)
                records, rejected, size = [], [], 0
        if records or rejected:
            self._bytes.spend(size)
            yield Page(records, str(after), size, rejected)

    def fetch(self, dataset: str, ids: Iterable[Value]) -> Iterator[Record]:
        """See `ports.Source.fetch`."""
        serial = self._serial(dataset)
        for each in ids:
            with _translated(self._connector):
                row = self._db.execute(
                    "SELECT place, fields FROM records WHERE dataset = ? AND id = ?",
                    (serial, canonical(each)),
                ).fetchone()
            found = None if row is None else _decode(row[0], row[1], self._connector.family)
            if isinstance(found, Record):
                yield found

    def inventory(self, dataset: str) -> Inventory:
        """See `ports.Source.inventory`. There are no indexes but that of the ids; changes are kept for ever."""
        info = self.describe(dataset)
        ids = (Index("_id_", (("_id", "ascending"),), unique=True),) if info.family == "bson" else ()
        return Inventory(dataset, "memory", stored_bytes=info.estimated_bytes, indexes=ids)

    def sample(self, dataset: str, count: int) -> Sample:
        """See `ports.Source.sample`. Records at even distances."""
        planned = list(self.partitions(dataset, partition_bytes=_UNCUT))
        pages = (page for each in planned for page in self.read(each, None, page_bytes=_SAMPLE_PAGE_BYTES))
        total = sum(each.estimated_records for each in planned)
        if total <= count:
            return Sample(pages, "every record", whole=True)
        return Sample(spread(pages, count / total), "records at even distances over the whole dataset")

    def feed(self, datasets: Sequence[Followed], scratch: Path) -> ChangeFeed:  # noqa: ARG002 - it needs none
        """See `ports.Followable.feed`."""
        return memory_changes.MemoryFeed(
            [each.dataset for each in datasets],
            open_file=lambda: _open(self._connector.path, must_exist=True),
            translated=lambda: _translated(self._connector),
            decode=lambda place, text: _decode(place, text, self._connector.family),
            by_place=self._connector.family == "json",
        )

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.Source.limit`."""
        self._bytes.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.Source.close`."""
        self._db.close()

    def _serial(self, dataset: str) -> int:
        with _translated(self._connector):
            row = self._db.execute("SELECT serial FROM datasets WHERE name = ?", (dataset,)).fetchone()
        if row is None:
            raise SchemaError(
                f"connection {self._connector.name} has no dataset {dataset!r}",
                advice="It has: " + (", ".join(self.datasets()) or "none."),
            )
        return int(row[0])

    def _unique_id(self, serial: int) -> str | None:
        if self._connector.family == "json":
            return "@row"
        kinds = set()
        for (text,) in self._rows("SELECT fields FROM records WHERE {}", serial):
            found = _decode(0, text, "bson")
            if not isinstance(found, Record) or type_name(found.id) not in _UNIQUE_TYPES:
                return None
            kinds.add(type_name(found.id))
        return "_id" if len(kinds) == 1 else None

    def _rows(
        self, select: str, serial: int, after: int = -1, last: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Rows by place, some at a time: no read stays open between two of them, so no writer waits for it."""
        column = "place" if "place" in select else "place AS at"
        wanted = select if column == "place" else select.replace("SELECT", "SELECT place,")
        query = wanted.format(
            "dataset = ? AND place > ? AND (? IS NULL OR place <= ?) ORDER BY place LIMIT 200"
        )
        while True:
            with _translated(self._connector):
                rows = self._db.execute(query, (serial, after, last, last)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield from rows if column == "place" else (row[1:] for row in rows)


class MemoryCodec:
    """See `ports.Codec`. The body is the item in extended JSON, names sorted unless the flow says `order: keep`."""

    def __init__(self, flow: FlowSpec, table: TableInfo) -> None:
        self._key = table.key
        self._keep_order = flow.keep_order

    def encode(self, item: Item) -> Encoded:
        """See `ports.Codec.encode`."""
        attributes = item.attributes
        for name in self._key:
            if name not in attributes:
                raise Refused(
                    f"key attribute {name} is missing", "give it a template that every record fills"
                )
            if attributes[name] is None or isinstance(attributes[name], dict | list):
                raise Refused(
                    f"key attribute {name} is a {type_name(attributes[name])}", "use a scalar field for it"
                )
        key = canonical([attributes[name] for name in self._key])
        body = _body(attributes if self._keep_order else _sorted(attributes))
        return Encoded(key, body, len(body))

    def canonical(self, item: Item) -> Encoded:
        """See `ports.Codec.canonical`: the body is canonical as it stands."""
        return self.encode(item)

    def decode(self, body: bytes) -> Document:
        """See `ports.Codec.decode`."""
        return _document(body)

    def key(self, body: bytes) -> Document:
        """See `ports.Codec.key`."""
        attributes = _document(body)
        return {name: attributes[name] for name in self._key}

    def erased(self, body: bytes) -> Erased:
        """See `ports.Codec.erased`."""
        key = self.key(body)
        return Erased(canonical(list(key.values())), _body(key))


class MemoryWriter:
    """See `ports.Writer`. An item is one unit; a batch is one transaction, so nothing lands late."""

    batch_items = 25
    late_write_seconds = 0.0

    def __init__(self, connector: MemoryConnector, table: TableInfo) -> None:
        self._connector = connector
        self._db = _open(connector.path)
        self._serial = table.extra["serial"]
        self._units = Pace()

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        """See `ports.Writer.write`."""
        for batch in batches:
            self._units.spend(len(batch))
            with _translated(self._connector), self._db:
                self._db.executemany(
                    "INSERT INTO items (in_table, key, body) VALUES (?, ?, ?) "
                    "ON CONFLICT (in_table, key) DO UPDATE SET body = excluded.body",
                    [(self._serial, each.key, each.body) for each in batch if isinstance(each, Encoded)],
                )
                self._db.executemany(
                    "DELETE FROM items WHERE in_table = ? AND key = ?",
                    [(self._serial, each.key) for each in batch if isinstance(each, Erased)],
                )
            yield Delivery(len(batch), sum(each.size_bytes for each in batch), float(len(batch)))

    def limit(self, units_per_second: float | None) -> None:
        """See `ports.Writer.limit`."""
        self._units.limit(units_per_second)

    def close(self) -> None:
        """See `ports.Writer.close`."""
        self._db.close()


class MemoryTarget:
    """See `ports.Target`."""

    def __init__(self, connector: MemoryConnector) -> None:
        self._connector = connector
        self._db = _open(connector.path)

    def check(self) -> None:
        """See `ports.Target.check`."""
        with _translated(self._connector):
            self._db.execute("SELECT count(*) FROM tables").fetchone()

    def describe(self, table: str) -> TableInfo | None:
        """See `ports.Target.describe`."""
        with _translated(self._connector):
            row = self._db.execute(
                "SELECT serial, description FROM tables WHERE name = ?", (table,)
            ).fetchone()
            if row is None:
                return None
            (count,) = self._db.execute("SELECT count(*) FROM items WHERE in_table = ?", (row[0],)).fetchone()
        told = json.loads(row[1])
        return TableInfo(
            name=table,
            identity=f"memory:{self._connector.path}:{table}#{row[0]}",
            key=tuple(told["key"]),
            indexes={name: tuple(each) for name, each in told["indexes"].items()},
            key_types=told["key_types"],
            estimated_items=count,
            ttl_attribute=told["ttl_attribute"],
            extra={"serial": row[0]},
        )

    def prepare(self, spec: TableSpec) -> TableInfo:
        """See `ports.Target.prepare`. The type of a key nothing is known of is told as "S"; any type is taken."""
        table = spec.ref.dataset
        found = self.describe(table)
        if found is None:
            if not self._connector.create_tables:
                raise SchemaError(
                    f"connection {self._connector.name} has no table {table!r}",
                    advice="Create it, or let Greylag: `create_tables: true` in its connection.",
                )
            names = [*spec.key, *(each for index in spec.indexes.values() for each in index)]
            told = {
                "key": list(spec.key),
                "indexes": {name: list(each) for name, each in spec.indexes.items()},
                "key_types": {name: spec.key_types.get(name, "S") for name in names},
                "ttl_attribute": spec.ttl_attribute,
            }
            with _translated(self._connector), self._db:
                self._db.execute(
                    "INSERT OR IGNORE INTO tables (name, description) VALUES (?, ?)",
                    (table, json.dumps(told)),
                )
            found = self.describe(table)
            assert found is not None
        if found.key != tuple(spec.key):
            raise SchemaError(
                f"table {spec.ref} has the key {', '.join(found.key)}, greylag.yaml says {', '.join(spec.key)}",
                advice="Name the table's own key attributes, or write to another table.",
            )
        for name, attributes in spec.indexes.items():
            if found.indexes.get(name) != tuple(attributes):
                raise SchemaError(
                    f"table {spec.ref} has no index {name} of {', '.join(attributes)}",
                    advice="Create the index, or change `indexes:` in greylag.yaml.",
                )
        return found

    def codec(self, flow: FlowSpec, table: TableInfo, family: str) -> Codec:  # noqa: ARG002 - values keep their types
        """See `ports.Target.codec`."""
        return MemoryCodec(flow, table)

    def writer(self, table: TableInfo) -> Writer:
        """See `ports.Target.writer`."""
        return MemoryWriter(self._connector, table)

    def segments(self, table: str, *, count: int) -> Sequence[Partition]:
        """See `ports.Target.segments`."""
        return [Partition(table, ordinal, {"of": count}) for ordinal in range(count)]

    def scan(self, segment: Partition) -> Iterator[Sequence[Stored]]:
        """See `ports.Target.scan`."""
        after = -1
        while True:
            with _translated(self._connector):
                rows = self._db.execute(
                    "SELECT place, key, body FROM items WHERE place > ? AND place % ? = ? "
                    "AND in_table = (SELECT serial FROM tables WHERE name = ?) ORDER BY place LIMIT ?",
                    (after, segment.bounds["of"], segment.ordinal, segment.dataset, _SCAN_ITEMS),
                ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [Stored(key, body) for _, key, body in rows]

    def peek(self, body: bytes, names: Sequence[str]) -> Document:
        """See `ports.Target.peek`."""
        attributes = _document(body)
        return {name: attributes[name] for name in names if name in attributes}

    def fetch(self, table: TableInfo, keys: Iterable[Document]) -> Iterator[Stored]:
        """See `ports.Target.fetch`."""
        for each in keys:
            key = canonical([each[name] for name in table.key])
            with _translated(self._connector):
                row = self._db.execute(
                    "SELECT body FROM items WHERE in_table = ? AND key = ?", (table.extra["serial"], key)
                ).fetchone()
            if row is not None:
                yield Stored(key, row[0])

    def delete(self, table: TableInfo, keys: Iterable[Document]) -> int:
        """See `ports.Target.delete`."""
        count = 0
        for each in keys:
            key = canonical([each[name] for name in table.key])
            with _translated(self._connector), self._db:
                self._db.execute(
                    "DELETE FROM items WHERE in_table = ? AND key = ?", (table.extra["serial"], key)
                )
            count += 1
        return count

    def close(self) -> None:
        """See `ports.Target.close`."""
        self._db.close()


def _open(path: Path, *, must_exist: bool = False) -> sqlite3.Connection:
    if must_exist and not path.exists():
        raise ConnectorError(
            f"there is no file {path}", advice="Put data there first: greylag.connectors.memory.put."
        )
    connector = MemoryConnector("memory", path)
    with _translated(connector):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResourceError(f"cannot make {path.parent}: {error.strerror}") from error
        db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA foreign_keys=ON")
        db.executescript(_SCHEMA + memory_changes.SCHEMA)
        return db


@contextmanager
def _translated(connector: MemoryConnector) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        where = f"connection {connector.name} ({connector.path})"
        if "full" in str(error):
            raise ResourceError(
                f"{where}: {error}", advice="Free some space and run the same command again."
            ) from error
        if "locked" in str(error) or "busy" in str(error):
            raise TransientError(
                f"{where}: {error}", advice="Another process holds it; try again."
            ) from error
        raise ConnectorError(f"{where}: {error}") from error
    except sqlite3.Error as error:
        raise ConnectorError(f"connection {connector.name} ({connector.path}): {error}") from error


def _identify(record: Document | bytes, place: int, family: str) -> Value:
    return place if family == "json" or isinstance(record, bytes) else record["_id"]


def _stored(record: Document | bytes) -> bytes:
    return record if isinstance(record, bytes) else _body(record)


def _decode(place: int, text: bytes, family: str) -> Record | Rejection:
    try:
        fields = _document(text)
    except ValueError:
        return Rejection(place, "is not extended JSON", "mend it at the source", raw=text)
    return Record(_identify(fields, place, family), fields)


def _sorted(value: Value) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return value


def _body(attributes: Document) -> bytes:
    return extended_json.dumps(attributes).encode("utf-8", "surrogatepass")


def _document(body: bytes) -> Document:
    found = extended_json.loads(body.decode("utf-8", "surrogatepass"))
    assert isinstance(found, dict)
    return found
