"""The ranges of one side alone, for checking a certificate: the other side need not be there any more.

Reads, spills and adds up as a verification does, so that a key that several records share is none of the source's.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.engine.disk import writing
from greylag.engine.phases import Phase, run_phases
from greylag.engine.ranges import Ranges
from greylag.engine.spill import BUCKETS, SOURCE, Spill
from greylag.engine.stages import Stages
from greylag.engine.sweep import SourceTask, SweepWork, TargetTask
from greylag.engine.tasks import source_tasks, target_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor, Worker
    from greylag.engine.connections import Rates
    from greylag.engine.route import Route
    from greylag.engine.spill import Entry
    from greylag.engine.sweep import SourceRead, TargetRead

SIDES = ("source", "target")


def ranges_of(
    side: str,
    siblings: Sequence[Route],
    names: Collection[str],
    *,
    executor: Executor,
    folder: Path,
    observe: Callable[[Snapshot], None],
    rates: Rates,
) -> Ranges[str]:
    """The ranges of the flows `names` at `side`, one of SIDES; only the sums of that side are filled.

    `siblings` are those flows and, for the source, every other flow of their tables. `folder` is emptied first, and
    removed at the end. Only reads.
    """
    checked = frozenset(place for place, route in enumerate(siblings) if route.name in names)
    stages = Stages("certificate", [siblings[place] for place in sorted(checked)], observe)
    found: Ranges[str] = Ranges()

    def read(task: SourceTask | TargetTask, page: SourceRead | TargetRead) -> None:
        if isinstance(task, SourceTask):
            counts: dict[int | None, int] = {task.flow: page.records}  # type: ignore[union-attr]
        else:
            counts = page.owned  # type: ignore[union-attr]
        for place, count in counts.items():
            if place is not None and place in checked:
                stages.add(siblings[place].name, records_read=count)

    def added(_: int, ranges: Ranges[int]) -> None:
        for place, each in ranges.items():
            found.merge(siblings[place].name, each)

    def tasks() -> Iterator[SourceTask | TargetTask]:
        if side == SIDES[SOURCE]:
            return source_tasks(siblings, checked)
        return target_tasks(siblings, executor.processes)

    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    executor.broadcast(rates)
    try:
        run_phases(
            executor,
            [
                Phase(
                    SweepWork(tuple(siblings), checked, folder),
                    tasks,
                    read,
                    lambda: stages.begin(f"reading the {side}", estimated=side == SIDES[SOURCE]),
                ),
                Phase(
                    SumWork(checked, folder),
                    lambda: range(BUCKETS),
                    added,
                    lambda: stages.begin("adding up", estimated=False),
                ),
            ],
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    stages.finish()
    return found


@dataclass(frozen=True, slots=True)
class SumWork:
    """Adds up the buckets of a spill of one side. A task is a bucket's number."""

    checked: frozenset[int]
    folder: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _SumWorker(self)


@dataclass(slots=True)
class _SumWorker:
    work: SumWork

    def run(self, bucket: int, emit: Callable[[Ranges[int]], None]) -> None:
        ranges: Ranges[int] = Ranges()
        for key, entries in Spill(self.work.folder).groups(bucket):
            entry = _only(entries)
            if entry is not None and entry.flow in self.work.checked:
                sides = ranges.at(entry.flow, key)
                (sides.source if entry.side == SOURCE else sides.target).add(entry.body)
        emit(ranges)

    def control(self, message: Any) -> None:
        """Rates do not concern sums."""

    def close(self) -> None:
        """Nothing is open."""


def _only(entries: Iterable[Entry]) -> Entry | None:
    """The item with a key, None where several records share it."""
    first = None
    for entry in entries:
        if first is None:
            first = entry
        elif entry.side == SOURCE and entry.origin != first.origin:
            return None
    return first
