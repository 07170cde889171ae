"""A MongoDB database as a source of records."""

from __future__ import annotations

import base64
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.bounds import Bounds, as_sent
from greylag.connectors.mongodb.changes import DOCUMENTDB_KEEPS_SECONDS, MongoFeed
from greylag.connectors.mongodb.decoding import decode_page
from greylag.connectors.mongodb.errors import translated
from greylag.connectors.mongodb.find import find
from greylag.connectors.mongodb.identity import collection_identity, order_of, unique_id
from greylag.connectors.mongodb.inventory import growth_of, indexes_of, plain, window_seconds
from greylag.connectors.mongodb.keys import id_of
from greylag.connectors.mongodb.pages import ByComparison, ByCursor, pages
from greylag.connectors.mongodb.patience import Patience
from greylag.connectors.mongodb.sampling import BIAS, random_documents
from greylag.connectors.mongodb.server import about
from greylag.connectors.mongodb.structure import structure_of
from greylag.connectors.pace import Pace
from greylag.core.canonical import canonical
from greylag.core.inventory import Inventory, Sample
from greylag.core.nearest import did_you_mean
from greylag.core.ports import DatasetInfo
from greylag.core.records import NativePage, Page, Partition, Record, Refused
from greylag.core.values import INT32_MAX, INT32_MIN, Int64, Regex, Undefined, is_number
from greylag.errors import SchemaError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pymongo
    from pymongo.synchronous.database import Database

    from greylag.connectors.mongodb.address import Address
    from greylag.connectors.mongodb.find import Documents
    from greylag.connectors.mongodb.pages import Cut, Reach
    from greylag.connectors.mongodb.server import About
    from greylag.core.change import Followed
    from greylag.core.structure import Structure
    from greylag.core.values import Value

_FETCHED_TOGETHER: Final = 500
_GUESSED_RECORD_BYTES: Final = 1024
_SAMPLE_PAGE_BYTES: Final = 1 << 20
_UNCUT: Final = 1 << 62
_NOT_CARRIED = {
    "view": "is a view: it has no records of its own",
    "timeseries": "is a time series: its measurements have no unique _id",
}


