"""What may be followed, and what may not: refused before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.errors import ConfigurationError, StateError
from greylag.operations.rivals import refuse_resting, resting
from greylag.operations.streams import followed
from greylag.state.directions import carried_back, refuse_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.config import Project
    from greylag.engine.follow.stream import Stream
    from greylag.engine.route import Route
    from greylag.operations.prepare import Prepared
    from greylag.state.store import Store


def refuse_without_changes(routes: Sequence[Route]) -> None:
    """Raise ConfigurationError for sources that keep no log of changes (law 8)."""
    frozen = [route.name for route in routes if not route.dataset.resumable_changes]
    if frozen:
        raise ConfigurationError(
            f"the sources of {', '.join(frozen)} keep no resumable log of changes",
            advice="Freeze their writes and load them with `greylag run`; --only names the flows to follow.",
        )


def forward(project: Project, prepared: Prepared, named: Sequence[str]) -> tuple[Route, ...]:
    """Those of its routes that go forward: neither are they carried back, nor are their records by another flow. Raises
    StateError where none does, or where one that is `named` (services or flows) does not.
    """
    folder, routes = project.state_folder, prepared.routes
    back = carried_back(folder)
    if not back:
        return routes
    flows = [route.flow for route in routes]
    asked = {flow.name for flow in project.select(named, flows)} if named else set()
    refuse_back(folder, asked)
    refuse_resting(folder, prepared.flows, asked)
    rest = resting(folder, prepared.flows)
    found = tuple(route for route in routes if route.name not in back and route.name not in rest)
    if not found:
        refuse_back(folder, {flow.name for flow in flows})
        refuse_resting(folder, prepared.flows, {flow.name for flow in flows})
    return found


def refuse_unfollowed(store: Store, routes: Sequence[Route]) -> None:
    """Raise StateError for what was loaded without being followed: it has missed changes that no position brings
    back.
    """
    known = followed(store)
    missed = [each.flow for each in store.flows() if each.flow not in known]
    if named := sorted({route.name for route in routes} & set(missed)):
        raise StateError(
            f"flow {', '.join(named)} was loaded without --follow: what was written since is not known",
            advice="`greylag run --follow --restart` loads from the start and follows from there.",
        )


def refuse_lost_spools(store: Store, streams: Sequence[Stream]) -> None:
    """Raise StateError for a load that has begun without the spool that holds its position: nothing follows it."""
    for stream in streams:
        begun = [route.name for route in stream.routes if store.partitions(route.name)]
        if begun and not any(stream.spool.glob("*.seg")):
            raise StateError(
                f"the spool of {stream.name} is gone ({stream.spool}): what was written since is not known",
                advice=f"`greylag run --follow --reload {begun[0]}` loads again from a new position.",
            )
