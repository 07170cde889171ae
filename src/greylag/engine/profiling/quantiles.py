"""Quantiles of sizes, bounded: sizes are counted in classes whose bounds lie 1 % apart (DDSketch).

Source: https://arxiv.org/abs/1908.10693
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP: Final = math.log(1.01)


class Quantiles:
    """Counts of whole numbers from 0. Of sizes up to 1 TB there are fewer than 3000 classes."""

    __slots__ = ("_classes", "count", "largest", "total")

    def __init__(self) -> None:
        self._classes: Counter[int] = Counter()
        self.count = 0
        self.total = 0
        self.largest = 0

    def add(self, sizes: Sequence[int]) -> None:
        """Count each of `sizes`."""
        if not sizes:
            return
        self.count += len(sizes)
        self.total += sum(sizes)
        self.largest = max(self.largest, *sizes)
        for size, times in Counter(sizes).items():
            self._classes[_class_of(size)] += times

    def merge(self, other: Quantiles) -> None:
        """Take over what `other` counted."""
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)
        self._classes.update(other._classes)

    def at(self, share: float) -> int:
        """The size that `share` of all are at most as large as, within 1 %; 0 where nothing was counted."""
        wanted = max(1, math.ceil(share * self.count))
        seen = 0
        for each in sorted(self._classes):
            seen += self._classes[each]
            if seen >= wanted:
                return min(self.largest, _middle(each))
        return 0


def _class_of(size: int) -> int:
    """Itself while small enough to be told exactly."""
    return size if size < 100 else 100 + math.floor(math.log(size / 100) / _STEP)


def _middle(number: int) -> int:
    return number if number < 100 else round(100 * math.exp((number - 99.5) * _STEP))
