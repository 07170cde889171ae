"""DynamoDB Streams as a `ports.ChangeFeed`: the changes of whole tables, for carrying them back.

Shards are read by several threads, each from its sequence number on; a shard's children are begun once it was read to
its end, so that the changes of an item stay in order. DynamoDB keeps changes for 24 hours; a shard that was idle has no
sequence number to be told by that it was cut, so a position also says when it was read.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import orjson

from greylag.connectors.dynamodb.decoder import Decoder
from greylag.connectors.dynamodb.keys import key_bytes, plain
from greylag.connectors.dynamodb.markers import is_marker
from greylag.connectors.dynamodb.probe import Probe
from greylag.connectors.dynamodb.scalars import encode
from greylag.connectors.dynamodb.session import READERS
from greylag.connectors.dynamodb.shardreader import BACK, ShardReader
from greylag.connectors.dynamodb.shards import BEGIN, END, Position, reaches
from greylag.connectors.dynamodb.unfit import Unfit
from greylag.connectors.pace import Pace
from greylag.core.change import ChangeBatch, DatasetEvent, History, RawChange
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.records import Record, Rejection
from greylag.errors import PositionLost, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from greylag.connectors.dynamodb.session import Session
    from greylag.connectors.dynamodb.shardreader import Listed, Read
    from greylag.connectors.dynamodb.shards import Stand
    from greylag.core.paths import Path
    from greylag.core.ports import TableInfo
    from greylag.core.values import Value

FORM: Final = "dynamodb"
"""A document is an item in DynamoDB JSON."""
KEPT_SECONDS: Final = 24 * 3600
"""Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.DataRetention"""
_MARGIN_SECONDS: Final = 600
_IDLE_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.25
"""DynamoDB answers five GetRecords a second for each shard.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""
_TTL: Final = "dynamodb.amazonaws.com"
"""Who deletes what has expired.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
"""


