"""A change stream's cursor, in the server's own commands: whole batches as they come, and where each of them ends.

pymongo's own iterator gives one event at a time and does not say where a batch ends: the last event of a batch would
wait for the next one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import pymongo
import pymongo.errors
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo.read_preferences import ReadPreference

from greylag.connectors.mongodb.errors import translated
from greylag.connectors.mongodb.server import about
from greylag.errors import ConfigurationError, PositionLost

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from bson.timestamp import Timestamp

    from greylag.connectors.mongodb.address import Address
    from greylag.connectors.mongodb.positions import StreamPosition
    from greylag.connectors.mongodb.server import About

WAIT_MILLISECONDS: Final = 1000
"""How long the server waits for something new before it gives an empty batch."""

_SPLITS_SINCE: Final = (6, 0, 9)
"""Source: https://www.mongodb.com/docs/manual/reference/operator/aggregation/changeStreamSplitLargeEvent/"""
_POSITION_GONE: Final = frozenset({9, 136})
"""What DocumentDB says of a token it can no longer go on from: FailedToParse, CappedPositionLost."""
_NOT_NEEDED: Final = ["updateDescription", "lsid", "txnNumber", "collectionUUID"]
_RAW: Final = CodecOptions(RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)

Event = RawBSONDocument


class EventBatch(NamedTuple):
    """Events, and the token after which a stream goes on behind them; None from servers that give none when idle.

    `time` is DocumentDB's time when it answered, None from others.
    """

    events: Sequence[Event]
    token: Mapping[str, Any] | None
    time: Timestamp | None = None


class ChangeStream:
    """One change stream, over its own connections. Raises as `translated`; then it is opened anew."""

    def __init__(self, connection: str, address: Address, collections: Sequence[str]) -> None:
        self._name = connection
        self._address = address
        self._collections = list(collections)
        self._client = address.client(connection)
        self._session: Any = None
        self._cursor = 0
        self._of: Any = None
        self._server_is: About

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(pymongo.errors.PyMongoError):
            if self._cursor:
                self._database().command(
                    {"killCursors": self._of, "cursors": [self._cursor]}, session=self._session
                )
        self._client.close()

    def open(self, position: StreamPosition) -> EventBatch:
        """Begin after `position`; the first batch."""
        only = self._collections[0] if len(self._collections) == 1 else None
        with self._translated():
            self._server_is = about(self._client, self._address.hosts)
            if self._server_is.documentdb:
                assert_enabled(self._client, self._address.database, self._collections)
            self._session = self._client.start_session(causal_consistency=False)
            try:
                reply = self._command(
                    {
                        "aggregate": 1 if only is None else only,
                        "pipeline": self._pipeline(position),
                        "cursor": {},
                        "readConcern": {"level": "majority"},
                    }
                )
            except pymongo.errors.OperationFailure as error:
                if error.code in _POSITION_GONE and self._server_is.documentdb:
                    reason = str((error.details or {}).get("errmsg") or error)[:300]
                    raise position_lost(f"{self._name} ({self._address.hosts})", reason) from error
                raise
            self._of = str(reply["cursor"]["ns"]).partition(".")[2]
            return self._batch(reply, "firstBatch")

    def more(self) -> EventBatch:
        """The next batch; an empty one after about a second without any."""
        with self._translated():
            reply = self._command(
                {"getMore": self._cursor, "collection": self._of, "maxTimeMS": WAIT_MILLISECONDS}
            )
            return self._batch(reply, "nextBatch")

    @property
    def ended(self) -> bool:
        """Whether the server has closed the stream, after an event that invalidates it."""
        return self._cursor == 0

    def _batch(self, reply: Mapping[str, Any], name: str) -> EventBatch:
        cursor = reply["cursor"]
        self._cursor = cursor["id"]
        token = cursor.get("postBatchResumeToken")
        time = reply.get("operationTime") if self._server_is.documentdb else None
        return EventBatch(cursor[name], None if token is None else dict(token), time)

    def _pipeline(self, position: StreamPosition) -> list[dict[str, Any]]:
        stages: list[dict[str, Any]] = [
            {"$changeStream": {"fullDocument": "updateLookup", **position.options}}
        ]
        if len(self._collections) != 1:
            named = {"$in": self._collections}
            stages.append(
                {
                    "$match": {
                        "$or": [
                            {"ns.coll": named},
                            {"to.coll": named},
                            {"operationType": {"$in": ["dropDatabase", "invalidate"]}},
                        ]
                    }
                }
            )
        if self._server_is.documentdb:  # which takes neither of the stages below
            return stages
        stages.append({"$unset": _NOT_NEEDED})
        splits = self._server_is.version >= _SPLITS_SINCE
        return [*stages, {"$changeStreamSplitLargeEvent": {}}] if splits else stages

    def _command(self, command: dict[str, Any]) -> Any:
        database = self._database()
        preference = ReadPreference.PRIMARY if self._server_is.documentdb else database.read_preference
        return database.command(
            command, read_preference=preference, codec_options=_RAW, session=self._session
        )

    def _database(self) -> Any:
        return self._client.get_database(self._address.database)

    def _translated(self) -> Any:
        return translated(self._name, self._address.hosts, "read the change stream")


def position_lost(server: str, reason: str) -> PositionLost:
    """What is raised where DocumentDB no longer keeps what came after a position."""
    return PositionLost(
        f"{server}: the change stream no longer reaches back to the position: {reason}",
        advice="`greylag run --follow --reload FLOW` loads the flow's dataset again from a new position, without "
        "emptying the target. DocumentDB keeps changes as long as change_stream_log_retention_duration says: 3 "
        "hours, up to 7 days; `change_stream_retention_hours` of the connection repeats it.",
    )


def assert_enabled(
    client: pymongo.MongoClient[dict[str, Any]], database: str, collections: Sequence[str]
) -> None:
    """Raises ConfigurationError where DocumentDB keeps no changes of one of the collections: a stream of them opens all
    the same there, and says nothing. Raises as pymongo does.

    Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/change_streams.html
    """
    told = client.admin.command({"aggregate": 1, "pipeline": [{"$listChangeStreams": 1}], "cursor": {}})
    enabled = {(each["database"], each["collection"]) for each in told["cursor"]["firstBatch"]}
    if ("", "") in enabled or (database, "") in enabled:
        return
    for name in collections:
        if (database, name) not in enabled:
            raise ConfigurationError(
                f"DocumentDB keeps no changes of {database}.{name}: its change streams are off until they are enabled",
                advice=f'Enable them: db.adminCommand({{modifyChangeStreams: 1, database: "{database}", '
                'collection: "", enable: true}). It keeps changes for 3 hours then; the cluster parameter '
                "change_stream_log_retention_duration makes it up to 7 days.",
            )
