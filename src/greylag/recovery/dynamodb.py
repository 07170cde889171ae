"""DynamoDB tables as what a backup reads and a restore writes."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Final

import orjson

from greylag.connectors.dynamodb.keys import key_bytes
from greylag.connectors.dynamodb.reader import Reader, canonical_bodies
from greylag.connectors.dynamodb.session import Session
from greylag.connectors.dynamodb.writer import DynamoDBWriter
from greylag.connectors.pace import Pace
from greylag.core.records import Encoded, Partition
from greylag.errors import ConnectorError, SchemaError
from greylag.recovery.parts import LINES
from greylag.recovery.settings import Settings, keys_of
from greylag.recovery.stores import Chunk, Described, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.connectors.dynamodb.connector import DynamoDBConnector
    from greylag.connectors.dynamodb.schema import Schema
    from greylag.core.ports import TableInfo
    from greylag.recovery.format import Part, TableBackup

_SEGMENT_BYTES: Final = 256 << 20
_MOST_SEGMENTS: Final = 10_000

READ_UNIT_BYTES: Final = 4096
"""A consistent read of so many bytes is a read unit: a rate in bytes a second is one in units.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""


class DynamoDBStore:
    """See `Store`. Scans are consistent: each item is as it stood when its page was read, none of them earlier."""

    form = LINES
    consistency = "scan"
    statement = (
        "A scan is not a snapshot: each item is as it stood at some moment between the two times. An item written "
        "or deleted in between may be in it as before or as after."
    )

    def __init__(self, connector: DynamoDBConnector) -> None:
        self._name = connector.name
        self._options = connector.options
        self._pace = Pace()
        self._item_bytes = 400.0
        self._bytes_per_second: float | None = None
        self._units_per_second: float | None = None
        self._writers: dict[str, DynamoDBWriter] = {}
        self._tables: dict[str, TableInfo] = {}

    @cached_property
    def _session(self) -> Session:
        return Session(self._name, self._options)

    @cached_property
    def _schema(self) -> Schema:
        from greylag.connectors.dynamodb.schema import Schema

        return Schema(self._session)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._session.service())

    @cached_property
    def _settings(self) -> Settings:
        return Settings(self._session)

    def datasets(self) -> Sequence[str]:
        """See `Store.datasets`."""
        return self._settings.tables()

    def resolve(self, dataset: str) -> str:
        """See `Store.resolve`."""
        return dataset

    def describe(self, dataset: str) -> Described:
        """See `Store.describe`. The estimates are as old as DynamoDB's own: up to six hours."""
        found = self._settings.read(dataset)
        if found is None:
            raise SchemaError(
                f"connection {self._name} has no table {dataset} in {self._session.region}",
                advice="`greylag check` says which tables greylag.yaml means.",
            )
        return Described(found.identity, found.items, found.bytes, found.as_json())

    def operation_time(self) -> str | None:
        """See `Store.operation_time`."""
        return None

    def pieces(self, dataset: str, *, processes: int) -> Iterator[Partition]:
        """See `Store.pieces`: segments of a parallel scan."""
        found = self._settings.read(dataset)
        size = found.bytes if found is not None else 0
        count = min(_MOST_SEGMENTS, max(4 * processes, size // _SEGMENT_BYTES))
        for each in range(count):
            yield Partition(dataset, each, {"segment": each, "segments": count})

    def read(self, piece: Partition, cursor: str | None, *, chunk_bytes: int) -> Iterator[Chunk]:  # noqa: ARG002
        """See `Store.read`. A chunk is a page of the scan."""
        at, count = piece.bounds["segment"], piece.bounds["segments"]
        assert isinstance(at, int)
        assert isinstance(count, int)
        after = None if cursor is None else json.loads(cursor)
        for page in self._reader.pages(piece.dataset, at, count, after=after, most_items=self._most_items):
            records = canonical_bodies(page.items)
            size = sum(map(len, records))
            if records:
                self._item_bytes = size / len(records)
            yield Chunk(
                records, None if page.last is None else json.dumps(page.last, separators=(",", ":")), size
            )
            self._pace.spend(int(page.units * READ_UNIT_BYTES) or size)

    def _most_items(self) -> int | None:
        """About a second's worth, where there is a limit: one page of 1 MB would throttle a small table."""
        rate = self._bytes_per_second
        return None if rate is None else max(1, int(rate / self._item_bytes))

    def limit_reading(self, bytes_per_second: float | None) -> None:
        """See `Store.limit_reading`."""
        self._bytes_per_second = bytes_per_second
        self._pace.limit(bytes_per_second)

    def standing(self, dataset: str) -> Standing | None:
        """See `Store.standing`."""
        info = self._schema.describe(dataset)
        return None if info is None else Standing(info.identity, self._settings.is_empty(dataset))

    def unfit(self, dataset: str, backup: TableBackup) -> list[str]:
        """See `Store.unfit`. Other indexes may be there, with the keys that they have in the backup or others."""
        info = self._schema.describe(dataset)
        if backup.form != self.form:
            return [f"its records are {backup.form}, not items of DynamoDB"]
        assert info is not None
        keys, types = keys_of(backup.settings)
        if keys != info.key:
            return [f"its key is {', '.join(info.key)}, that of the backup {', '.join(keys)}"]
        return [
            f"its {name} is of type {info.key_types[name]}, in the backup {types[name]}"
            for name in info.key_types
            if name in types and types[name] != info.key_types[name]
        ]

    def make(self, dataset: str, backup: TableBackup) -> None:
        """See `Store.make`."""
        if backup.form != self.form:
            raise SchemaError(
                f"the records of {backup.name} are {backup.form}, not items of DynamoDB",
                advice="Restore them into a connection of the kind they came from: " + backup.kind + ".",
            )
        self._settings.create(dataset, backup.settings)

    def write(self, dataset: str, part: Part, offset: int, records: Sequence[bytes]) -> None:  # noqa: ARG002
        """See `Store.write`."""
        table = self._table(dataset)
        writer = self._writers.get(dataset)
        if writer is None:
            options = self._options
            writer = DynamoDBWriter(
                self._session.service(), table, options.connections, options.late_write_seconds
            )
            writer.limit(self._units_per_second)
            self._writers[dataset] = writer
        for number, delivery in enumerate(writer.write(_batches(records, table.key, writer.batch_items))):
            for place, reason in delivery.refused:
                body = records[number * writer.batch_items + place]
                key = {name: orjson.loads(body)[name] for name in table.key}
                raise ConnectorError(
                    f"table {dataset} refuses the item {json.dumps(key)}: {reason}",
                    advice="An index that the backup's table did not have may refuse its key. Restore into another "
                    "table: the one that is made anew takes all of them.",
                )

    def limit_writing(self, units_per_second: float | None) -> None:
        """See `Store.limit_writing`."""
        self._units_per_second = units_per_second
        for writer in list(self._writers.values()):
            writer.limit(units_per_second)

    def finish(self, dataset: str, backup: TableBackup) -> None:
        """See `Store.finish`."""

    def remove(self, dataset: str) -> None:
        """See `Store.remove`."""
        self._settings.delete(dataset)

    def close(self) -> None:
        """See `Store.close`."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
        for name in ("_schema", "_reader", "_settings"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()

    def _table(self, name: str) -> TableInfo:
        if name not in self._tables:
            found = self._schema.describe(name)
            if found is None:
                raise SchemaError(f"connection {self._name} has no table {name}")
            self._tables[name] = found
        return self._tables[name]


def _batches(records: Sequence[bytes], key: Sequence[str], most: int) -> Iterator[list[Encoded]]:
    """Encoded items. A record's own length stands for what DynamoDB counts: a little more than that."""
    for start in range(0, len(records), most):
        yield [
            Encoded(key_bytes(orjson.loads(each), key), each, len(each))
            for each in records[start : start + most]
        ]
