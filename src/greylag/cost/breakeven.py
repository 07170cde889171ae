"""Where one way becomes dearer than another."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST, MOST = Decimal("0.001"), Decimal(1000)
"""Between which multiples of the traffic crossings are looked for."""

_STEPS: Final = 120
_HALVINGS: Final = 40


def crossings(
    one: Callable[[Decimal], Decimal], other: Callable[[Decimal], Decimal]
) -> tuple[tuple[Decimal, bool], ...]:
    """The multiples, to three places that say something, above which `one` becomes dearer than `other` (True) or
    cheaper (False). Crossings nearer to each other than 12 % are not told apart.
    """
    ratio = (MOST / LEAST) ** (Decimal(1) / _STEPS)
    found = []
    here = LEAST
    above = one(here) > other(here)
    for _ in range(_STEPS):
        there = here * ratio
        if (one(there) > other(there)) != above:
            found.append((_narrow(one, other, here, there, above=above), not above))
            above = not above
        here = there
    return tuple(found)


def _narrow(
    one: Callable[[Decimal], Decimal],
    other: Callable[[Decimal], Decimal],
    low: Decimal,
    high: Decimal,
    *,
    above: bool,
) -> Decimal:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (one(middle) > other(middle)) == above:
            low = middle
        else:
            high = middle
    return Decimal(f"{high:.3g}")
