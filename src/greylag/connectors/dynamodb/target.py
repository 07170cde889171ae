"""DynamoDB as a target: the port, each part of it made when first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.codec import DynamoDBCodec, peek
from greylag.connectors.dynamodb.reader import Reader
from greylag.connectors.dynamodb.session import Session
from greylag.connectors.dynamodb.writer import DynamoDBWriter
from greylag.core.records import Partition
from greylag.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.connectors.dynamodb.options import DynamoDBOptions
    from greylag.connectors.dynamodb.schema import Schema
    from greylag.core.change import Followed
    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.ports import ChangeFeed, TableInfo
    from greylag.core.records import Stored
    from greylag.core.values import Document


class DynamoDBTarget:
    """See `ports.Target`."""

    def __init__(self, name: str, options: DynamoDBOptions) -> None:
        self._name = name
        self._options = options
        self._tables: dict[str, TableInfo] = {}

    @cached_property
    def _session(self) -> Session:
        # Not before it is needed: `check` and codecs work without credentials.
        return Session(self._name, self._options)

    @cached_property
    def _schema(self) -> Schema:
        from greylag.connectors.dynamodb.schema import Schema

        return Schema(self._session)

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._session.service())

    def check(self) -> None:
        """See `ports.Target.check`."""
        self._schema.check()

    def describe(self, table: str) -> TableInfo | None:
        """See `ports.Target.describe`."""
        return self._schema.describe(table)

    def prepare(self, spec: TableSpec) -> TableInfo:
        """See `ports.Target.prepare`."""
        return self._schema.prepare(spec)

    def codec(self, flow: FlowSpec, table: TableInfo, family: str) -> DynamoDBCodec:
        """See `ports.Target.codec`."""
        return DynamoDBCodec(flow, table, family)

    def writer(self, table: TableInfo) -> DynamoDBWriter:
        """See `ports.Target.writer`."""
        options = self._options
        return DynamoDBWriter(self._session.service(), table, options.connections, options.late_write_seconds)

    def segments(self, table: str, *, count: int) -> Sequence[Partition]:
        """See `ports.Target.segments`."""
        segments = max(1, min(count, limits.SCAN_SEGMENTS))
        return [Partition(table, each, {"segment": each, "segments": segments}) for each in range(segments)]

    def scan(self, segment: Partition) -> Iterator[Sequence[Stored]]:
        """See `ports.Target.scan`."""
        at, segments = segment.bounds["segment"], segment.bounds["segments"]
        assert isinstance(at, int)
        assert isinstance(segments, int)
        return self._reader.scan(self._table(segment.dataset), at, segments)

    def peek(self, body: bytes, names: Sequence[str]) -> Document:
        """See `ports.Target.peek`."""
        return peek(body, names)

    def fetch(self, table: TableInfo, keys: Iterable[Document]) -> Iterator[Stored]:
        """See `ports.Target.fetch`."""
        return self._reader.fetch(table, keys)

    def delete(self, table: TableInfo, keys: Iterable[Document]) -> int:
        """See `ports.Target.delete`."""
        return self._reader.delete(table, keys)

    def feed(self, datasets: Sequence[Followed], scratch: Path) -> ChangeFeed:  # noqa: ARG002 - it needs none
        """See `ports.Followable.feed`: the tables' own changes, to be carried back."""
        from greylag.connectors.dynamodb.streams import StreamsFeed

        return StreamsFeed(self._session, [each.dataset for each in datasets], self.describe)

    def close(self) -> None:
        """See `ports.Target.close`."""
        for name in ("_schema", "_reader"):
            part = self.__dict__.pop(name, None)
            if part is not None:
                part.close()

    def _table(self, name: str) -> TableInfo:
        if name not in self._tables:
            found = self._schema.describe(name)
            if found is None:
                raise SchemaError(f"connection {self._session.name} has no table {name}")
            self._tables[name] = found
        return self._tables[name]
