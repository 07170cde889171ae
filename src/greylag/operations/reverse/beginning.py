"""When changes may begin to be carried back, and when that is given up.

Back begins only where forward has ended: the old store takes no more writes of the application, all that was written
before has been applied, and no request of it can still land. Then it is noted which way the flows go, durably, and
only after that the position at the target is taken: nothing that was carried forward comes back.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from greylag.console.units import duration, plural
from greylag.core.change import RawChange
from greylag.core.progress import LOADED
from greylag.engine.disk import sync_folder, write_whole
from greylag.engine.follow.acceptance import stale
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.spool import SpoolReader
from greylag.engine.follow.stream import streams
from greylag.errors import NotDrained, PositionLost, StateError
from greylag.operations.follow.anew import UNSETTLED, late_write_seconds
from greylag.operations.streams import followed
from greylag.state import directions, drained
from greylag.state import fences as fencing
from greylag.state.locks import run_lock
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from greylag.engine.follow.stream import Stream
    from greylag.engine.route import Route
    from greylag.state.fences import Fences

BACK: Final = (
    "`greylag follow --reverse --compare` compares every item with the old store and carries what differs, from a new "
    "position."
)
COMPARE: Final = "compare"
COMPARE_LATER: Final = "compare later"
"""Once nothing that was sent before can land any more."""
_UNBEGUN: Final = "unbegun"
_ADVICE: Final = (
    "In this order: `greylag fence SERVICE`, `greylag drain`, then end `greylag run --follow`, then carry back. Where "
    "the old store cannot be fenced, --frozen states that nothing writes there any more."
)


def begin_back(folder: Path, routes: Sequence[Route], *, frozen: bool) -> None:
    """Note that these flows go back from now on; those that do so already are left as they are. What an earlier way
    back of their services left behind is forgotten first.

    Raises NotDrained where forward may not have ended for one of them, StateError while a run goes on. `frozen`: the
    user states that nothing has been written at the source since the drain, or since the load of what is not followed.
    """
    known = directions.load(folder)
    fresh = [route for route in routes if known.get(route.name) != directions.BACK]
    if not fresh:
        return
    with run_lock(folder):
        hindrances = list(dict.fromkeys(_hindrances(folder, fresh, known, frozen=frozen)))
        if hindrances:
            raise NotDrained("nothing can be carried back yet: " + "; ".join(hindrances), advice=_ADVICE)
        going = {route.flow.service for route in routes} - {route.flow.service for route in fresh}
        for service in {route.flow.service for route in fresh} - going:
            begin_anew(service_folder(folder, service), compare=False)
        directions.note(folder, [route.name for route in fresh], directions.BACK)
        drained.forget(folder, [route.name for route in fresh])


def service_folder(folder: Path, service: str) -> Path:
    """Where the way back of a service keeps its state."""
    return folder / "reverse" / quote(service, safe="")


def begin_anew(folder: Path, *, compare: bool) -> None:
    """Forget what a service's way back has kept, but for locks, and whether both sides are to be compared, and when.
    Until `begun` says otherwise that is `unbegun`: interrupted, it is done again.
    """
    how = "" if not compare else COMPARE_LATER if _may_land(folder) else COMPARE
    write_whole(folder / _UNBEGUN, how.encode())
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.suffix != ".lock" and path.name != _UNBEGUN:
            path.unlink()


def unbegun(folder: Path) -> str | None:
    """How a service's way back is to begin since `begin_anew`: COMPARE, COMPARE_LATER or ""; None where it has."""
    try:
        return (folder / _UNBEGUN).read_text(encoding="ascii")
    except FileNotFoundError:
        return None


def _may_land(folder: Path) -> bool:
    """Whether requests to the old stores may still be on their way: of an apply that was killed or does not know what
    became of them, or of a comparison that was.
    """
    before = unbegun(folder)
    if before is not None:
        return before != ""
    paths = list(folder.glob("apply/*.sqlite"))
    return not paths or any(_leaves_open(path) for path in paths)


def _leaves_open(path: Path) -> bool:
    try:
        with Applied.look(path) as applied:
            return applied is not None and (applied.noted("intent") is not None or bool(applied.held()))
    except StateError:
        return True


