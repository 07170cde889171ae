"""Where a reader of a table's stream stands: a sequence number for each shard, or that it has just begun or ended.

A shard is closed when it splits or gets old, and its children go on: they are begun once it has been read to its end.
Every shard that ever comes is a descendant of the leaves there are now, so these are all that a position names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BEGIN: Final = "begin"
"""The shard is read from its oldest record."""
END: Final = "end"
"""The shard is closed and has been read; its children were not listed yet."""
_AT: Final = "at:"


@dataclass
class Stand:
    """Of one table: its stream, and a place in each of its leaves."""

    arn: str
    places: dict[str, str] = field(default_factory=dict)


@dataclass
class Position:
    """Of all tables of a feed. `read_ms`: the service's time when it was last known that nothing older is unread."""

    tables: dict[str, Stand]
    read_ms: int

    def text(self) -> str:
        """What `parse` reads back."""
        tables = {name: {"arn": each.arn, "shards": each.places} for name, each in self.tables.items()}
        return json.dumps({"tables": tables, "read_ms": self.read_ms}, separators=(",", ":"), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position with this text."""
        told: dict[str, Any] = json.loads(text)
        tables = {name: Stand(each["arn"], dict(each["shards"])) for name, each in told["tables"].items()}
        return cls(tables, told["read_ms"])


def at(number: str) -> str:
    """The place just before the record with this sequence number."""
    return _AT + number


def iterator_of(place: str) -> dict[str, str]:
    """What GetShardIterator is asked for."""
    if place == BEGIN:
        return {"ShardIteratorType": "TRIM_HORIZON"}
    if place.startswith(_AT):
        return {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": place.removeprefix(_AT)}
    return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": place}


def reaches(place: str, number: str) -> bool:
    """Whether a reader at `place` has read the record with this sequence number."""
    return place == END or (place != BEGIN and not place.startswith(_AT) and int(place) >= int(number))


class Lineage:
    """The shards that a stream lists, and whose children they are."""

    def __init__(self, shards: Iterable[Mapping[str, Any]]) -> None:
        self._parents = {each["ShardId"]: each.get("ParentShardId") for each in shards}
        self._open = {
            each["ShardId"]
            for each in shards
            if "EndingSequenceNumber" not in each.get("SequenceNumberRange", {})
        }

    def __contains__(self, shard: str) -> bool:
        return shard in self._parents

    def is_open(self, shard: str) -> bool:
        """Whether records may still be added to it."""
        return shard in self._open

    def children(self, shard: str) -> list[str]:
        """Those that go on where it ended."""
        return sorted(each for each, parent in self._parents.items() if parent == shard)

    def leaves(self) -> list[str]:
        """The shards without children."""
        inner = set(self._parents.values())
        return sorted(each for each in self._parents if each not in inner)

    def is_above(self, shard: str, below: Iterable[str]) -> bool:
        """Whether one of `below` is a descendant of `shard`."""
        for each in below:
            parent = self._parents.get(each)
            while parent is not None:
                if parent == shard:
                    return True
                parent = self._parents.get(parent)
        return False