class StreamsFeed:
    """See `ports.ChangeFeed`. Ids are the bytes of items' keys."""

    form = FORM

    def __init__(
        self, session: Session, tables: Sequence[str], describe: Callable[[str], TableInfo | None]
    ) -> None:
        """`describe` tells a table's key."""
        self._session = session
        self._names = tuple(tables)
        self._describe = describe
        self._infos: dict[str, TableInfo] = {}
        self._ttl_deletes = session.options.ttl_deletes == "carry"
        self._made: ShardReader | None = None
        self._bytes = Pace()
        self._position: Position | None = None
        self._listed: dict[str, Listed] = {}
        flow = FlowSpec("", "", DatasetRef("", ""), TableSpec(DatasetRef("", ""), ()))
        self._decoder = Decoder(flow, "bson")

    def position(self) -> str:
        """See `ports.ChangeFeed.position`. Turns streams on where they are off and the connection allows it."""
        for name in self._names:
            self._reader.enable(name)
        stands = {name: self._probe(name).stand for name in self._names}
        return Position(stands, self._reader.service_ms).text()

    def read(self, position: str) -> Iterator[ChangeBatch]:
        """See `ports.ChangeFeed.read`."""
        self._position = at = Position.parse(position)
        self._listed = {name: self._reader.list(stand.arn) for name, stand in at.tables.items()}
        self._refuse_lost(at)
        iterators: dict[tuple[str, str], str] = {}
        given = time.monotonic()
        with ThreadPoolExecutor(READERS) as pool:
            while True:
                begun_ms = self._reader.service_ms
                event = self._advance(at, iterators)
                places = list(iterators)
                found = list(pool.map(self._read_one, places, [iterators[each] for each in places]))
                changes: list[RawChange] = []
                for (name, shard), read in zip(places, found, strict=True):
                    changes += self._take(name, shard, read, at.tables[name], iterators)
                at.read_ms = max(at.read_ms, begun_ms)
                if changes or event is not None or time.monotonic() - given >= _IDLE_SECONDS:
                    self._bytes.spend(sum(len(each.document or b"") for each in changes))
                    yield ChangeBatch(changes, at.text(), event=event)
                    given = time.monotonic()
                if event is not None:
                    return
                if not changes:
                    time.sleep(_POLL_SECONDS)

    def mark(self) -> str:
        """See `ports.ChangeFeed.mark`. Writes markers, which no feed gives, and removes them."""
        return json.dumps({name: self._probe(name).reached for name in self._names})

    def passed(self, mark: str) -> bool:
        """See `ports.ChangeFeed.passed`."""
        told: dict[str, dict[str, str]] = json.loads(mark)
        return all(
            self._has_passed(name, shard, number)
            for name, shards in told.items()
            for shard, number in shards.items()
        )

    def id_of(self, dataset: str, record: Record) -> bytes:
        """See `ports.ChangeFeed.id_of`."""
        key = self._info(dataset).key
        return key_bytes({name: encode(record.fields[name], None, "quarantine").wire for name in key}, key)

    def known_fields(self, dataset: str) -> frozenset[Path]:  # noqa: ARG002
        """See `ports.ChangeFeed.known_fields`: none, since a key tells no types."""
        return frozenset()

    def known(self, dataset: str, id: bytes) -> Record:  # noqa: A002, ARG002
        """See `ports.ChangeFeed.known`."""
        return Record(None, {})

    def decode(self, change: RawChange) -> Record | Rejection:
        """See `ports.ChangeFeed.decode`: types by hints alone. A flow's own codec and inverse know better."""
        assert change.document is not None
        key = change.id.decode()
        try:
            fields = self._decoder.attributes(orjson.loads(change.document))
        except orjson.JSONDecodeError as error:
            return Rejection(key, f"is not DynamoDB JSON: {error}", "This is a defect.", raw=change.document)
        except Unfit as unfit:
            refused = unfit.refused()
            return Rejection(key, refused.reason, refused.fix, raw=change.document)
        return Record(_key_of(fields, self._info(change.dataset).key), fields)

    def history(self, position: str) -> History:
        """See `ports.ChangeFeed.history`. Asks nobody."""
        behind = time.time() - Position.parse(position).read_ms / 1000
        return History(KEPT_SECONDS, max(0.0, KEPT_SECONDS - max(0.0, behind)))

    def limit(self, bytes_per_second: float | None) -> None:
        """See `ports.ChangeFeed.limit`."""
        self._bytes.limit(bytes_per_second)

    def close(self) -> None:
        """See `ports.ChangeFeed.close`."""
        if self._made is not None:
            self._made.close()
            self._made = None

    @property
    def _reader(self) -> ShardReader:
        if self._made is None:
            self._made = ShardReader(self._session)
        return self._made

    def _info(self, name: str) -> TableInfo:
        if name not in self._infos:
            found = self._describe(name)
            if found is None:
                raise SchemaError(f"table {name} does not exist in {self._session.region}")
            self._infos[name] = found
        return self._infos[name]

    def _probe(self, name: str) -> Probe:
        probe = Probe(self._reader, self._info(name), self._session.region)
        probe.run()
        return probe

    def _refuse_lost(self, at: Position) -> None:
        too_old = self._reader.service_ms - at.read_ms > (KEPT_SECONDS - _MARGIN_SECONDS) * 1000
        for name, stand in at.tables.items():
            lineage = self._listed[name].shards
            if too_old or any(shard not in lineage for shard in stand.places):
                raise PositionLost(
                    f"table {name}: DynamoDB keeps changes for 24 hours, and the position is older",
                    advice=BACK,
                )

    def _advance(self, at: Position, iterators: dict[tuple[str, str], str]) -> DatasetEvent | None:
        """Begin the children of what has ended, and whatever is not being read; the event that ends the stream."""
        for name, stand in at.tables.items():
            if END in stand.places.values():
                self._listed[name] = listed = self._reader.list(stand.arn)
                for shard in [each for each, place in stand.places.items() if place == END]:
                    children = listed.shards.children(shard)
                    if children:
                        del stand.places[shard]
                        stand.places.update(dict.fromkeys(children, BEGIN))
                if not listed.enabled and set(stand.places.values()) == {END}:
                    return self._ended(name)
            for shard, place in stand.places.items():
                if place != END and (name, shard) not in iterators:
                    iterators[name, shard] = self._reader.iterator(stand.arn, shard, place)
        return None

    def _ended(self, name: str) -> DatasetEvent:
        if self._reader.table(name) is None:
            return DatasetEvent(name, "dropped", "the table was deleted")
        return DatasetEvent(name, "invalidated", "the table's stream was turned off")

    def _read_one(self, place: tuple[str, str], iterator: str) -> Read | None:  # noqa: ARG002 - for `map`
        return self._reader.read(iterator)

    def _take(
        self, name: str, shard: str, read: Read | None, stand: Stand, iterators: dict[tuple[str, str], str]
    ) -> Iterator[RawChange]:
        if read is None:
            del iterators[name, shard]  # it was too old: `_advance` asks for another one
            return
        for record in read.records:
            change = self._change(name, record)
            if change is not None:
                yield change
        if read.records:
            stand.places[shard] = read.records[-1]["dynamodb"]["SequenceNumber"]
        if read.following is None:
            stand.places[shard] = END
            del iterators[name, shard]
        else:
            iterators[name, shard] = read.following

    def _change(self, name: str, record: dict[str, Any]) -> RawChange | None:
        told = record["dynamodb"]
        key = self._info(name).key
        if is_marker(told["Keys"], key):
            return None
        removed = record["eventName"] == "REMOVE"
        if removed and not self._ttl_deletes and record.get("userIdentity", {}).get("PrincipalId") == _TTL:
            return None
        document = None if removed else orjson.dumps(plain(told["NewImage"]))
        written_ms = int(told["ApproximateCreationDateTime"].timestamp() * 1000)
        return RawChange(name, key_bytes(plain(told["Keys"]), key), document, written_ms)

    def _has_passed(self, name: str, shard: str, number: str) -> bool:
        if self._position is None or name not in self._position.tables:
            return False
        places = self._position.tables[name].places
        if shard in places:
            return reaches(places[shard], number)
        return self._listed[name].shards.is_above(shard, places)


def _key_of(fields: dict[str, Value], key: Sequence[str]) -> Value:
    values = [fields[name] for name in key]
    return values[0] if len(values) == 1 else values
