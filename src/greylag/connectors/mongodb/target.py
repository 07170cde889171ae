"""A MongoDB or DocumentDB database as a target of documents."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pymongo.errors

from greylag.connectors.mongodb import statements, wire
from greylag.connectors.mongodb.bounds import Bounds, as_sent
from greylag.connectors.mongodb.codec import MongoCodec
from greylag.connectors.mongodb.decoding import decode
from greylag.connectors.mongodb.find import find
from greylag.connectors.mongodb.identity import ALIKE, collection_identity, order_of
from greylag.connectors.mongodb.keys import id_of, key_bytes, key_of
from greylag.connectors.mongodb.patience import Patience
from greylag.connectors.mongodb.server import Server
from greylag.connectors.mongodb.source import MongoSource
from greylag.connectors.mongodb.structure import FORM, as_said, definitions_of, progress_of
from greylag.connectors.mongodb.writer import MongoWriter
from greylag.core.nearest import did_you_mean
from greylag.core.ports import TableInfo
from greylag.core.records import NativePage, Partition, Refused, Stored
from greylag.core.structure import Product
from greylag.core.tables import differences
from greylag.errors import ConnectorError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from greylag.connectors.mongodb.connector import MongoConnector
    from greylag.core.flows import FlowSpec, TableSpec
    from greylag.core.values import Document

Result = TypeVar("Result")

KEY: Final = "_id"
_PAGE_BYTES: Final = 4 << 20
_TOGETHER: Final = 500
_EXISTS: Final = 48
_NO_COLLECTION: Final = 26
_COLLECTIONS: Final = "collection"


class MongoTarget:
    """See `ports.Target`, `ports.Ranged` and `ports.Structuring`. A table is a collection, its key `_id`."""

    structure_form = FORM

    def __init__(self, connector: MongoConnector) -> None:
        self.creates = connector.create_tables
        self._connector = connector
        self._server = Server(connector.name, connector.address)

    def check(self) -> None:
        """See `ports.Target.check`."""
        self._insist(self._names)

    def describe(self, table: str) -> TableInfo | None:
        """See `ports.Target.describe`. `extra` tells whether the collection has a validator, and how it is made."""
        return self._insist(lambda: self._describe(table))

    def prepare(self, spec: TableSpec) -> TableInfo:
        """See `ports.Target.prepare`."""
        table = spec.ref.dataset
        found = self.describe(table)
        if found is None:
            if not self._connector.create_tables:
                names = self._insist(self._names)
                raise SchemaError(
                    f"there is no collection {spec.ref}{did_you_mean(table, names)}",
                    advice="Create it, or let Greylag: `create_tables: true` on connection "
                    f"{spec.ref.connection}.",
                )
            self._insist(lambda: self._create(table, spec.options))
            found = self.describe(table)
            assert found is not None
        unlike = differences(spec, found)
        if unlike:
            raise SchemaError(
                f"collection {spec.ref} is not as greylag.yaml says: " + "; ".join(unlike),
                advice="The key of a collection is _id; its indexes are made as the source's are.",
            )
        return found

    def codec(self, flow: FlowSpec, table: TableInfo, family: str) -> MongoCodec:  # noqa: ARG002 - all have one form
        """See `ports.Target.codec`."""
        return MongoCodec(family)

    def writer(self, table: TableInfo) -> MongoWriter:
        """See `ports.Target.writer`."""
        connector = self._connector
        return MongoWriter(
            Server(connector.name, connector.address),
            table,
            connections=connector.connections,
            late_write_seconds=connector.late_write_seconds,
            patience_seconds=connector.patience_seconds,
        )

    def segments(self, table: str, *, count: int) -> Sequence[Partition]:
        """See `ports.Target.segments`: stretches of `_id`, of about as many documents each."""
        source = self._reader()
        try:
            size = source.describe(table).estimated_bytes or 0
            return list(source.partitions(table, partition_bytes=max(1, size // count + 1)))
        finally:
            source.close()

    def scan(self, segment: Partition) -> Iterator[Sequence[Stored]]:
        """See `ports.Target.scan`."""
        source = self._reader()
        try:
            for page in source.read(segment, None, page_bytes=_PAGE_BYTES):
                assert isinstance(page, NativePage)
                yield [_stored(each) for each in page.documents]
        finally:
            source.close()

    def ordered(self, table: str, order: str) -> bool:
        """See `ports.Ranged`."""
        return self._insist(lambda: self._ordered(table, order))

    def stretch(self, table: str, partition: Partition) -> Partition:
        """See `ports.Ranged`."""
        about = self._insist(lambda: self._server.about)
        if about.documentdb and not Bounds.from_json(partition.bounds).alike:
            raise ConnectorError(
                f"{self._server.name}: an _id of another type than the others has come to {partition.dataset}",
                advice="Begin again: it is read in another way then.",
            )
        info = self._insist(lambda: self._info(table))
        if info is None:
            raise SchemaError(f"there is no collection {table} any longer", advice="Was it dropped?")
        identity = collection_identity(info, self._server.address.database)
        return replace(partition, dataset=table, bounds={**partition.bounds, "identity": identity})

    def peek(self, body: bytes, names: Sequence[str]) -> Document:
        """See `ports.Target.peek`. What no value says exactly is left out."""
        if tuple(names) == (KEY,):
            with suppress(Refused):
                return {KEY: id_of(body)}
            return {}
        left = {name.encode() for name in names}
        found: Document = {}
        for place, name_end, end in wire.elements(body):
            if not left:
                break
            if (name := body[place + 1 : name_end]) in left:
                left.discard(name)
                with suppress(Refused):
                    found.update(decode(wire.document_of(body[place:end])))
        return {name: found[name] for name in names if name in found}

    def fetch(self, table: TableInfo, keys: Iterable[Document]) -> Iterator[Stored]:
        """See `ports.Target.fetch`."""
        waiting = iter(keys)
        while some := list(islice(waiting, _TOGETHER)):
            wanted = {key_bytes(each[KEY]) for each in some}
            for raw in self._insist(lambda: self._found(table.name, some)):
                if (stored := _stored(raw)).key in wanted:
                    yield stored

    def delete(self, table: TableInfo, keys: Iterable[Document]) -> int:
        """See `ports.Target.delete`."""
        count = 0
        waiting = iter(keys)
        while some := list(islice(waiting, _TOGETHER)):
            self._insist(lambda: self._delete(table.name, some))
            count += len(some)
        return count

    def product(self) -> Product:
        """See `ports.Structuring.product`."""
        about = self._insist(lambda: self._server.about)
        version = ".".join(map(str, about.version[:2]))
        return Product("documentdb" if about.documentdb else "mongodb", version, about.elastic)

    def index_definitions(self, table: str) -> Mapping[str, Mapping[str, Any]]:
        """See `ports.Structuring.index_definitions`."""
        return self._insist(lambda: self._definitions(table))

    def build_index(self, table: str, definition: Mapping[str, Any]) -> None:
        """See `ports.Structuring.build_index`."""
        self._insist(lambda: self._build(table, as_said(definition)))

    def building(self, table: str) -> Mapping[str, float]:
        """See `ports.Structuring.building`."""
        return progress_of(self._server, table)

    def close(self) -> None:
        """See `ports.Target.close`."""
        self._server.close()

    def _info(self, table: str) -> dict[str, Any] | None:
        with self._server.translated(f"describe {table}"):
            found = next(iter(self._server.database.list_collections(filter={"name": table})), None)
            return None if found is None else dict(found)

    def _ordered(self, table: str, order: str) -> bool:
        info = self._info(table)
        if info is None:
            return False
        about = self._server.about
        found = order_of(info, alike=order == ALIKE, documentdb=about.documentdb)
        return not about.sharded and found == order

    def _describe(self, table: str) -> TableInfo | None:
        info = self._info(table)
        if info is None:
            return None
        with self._server.translated(f"describe {table}"):
            kind = info.get("type", _COLLECTIONS)
            if kind != _COLLECTIONS:
                raise SchemaError(
                    f"{self._server.name}: {table} is a {kind}: documents cannot be written to it as they are",
                    advice="Carry into a collection of another name.",
                )
            count = self._server.database[table].estimated_document_count()
        return TableInfo(
            name=table,
            identity=collection_identity(info, self._server.address.database),
            key=(KEY,),
            indexes={},
            key_types={},
            estimated_items=count,
            extra={"validated": bool(info.get("options", {}).get("validator"))},
        )

    def _create(self, table: str, options: Mapping[str, Any]) -> None:
        command = {"create": table, **as_said(options), "writeConcern": {"w": "majority"}}
        with self._server.translated(f"create collection {table}"):
            try:
                self._server.database.command(command)
            except pymongo.errors.OperationFailure as error:
                if error.code != _EXISTS:
                    raise

    def _definitions(self, table: str) -> Mapping[str, Mapping[str, Any]]:
        with self._server.translated(f"list the indexes of {table}"):
            try:
                return definitions_of(self._server.database[table])
            except pymongo.errors.OperationFailure as error:
                if error.code == _NO_COLLECTION:
                    return {}
                raise

    def _build(self, table: str, definition: Mapping[str, Any]) -> None:
        command = {"createIndexes": table, "indexes": [definition], "writeConcern": {"w": "majority"}}
        name = self._connector.name
        # However long it takes. Where the connection breaks the build goes on, and asked for again it is waited for.
        with (
            self._server.translated(f"build index {definition['name']} of {table}"),
            closing(self._connector.address.client(name, socketTimeoutMS=None)) as client,
        ):
            client[self._server.address.database].command(command)

    def _names(self) -> list[str]:
        with self._server.translated("list the collections"):
            return sorted(self._server.database.list_collection_names())

    def _found(self, table: str, keys: Sequence[Document]) -> list[bytes]:
        ids = wire.encode_document({KEY: {"$in": [each[KEY] for each in keys]}})
        with self._server.translated(f"read {table}"):
            batches = find(self._server.database[table], as_sent(ids), hint=[(KEY, 1)])
            return [raw for batch in batches for raw in batch]

    def _delete(self, table: str, keys: Sequence[Document]) -> None:
        deletes = [statements.delete(wire.encode_document({KEY: each[KEY]})) for each in keys]
        with self._server.translated(f"delete documents of {table}"):
            answer = self._server.database.command(
                {
                    "delete": table,
                    "deletes": deletes,
                    "ordered": False,
                    "writeConcern": {"w": "majority", "j": True},
                }
            )
            for error in answer.get("writeErrors", ()):
                raise pymongo.errors.OperationFailure(error.get("errmsg", ""), error.get("code"), error)

    def _reader(self) -> MongoSource:
        connector = self._connector
        return MongoSource(
            connector.name,
            connector.address,
            bytes_per_second=None,
            patience_seconds=connector.patience_seconds,
            primary=True,
        )

    def _insist(self, attempt: Callable[[], Result]) -> Result:
        return Patience(self._connector.patience_seconds).insist(attempt)


def _stored(document: bytes) -> Stored:
    """A document by its key; by all its bytes where its `_id` says nothing exactly: then it is no one else's."""
    try:
        key = key_of(document)
    except Refused:
        key = None
    return Stored(b"?" + document if key is None else key, document)
