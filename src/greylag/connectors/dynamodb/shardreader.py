"""DynamoDB Streams' own API: what a stream lists, and the records of a shard."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.connectors.dynamodb.patience import Patience
from greylag.connectors.dynamodb.shards import Lineage, iterator_of
from greylag.errors import PositionLost, SchemaError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.connectors.dynamodb.session import Session

_THROTTLED: Final = frozenset({"LimitExceededException", "ThrottlingException"})
VIEWS: Final = frozenset({"NEW_IMAGE", "NEW_AND_OLD_IMAGES"})
"""The kinds of stream that tell an item's whole state."""
_POLL_SECONDS: Final = 0.25

BACK: Final = (
    "`greylag follow --reverse --compare` compares every item with the old store and carries what differs, from a "
    "new position."
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A stream as it stands."""

    arn: str
    enabled: bool
    shards: Lineage


@dataclass(frozen=True, slots=True)
class Read:
    """Some records of a shard, in order, and what reads on; None where the shard is closed and read to its end."""

    records: list[dict[str, Any]]
    following: str | None


class ShardReader:
    """Safe to use from several threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tables: Any = session.client()
        self._streams: Any = session.client("dynamodbstreams")
        self._patience = session.options.patience_seconds
        self.service_ms = 0
        """The service's time when it last answered."""

    @property
    def tables(self) -> Any:
        """The client of the tables themselves."""
        return self._tables

    def close(self) -> None:
        """Let go of connections."""
        self._tables.close()
        self._streams.close()

    def table(self, name: str) -> dict[str, Any] | None:
        """The table as it stands, None where there is none."""
        try:
            told: dict[str, Any] = self._call(
                lambda: self._tables.describe_table(TableName=name), f"describing table {name}"
            )["Table"]
        except _Gone:
            return None
        return told

    def arn(self, name: str) -> str:
        """The table's stream. Raises SchemaError where it has none that tells whole items."""
        told = self.table(name)
        if told is None:
            raise SchemaError(f"table {name} does not exist in {self._session.region}")
        stream = told.get("StreamSpecification", {})
        if not stream.get("StreamEnabled"):
            raise SchemaError(
                f"table {name} has no stream",
                advice="Turn it on with new and old images, or let Greylag: `create_tables: true` on connection "
                f"{self._session.name}.",
            )
        if stream["StreamViewType"] not in VIEWS:
            raise SchemaError(
                f"the stream of table {name} tells {stream['StreamViewType']}, not the whole items",
                advice="A stream's kind cannot be changed: turn it off, and on again with NEW_AND_OLD_IMAGES, while "
                "no other reader needs it.",
            )
        return str(told["LatestStreamArn"])

    def enable(self, name: str) -> None:
        """Turn the table's stream on where it is off and the connection allows that; wait until it is."""
        told = self.table(name)
        if told is None or told.get("StreamSpecification", {}).get("StreamEnabled"):
            return
        if self._session.options.create_tables:
            wanted = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
            try:
                self._tables.update_table(TableName=name, StreamSpecification=wanted)
            except (BotoCoreError, ClientError) as error:
                doing = f"turning on the stream of table {name}"
                raise from_sdk(error, doing, self._session.region) from None
            until = time.monotonic() + self._patience
            while not self.list(self.arn(name)).enabled:
                if time.monotonic() > until:
                    raise TransientError(f"the stream of table {name} is not on", advice="Run again later.")
                time.sleep(_POLL_SECONDS)

    def list(self, arn: str) -> Listed:
        """The stream's shards, all pages of them. Raises PositionLost where it is gone."""
        shards: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            try:
                told = self._call(
                    partial(self._streams.describe_stream, StreamArn=arn, **more), f"describing stream {arn}"
                )["StreamDescription"]
            except _Gone:
                raise PositionLost(f"stream {arn} no longer exists", advice=BACK) from None
            shards += told["Shards"]
            if "LastEvaluatedShardId" not in told:
                return Listed(arn, told["StreamStatus"] in {"ENABLED", "ENABLING"}, Lineage(shards))
            more = {"ExclusiveStartShardId": told["LastEvaluatedShardId"]}

    def iterator(self, arn: str, shard: str, place: str) -> str:
        """What `read` begins with at `place`. Raises PositionLost where the history no longer reaches back to it."""
        return self._iterator(arn, shard, iterator_of(place))

    def latest(self, arn: str, shard: str) -> str:
        """What reads only records that come from now on."""
        return self._iterator(arn, shard, {"ShardIteratorType": "LATEST"})

    def read(self, iterator: str) -> Read | None:
        """The next records. None where the iterator is too old: ask for another one."""
        try:
            told = self._call(
                lambda: self._streams.get_records(ShardIterator=iterator), "reading a table's stream"
            )
        except _Expired:
            return None
        except _Gone:
            raise PositionLost("a table's stream no longer exists", advice=BACK) from None
        return Read(told["Records"], told.get("NextShardIterator"))

    def _iterator(self, arn: str, shard: str, asked: dict[str, str]) -> str:
        try:
            told = self._call(
                lambda: self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **asked),
                "reading a table's stream",
            )
        except _Gone:
            raise PositionLost(
                f"shard {shard} of stream {arn} is gone: DynamoDB keeps changes for 24 hours", advice=BACK
            ) from None
        return str(told["ShardIterator"])

    def _call(self, ask: Callable[[], dict[str, Any]], doing: str) -> dict[str, Any]:
        patience = Patience(self._patience, time.monotonic)
        attempt = 0
        while True:
            try:
                answer = ask()
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code"))
                if code == "ResourceNotFoundException":
                    raise _Gone from None
                if code == "ExpiredIteratorException":
                    raise _Expired from None
                if code == "TrimmedDataAccessException":
                    raise PositionLost(
                        f"{doing}: DynamoDB keeps changes for 24 hours, and the position is older",
                        advice=BACK,
                    ) from None
                if code not in _THROTTLED:
                    translated = from_sdk(error, doing, self._session.region)
                    if not isinstance(translated, TransientError):
                        raise translated from None
                reason = f"{doing}: {code}"
            except BotoCoreError as error:
                translated = from_sdk(error, doing, self._session.region)
                if not isinstance(translated, TransientError):
                    raise translated from None
                reason = translated.message
            else:
                self._note_time(answer)
                return answer
            time.sleep(patience.failed(reason, attempt))
            attempt += 1

    def _note_time(self, answer: dict[str, Any]) -> None:
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        self.service_ms = (
            time.time_ns() // 1_000_000
            if date is None
            else int(parsedate_to_datetime(date).timestamp() * 1000)
        )


class _Gone(Exception):  # noqa: N818
    """There is no such thing."""


class _Expired(Exception):  # noqa: N818
    """An iterator lives for 15 minutes."""
