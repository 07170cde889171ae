"""Looks at candidates again on both sides, exactly: only what still differs is a mismatch (law 6).

Bodies are compared first; where they differ, the target's is decoded and compared with the mapped item value by
value, so that two bodies that say the same are no mismatch. Streams: ids of a chunk in memory, records and items a
hundred at a time.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from greylag.core.canonical import canonical
from greylag.core.extended_json import from_extended, to_extended
from greylag.core.records import Encoded, Refused, Undecoded
from greylag.engine.differences import Difference, differences
from greylag.engine.join import CollidingBuckets
from greylag.engine.lane import Lane, Lanes
from greylag.engine.ranges import Ranges, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.records import Item, Record
    from greylag.core.values import Document, Value
    from greylag.core.work import Worker
    from greylag.engine.route import Route

TOGETHER = 100
"""How many items are fetched and compared at once."""

CHUNK_LINES = 20_000
"""Most candidates of one task: some sources read much to fetch a few records, so they are asked for many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of a file of candidates or mismatches."""

    path: Path
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of some candidates, by flow and then by `verified`, `changed` or a kind of mismatch; the lines of the
    mismatches; and the ranges of what says the same in other bytes.
    """

    counts: dict[str, dict[str, int]]
    lines: tuple[bytes, ...]
    alike: Ranges[str] = field(default_factory=Ranges)


class Expected(NamedTuple):
    """An item as the source's record says it should be: its key at the target, and its canonical body. `item` is its
    wire form where it is carried undecoded.
    """

    record_id: Value
    item: Item | Encoded
    digest: bytes
    key: Document
    body: bytes


@dataclass(frozen=True, slots=True)
class RecheckWork:
    """Rechecks chunks of candidates. `colliding` is the folder of the join that found them. A task is a `Chunk`."""

    routes: tuple[Route, ...]
    colliding: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _RecheckWorker(self)


def chunks(path: Path, lines: int = CHUNK_LINES) -> Iterator[Chunk]:
    """The file in chunks of so many lines; none if there is no file."""
    if not path.exists():
        return
    with path.open("rb") as file:
        start = place = count = 0
        for line in file:
            place, count = place + len(line), count + 1
            if count == lines:
                yield Chunk(path, start, place - start)
                start, count = place, 0
        if count:
            yield Chunk(path, start, place - start)


def lines_of(chunk: Chunk) -> Iterator[dict[str, Any]]:
    """The chunk's lines, parsed."""
    with chunk.path.open("rb") as file:
        file.seek(chunk.offset)
        while file.tell() < chunk.offset + chunk.size:
            yield json.loads(file.readline())


