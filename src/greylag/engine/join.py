"""Joins what a sweep spilled, bucket by bucket: what agrees is counted, what does not becomes a candidate.

A candidate is one JSON line: `kind` (missing, different, extra, contested), `flow`, `item` (the hash of its key),
and `id` of its record or, where there is none, `key` at the target. Nothing is a mismatch before `recheck` has
looked at both sides again (law 6).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.engine.colliding import SHOWN, CollidingKeys, CollidingKeysWriter
from greylag.engine.disk import writing
from greylag.engine.ranges import Ranges
from greylag.engine.spill import SOURCE, Entry, Spill, SpillWriter, bucket_of, hashed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import BinaryIO

    from greylag.core.work import Worker

_NO_BODY = b""
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Joined:
    """A joined bucket: items that agree, by the place of their flow, how many candidates were written, and the ranges
    of the checked flows.
    """

    verified: dict[int, int]
    candidates: int
    ranges: Ranges[int]


@dataclass(frozen=True, slots=True)
class JoinWork:
    """Joins buckets of `folder`/spill. `names` are the flows by place; those not in `checked` were read only to find
    keys they share with the others. A task is a bucket's number.
    """

    names: tuple[str, ...]
    checked: frozenset[int]
    folder: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _JoinWorker(self)


def candidates_file(folder: Path, bucket: int) -> Path:
    """The candidates of a bucket."""
    return folder / "candidates" / f"{bucket:02x}.jsonl"


def colliding_file(folder: Path, bucket: int) -> Path:
    """The keys of a bucket that more than one source item has."""
    return folder / "colliding" / f"{bucket:02x}.keys"


def colliding_records(folder: Path) -> Spill:
    """The records that have such keys: the key of an entry is the hash of flow and id."""
    return Spill(folder / "colliding-records")


class CollidingBuckets:
    """The keys that more than one source item has, of all buckets. Files are opened as they are needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buckets: dict[int, CollidingKeys] = {}

    def holds(self, digest: bytes) -> bool:
        """Whether the key of this hash is one of them."""
        bucket = bucket_of(digest)
        if bucket not in self._buckets:
            self._buckets[bucket] = CollidingKeys(colliding_file(self._folder, bucket))
        return self._buckets[bucket].holds(digest)

    def close(self) -> None:
        """Let go of the files."""
        for each in self._buckets.values():
            each.close()
        self._buckets.clear()


@dataclass(slots=True)
class _Found:
    verified: Counter[int] = field(default_factory=Counter)
    ranges: Ranges[int] = field(default_factory=Ranges)


class _JoinWorker:
    def __init__(self, work: JoinWork) -> None:
        self._work = work
        self._spill = Spill(work.folder / "spill")
        self._colliding_records = SpillWriter(work.folder / "colliding-records")

    def run(self, bucket: int, emit: Callable[[Joined], None]) -> None:
        path = candidates_file(self._work.folder, bucket)
        colliding = CollidingKeysWriter(colliding_file(self._work.folder, bucket), self._work.names)
        found = _Found()
        count = 0
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for key, entries in self._spill.groups(bucket):
                    count += self._join(key, entries, file, colliding, found)
        colliding.finish()
        self._colliding_records.flush()
        emit(Joined(dict(found.verified), count, found.ranges))

    def control(self, message: Any) -> None:
        """Rates do not concern a join."""

    def close(self) -> None:
        """Nothing is open."""

    def _join(
        self,
        key: bytes,
        entries: Iterable[Entry],
        file: BinaryIO,
        colliding: CollidingKeysWriter,
        found: _Found,
    ) -> int:
        sources, shown, target = self._sort(entries)
        if target is not None:
            found.ranges.at(target.flow, key).target.add(target.body)
        if sources == 1 and shown[0].flow in self._work.checked:
            found.ranges.at(shown[0].flow, key).source.add(shown[0].body)
        if sources > 1:
            colliding.add(key, sources, shown)
            if target is None:
                return 0
            return self._candidate(file, "contested", key, target.flow, key_of=target)
        if sources == 0:
            assert target is not None
            return self._candidate(file, "extra", key, target.flow, key_of=target)
        (source,) = shown
        if source.flow not in self._work.checked:
            return 0
        if target is not None and target.body == source.body:
            found.verified[source.flow] += 1
            return 0
        kind = "missing" if target is None else "different"
        return self._candidate(file, kind, key, source.flow, id_of=source)

    def _sort(self, entries: Iterable[Entry]) -> tuple[int, list[Entry], Entry | None]:
        """How many source items there are, the first few of them, and the target's item. Every record of several
        goes to the colliding records. An item spilled twice is one, up to a thousand of them.
        """
        if isinstance(entries, list) and len(entries) == 2:  # most keys: one of each side
            one, other = entries
            if one.side != other.side:
                source, target = (one, other) if one.side == SOURCE else (other, one)
                return 1, [source], target
        seen: set[tuple[int, int, int, bytes]] = set()
        shown: list[Entry] = []
        target = None
        count = 0
        for entry in entries:
            if entry.side != SOURCE:
                target = target or entry
                continue
            if entry.origin in seen:
                continue
            if len(seen) < _MANY:
                seen.add(entry.origin)
            count += 1
            if len(shown) < SHOWN:
                shown.append(entry)
            if count == 2:
                self._collides(shown[0])
            if count > 1:
                self._collides(entry)
        return count, shown, target

    def _collides(self, entry: Entry) -> None:
        record = hashed(b"%d " % entry.flow + entry.label)
        self._colliding_records.add(Entry(record, _NO_BODY, SOURCE, entry.flow, 0, entry.label))

    def _candidate(
        self,
        file: BinaryIO,
        kind: str,
        key: bytes,
        flow: int,
        *,
        id_of: Entry | None = None,
        key_of: Entry | None = None,
    ) -> int:
        told: dict[str, Any] = {"kind": kind, "flow": self._work.names[flow], "item": key.hex()}
        if id_of is not None:
            told["id"] = json.loads(id_of.label)
        if key_of is not None:
            told["key"] = json.loads(key_of.label)
        text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
        file.write(text.encode() + b"\n")
        return 1
