"""Whether a source stood still: fenced, and everything written before now applied; or said to be frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greylag.engine.follow.barrier import applied_until_now
from greylag.engine.follow.capture import read_progress
from greylag.engine.follow.stream import streams
from greylag.operations.certificate.document import Standstill
from greylag.operations.streams import followed
from greylag.state import fences as fencing
from greylag.state.directions import carried_back
from greylag.state.locks import is_running
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from greylag.engine.route import Route
    from greylag.state.fences import Fences

DRAIN_SECONDS: Final = 60.0
"""How long a fenced source's changes are waited for."""


def standstill(folder: Path, routes: Sequence[Route], *, frozen: bool) -> Standstill:
    """What can be said of the routes' sources now. Sources that are fenced and followed are drained for it."""
    if frozen:
        return Standstill(frozen=True)
    fences = fencing.load(folder)
    fenced = {*fences.fenced()}
    mine = [route for route in routes if route.flow.service in fenced]
    if not mine or not (folder / "state.sqlite").exists():
        return Standstill(fenced=tuple(sorted(fenced)))
    with Store(folder / "state.sqlite", read_only=True) as store:
        forward = followed(store).keys() - carried_back(folder)
        begun = {each.flow: each.started_at for each in store.flows()}
    late = {route.name for route in mine if route.name not in forward and not _since(route, begun, fences)}
    positions: dict[str, str] = {}
    for stream in streams([route for route in mine if route.name in forward], folder):
        if is_running(folder) and applied_until_now(stream, "certificate", seconds=DRAIN_SECONDS):
            capture = read_progress(stream.spool)
            positions[stream.name] = capture.position if capture is not None else ""
        else:
            late |= {route.name for route in stream.routes}
    undrained = {route.flow.service for route in mine if route.name in late}
    return Standstill(
        fenced=tuple(sorted(fenced)), drained=tuple(sorted(fenced - undrained)), positions=positions
    )


def _since(route: Route, begun: dict[str, float], fences: Fences) -> bool:
    """Whether a flow that is not followed was loaded behind the fence: then nothing was written that it has not."""
    since_ms = fences.late_after_ms(route.flow.source.connection, {route.flow.service})
    return since_ms is not None and begun.get(route.name, 0.0) * 1000 >= since_ms