@dataclass(slots=True)
class _RecheckWorker:
    work: RecheckWork
    lanes: Lanes[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = Lanes({route.name: route for route in self.work.routes})

    def run(self, chunk: Chunk, emit: Callable[[Settled], None]) -> None:
        wanted: dict[str, Wanted] = defaultdict(Wanted)
        for line in lines_of(chunk):
            wanted[line["flow"]].add(line)
        colliding = CollidingBuckets(self.work.colliding)
        for name, candidates in wanted.items():
            lane = self.lanes[name]
            for settled in recheck(lane, candidates, colliding):
                emit(settled)
        colliding.close()

    def control(self, message: Any) -> None:
        self.lanes.limit(message)

    def close(self) -> None:
        self.lanes.close()


@dataclass(slots=True)
class Wanted:
    """The candidates of one flow: hashes of items by canonical id of their record, and keys at the target."""

    ids: dict[bytes, Value] = field(default_factory=dict)
    items: dict[bytes, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    keys: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    quarantined: int = 0
    """How many of the items belong to records that share a key with others: those were never to be written."""

    def add(self, line: dict[str, Any]) -> None:
        """A candidate's line, or a mismatch's."""
        if "id" in line:
            value = from_extended(line["id"])
            form = canonical(value)
            self.ids[form] = value
            self.items[form].append(bytes.fromhex(line["item"]))
        else:
            key = from_extended(line["key"])
            assert isinstance(key, dict)
            self.keys[line["kind"]].append(key)


def recheck(lane: Lane, wanted: Wanted, colliding: CollidingBuckets) -> Iterator[Settled]:
    """Look at both sides again; what each candidate is now, a hundred at a time."""
    changed = sum(len(each) for each in wanted.items.values())
    for some in together(expected(lane, wanted, colliding)):
        changed -= sum(each.digest in wanted.items[canonical(each.record_id)] for each in some)
        yield settle(lane, some)
    for kind, keys in wanted.keys.items():
        for some_keys in together(keys):
            still = list(extras(lane, some_keys))
            counts = {kind: len(still), "changed": len(some_keys) - len(still)}
            lines = tuple(_line(kind, lane.route.name, digest, key=key) for digest, key in still)
            yield Settled({lane.route.name: counts}, lines)
    if changed - wanted.quarantined:
        yield Settled({lane.route.name: {"changed": changed - wanted.quarantined}}, ())


def expected(
    lane: Lane,
    wanted: Wanted,
    colliding: CollidingBuckets,
    *,
    told: Callable[[Record | Undecoded, Sequence[Expected]], None] | None = None,
) -> Iterator[Expected]:
    """The wanted items as their records, read again, make them now. `told` is told of each record before its items are.

    A record whose wanted item is no longer among its items has changed: then all of them are given. One that is gone,
    that is refused or that shares a key gives none.
    """
    for record in lane.fetch(list(wanted.ids.values())):
        try:
            items = items_of(lane, record)
        except Refused:
            continue
        digests = wanted.items[canonical(record.id)]
        if any(colliding.holds(each.digest) for each in items):
            wanted.quarantined += len(digests)
            continue
        found = {each.digest for each in items}
        if found.issuperset(digests):
            items = [each for each in items if each.digest in digests]
        if told is not None:
            told(record, items)
        yield from items


def extras(lane: Lane, keys: Sequence[Document]) -> Iterator[tuple[bytes, Document]]:
    """Those of the items that still stand at the target and are still the flow's: hash of the key, key."""
    names = lane.mapping.claim.names
    for stored in lane.target.fetch(lane.route.table, keys):
        if lane.mapping.claim.matches(lane.target.peek(stored.body, names)):
            yield lane.digest(stored.key), lane.codec.key(stored.body)


def compare(lane: Lane, item: Expected, body: bytes) -> Iterator[Difference]:
    """How the target's `body` differs from what is expected: exactly, none if it does not."""
    if isinstance(item.item, Encoded) and item.body == body:
        return iter(())
    try:
        found = lane.codec.decode(body)
    except Refused as refused:
        return iter([Difference("", unreadable=refused.reason)])
    if isinstance(item.item, Encoded):
        return _undecoded(lane, item, found)
    made = lane.codec.decode(item.body) if item.item.derived else {}
    # What a template wrote has no type of its own at the target; what is carried must come back as it was.
    said = {
        name: made.get(name, value) if name in item.item.derived else value
        for name, value in item.item.attributes.items()
    }
    return differences(said, found, ordered=lane.route.flow.keep_order)


def _undecoded(lane: Lane, item: Expected, found: Document) -> Iterator[Difference]:
    try:
        said = lane.codec.decode(item.body)
    except Refused as refused:
        return iter([Difference("", unreadable=f"at the source {refused.reason}")])
    return differences(said, found, ordered=lane.route.flow.keep_order)


def items_of(lane: Lane, record: Record | Undecoded) -> list[Expected]:
    """The items `record` makes. Raises Refused."""
    if isinstance(record, Undecoded):
        encoded = lane.transcode(record)
        if encoded is not None:
            key = lane.codec.key(encoded.body)
            return [Expected(record.id, encoded, lane.digest(encoded.key), key, encoded.body)]
        record = record.record()
    made = [(item, lane.codec.canonical(item)) for item in lane.items(record)]
    return [
        Expected(record.id, item, lane.digest(encoded.key), lane.codec.key(encoded.body), encoded.body)
        for item, encoded in made
    ]


def settle(lane: Lane, items: Sequence[Expected], *, trust_bodies: bool = True) -> Settled:
    """Compare `items` with the target. Equal bodies are taken for equal items only if `trust_bodies`."""
    name = lane.route.name
    stored = {
        lane.digest(each.key): each.body
        for each in lane.target.fetch(lane.route.table, [each.key for each in items])
    }
    counts: Counter[str] = Counter()
    lines: list[bytes] = []
    alike: Ranges[str] = Ranges()
    for each in items:
        body = stored.get(each.digest)
        if body is None:
            counts["missing"] += 1
            lines.append(_line("missing", name, each.digest, record_id=each.record_id, key=each.key))
            continue
        found = [] if trust_bodies and body == each.body else list(compare(lane, each, body))
        counts["different" if found else "verified"] += 1
        if found:
            lines.append(
                _line("different", name, each.digest, record_id=each.record_id, key=each.key, found=found)
            )
        elif body != each.body:
            sides = alike.at(name, each.digest)
            sides.alike_source.add(digest_of(each.body))
            sides.alike_target.add(digest_of(body))
    return Settled({name: dict(counts)}, tuple(lines), alike)


_NO_ID = object()


def _line(
    kind: str,
    flow: str,
    digest: bytes,
    *,
    key: Document,
    record_id: Any = _NO_ID,
    found: Sequence[Difference] = (),
) -> bytes:
    told: dict[str, Any] = {"kind": kind, "flow": flow, "item": digest.hex()}
    if record_id is not _NO_ID:
        told["id"] = to_extended(record_id)
    told["key"] = to_extended(key)
    if found:
        told["differences"] = [each.as_json() for each in found]
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def together(things: Iterable[Any]) -> Iterator[list[Any]]:
    """`things`, TOGETHER at a time."""
    waiting = iter(things)
    while some := list(islice(waiting, TOGETHER)):
        yield some
