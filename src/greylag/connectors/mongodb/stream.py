"""A change stream's cursor, in the server's own commands: whole batches as they come, and where each of them ends.

pymongo's own iterator gives one event at a time and does not say where a batch ends: the last event of a batch would
wait for the next one.
"""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import pymongo.errors
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

from greylag.connectors.mongodb.errors import translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from pymongo.server_description import ServerDescription

    from greylag.connectors.mongodb.address import Address
    from greylag.connectors.mongodb.positions import StreamPosition

WAIT_MILLISECONDS: Final = 1000
"""How long the server waits for something new before it gives an empty batch."""

_SPLITS_SINCE: Final = (6, 0, 9)
"""Source: https://www.mongodb.com/docs/manual/reference/operator/aggregation/changeStreamSplitLargeEvent/"""
_NOT_NEEDED: Final = ["updateDescription", "lsid", "txnNumber", "collectionUUID"]
_RAW: Final = CodecOptions(RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)

Event = RawBSONDocument


class EventBatch(NamedTuple):
    """Events, and the token after which a stream goes on behind them; None from servers that give none when idle."""

    events: Sequence[Event]
    token: Mapping[str, Any] | None


class ChangeStream:
    """One change stream, over its own connections. Raises as `translated`; then it is opened anew."""

    def __init__(self, connection: str, address: Address, collections: Sequence[str]) -> None:
        self._name = connection
        self._address = address
        self._collections = list(collections)
        self._client = address.client(connection, server_selector=self._same)
        self._server: tuple[str, int | None] | None = None
        self._session: Any = None
        self._cursor = 0
        self._of: Any = None

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
            version = tuple(self._client.server_info()["versionArray"][:3])
            self._session = self._client.start_session(causal_consistency=False)
            reply = self._command(
                {
                    "aggregate": 1 if only is None else only,
                    "pipeline": self._pipeline(position, splits=version >= _SPLITS_SINCE),
                    "cursor": {},
                    "readConcern": {"level": "majority"},
                }
            )
            self._of = str(reply["cursor"]["ns"]).partition(".")[2]
            return self._batch(reply["cursor"], "firstBatch")

    def more(self) -> EventBatch:
        """The next batch; an empty one after about a second without any."""
        with self._translated():
            reply = self._command(
                {"getMore": self._cursor, "collection": self._of, "maxTimeMS": WAIT_MILLISECONDS}
            )
            return self._batch(reply["cursor"], "nextBatch")

    @property
    def ended(self) -> bool:
        """Whether the server has closed the stream, after an event that invalidates it."""
        return self._cursor == 0

    def _batch(self, cursor: Mapping[str, Any], name: str) -> EventBatch:
        self._cursor = cursor["id"]
        token = cursor.get("postBatchResumeToken")
        return EventBatch(cursor[name], None if token is None else dict(token))

    def _pipeline(self, position: StreamPosition, *, splits: bool) -> list[dict[str, Any]]:
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
        stages.append({"$unset": _NOT_NEEDED})
        return [*stages, {"$changeStreamSplitLargeEvent": {}}] if splits else stages

    def _command(self, command: dict[str, Any]) -> Any:
        database = self._database()
        preference = database.read_preference
        return database.command(
            command, read_preference=preference, codec_options=_RAW, session=self._session
        )

    def _database(self) -> Any:
        return self._client.get_database(self._address.database)

    def _same(self, servers: list[ServerDescription]) -> list[ServerDescription]:
        """A cursor lives on the server that opened it; among several mongos that is not any of them."""
        if not servers:
            return servers
        found = [each for each in servers if each.address == self._server]
        if not found:
            found = [random.choice(servers)]  # noqa: S311 - any will do
            self._server = found[0].address
        return found

    def _translated(self) -> Any:
        return translated(self._name, self._address.hosts, "read the change stream")