class MongoSource:
    """See `ports.Source`. Reads with read concern "majority": nothing that a failover could take back."""

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        bytes_per_second: float | None,
        patience_seconds: float,
        primary: bool = False,
        retention_seconds: float = DOCUMENTDB_KEEPS_SECONDS,
    ) -> None:
        """`primary`: whatever the url prefers to read from. `retention_seconds`: as long DocumentDB keeps changes."""
        self.name = name
        self.address = address
        self._pace = Pace(bytes_per_second)
        self._patience_seconds = patience_seconds
        self._read_preference = ReadPreference.PRIMARY if primary else None
        self._retention_seconds = retention_seconds
        self._client: pymongo.MongoClient[dict[str, Any]] | None = None
        self._told: About | None = None

    def check(self) -> None:
        """See `ports.Source.check`. A standalone server passes: `describe` tells that it has no change stream."""
        with self._translated("list the collections"):
            names = self._names()
            if not names:
                raise self._empty()
        with self._translated(f"read {names[0]}"):
            self._collection(names[0]).find_one({}, {"_id": 1})

    def datasets(self) -> Sequence[str]:
        """See `ports.Source.datasets`. Collections; views, time series and `system.` collections are left out."""
        with self._translated("list the collections"):
            return self._patience().insist(self._names)

    def describe(self, dataset: str) -> DatasetInfo:
        """See `ports.Source.describe`.

        `identity` holds the collection's UUID, which a collection keeps while it lives, renamed or not. Raises
        SchemaError for views and time series.
        """
        return self._patience().insist(lambda: self._describe(dataset))

    def partitions(self, dataset: str, *, partition_bytes: int) -> Iterator[Partition]:
        """See `ports.Source.partitions`.

        Steps along the `_id` index, about `partition_bytes` of average documents at a time, so that planning reads
        keys only and gives the same partitions while the collection does not change.
        """
        patience = self._patience()
        info = patience.insist(lambda: self._info(dataset))
        count, size = patience.insist(lambda: self._sizes(dataset))
        record_bytes = max(1, size // count) if count and size else _GUESSED_RECORD_BYTES
        step = max(1, partition_bytes // record_bytes)
        identity = collection_identity(info, self.address.database)
        reach = patience.insist(self._reach)
        lower: bytes | None = None
        ordinal = 0
        # Steps by comparison end with each type: a small collection is not worth that.
        whole = isinstance(reach, ByComparison) and count <= step
        while True:
            start = Bounds(lower)
            upper = None if whole else patience.insist(lambda: self._step(dataset, start, step, reach))  # noqa: B023 - called at once
            records = step if upper is not None else max(0, count - step * ordinal)
            bounds = {**Bounds(lower, upper).to_json(), "identity": identity}
            yield Partition(dataset, ordinal, bounds, records, records * record_bytes)
            if upper is None:
                return
            lower, ordinal = upper, ordinal + 1

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:
        """See `ports.Source.read`.

        A cursor is the last `_id` that was read, and holds whether that document still exists or not. Cursors that
        the server closed and broken connections are opened again behind the last page. Raises SchemaError where
        the collection was dropped or replaced while it was read.
        """
        after = None if cursor is None else base64.b64decode(cursor)
        for page in self._pages(partition, after, page_bytes):
            cursor = base64.b64encode(page.place).decode()
            yield NativePage("bson", page.documents, cursor, page.size_bytes, decode_page, identify=id_of)

    def fetch(self, dataset: str, ids: Iterable[Value]) -> Iterator[Record]:
        """See `ports.Source.fetch`. Numbers are found whatever their type, and come with the one that is stored.

        Of other types only identical ids are, also where the collection's collation takes more for equal. A record
        that cannot be decoded is left out.
        """
        for page in self.fetch_native(dataset, ids):
            yield from page.records

    def fetch_native(self, dataset: str, ids: Iterable[Value]) -> Iterator[NativePage]:
        """See `ports.NativeSource`."""
        waiting = iter(ids)
        while some := list(islice(waiting, _FETCHED_TOGETHER)):
            wanted = {canonical(each) for each in some}
            found = self._patience().insist(lambda: self._found(dataset, some))
            documents = [each for each in found if _is_wanted(each, wanted)]
            yield NativePage("bson", documents, "", sum(map(len, documents)), decode_page, identify=id_of)

    def inventory(self, dataset: str) -> Inventory:
        """See `ports.Source.inventory`. How far the oplog reaches is told where the user may read the database `local`;
        growth where `_id` are ObjectIds.
        """
        return self._patience().insist(lambda: self._inventory(dataset))

    def structure(self, dataset: str) -> Structure:
        """See `ports.Structured`."""
        return self._patience().insist(lambda: self._structure(dataset))

    def sample(self, dataset: str, count: int) -> Sample:
        """See `ports.Source.sample`. The server chooses, another time others."""
        known, _ = self._patience().insist(lambda: self._sizes(dataset))
        if known <= count:
            pages_of_all = (
                page
                for each in self.partitions(dataset, partition_bytes=_UNCUT)
                for page in self.read(each, None, page_bytes=_SAMPLE_PAGE_BYTES)
            )
            return Sample(pages_of_all, "every document", whole=True)
        self._patience().insist(lambda: self._info(dataset))
        return Sample(self._sampled(dataset, count), BIAS)

    def _sampled(self, dataset: str, count: int) -> Iterator[Page]:
        with self._translated(f"sample {dataset}"):
            for raw in random_documents(self._collection(dataset), count, _SAMPLE_PAGE_BYTES):
                records, rejected = decode_page(raw)
                yield Page(records, "", len(raw), rejected)
                self._pace.spend(len(raw))

    def feed(self, datasets: Sequence[Followed], scratch: Path) -> MongoFeed:  # noqa: ARG002 - it needs none
        """See `ports.Followable.feed`."""
        return MongoFeed(
            self.name,
            self.address,
            [each.dataset for each in datasets],
            patience_seconds=self._patience_seconds,
            retention_seconds=self._retention_seconds,
        )

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.Source.limit`."""
        self._pace.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.Source.close`."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _pages(self, partition: Partition, after: bytes | None, page_bytes: int) -> Iterator[Cut]:
        """From a page's end on again after whatever may be tried again."""
        dataset, bounds = partition.dataset, Bounds.from_json(partition.bounds)
        record_bytes = (
            partition.estimated_bytes // max(1, partition.estimated_records) or _GUESSED_RECORD_BYTES
        )
        patience = self._patience()
        patience.insist(lambda: self._assert_same(partition))
        reach = patience.insist(self._reach)
        while True:
            try:
                with self._translated(f"read {dataset}"):
                    for page in pages(
                        self._collection(dataset),
                        bounds,
                        after,
                        page_bytes=page_bytes,
                        record_bytes=record_bytes,
                        reach=reach,
                    ):
                        patience.went_well()
                        after = page.place
                        self._pace.spend(page.size_bytes)
                        yield page
                self._assert_same(partition)
            except TransientError as error:
                patience.wait(error)
            else:
                return

    def _assert_same(self, partition: Partition) -> None:
        """A dropped collection reads like an empty one: only its identity tells."""
        now = collection_identity(self._info(partition.dataset), self.address.database)
        if now != partition.bounds["identity"]:
            raise SchemaError(
                f"{self.name}: {partition.dataset} has been replaced by another collection of the same name",
                advice="Plan the run anew with `greylag run --restart`.",
            )

    def _describe(self, dataset: str) -> DatasetInfo:
        info = self._info(dataset)
        count, size = self._sizes(dataset)
        with self._translated(f"describe {dataset}"):
            server = self._about()
            # Each shard keeps an `_id` unique among its own documents; two of them may hold the same one.
            unique = (
                None if server.sharded else unique_id(self._collection(dataset), lists=not server.documentdb)
            )
            return DatasetInfo(
                dataset=dataset,
                identity=collection_identity(info, self.address.database),
                family="bson",
                estimated_records=count,
                estimated_bytes=size,
                unique_id=unique,
                resumable_changes=server.replicated or (server.sharded and not server.elastic),
                unique_value=None if server.sharded else "_id",
                order=order_of(info, alike=unique is not None, documentdb=server.documentdb),
            )

    def _structure(self, dataset: str) -> Structure:
        info = self._info(dataset)
        with self._translated(f"describe {dataset}"):
            return structure_of(info, self._collection(dataset))

    def _inventory(self, dataset: str) -> Inventory:
        info = self._info(dataset)
        with self._translated(f"describe {dataset}"):
            database, collection = self._database(), self._collection(dataset)
            stats = database.command("collStats", dataset, read_preference=self._preference())
            server = self._about()
            if server.documentdb:
                window = None if server.elastic else self._retention_seconds
            else:
                window = window_seconds(database) if server.replicated else None
            return Inventory(
                dataset=dataset,
                form="collection",
                topology=server.topology,
                server=str(server),
                stored_bytes=int(stats.get("storageSize", 0)),
                index_bytes=int(stats.get("totalIndexSize", 0)),
                indexes=indexes_of(collection),
                options=plain(info.get("options", {})),
                growth=growth_of(collection, hint=not server.documentdb),
                change_window_seconds=window,
            )

    def _step(self, dataset: str, bounds: Bounds, records: int, reach: Reach) -> bytes | None:
        """Where the partition that begins at the lower bound ends; None for the last."""
        with self._translated(f"plan {dataset}"):
            return reach.step(self._collection(dataset), bounds, records)

    def _reach(self) -> Reach:
        with self._translated("ask the server what it is"):
            server = self._about()
        return ByComparison(hint=not server.elastic) if server.documentdb else ByCursor()

    def _about(self) -> About:
        """Asked once. Raises as pymongo does."""
        if self._told is None:
            self._database()
            assert self._client is not None
            self._told = about(self._client, self.address.hosts)
            if self._told.documentdb:  # whose replicas promise nothing of what a majority has
                self._read_preference = ReadPreference.PRIMARY
        return self._told

    def _found(self, dataset: str, ids: Sequence[Value]) -> list[bytes]:
        known = [stored for each in ids for stored in _as_stored(each)]
        with self._translated(f"read {dataset}"):
            self._about()
            wanted = as_sent(wire.encode_document({"_id": {"$in": known}}))
            batches = find(self._collection(dataset), wanted, hint=[("_id", 1)])
            return [document for batch in batches for document in batch]

    def _info(self, dataset: str) -> dict[str, Any]:
        """What the server says of a collection. Raises SchemaError for what is none, or has no index on `_id`."""
        with self._translated(f"describe {dataset}"):
            info = next(iter(self._database().list_collections(filter={"name": dataset})), None)
            if info is None:
                names = self._names()
                raise SchemaError(
                    f"{self.name}: there is no collection {dataset!r} in database {self.address.database!r}"
                    f"{did_you_mean(dataset, names)}",
                    advice=f"It has: {', '.join(names)}." if names else self._empty().message,
                )
            if info.get("type") in _NOT_CARRIED:
                raise SchemaError(
                    f"{self.name}: {dataset} {_NOT_CARRIED[info['type']]}",
                    advice="Carry the collection it is made from.",
                )
            if "idIndex" not in info and not any(
                list(index["key"]) == ["_id"] for index in self._collection(dataset).list_indexes()
            ):
                raise SchemaError(
                    f"{self.name}: {dataset} has no index on _id, by which Greylag reads a collection",
                    advice="Copy its documents to an ordinary collection.",
                )
        return dict(info)

    def _sizes(self, dataset: str) -> tuple[int, int]:
        with self._translated(f"describe {dataset}"):
            stats = self._database().command("collStats", dataset, read_preference=self._preference())
        return int(stats.get("count", 0)), int(stats.get("size", 0))

    def _names(self) -> list[str]:
        return sorted(
            each["name"]
            for each in self._database().list_collections()
            if each.get("type", "collection") == "collection" and not each["name"].startswith("system.")
        )

    def _empty(self) -> SchemaError:
        wanted = self.address.database
        others = [each for each in self._database().client.list_database_names() if each != wanted]
        return SchemaError(
            f"{self.name} ({self.address.hosts}): database {wanted!r} has no collections"
            f"{did_you_mean(wanted, others)}",
            advice="Check `database:`, or the database in the connection's url.",
        )

    def _database(self) -> Database[dict[str, Any]]:
        if self._client is None:
            self._client = self.address.client(self.name)
        return self._client.get_database(
            self.address.database,
            read_concern=ReadConcern("majority"),
            read_preference=self._read_preference,
        )

    def _collection(self, dataset: str) -> Documents:
        return self._database()[dataset]

    def _preference(self) -> Any:
        return self._database().read_preference

    def _patience(self) -> Patience:
        return Patience(self._patience_seconds)

    def _translated(self, operation: str) -> AbstractContextManager[None]:
        return translated(self.name, self.address.hosts, operation)


def _is_wanted(document: bytes, wanted: set[bytes]) -> bool:
    try:
        identity = id_of(document)
    except Refused:
        return False
    return is_number(identity) or canonical(identity) in wanted


def _as_stored(value: Value) -> tuple[Value, ...]:
    """An id as BSON holds it; none for what it cannot hold, which is in no collection."""
    if type(value) is int and not INT32_MIN <= value <= INT32_MAX:
        value = Int64(value)
    if isinstance(value, Undefined | Regex):
        return ()  # the server takes neither as an `_id`, and a regex in a filter is a pattern
    try:
        wire.encode_document({"_id": value})
    except Refused:
        return ()
    return (value,)
