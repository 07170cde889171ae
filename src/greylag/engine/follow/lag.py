"""How long it took from a write at the source to its acknowledgement at the target, over the last minutes."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDS_MS: Final = tuple(round(10 * 1.15**step) for step in range(120))
"""The upper bounds of the buckets: 10 ms to some days, each 15 % above the one before. One bucket more has the rest."""

_MINUTES: Final = 5


@dataclass(frozen=True, slots=True)
class LagFigures:
    """Milliseconds; None where no change was applied in the time looked at. p50 and p99 are upper bounds, at most 15 %
    above the truth.
    """

    p50_ms: int | None
    p99_ms: int | None
    max_ms: int | None
    changes: int


class Lag:
    """The changes of the last five minutes by their lag. Takes a few kilobytes, whatever the rate."""

    def __init__(self) -> None:
        self._minutes: list[tuple[int, list[int], int]] = []

    def add(self, written_ms: Sequence[int], acknowledged_ms: int, now: float) -> None:
        """Changes written then were acknowledged now. `now`: any clock that does not go back, seconds."""
        minute = int(now // 60)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, [0] * (len(BOUNDS_MS) + 1), 0))
            self._minutes = [each for each in self._minutes if each[0] > minute - _MINUTES]
        _, counts, most = self._minutes[-1]
        for each in written_ms:
            lag = max(0, acknowledged_ms - each)
            most = max(most, lag)
            counts[bisect.bisect_left(BOUNDS_MS, lag)] += 1
        self._minutes[-1] = minute, counts, most

    def figures(self, now: float) -> LagFigures:
        """Of the last five minutes."""
        recent = [each for each in self._minutes if each[0] > int(now // 60) - _MINUTES]
        sums = [sum(counts) for counts in zip(*(counts for _, counts, _ in recent), strict=True)]
        total = sum(sums)
        if not total:
            return LagFigures(None, None, None, 0)
        most = max(each for _, _, each in recent)
        return LagFigures(_quantile(sums, total, 0.5, most), _quantile(sums, total, 0.99, most), most, total)


def _quantile(counts: Sequence[int], total: int, share: float, most: int) -> int:
    reached = 0
    for bound, count in zip(BOUNDS_MS, counts, strict=False):
        reached += count
        if reached >= share * total:
            return min(bound, most)
    return most
