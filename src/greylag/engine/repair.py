"""Mends what a verification found: writes what is missing or different, and deletes extra items only if told to.

Each item is looked at again right before it is mended: its record is read from the source, mapped, and compared with
what stands at the target now. An item that no flow owns, that another flow owns, or that stands at a key several
records share is never changed. Interrupted, it is begun anew with a fresh verification; writing is idempotent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.core.records import Encoded, Refused
from greylag.engine.follow.claims import Noting
from greylag.engine.join import CollidingBuckets
from greylag.engine.lane import Lane, Lanes
from greylag.engine.mismatches import MISMATCHES, REMAINING, MismatchFile
from greylag.engine.phases import Phase, run_phases
from greylag.engine.recheck import (
    CHUNK_LINES,
    RecheckWork,
    Wanted,
    chunks,
    compare,
    expected,
    extras,
    lines_of,
    together,
)
from greylag.engine.stages import Stages
from greylag.state.locks import hold_worker_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.progress import Snapshot
    from greylag.core.records import Record, Undecoded
    from greylag.core.work import Executor, Worker
    from greylag.engine.connections import Rates
    from greylag.engine.follow.claims import Notes
    from greylag.engine.recheck import Chunk, Expected, Settled
    from greylag.engine.route import Route


@dataclass(frozen=True, slots=True)
class FlowRepair:
    """One flow's items: written because they were `missing` or `different`, deleted, and why others were not touched:
    somebody else owns what stands at their key, the target refuses them, or they needed it no more. `remaining` are
    the mismatches a last look still finds, by kind.
    """

    flow: str
    missing: int = 0
    different: int = 0
    deleted: int = 0
    not_owned: int = 0
    refused: int = 0
    settled: int = 0
    remaining: dict[str, int] = field(default_factory=dict)

    @property
    def mended(self) -> int:
        """How many items were written or deleted."""
        return self.missing + self.different + self.deleted


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did. `remaining_file` has a line for each mismatch that is left."""

    flows: tuple[FlowRepair, ...]
    remaining_file: str

    @property
    def remaining(self) -> int:
        """Mismatches that are left, of all flows."""
        return sum(sum(each.remaining.values()) for each in self.flows)

    def as_json(self) -> dict[str, Any]:
        """Ready for any JSON writer."""
        return {**asdict(self), "remaining": self.remaining}


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of some items of a flow, by the names of `FlowRepair`."""

    flow: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class RepairWork:
    """Mends chunks of mismatches. `folder` is the verification's, `state` the state's, whose next coordinator waits
    for these workers. Without `put` nothing is written, only deleted. A task is a `Chunk`.
    """

    routes: tuple[Route, ...]
    folder: Path
    state: Path
    delete_extra: bool
    put: bool
    noting: Noting

    def open(self) -> Worker:
        """See `Work.open`."""
        return _RepairWorker(self)


def repair(
    routes: Sequence[Route],
    *,
    executor: Executor,
    folder: Path,
    state: Path,
    observe: Callable[[Snapshot], None],
    delete_extra: bool = False,
    put: bool = True,
    noting: Noting | None = None,
    rates: Rates | None = None,
) -> Repair:
    """Mend the mismatches that `Verify` left in `folder`, then look at them once more. `noting`: where some of the
    flows are followed. Without `put` only what is extra is mended.
    """
    if rates is not None:
        executor.broadcast(rates)
    stages = Stages("repair", routes, observe)
    counts: dict[str, Counter[str]] = {route.name: Counter() for route in routes}
    remaining: dict[str, Counter[str]] = {route.name: Counter() for route in routes}

    def mended(_: Chunk, told: Mended) -> None:
        counts[told.flow].update(told.counts)
        stages.add(told.flow, items_written=sum(told.counts.values()))

    def rechecked(_: Chunk, settled: Settled) -> None:
        for name, kinds in settled.counts.items():
            remaining[name].update(kinds)
            stages.add(name, records_read=sum(kinds.values()))
        left.add(settled.lines)

    def found() -> Iterator[Chunk]:
        return chunks(folder / MISMATCHES, CHUNK_LINES)

    with MismatchFile(folder / REMAINING) as left:
        run_phases(
            executor,
            [
                Phase(
                    RepairWork(tuple(routes), folder, state, delete_extra, put, noting or Noting()),
                    found,
                    mended,
                    lambda: stages.begin("mending", estimated=False),
                ),
                Phase(
                    RecheckWork(tuple(routes), folder),
                    found,
                    rechecked,
                    lambda: stages.begin("looking again", estimated=False),
                ),
            ],
        )
    stages.finish()
    return Repair(
        tuple(
            FlowRepair(name, **told, remaining=_mismatches(remaining[name])) for name, told in counts.items()
        ),
        str(folder / REMAINING),
    )


def _mismatches(counts: Counter[str]) -> dict[str, int]:
    return {kind: counts[kind] for kind in ("missing", "different", "extra", "contested") if counts[kind]}


@dataclass(slots=True)
class _RepairWorker:
    work: RepairWork
    lanes: Lanes[str] = field(init=False)
    notes: Notes = field(init=False)
    worker_lock: int = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = Lanes({route.name: route for route in self.work.routes})
        self.notes = self.work.noting.open()
        self.worker_lock = hold_worker_lock(self.work.state)

    def run(self, chunk: Chunk, emit: Callable[[Mended], None]) -> None:
        wanted: dict[str, Wanted] = defaultdict(Wanted)
        for line in lines_of(chunk):
            wanted[line["flow"]].add(line)
        colliding = CollidingBuckets(self.work.folder)
        for name, each in wanted.items():
            for counts in self._mend(self.lanes[name], each, colliding):
                emit(Mended(name, dict(counts)))
        colliding.close()

    def control(self, message: Any) -> None:
        self.lanes.limit(message)

    def close(self) -> None:
        self.notes.close()
        self.lanes.close()

    def _mend(self, lane: Lane, wanted: Wanted, colliding: CollidingBuckets) -> Iterator[Counter[str]]:
        claiming = self.notes.of(lane)
        made: list[tuple[Record | Undecoded, list[bytes]]] = []

        def told(record: Record | Undecoded, items: Sequence[Expected]) -> None:
            if claiming is not None:
                made.append((record, [each.body for each in items]))

        for some in together(expected(lane, wanted, colliding, told=told)) if self.work.put else ():
            if claiming is not None:
                claiming.note(made)
                made.clear()
            yield write(lane, some)
        if self.work.delete_extra:
            for keys in together(wanted.keys.get("extra", ())):
                still = [key for _, key in extras(lane, keys)]
                lane.target.delete(lane.route.table, still)
                yield Counter(deleted=len(still), settled=len(keys) - len(still))


def write(lane: Lane, items: Sequence[Expected]) -> Counter[str]:
    """Write those of `items` that the target lacks or has otherwise; what became of each."""
    counts: Counter[str] = Counter()
    writes: list[tuple[str, Encoded]] = []
    names = lane.mapping.claim.names
    stored = {
        lane.digest(each.key): each.body
        for each in lane.target.fetch(lane.route.table, [each.key for each in items])
    }
    for each in items:
        body = stored.get(each.digest)
        if body is not None and (body == each.body or not any(compare(lane, each, body))):
            counts["settled"] += 1
        elif body is not None and not lane.mapping.claim.matches(lane.target.peek(body, names)):
            counts["not_owned"] += 1
        else:
            try:
                item = each.item
                encoded = item if isinstance(item, Encoded) else lane.codec.encode(item)
                writes.append(("missing" if body is None else "different", encoded))
            except Refused:
                counts["refused"] += 1
    size = lane.writer.batch_items
    batches = [writes[start : start + size] for start in range(0, len(writes), size)]
    deliveries = lane.writer.write([encoded for _, encoded in batch] for batch in batches)
    for batch, delivery in zip(batches, deliveries, strict=True):
        refused = {place for place, _ in (*delivery.refused, *delivery.duplicates)}
        counts.update("refused" if place in refused else kind for place, (kind, _) in enumerate(batch))
    return counts
