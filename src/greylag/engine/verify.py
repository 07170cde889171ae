"""Compares every record of the source, through the mapping, with every item of the target.

Both sides are streamed and spilled (`sweep`), joined on disk (`join`), and what does not agree is looked at again on
both sides (`recheck`). All flows of a table share one pass over it. Nothing at source or target is changed, and
memory does not grow with either. Work that is interrupted is begun anew: its folder holds nothing but this.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from greylag.engine.disk import writing
from greylag.engine.join import JoinWork, candidates_file, colliding_records
from greylag.engine.mismatches import MISMATCHES, MismatchFile
from greylag.engine.phases import Phase, run_phases
from greylag.engine.ranges import Ranges
from greylag.engine.recheck import CHUNK_LINES, RecheckWork, chunks
from greylag.engine.spill import BUCKETS
from greylag.engine.stages import Stages
from greylag.engine.sweep import EXAMPLES, Met, SweepWork, TargetRead
from greylag.engine.tasks import in_pairs, pair_tasks, source_tasks, target_tasks
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
    from greylag.engine.sweep import PairTask, SourceRead, SourceTask, TargetTask


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
        self._ranges: Ranges[str] = Ranges()

    def run(self) -> Verification:
        """Verify. Raises what sources and targets raise, and ResourceError when this machine's disk is full."""
        started, clock = datetime.now(UTC), time.monotonic()
        with writing(self._folder):
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        if self._rates is not None:
            self._executor.broadcast(self._rates)
        self._pairs = in_pairs(self._siblings, self._checked)
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
            ranges=self._ranges,
        )

    def _stage(self, name: str, *, estimated: bool = False) -> Callable[[], None]:
        return partial(self._stages.begin, name, estimated=estimated)

    def _segments(self) -> Iterator[TargetTask]:
        return target_tasks(self._siblings, self._executor.processes, self._pairs)

    def _target_read(self, task: TargetTask, read: TargetRead) -> None:
        self._tables[str(self._siblings[task.owners[0]].flow.table.ref)].add(read)
        for owner, count in read.owned.items():
            if owner is not None and owner in self._checked:
                self._stages.add(self._siblings[owner].name, records_read=count)

    def _partitions(self) -> Iterator[SourceTask | PairTask]:
        yield from pair_tasks(self._siblings, self._pairs)
        yield from source_tasks(self._siblings, self._checked - self._pairs)

    def _source_read(self, task: SourceTask | PairTask, page: SourceRead | TargetRead | Met) -> None:
        if task.flow not in self._checked:
            return
        if isinstance(page, TargetRead):
            self._tables[str(self._siblings[task.flow].flow.table.ref)].add(page)
            return
        if isinstance(page, Met):
            name = self._siblings[task.flow].name
            self._flows[name]["verified"] += page.items
            self._ranges.merge(name, page.ranges)
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
        for place, found in joined.ranges.items():
            self._ranges.merge(self._siblings[place].name, found)

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
        for name, found in settled.alike.items():
            self._ranges.merge(name, found)
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
