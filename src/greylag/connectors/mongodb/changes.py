"""What is written to collections of a database, by its change stream.

One stream for all followed collections of a database, on the collection itself where that is one alone. Documents
stay the bytes that the server sent. Pre-images are not needed: a change tells a record's whole state as the server
finds it when it reads the event (`updateLookup`), which may be later than the change; then what came between follows.
A document that is no longer found was deleted since: its delete follows, so the change itself is left out.

An `_id` may change its type in place (1 to 1.0: MongoDB takes both for one): then the change says a delete of the
former and a new record of the latter, in this order.
"""

from __future__ import annotations

from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bson.timestamp import Timestamp
from pymongo.errors import PyMongoError
from pymongo.read_preferences import ReadPreference

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.decoding import decode_page
from greylag.connectors.mongodb.errors import translated
from greylag.connectors.mongodb.inventory import oplog_ends
from greylag.connectors.mongodb.patience import Patience
from greylag.connectors.mongodb.positions import StreamPosition, following
from greylag.connectors.mongodb.server import about as about_of
from greylag.connectors.mongodb.stream import ChangeStream, assert_enabled, position_lost
from greylag.connectors.pace import Pace
from greylag.core.change import ChangeBatch, DatasetEvent, History, RawChange
from greylag.core.records import Record, Refused
from greylag.errors import ConnectorError, SourceDataError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pymongo
    from pymongo.server_description import ServerDescription
    from pymongo.synchronous.database import Database

    from greylag.connectors.mongodb.address import Address
    from greylag.connectors.mongodb.server import About
    from greylag.connectors.mongodb.stream import Event, EventBatch
    from greylag.core.paths import Path
    from greylag.core.records import Rejection

Result = TypeVar("Result")

FORM: Final = "bson"
_STARTS_AT_A_TIME_SINCE: Final = (4, 0)
DOCUMENTDB_KEEPS_SECONDS: Final = 3 * 3600
"""Unless its parameter change_stream_log_retention_duration says otherwise, which no command tells.

Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/change_streams.html
"""
_QUIET_BATCHES: Final = 3
"""After so many empty batches, each waited for, DocumentDB has nothing more from before the first of them."""
_WRITES: Final = frozenset({"insert", "replace", "update"})


