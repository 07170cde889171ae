"""What a measurement says: runs of several ways side by side, and the targets they are held to."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One way of doing it, measured once a round. `unit` is that of `values`."""

    name: str
    values: tuple[float, ...]
    unit: str

    @property
    def median(self) -> float:
        """Half of the runs are below."""
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """From the least to the largest, as a share of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """What was asked for. `least` or `most` bounds `value`."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = "times"

    @property
    def met(self) -> bool:
        """Whether the value is within the bound."""
        return (self.least is None or self.value >= self.least) and (
            self.most is None or self.value <= self.most
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the figures: what was done, what came out, whether it is what was asked for."""

    letter: str
    title: str
    setup: str
    series: tuple[Series, ...]
    targets: tuple[Target, ...]
    notes: tuple[str, ...] = ()
    tables: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = field(default=())
    """Further tables: a heading and rows, the first of which names the columns."""


def interleaved(
    ways: Mapping[str, Callable[[], Mapping[str, float]]], *, rounds: int = ROUNDS
) -> dict[str, list[Mapping[str, float]]]:
    """Each way once a round, in turn, so that what disturbs the machine disturbs all of them alike."""
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            found[name].append(run())
    return found


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Round by round: what was measured one after the other is what can be compared."""
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))
