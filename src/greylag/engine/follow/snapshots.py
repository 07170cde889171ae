"""Routes whose load reads what their feed saw at its first position, where a source keeps no other order of states."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from greylag.core.ports import Snapshotted
from greylag.engine.follow.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from greylag.engine.route import Route


def as_followed(routes: Iterable[Route], folder: Path) -> tuple[Route, ...]:
    """The routes as a run that follows them in the state folder `folder` reads them (`ports.Snapshotted`)."""
    return tuple(_as_followed(route, folder) for route in routes)


def _as_followed(route: Route, folder: Path) -> Route:
    if not isinstance(route.source, Snapshotted):
        return route
    connector = route.source.as_followed(Stream(route.flow.source.connection, (), folder).scratch)
    with closing(connector.source()) as source:
        return replace(route, source=connector, dataset=source.describe(route.dataset.dataset))