class MongoFeed:
    """See `ports.ChangeFeed`.

    A mark is a time of the cluster; it is passed once the stream stands at a later one. So that there is a later one
    on an idle server `mark` asks the server to note something in its oplog (`appendOplogNote`, which no stream shows),
    where the user may; else the server's own note comes within ten seconds (`periodicNoopIntervalSecs`). DocumentDB
    makes no notes: there a mark is passed too when the stream has been quiet for `_QUIET_BATCHES` batches since.
    """

    form = FORM

    def __init__(
        self,
        name: str,
        address: Address,
        collections: Sequence[str],
        *,
        patience_seconds: float,
        retention_seconds: float = DOCUMENTDB_KEEPS_SECONDS,
    ) -> None:
        self._name = name
        self._address = address
        self._collections = tuple(collections)
        self._patience_seconds = patience_seconds
        self._retention_seconds = retention_seconds
        self._pace = Pace()
        self._client: pymongo.MongoClient[dict[str, Any]] | None = None
        self._told: About | None = None
        self._reached: Timestamp | None = None

    def position(self) -> str:
        """See `ports.ChangeFeed.position`. After what a majority of the members has: that is what a load sees."""
        about = self._insist(self._about)
        if about.documentdb:
            return self._documentdb_position(about)
        seen = _seen(self._ask("hello"))
        if seen is None:
            raise ConnectorError(
                f"{self._name} ({self._address.hosts}): the server keeps no change stream",
                advice="Make it a replica set (of one member will do), or move the flow behind a write freeze.",
            )
        if self._database().read_preference != ReadPreference.PRIMARY:
            seen = min([seen, *self._insist(self._seen_by_members)])
        return StreamPosition.at(following(seen)).text

    def _seen_by_members(self) -> list[Timestamp]:
        """What each member that can be asked has: a load that reads at a secondary sees no more than that."""
        found = []
        asked = self._database().client
        for node in {asked.primary, *asked.secondaries} - {None}:

            def alone(servers: list[ServerDescription], node: object = node) -> list[ServerDescription]:
                return [each for each in servers if each.address == node]

            with closing(self._address.client(self._name, server_selector=alone)) as client:
                found.append(_seen(client.admin.command("hello", read_preference=ReadPreference.NEAREST)))
        return [each for each in found if each is not None]

    def _documentdb_position(self, about: About) -> str:
        """At the moment itself: what is told twice changes nothing."""
        if about.elastic or about.version < _STARTS_AT_A_TIME_SINCE:
            raise ConnectorError(
                f"{self._name} ({self._address.hosts}): {about} has no change stream that begins at a time",
                advice="Upgrade to 4.0 or later, instance-based, or move the flow behind a write freeze.",
            )
        self._insist(
            lambda: assert_enabled(self._database().client, self._address.database, self._collections)
        )
        return StreamPosition.at(self._ask("hello")["operationTime"]).text

    def read(self, position: str) -> Iterator[ChangeBatch]:
        """See `ports.ChangeFeed.read`. Goes on through elections and broken connections, from the last position."""
        at = StreamPosition.parse(position).for_stream(self._collections)
        self._assert_kept(at)
        patience = Patience(self._patience_seconds)
        self._reached = None
        while True:
            try:
                with ChangeStream(self._name, self._address, self._collections) as stream:
                    batches = _Assembly(self._collections)
                    quiet = _Quiet()
                    told = stream.open(at)
                    while True:
                        patience.went_well()
                        batch = batches.batch(told, at)
                        silent_since = quiet.since(told)
                        if batch is not None:
                            at = StreamPosition.parse(batch.position)
                            self._reached = _later(at.time, silent_since)
                            self._pace.spend(sum(len(each.document or b"") for each in batch.changes))
                            yield batch
                            if batch.event is not None:
                                return
                        if stream.ended:
                            yield self._ended(at)
                            return
                        told = stream.more()
            except TransientError as error:
                patience.wait(error)

    def _assert_kept(self, at: StreamPosition) -> None:
        """Raises PositionLost for a time that DocumentDB no longer keeps. Its guide says what it does with a token that
        is too old, not with a time: beginning later than asked would lose changes silently.
        """
        if at.token is None and self._insist(self._about).documentdb:
            left = self.history(at.text).left_seconds
            if left is not None and left <= 0:
                hours = self._retention_seconds / 3600
                raise position_lost(
                    f"{self._name} ({self._address.hosts})",
                    f"it is older than the {hours:g} hours it keeps changes",
                )

    def mark(self) -> str:
        """See `ports.ChangeFeed.mark`."""
        hello = self._ask("hello")
        # Through a mongos, what every shard has is known only by asking them all.
        seen = self._ask("dbStats") if hello.get("msg") == "isdbgrid" else hello
        mark: Timestamp = seen["operationTime"]
        with suppress(PyMongoError):  # not allowed, or an election: the server's own note will do
            self._database().client.admin.command("appendOplogNote", data={"greylag": "mark"})
        return f"{mark.time}:{mark.inc}"

    def passed(self, mark: str) -> bool:
        """See `ports.ChangeFeed.passed`."""
        seconds, _, increment = mark.partition(":")
        return self._reached is not None and self._reached > Timestamp(int(seconds), int(increment))

    def id_of(self, dataset: str, record: Record) -> bytes:  # noqa: ARG002 - alike for all
        """See `ports.ChangeFeed.id_of`: the bytes of `{_id: …}`."""
        return wire.encode_document({"_id": record.id})

    def known_fields(self, dataset: str) -> frozenset[Path]:  # noqa: ARG002
        """See `ports.ChangeFeed.known_fields`."""
        return frozenset({("_id",)})

    def known(self, dataset: str, id: bytes) -> Record:  # noqa: A002, ARG002
        """See `ports.ChangeFeed.known`."""
        try:
            fields = wire.decode_exact(id)
        except Refused:
            return Record(None, {})  # no record of this id was ever carried
        return Record(fields["_id"], fields)

    def decode(self, change: RawChange) -> Record | Rejection:
        """See `ports.ChangeFeed.decode`."""
        assert change.document is not None
        records, rejected = decode_page(change.document)
        return records[0] if records else rejected[0]

    def history(self, position: str) -> History:
        """See `ports.ChangeFeed.history`. Known where the user may read the database `local`; of DocumentDB as the
        connection's `change_stream_retention_hours` says.
        """
        reached = StreamPosition.parse(position).time
        if self._insist(self._about).documentdb:
            now = self._ask("hello")["operationTime"].time
            kept = float(self._retention_seconds)
            return History(kept, None if reached is None else max(0.0, reached.time + kept - now))
        with translated(self._name, self._address.hosts, "read the oplog's reach"):
            ends = oplog_ends(self._database())
        if ends is None:
            return History(None, None)
        first, last = ends
        left = None if reached is None else max(0.0, float(reached.time - first))
        return History(float(last - first), left)

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.ChangeFeed.limit`."""
        self._pace.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.ChangeFeed.close`."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ended(self, at: StreamPosition) -> ChangeBatch:
        detail = "the server ended the stream and did not say why"
        return ChangeBatch((), at.text, None, DatasetEvent(self._collections[0], "invalidated", detail))

    def _ask(self, command: str) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            database = self._database()
            of = database.client.admin if command == "hello" else database
            return dict(of.command(command))

        return self._insist(ask)

    def _about(self) -> About:
        if self._told is None:
            self._told = about_of(self._database().client, self._address.hosts)
        return self._told

    def _insist(self, ask: Callable[[], Result]) -> Result:
        def attempt() -> Result:
            with translated(self._name, self._address.hosts, "ask where its change stream stands"):
                return ask()

        return Patience(self._patience_seconds).insist(attempt)

    def _database(self) -> Database[dict[str, Any]]:
        if self._client is None:
            self._client = self._address.client(self._name)
        return self._client.get_database(self._address.database)


