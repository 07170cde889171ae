"""How many different values there were: exact while there are few, else estimated from the smallest hashes.

The order in which values come, and how they are divided among processes, changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT: Final = 512
"""So many are counted exactly; beyond them the standard error is 1 / sqrt(KEPT), 4.4 %."""

HASH_BYTES: Final = 8


class Distinct:
    """The smallest hashes seen. About 40 KB when full."""

    __slots__ = ("_bar", "_hashes")

    def __init__(self) -> None:
        self._hashes: set[bytes] = set()
        self._bar: bytes | None = None

    def add(self, hashes: Iterable[bytes]) -> None:
        """Hashes of `HASH_BYTES` bytes, spread evenly and equal for equal values alone."""
        bar = self._bar
        if bar is None:
            self._hashes.update(hashes)
        else:
            self._hashes.update([each for each in hashes if each < bar])
        if len(self._hashes) > KEPT:
            kept = sorted(self._hashes)[:KEPT]
            self._hashes, self._bar = set(kept), kept[-1]

    def merge(self, other: Distinct) -> None:
        """Take over what `other` saw."""
        self.add(other._hashes)
        if other._bar is not None and (self._bar is None or other._bar < self._bar):
            self._hashes = {each for each in self._hashes if each <= other._bar}
            self._bar = other._bar

    @property
    def count(self) -> int:
        """How many different hashes there were."""
        if self._bar is None:
            return len(self._hashes)
        share = int.from_bytes(self._bar, "big") / 2 ** (8 * HASH_BYTES)
        estimate: int = round((len(self._hashes) - 1) / share)
        return max(len(self._hashes), estimate)
