"""Profiles datasets, whole or by a sample, on an executor's processes.

Reads sources only. What is written stands in `folder`, this profile's alone, and is gone at the end. Candidate keys
are followed on disk, so memory does not grow with the data; every other count is bounded as its module says.
"""

from __future__ import annotations

import shutil
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from greylag.core.paths import format_path
from greylag.core.profile import DatasetProfile, KeyCandidate
from greylag.engine.disk import writing
from greylag.engine.phases import Phase, run_phases
from greylag.engine.profiling.column import mark
from greylag.engine.profiling.fields import profiles
from greylag.engine.profiling.reading import Counted, PartTask, ProfileWork, SampleTask
from greylag.engine.profiling.repeats import RepeatsWork
from greylag.engine.profiling.tally import Tally
from greylag.engine.spill import BUCKETS
from greylag.engine.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.connections import Rates
    from greylag.engine.profiling.reading import PageRead, Subject
    from greylag.engine.profiling.target import Holds

PARTITION_BYTES: Final = 64 * 2**20
CANDIDATE_SHARE: Final = 0.01
"""A field is still a candidate key, with its duplicates told, while they are no more than this share of the records."""
WHOLE: Final = "every record was read"


def profile(
    subjects: Sequence[Subject],
    *,
    executor: Executor,
    folder: Path,
    observe: Callable[[Snapshot], None],
    operation: str = "assess",
    sample: int | None = None,
    holds: Holds | None = None,
    rates: Rates | None = None,
) -> tuple[DatasetProfile, ...]:
    """One profile for each of `subjects`, in their order: of about `sample` records, or (None) of all.

    `holds` is the target in view; without it nothing is measured against one. `rates` are what each process may
    read. Raises what sources raise, and ResourceError when this machine's disk is full; a file that cannot be read
    on from some byte is profiled up to there.
    """
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    if rates is not None:
        executor.broadcast(rates)
    run = _Run(subjects, Stages(operation, subjects, observe))
    tasks = partial(_parts, subjects) if sample is None else partial(_samples, subjects, sample)
    stage = "reading" if sample is None else "reading a sample"
    try:
        run_phases(
            executor,
            [
                Phase(
                    ProfileWork(tuple(subjects), folder, holds),
                    tasks,
                    run.counted,
                    partial(run.stages.begin, stage, estimated=sample is None),
                ),
                Phase(
                    RepeatsWork(folder),
                    lambda: range(BUCKETS),
                    run.repeated,
                    partial(run.stages.begin, "comparing keys", estimated=False),
                ),
            ],
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run.stages.finish()
    return tuple(run.profile(place) for place in range(len(subjects)))


def _parts(subjects: Sequence[Subject]) -> Iterator[PartTask]:
    for place, subject in enumerate(subjects):
        source = subject.connector.source()
        try:
            for partition in source.partitions(subject.dataset.dataset, partition_bytes=PARTITION_BYTES):
                yield PartTask(place, partition)
        finally:
            source.close()


def _samples(subjects: Sequence[Subject], count: int) -> Iterator[SampleTask]:
    for place in range(len(subjects)):
        yield SampleTask(place, count)


class _Run:
    """What has been counted so far."""

    def __init__(self, subjects: Sequence[Subject], stages: Stages) -> None:
        self.stages = stages
        self._subjects = subjects
        self._counted: dict[int, Counted] = {}
        self._repeats: Counter[tuple[int, bytes]] = Counter()

    def counted(self, task: PartTask | SampleTask, found: Counted | PageRead) -> None:
        if not isinstance(found, Counted):
            name = self._subjects[task.subject].name
            self.stages.add(name, records_read=found.records, bytes_read=found.bytes_read)
        elif task.subject in self._counted:
            self._counted[task.subject].tally.merge(found.tally)
        else:
            self._counted[task.subject] = found

    def repeated(self, _: Any, found: dict[tuple[int, bytes], int]) -> None:
        self._repeats.update(found)

    def profile(self, place: int) -> DatasetProfile:
        subject = self._subjects[place]
        info = subject.dataset
        counted = self._counted.get(place) or Counted(Tally(info.family))
        tally = counted.tally
        whole = counted.whole and not tally.damaged
        return DatasetProfile(
            dataset=info.dataset,
            family=info.family,
            records_total=tally.records if whole else info.estimated_records,
            bytes_total=info.estimated_bytes,
            records_read=tally.records,
            whole=whole,
            sizes=tally.told_sizes,
            fields=profiles(tally.fields),
            keys=self._keys(place, tally, whole=whole),
            unreadable=tally.unreadable,
            bias=counted.bias or WHOLE,
            fitness=tally.fitness,
            unreadable_reasons=dict(sorted(tally.reasons.items())),
            damaged=tally.damaged,
            fields_left_out=tally.left_out,
        )

    def _keys(self, place: int, tally: Tally, *, whole: bool) -> tuple[KeyCandidate, ...]:
        """What the source keeps unique first, then by duplicates, nearness to the top and name."""
        subject = self._subjects[place]
        found = []
        for each, _ in tally.fields.every():
            count = tally.fields.documents
            if not each.column.may_be_key or each.present < count or not count:
                continue
            path = format_path(each.path)
            duplicates = self._repeats[place, mark(path)]
            if duplicates > CANDIDATE_SHARE * count:
                continue
            told = path in subject.unique or path == subject.dataset.unique_id
            [kind] = each.column.types
            proven = not duplicates and (told or (whole and not tally.unreadable))
            found.append(
                ((not told, duplicates, len(each.path), path), KeyCandidate(path, kind, duplicates, proven))
            )
        return tuple(candidate for _, candidate in sorted(found, key=lambda each: each[0]))
