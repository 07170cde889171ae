"""Streams that begin anew: their loads too, and once these have ended, what is gone at the source goes at the target.

Each step notes what is to be done before it does it, so that an interrupted one is done again.
"""

from __future__ import annotations

import shutil
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from greylag.core.progress import LOADED
from greylag.engine.disk import sync_folder, writing
from greylag.engine.follow.acceptance import forget as forget_accepted
from greylag.engine.repair import repair
from greylag.errors import StateError
from greylag.operations.rates import stated
from greylag.operations.verify import folder_of, verification
from greylag.state import directions, drained

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.config import Project
    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.follow.stream import Stream
    from greylag.operations.prepare import Prepared
    from greylag.state.store import Store

UNSETTLED: Final = "follow.unsettled"
"""Noted while writes from before may still land."""

_RELOADING: Final = "follow.reloading"
_PURGE: Final = "follow.purge"


def begin_anew(
    project: Project,
    store: Store,
    prepared: Prepared,
    streams: Sequence[Stream],
    *,
    restart: bool,
    reload: Sequence[str],
) -> None:
    """Streams that begin anew lose their spool and what was applied; the loads of their flows begin anew too. `reload`
    names services or flows; `restart`: all of them.
    """
    names = {each.name for each in streams}
    again = names if restart else set(store.noted(_RELOADING) or []) & names
    if reload:
        chosen = {flow.name for flow in project.select(reload, [route.flow for route in prepared.routes])}
        again |= {each.name for each in streams if chosen & {route.name for route in each.routes}}
    _refuse_ended(project, [each for each in streams if each.name not in again])
    if not again:
        return
    if not restart:
        store.note(_PURGE, sorted({*(store.noted(_PURGE) or []), *again}))
    store.note(_RELOADING, sorted(again))
    unsettled = bool(store.noted(UNSETTLED))
    loading = {each.flow for each in store.flows() if each.stage not in LOADED}
    store.note(UNSETTLED, True)
    for stream in streams:
        if stream.name in again:
            if unsettled or stream.applied.exists() or any(route.name in loading for route in stream.routes):
                time.sleep(late_write_seconds(stream))
            _forget(stream)
            forget_accepted(project.state_folder, {route.name for route in stream.routes})
            for route in stream.routes:
                store.forget(route.name)
            names = {route.name for route in stream.routes}
            drained.forget(project.state_folder, names)
            directions.note(project.state_folder, names, None)
    store.note(_RELOADING, [])


def purge(
    project: Project,
    store: Store,
    prepared: Prepared,
    streams: Sequence[Stream],
    *,
    executor: Executor,
    observe: Callable[[Snapshot], None],
) -> None:
    """After a load from a new position, and before apply: items whose records are gone are deleted. A record that
    comes back later has its change in the spool.
    """
    again = set(store.noted(_PURGE) or [])
    names = {route.name for each in streams if each.name in again for route in each.routes}
    if not names:
        return
    store.note(UNSETTLED, True)
    chosen = replace(prepared, routes=tuple(route for route in prepared.routes if route.name in names))
    verification(project, chosen, None, executor=executor, observe=observe)
    repair(
        chosen.routes,
        executor=executor,
        folder=folder_of(project, None),
        state=project.state_folder,
        observe=observe,
        delete_extra=True,
        put=False,  # what was changed since the load comes with its change
        rates=stated(project, chosen.routes).divided(executor.processes),
    )
    store.note(_PURGE, [])


def _refuse_ended(project: Project, streams: Sequence[Stream]) -> None:
    """What was carried back for a while: what the index knows, and where the stream stands, is from before."""
    known = directions.load(project.state_folder)
    if names := sorted(route.name for each in streams for route in each.routes if route.name in known):
        raise StateError(
            f"flow {', '.join(names)} was carried back for a while",
            advice=f"`greylag run --follow --reload {names[0]}` loads again from a new position.",
        )


def late_write_seconds(stream: Stream) -> float:
    """How long after it was given up a request to one of the stream's targets may still land, at most."""
    longest = 0.0
    for route in {str(each.flow.table.ref): each for each in stream.routes}.values():
        with closing(route.target.target()) as target, closing(target.writer(route.table)) as writer:
            longest = max(longest, writer.late_write_seconds)
    return longest


def _forget(stream: Stream) -> None:
    """What was captured and applied of a stream is gone, durably: first the spool, which holds the position."""
    with writing(stream.spool):
        for folder in (stream.spool, stream.scratch, stream.claims):
            shutil.rmtree(folder, ignore_errors=True)
        for path in stream.applied.parent.glob(f"{stream.applied.name}*"):
            path.unlink(missing_ok=True)
        for folder in (stream.spool.parent, stream.applied.parent):
            if folder.exists():
                sync_folder(folder)
