"""Whether a flow's state may be used with the mapping, source and table of today (law 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.errors import StateError
from greylag.state.store import Identity

if TYPE_CHECKING:
    from greylag.engine.route import Route


def identity(route: Route, environment: str) -> Identity:
    """What the state of this route belongs to."""
    return Identity(environment, route.mapping().digest, route.dataset.identity, route.table.identity)


_DIFFERENCES = {
    "environment": "its state belongs to another environment",
    "mapping_digest": "its mapping in greylag.yaml has changed since its run began",
    "source_identity": "its source is not the one its run began with, or a file has changed since",
    "target_identity": "its table is not the one its run began with: that one was deleted, this one made anew",
}


def refuse_other(flow: str, before: Identity, now: Identity) -> None:
    """Raise StateError where the flow's state belongs to something else than what it would be used with."""
    differing = [why for name, why in _DIFFERENCES.items() if getattr(before, name) != getattr(now, name)]
    if differing:
        raise StateError(
            f"flow {flow} cannot be continued: " + "; ".join(differing),
            advice=f"Undo the change to go on from the checkpoint, or load the flow again from its start with "
            f"`greylag run --only {flow} --restart`: items are written over, none is deleted.",
        )
