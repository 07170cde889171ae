"""What `repair` and `quarantine retry` write of flows that are followed, while nothing follows them.

Apply knows nothing of such requests. So it waits until none of them can land before it writes itself, and the keys of
what they write are noted for its index, as a load's are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.engine.collisions import doubtful_names
from greylag.engine.follow.claims import Noting
from greylag.engine.follow.stream import streams
from greylag.operations.follow.anew import UNSETTLED
from greylag.operations.prepare import prepare
from greylag.operations.streams import followed
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.config import Project
    from greylag.engine.route import Route


def noting(project: Project, routes: Sequence[Route]) -> Noting:
    """How the workers note keys; apply is told to wait. Before the first write, under the lock of the run."""
    path = project.state_folder / "state.sqlite"
    if not path.exists():
        return Noting()
    with Store(path) as store:
        known = followed(store)
        if known.keys().isdisjoint(route.name for route in routes):
            return Noting()
        store.note(UNSETTLED, True)
    whole = prepare(project, exactly=known.keys())
    contested = frozenset(doubtful_names(whole.siblings))
    return Noting(tuple(streams(whole.routes, project.state_folder)), contested)
