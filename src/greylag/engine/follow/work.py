"""What becomes of one window while it is applied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greylag.core.records import Rejection
    from greylag.engine.follow.index import Written
    from greylag.engine.follow.window import Window


@dataclass(slots=True)
class WindowWork:
    """Records are (flow, id), keys (place, key).

    `fine` were carried, or are gone; `refused` could not be carried. `deferred` are states that are to be
    written once their keys are held no longer: that were not yet, or that a delete may still take away; `taken_up`
    the records whose waiting states were written now, `superseded` the keys of which nothing waits any more. `held`
    are keys whose write may still land. `out_of_reach` are states that the target will never take, `duplicates` those
    that a unique index keeps out.
    """

    window: Window
    fine: set[tuple[str, bytes]] = field(default_factory=set)
    taken_up: set[tuple[str, bytes]] = field(default_factory=set)
    refused: dict[tuple[str, bytes], Rejection] = field(default_factory=dict)
    deferred: list[Written] = field(default_factory=list)
    superseded: list[tuple[str, bytes]] = field(default_factory=list)
    held: list[tuple[str, bytes]] = field(default_factory=list)
    out_of_reach: list[tuple[Written, str]] = field(default_factory=list)
    duplicates: list[tuple[Written, str]] = field(default_factory=list)
    put: int = 0
    deleted: int = 0
    unknown: int = 0
