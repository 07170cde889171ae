"""The heaviest of many keys in bounded memory (Misra and Gries, purged in batches).

Source: https://doi.org/10.1016/0167-6423(82)90012-0
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = TypeVar("Key")

KEPT = 1024


@dataclass(frozen=True, slots=True)
class Weight(Generic[Key]):
    """`key` weighs at least `at_least` and at most `at_most`; the two are equal where nothing had to be forgotten."""

    key: Key
    at_least: int
    at_most: int


class HeavyHitters(Generic[Key]):
    """Weights of keys. No weight is told wrong by more than `total / KEPT`, none at all where there are no more than
    `2 * KEPT` keys; a key heavier than that is always known.
    """

    __slots__ = ("_error", "_weights", "total")

    def __init__(self) -> None:
        self._weights: Counter[Key] = Counter()
        self._error = 0
        self.total = 0

    def add(self, weights: Iterable[tuple[Key, int]]) -> None:
        """Add to the weights of keys, each more than nothing."""
        own = self._weights
        for key, weight in weights:
            own[key] += weight
            self.total += weight
            if len(own) > 2 * KEPT:
                self._purge()

    def merge(self, other: HeavyHitters[Key]) -> None:
        """Take over what `other` weighed."""
        self._weights.update(other._weights)
        self._error += other._error
        self.total += other.total
        if len(self._weights) > 2 * KEPT:
            self._purge()

    def heaviest(self, count: int) -> list[Weight[Key]]:
        """The `count` heaviest keys, the heaviest first; alike ones in the order of their text."""
        found = sorted(self._weights.items(), key=lambda each: (-each[1], str(each[0])))[:count]
        return [Weight(key, weight, weight + self._error) for key, weight in found]

    def _purge(self) -> None:
        """Forget the light half: what the heaviest of it weighs is taken off all, at least KEPT times."""
        own = self._weights
        least = sorted(own.values(), reverse=True)[KEPT]
        self._error += least
        for key in [key for key, weight in own.items() if weight <= least]:
            del own[key]
        for key in own:
            own[key] -= least
