"""How far the shards of a table's stream have come now, found by markers written until every open shard shows one.

Which shard a key's changes go to nobody tells, and an idle shard has no sequence number to ask for: a marker in it has.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.connectors.dynamodb.keys import key_bytes, plain
from greylag.connectors.dynamodb.markers import marker
from greylag.connectors.dynamodb.shards import BEGIN, END, Stand, at
from greylag.errors import PositionLost, TransientError

if TYPE_CHECKING:
    from greylag.connectors.dynamodb.shardreader import Read, ShardReader
    from greylag.core.ports import TableInfo

_POLL_SECONDS: Final = 0.1
_AGAIN_SECONDS: Final = 1.0
_DEADLINE_SECONDS: Final = 120.0


class Probe:
    """One look at a table's stream. `stand`: a position such that all written after the probe began comes after it;
    `reached`: by shard the number of a marker written after the probe began, so that all written before comes before.
    """

    def __init__(self, reader: ShardReader, table: TableInfo, region: str) -> None:
        self._reader = reader
        self._table = table
        self._region = region
        self._written: dict[bytes, dict[str, Any]] = {}
        self.stand = Stand(reader.arn(table.name))
        self.reached: dict[str, str] = {}

    def run(self) -> None:
        """Write markers, see them in every open shard, and remove them."""
        listed = self._reader.list(self.stand.arn)
        iterators: dict[str, str] = {}
        closed: set[str] = set()
        for shard in listed.shards.leaves():
            if listed.shards.is_open(shard):
                iterators[shard] = self._reader.latest(self.stand.arn, shard)
            else:
                self.stand.places[shard] = END
                closed.add(shard)
        own = frozenset(iterators)
        try:
            self._see(iterators, closed, own)
        finally:
            self._remove()
        for shard in own:
            self.stand.places.setdefault(shard, END)  # it was closed meanwhile, and nothing was written to it

    def _see(self, iterators: dict[str, str], closed: set[str], own: frozenset[str]) -> None:
        """`closed`: shards whose children were not listed yet; a marker must be seen in those."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        written = -_AGAIN_SECONDS
        while iterators or closed:
            if time.monotonic() - written > _AGAIN_SECONDS:
                closed -= self._begin_children(closed, iterators)
                self._write(2 * len(iterators))
                written = time.monotonic()
            for shard in sorted(iterators):
                found = self._read(shard, iterators[shard])
                if found is None or time.monotonic() > deadline:
                    raise TransientError(
                        f"the stream of table {self._table.name} does not show what is written to it",
                        advice="Run again later.",
                    )
                if self._note(shard, found.records, own):
                    del iterators[shard]
                elif found.following is None:
                    del iterators[shard]
                    closed.add(shard)
                else:
                    iterators[shard] = found.following
            if iterators or closed:
                time.sleep(_POLL_SECONDS)

    def _read(self, shard: str, iterator: str) -> Read | None:
        try:
            return self._reader.read(iterator)
        except PositionLost:
            # DynamoDB Local says so of the newest place in a shard that has no record yet.
            return self._reader.read(self._reader.iterator(self.stand.arn, shard, BEGIN))

    def _begin_children(self, closed: set[str], iterators: dict[str, str]) -> set[str]:
        """Those of `closed` that will be asked no more: their children are listed, or the stream was turned off."""
        if not closed:
            return set()
        listed = self._reader.list(self.stand.arn)
        done = {shard for shard in closed if listed.shards.children(shard) or not listed.enabled}
        for child in (child for shard in done for child in listed.shards.children(shard)):
            iterators[child] = self._reader.iterator(self.stand.arn, child, BEGIN)
        return done

    def _note(self, shard: str, records: list[dict[str, Any]], own: frozenset[str]) -> bool:
        """Whether a marker of ours was among the records."""
        for record in records:
            told = record["dynamodb"]
            if shard in own:
                self.stand.places.setdefault(shard, at(told["SequenceNumber"]))
            if key_bytes(plain(told["Keys"]), self._table.key) in self._written:
                self.reached[shard] = told["SequenceNumber"]
                return True
        return False

    def _write(self, count: int) -> None:
        for _ in range(count):
            item = marker(self._table)
            self._written[key_bytes(plain(item), self._table.key)] = item
            try:
                self._reader.tables.put_item(TableName=self._table.name, Item=item)
            except (BotoCoreError, ClientError) as error:
                raise from_sdk(error, f"marking table {self._table.name}", self._region) from None

    def _remove(self) -> None:
        for item in self._written.values():
            try:
                self._reader.tables.delete_item(TableName=self._table.name, Key=item)
            except (BotoCoreError, ClientError) as error:
                raise from_sdk(error, f"removing markers of table {self._table.name}", self._region) from None
