"""How many values of a candidate key more than one record has: joined on disk, bucket by bucket, exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.engine.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greylag.core.work import Worker


@dataclass(frozen=True, slots=True)
class RepeatsWork:
    """Looks for equal digests in the spill `folder`. A task is a bucket; what is emitted counts records by (place of
    the dataset, mark of the path).
    """

    folder: Path

    def open(self) -> Worker:
        """See `Work.open`."""
        return _RepeatsWorker(Spill(self.folder))


@dataclass(slots=True)
class _RepeatsWorker:
    spill: Spill

    def run(self, bucket: int, emit: Callable[[dict[tuple[int, bytes], int]], None]) -> None:
        found: Counter[tuple[int, bytes]] = Counter()
        for _, entries in self.spill.groups(bucket):
            for field, count in Counter((each.flow, each.body) for each in entries).items():
                if count > 1:
                    found[field] += count
        emit(dict(found))

    def control(self, message: Any) -> None:
        """Rates do not concern a join."""

    def close(self) -> None:
        """Nothing is open."""
