"""Compares every record of the source, through the mapping, with every item of the target.

Both sides are streamed and spilled (`sweep`), joined on disk (`join`), and what does not agree is looked at again on
both sides (`recheck`). All flows of a table share one pass over it. Nothing at source or target is changed, and
memory does not grow with either. Work that is interrupted is begun anew: its folder holds nothing but this.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from greylag.engine.collisions import doubtful
from greylag.engine.disk import writing
from greylag.engine.join import JoinWork, candidates_file, colliding_records
from greylag.engine.mismatches import MISMATCHES, MismatchFile
from greylag.engine.phases import Phase, run_phases
from greylag.engine.recheck import CHUNK_LINES, RecheckWork, chunks
from greylag.engine.spill import BUCKETS
from greylag.engine.stages import Stages
from greylag.engine.sweep import EXAMPLES, PARTITION_BYTES, SourceTask, SweepWork, TargetTask
from greylag.engine.verification import FlowVerification, TableVerification, Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.connections import Rates
    from greylag.engine.join import Joined
    from greylag.engine.recheck import Chunk, Settled
    from greylag.engine.route import Route
    from greylag.engine.sweep import SourceRead, TargetRead


class Verify:
    """One verification of `routes`.

    `siblings` are those and every other flow of their tables. `folder` is this verification's alone and is emptied
    first; at the end it holds `mismatches.jsonl`. `rates` are what each worker may do.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        siblings: Sequence[Route],
        *,
        executor: Executor,
        folder: Path,
        observe: Callable[[Snapshot], None],
        rates: Rates | None = None,
    ) -> None:
        self._siblings = tuple(siblings)
        names = {route.name for route in routes}
        self._checked = frozenset(place for place, each in enumerate(siblings) if each.name in names)
        self._executor = executor
        self._folder = folder
        self._rates = rates
        self._stages = Stages("verify", [self._siblings[place] for place in sorted(self._checked)], observe)
        self._flows: dict[str, Counter[str]] = {name: Counter() for name in sorted(names)}
        self._tables = {str(route.flow.table.ref): _Table() for route in siblings}
        self._candidates = 0

    def run(self) -> Verification:
        """Verify. Raises what sources and targets raise, and ResourceError when this machine's disk is full."""
        started, clock = datetime.now(UTC), time.monotonic()
        with writing(self._folder):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        if self._rates is not None:
            self._executor.broadcast(self._rates)
        sweep = SweepWork(self._siblings, self._checked, self._folder / "spill")
        names = tuple(route.name for route in self._siblings)
        try:
            with MismatchFile(self._folder / MISMATCHES) as self._mismatches:
                run_phases(
                    self._executor,
                    [
                        Phase(sweep, self._segments, self._target_read, self._stage("reading the target")),
                        Phase(
                            sweep,
                            self._partitions,
                            self._source_read,
                            self._stage("reading the source", estimated=True),
                        ),
                        Phase(
                            JoinWork(names, self._checked, self._folder),
                            lambda: range(BUCKETS),
                            self._joined,
                            self._stage("comparing"),
                            self._end_join,
                        ),
                        Phase(
                            RecheckWork(self._siblings, self._folder),
                            self._candidate_chunks,
                            self._rechecked,
                            self._stage("looking again at what differs"),
                        ),
                    ],
                )
        finally:
            for each in ("spill", "candidates", "colliding-records"):  # also where this is interrupted
                shutil.rmtree(self._folder / each, ignore_errors=True)
        self._stages.finish()
        return Verification(
            flows=tuple(FlowVerification(name, **counts) for name, counts in self._flows.items()),
            tables=tuple(each.told(name) for name, each in self._tables.items()),
            started_at=started.isoformat(timespec="seconds"),
            finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=time.monotonic() - clock,
            mismatches_file=str(self._folder / MISMATCHES),
        )

    def _stage(self, name: str, *, estimated: bool = False) -> Callable[[], None]:
        return partial(self._stages.begin, name, estimated=estimated)

    def _segments(self) -> Iterator[TargetTask]:
        by_table: dict[str, list[int]] = defaultdict(list)
        for place, route in enumerate(self._siblings):
            by_table[str(route.flow.table.ref)].append(place)
        for places in by_table.values():
            route = self._siblings[places[0]]
            target = route.target.target()
            try:
                segments = target.segments(route.table.name, count=4 * self._executor.processes)
            finally:
                target.close()
            for segment in segments:
                yield TargetTask(tuple(places), segment)

    def _target_read(self, task: TargetTask, read: TargetRead) -> None:
        self._tables[str(self._siblings[task.owners[0]].flow.table.ref)].add(read)
        for owner, count in read.owned.items():
            if owner is not None and owner in self._checked:
                self._stages.add(self._siblings[owner].name, records_read=count)

    def _partitions(self) -> Iterator[SourceTask]:
        for place in sorted(self._checked | self._sharing_keys()):
            route = self._siblings[place]
            source = route.source.source()
            try:
                for partition in source.partitions(route.dataset.dataset, partition_bytes=PARTITION_BYTES):
                    yield SourceTask(place, partition)
            finally:
                source.close()

    def _sharing_keys(self) -> set[int]:
        """The flows that are read only because a key of theirs may be one of a checked flow's, too."""
        by_table: dict[str, list[Route]] = defaultdict(list)
        for route in self._siblings:
            by_table[str(route.flow.table.ref)].append(route)
        names: set[str] = set()
        for group in by_table.values():
            suspects = {route.name for route in doubtful(group)}
            if suspects & set(self._flows):
                names |= suspects
        return {place for place, route in enumerate(self._siblings) if route.name in names}

    def _source_read(self, task: SourceTask, page: SourceRead) -> None:
        if task.flow not in self._checked:
            return
        name = self._siblings[task.flow].name
        self._flows[name].update(records=page.records, filtered=page.filtered, quarantined=page.quarantined)
        self._stages.add(
            name,
            records_read=page.records,
            records_filtered=page.filtered,
            records_quarantined=page.quarantined,
            bytes_read=page.bytes_read,
        )

    def _joined(self, _: int, joined: Joined) -> None:
        self._candidates += joined.candidates
        for place, count in joined.verified.items():
            name = self._siblings[place].name
            self._flows[name]["verified"] += count
            self._stages.add(name, records_read=count)

    def _end_join(self) -> None:
        """Count the records that share keys, each once however many of its items do."""
        shutil.rmtree(self._folder / "spill", ignore_errors=True)
        spill = colliding_records(self._folder)
        for bucket in range(BUCKETS):
            for _, entries in spill.groups(bucket):
                name = self._siblings[next(iter(entries)).flow].name
                if name in self._flows:
                    self._flows[name]["quarantined"] += 1
        shutil.rmtree(self._folder / "colliding-records", ignore_errors=True)

    def _candidate_chunks(self) -> Iterator[Chunk]:
        lines = min(CHUNK_LINES, max(200, self._candidates // (2 * self._executor.processes)))
        for bucket in range(BUCKETS):
            yield from chunks(candidates_file(self._folder, bucket), lines)

    def _rechecked(self, _: Chunk, settled: Settled) -> None:
        for name, counts in settled.counts.items():
            self._flows[name].update(counts)
            self._stages.add(name, records_read=sum(counts.values()))
        self._mismatches.add(settled.lines)


@dataclass(slots=True)
class _Table:
    items: int = 0
    unowned: int = 0
    examples: list[Any] = field(default_factory=list)

    def add(self, read: TargetRead) -> None:
        self.items += read.items
        self.unowned += read.owned.get(None, 0)
        self.examples += read.examples[: EXAMPLES - len(self.examples)]

    def told(self, name: str) -> TableVerification:
        return TableVerification(name, self.items, self.unowned, tuple(self.examples))
