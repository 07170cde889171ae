"""What a target can hold, as far as a look at its source asks before there is a mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.core.values import Document, Value


@dataclass(frozen=True, slots=True)
class Holds:
    """A target's limits. Picklable: its functions are a module's own.

    `record_bytes` is what a record, of a family, would count as an item, as it is; it is asked of those whose source
    size is at least `measured_bytes`, which no item beyond `near_bytes` falls below. `number_problem` says why there is
    no number for a value (`""`: there is one).
    """

    item_bytes: int
    near_bytes: int
    measured_bytes: int
    levels: int
    record_bytes: Callable[[Document, str], int]
    number_problem: Callable[[Value], str]
