"""`greylag indexes`: what became of every index of the sources, and the building of those that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.errors import StateError
from greylag.operations.prepare import prepare
from greylag.operations.structure.build import build_indexes
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.engine.route import Route
    from greylag.operations.structure.build import Built

_NOT_LOADED = "loading"


def indexes(
    project: Project, *, only: Sequence[str] = (), build: bool = False, observe: Callable[[Snapshot], None]
) -> tuple[Built, ...]:
    """Every index of the source of every flow, and with `build` those that are missing made, unique ones too.

    Raises StateError where a flow whose indexes would be built is not loaded: an index that is there first makes the
    load slow, and a unique one would keep out what the load brings in another order.
    """
    prepared = prepare(project, only=only, pretend=True)
    if build:
        _refuse_unloaded(project, prepared.routes)
    return build_indexes(prepared.routes, observe=observe, build=build)


def _refuse_unloaded(project: Project, routes: Sequence[Route]) -> None:
    path = project.state_folder / "state.sqlite"
    stages: dict[str, str] = {}
    if path.exists():
        with Store(path) as store:
            stages = {each.flow: each.stage for each in store.flows()}
    waiting = [route.name for route in routes if stages.get(route.name, _NOT_LOADED) == _NOT_LOADED]
    if waiting:
        raise StateError(
            f"not loaded yet: {', '.join(waiting)}",
            advice="`greylag run` loads them and builds their indexes; --only names flows that are loaded.",
        )