def begun(folder: Path) -> None:
    """The position is durable, and what was to be compared is."""
    (folder / _UNBEGUN).unlink(missing_ok=True)
    sync_folder(folder)


def refuse_lost(folder: Path) -> None:
    """Raise PositionLost where a service's way back had begun and its spool, with the position, is gone."""
    if unbegun(folder) is None and not any(folder.glob("spool/*/*.seg")):
        raise PositionLost(f"what {folder} kept is gone: where the way back stood is not known", advice=BACK)


def end_back(folder: Path, routes: Sequence[Route]) -> None:
    """They go back no more. What was written at the target so far has been carried."""
    directions.note(folder, [route.name for route in routes], directions.ENDED)


def _hindrances(
    folder: Path, routes: Sequence[Route], known: Mapping[str, str], *, frozen: bool
) -> Iterator[str]:
    fences = fencing.load(folder)
    if not (folder / "state.sqlite").exists():
        raise StateError("nothing was loaded from here", advice="`greylag run` loads.")
    with Store(folder / "state.sqlite", read_only=True) as store:
        forward = followed(store)
        flows = {each.flow: each for each in store.flows()}
        unsettled = bool(store.noted(UNSETTLED))
    for route in routes:
        service, state = route.flow.service, flows.get(route.name)
        if state is None or state.stage not in LOADED:
            yield f"flow {route.name} is not loaded"
        elif known.get(route.name) == directions.ENDED:
            yield f"flow {route.name} was carried back before: load it again first (`greylag run --follow --reload`)"
        elif not frozen and _fenced_since(fences, service) is None:
            yield f"service {service} is not fenced"
        elif route.name in forward:
            yield from _unfollowed(folder, route, state.stage, fences, frozen=frozen)
        elif not frozen and not _loaded_behind(route, state.started_at, fences):
            yield f"flow {route.name} is not followed, and its load began before the fence"
    for stream in streams([route for route in routes if route.name in forward], folder):
        yield from _not_applied(stream, unsettled=unsettled)


def _unfollowed(folder: Path, route: Route, stage: str, fences: Fences, *, frozen: bool) -> Iterator[str]:
    seen = drained.load(folder).get(route.name)
    if stage != "following":
        yield f"flow {route.name} is {stage}"
    elif seen is None:
        yield f"flow {route.name} has not been drained"
    elif not frozen and seen.get(route.flow.service) != _fenced_since(fences, route.flow.service):
        yield f"flow {route.name} has not been drained since service {route.flow.service} was fenced"
    left = sum(1 for _, accepted in stale(folder, route.name) if not accepted)
    if left:
        yield f"{plural(left, 'record')} of flow {route.name} stale at the target"


def _not_applied(stream: Stream, *, unsettled: bool) -> Iterator[str]:
    datasets = {route.dataset.dataset for route in stream.routes}
    with Applied.look(stream.applied) as applied:
        progress = None if applied is None else applied.progress()
        position = 0 if applied is None else applied.noted("position") or 0
        held = {place for place, _ in applied.held()} if applied is not None else set()
        intent = None if applied is None else applied.noted("intent")
        waiting = 0 if applied is None else applied.waiting_before_barriers()
    left = sum(
        1
        for _, content in SpoolReader(stream.spool).read(position)
        if isinstance(content, RawChange) and content.dataset in datasets
    )
    if left or intent is not None or waiting:
        yield f"{stream.name}: changes in the spool are not applied"
    places = {str(route.flow.table.ref) for route in stream.routes}
    if progress is not None and (held & places or unsettled):
        rest = late_write_seconds(stream) - (time.time() - progress.at)
        if rest > 0:
            yield f"{stream.name}: requests whose outcome is unknown may land for {duration(rest)} more"


def _fenced_since(fences: Fences, service: str) -> Mapping[str, int] | None:
    known = fences.service(service)
    whole = known is not None and known.side == "source" and known.state == "fenced"
    return known.since_ms if known is not None and whole else None


def _loaded_behind(route: Route, began: float, fences: Fences) -> bool:
    since_ms = fences.late_after_ms(route.flow.source.connection, {route.flow.service})
    return since_ms is not None and began * 1000 >= since_ms