def _seen(hello: Mapping[str, Any]) -> Timestamp | None:
    """What a majority has, as the member that answered knows it."""
    found: Timestamp | None = hello.get("lastWrite", {}).get("majorityOpTime", {}).get("ts") or hello.get(
        "operationTime"
    )
    return found


class _Quiet:
    """Counts the batches without events."""

    def __init__(self) -> None:
        self._times: list[Timestamp | None] = []

    def since(self, told: EventBatch) -> Timestamp | None:
        """The time before which DocumentDB has nothing more to tell; None where that cannot be said."""
        self._times = (
            [] if told.events or told.time is None else [*self._times, told.time][-_QUIET_BATCHES - 1 :]
        )
        return self._times[0] if len(self._times) > _QUIET_BATCHES else None


def _later(one: Timestamp | None, other: Timestamp | None) -> Timestamp | None:
    return max((each for each in (one, other) if each is not None), default=None)


class _Assembly:
    """Makes batches of changes of a stream's events; fragments of a large event wait for its last one."""

    def __init__(self, collections: Sequence[str]) -> None:
        self._collections = collections
        self._fragments: dict[str, Any] = {}

    def batch(self, told: EventBatch, before: StreamPosition) -> ChangeBatch | None:
        """None where it is in the midst of an event and has nothing else."""
        changes: list[RawChange] = []
        at = before
        for event in told.events:
            whole = self._whole(event)
            if whole is None:
                continue
            at = StreamPosition.after(dict(whole["_id"]), self._collections)
            happened = self._take(whole, changes)
            if happened is not None:
                return ChangeBatch(changes, at.text, _clock_ms(at), happened)
        if told.token is not None and not self._fragments:
            at = StreamPosition.after(told.token, self._collections)
        if self._fragments and not changes:
            return None
        return ChangeBatch(changes, at.text, _clock_ms(at))

    def _whole(self, event: Event) -> Mapping[str, Any] | None:
        split = event.get("splitEvent")
        if split is None:
            return event
        if split["fragment"] == 1:
            self._fragments = {}
        self._fragments.update(event)
        if split["fragment"] < split["of"]:
            return None
        whole, self._fragments = self._fragments, {}
        return whole

    def _take(self, event: Mapping[str, Any], changes: list[RawChange]) -> DatasetEvent | None:
        kind = event["operationType"]
        if kind in _WRITES:
            changes += _written(event)
            return None
        if kind == "delete":
            changes.append(
                RawChange(event["ns"]["coll"], _id(event["documentKey"].raw), None, _written_ms(event))
            )
            return None
        return _happened(kind, event, self._collections)


def _written(event: Mapping[str, Any]) -> Iterator[RawChange]:
    document = event.get("fullDocument")
    if document is None:
        return
    dataset, written_ms = event["ns"]["coll"], _written_ms(event)
    former, latter = _id(event["documentKey"].raw), _id(document.raw)
    if former != latter:
        yield RawChange(dataset, former, None, written_ms)
    yield RawChange(dataset, latter, bytes(document.raw), written_ms)


def _happened(kind: str, event: Mapping[str, Any], collections: Sequence[str]) -> DatasetEvent:
    name = event.get("ns", {}).get("coll", "")
    if kind == "drop":
        return DatasetEvent(name, "dropped", f"the collection {name} was dropped")
    if kind == "rename":
        to = event["to"]["coll"]
        if name in collections:
            return DatasetEvent(name, "renamed", f"the collection {name} was renamed to {to}")
        return DatasetEvent(to, "dropped", f"the collection {to} was replaced: {name} was renamed to it")
    if kind == "dropDatabase":
        return DatasetEvent(collections[0], "dropped", f"the database {event['ns']['db']} was dropped")
    detail = (
        f"the server's change stream says {kind!r}, after which it says no more of {', '.join(collections)}"
    )
    return DatasetEvent(name or collections[0], "invalidated", detail)


def _id(document: bytes) -> bytes:
    try:
        found = wire.id_element(bytes(document))
    except Refused as refused:
        raise SourceDataError(f"the server sent an event that cannot be read: {refused.reason}") from refused
    if found is None:
        raise SourceDataError("the server sent a change of a document without _id")
    return found


def _written_ms(event: Mapping[str, Any]) -> int:
    """Servers before 6.0 tell seconds only."""
    wall = event.get("wallTime")
    return int(wall) if wall is not None else int(event["clusterTime"].time) * 1000


def _clock_ms(at: StreamPosition) -> int | None:
    return None if at.time is None else at.time.time * 1000
