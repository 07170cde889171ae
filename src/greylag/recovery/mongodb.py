"""MongoDB and DocumentDB collections as what a backup reads and a restore writes."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pymongo.errors
from bson import json_util

from greylag.connectors.mongodb.codec import as_it_is
from greylag.connectors.mongodb.server import Server
from greylag.connectors.mongodb.source import MongoSource
from greylag.connectors.mongodb.target import MongoTarget
from greylag.core.records import Encoded, NativePage
from greylag.errors import ConnectorError, SchemaError
from greylag.recovery.parts import BSON
from greylag.recovery.stores import Chunk, Described, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from greylag.connectors.mongodb.connector import MongoConnector
    from greylag.connectors.mongodb.writer import MongoWriter
    from greylag.core.records import Partition
    from greylag.recovery.format import Part, TableBackup

_PIECE_BYTES: Final = 64 << 20
_PAGE_BYTES: Final = 1 << 20
_EXISTS: Final = 48
_OF_THE_SERVER: Final = frozenset({"ns", "v"})
"""Of an index: what a server adds, and another may not take."""


class MongoStore:
    """See `Store`. Reads from the primary with read concern "majority": nothing that a failover could take back."""

    form = BSON
    consistency = "operation-time"
    statement = (
        "Reading is not a snapshot: each document is as it stood at some moment from the operation time on. What the "
        "change stream tells from that time on brings it to any moment after."
    )

    def __init__(self, connector: MongoConnector) -> None:
        self._connector = connector
        self._server = Server(connector.name, connector.address)
        self._target = MongoTarget(connector)
        self._writers: dict[str, MongoWriter] = {}
        self._units_per_second: float | None = None

    @cached_property
    def _source(self) -> MongoSource:
        connector = self._connector
        return MongoSource(
            connector.name,
            connector.address,
            bytes_per_second=connector.read_bytes_per_second,
            patience_seconds=connector.patience_seconds,
            primary=True,
        )

    def datasets(self) -> Sequence[str]:
        """See `Store.datasets`."""
        return self._source.datasets()

    def resolve(self, dataset: str) -> str:
        """See `Store.resolve`."""
        return dataset

    def describe(self, dataset: str) -> Described:
        """See `Store.describe`."""
        found = self._source.describe(dataset)
        with self._server.translated(f"describe {dataset}"):
            [info] = self._server.database.list_collections(filter={"name": dataset})
            indexes = [
                {name: value for name, value in index.items() if name not in _OF_THE_SERVER}
                for index in self._server.database[dataset].list_indexes()
            ]
        settings = {"options": info.get("options", {}), "indexes": indexes}
        return Described(found.identity, found.estimated_records, found.estimated_bytes, _extended(settings))

    def operation_time(self) -> str | None:
        """See `Store.operation_time`: seconds since 1970 and a number within the second."""
        with self._server.translated("ask for the time"):
            told = self._server.database.command("ping").get("operationTime")
        return None if told is None else f"{told.time}:{told.inc}"

    def pieces(self, dataset: str, *, processes: int) -> Iterator[Partition]:  # noqa: ARG002 - by size alone
        """See `Store.pieces`: stretches of `_id`."""
        return self._source.partitions(dataset, partition_bytes=_PIECE_BYTES)

    def read(self, piece: Partition, cursor: str | None, *, chunk_bytes: int) -> Iterator[Chunk]:
        """See `Store.read`. Here every chunk has a cursor."""
        for page in self._source.read(piece, cursor, page_bytes=min(chunk_bytes, _PAGE_BYTES)):
            assert isinstance(page, NativePage)
            yield Chunk(page.documents, page.cursor, page.bytes_read)

    def limit_reading(self, bytes_per_second: float | None) -> None:
        """See `Store.limit_reading`."""
        self._source.limit(bytes_per_second)

    def standing(self, dataset: str) -> Standing | None:
        """See `Store.standing`."""
        info = self._target.describe(dataset)
        if info is None:
            return None
        with self._server.translated(f"read {dataset}"):
            return Standing(info.identity, self._server.database[dataset].find_one({}, {"_id": 1}) is None)

    def unfit(self, dataset: str, backup: TableBackup) -> list[str]:  # noqa: ARG002 - a collection takes any document
        """See `Store.unfit`."""
        return []

    def make(self, dataset: str, backup: TableBackup) -> None:
        """See `Store.make`. Its indexes are made when all documents are in."""
        options = _plain(backup.settings)["options"]
        with self._server.translated(f"create collection {dataset}"):
            try:
                self._server.database.command(
                    {"create": dataset, **options, "writeConcern": {"w": "majority"}}
                )
            except pymongo.errors.OperationFailure as error:
                if error.code != _EXISTS:
                    raise

    def write(self, dataset: str, part: Part, offset: int, records: Sequence[bytes]) -> None:  # noqa: ARG002
        """See `Store.write`."""
        writer = self._writer(dataset)
        most = writer.batch_items
        batches = (
            [
                as_it_is(each) or Encoded(b"?" + each, each, len(each))
                for each in records[start : start + most]
            ]
            for start in range(0, len(records), most)
        )
        for number, delivery in enumerate(writer.write(batches)):
            for place, reason in (*delivery.refused, *delivery.duplicates):
                document = as_it_is(records[number * most + place])
                raise ConnectorError(
                    f"collection {dataset} refuses a document: {reason}",
                    advice="A unique index or a validator that the backup's collection did not have may refuse it. "
                    "Restore into a collection that does not exist: it is made as the backup's was."
                    + ("" if document else " Its _id says nothing exactly."),
                )

    def limit_writing(self, units_per_second: float | None) -> None:
        """See `Store.limit_writing`."""
        self._units_per_second = units_per_second
        for writer in list(self._writers.values()):
            writer.limit(units_per_second)

    def finish(self, dataset: str, backup: TableBackup) -> None:
        """See `Store.finish`: makes the indexes that are not there."""
        with self._server.translated(f"create the indexes of {dataset}"):
            there = {index["name"] for index in self._server.database[dataset].list_indexes()}
            missing = [each for each in _plain(backup.settings)["indexes"] if each["name"] not in there]
            if missing:
                self._server.database.command({"createIndexes": dataset, "indexes": missing})

    def remove(self, dataset: str) -> None:
        """See `Store.remove`."""
        with self._server.translated(f"drop collection {dataset}"):
            self._server.database.drop_collection(dataset)

    def close(self) -> None:
        """See `Store.close`."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
        if "_source" in self.__dict__:
            self._source.close()
        self._target.close()
        self._server.close()

    def _writer(self, dataset: str) -> MongoWriter:
        if dataset not in self._writers:
            info = self._target.describe(dataset)
            if info is None:
                raise SchemaError(f"connection {self._connector.name} has no collection {dataset}")
            writer = self._target.writer(info)
            writer.limit(self._units_per_second)
            self._writers[dataset] = writer
        return self._writers[dataset]


def _extended(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As canonical extended JSON: filters and collations of an index may hold any BSON."""
    text = json_util.dumps(settings, json_options=json_util.CANONICAL_JSON_OPTIONS)
    found: dict[str, Any] = json.loads(text)
    return found


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json_util.loads(
        json.dumps(settings), json_options=json_util.CANONICAL_JSON_OPTIONS
    )
    return found
