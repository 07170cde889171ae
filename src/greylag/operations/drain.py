"""`greylag drain`: whether everything written at the sources before the call has been applied.

A mark is made at each source; the barrier that capture puts behind it in the spool has to be passed by apply. No record
may be stale at the target, unless it was accepted by name.
"""

from __future__ import annotations

import itertools
import time
import uuid
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.console.units import plural
from greylag.engine.follow.acceptance import stale
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.capture import ask_barrier, read_progress
from greylag.engine.follow.stream import Stream, streams
from greylag.errors import StateError
from greylag.operations.prepare import prepare
from greylag.operations.rivals import resting
from greylag.operations.streams import followed
from greylag.state import drained
from greylag.state import fences as fencing
from greylag.state.directions import carried_back
from greylag.state.locks import is_running
from greylag.state.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from greylag.config import Project
    from greylag.engine.route import Route

_POLL_SECONDS: Final = 0.05
_SILENT_SECONDS: Final = 10.0
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class StreamDrain:
    """One source: whether all written before its mark is applied, and what keeps it from that."""

    stream: str
    passed: bool
    hindrances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DrainReport:
    """What a drain found. `stale`: records that could not be carried while following and that nobody accepted."""

    streams: tuple[StreamDrain, ...]
    stale: int
    stale_first: tuple[str, ...]
    seconds: float

    @property
    def drained(self) -> bool:
        """Whether the targets hold everything written before the call."""
        return all(each.passed for each in self.streams) and not self.stale

    @property
    def hindrances(self) -> tuple[str, ...]:
        """What stands in the way, in words."""
        found = [f"{each.stream}: {text}" for each in self.streams for text in each.hindrances]
        if self.stale:
            named = ", ".join(self.stale_first) + (" ..." if self.stale > len(self.stale_first) else "")
            found.append(f"{plural(self.stale, 'record')} stale at the target: {named}")
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {**asdict(self), "drained": self.drained, "hindrances": self.hindrances}


def drain(
    project: Project, *, timeout_seconds: float, clock: Callable[[], float] = time.monotonic
) -> DrainReport:
    """Wait until everything written before the call is applied, no longer than `timeout_seconds`.

    Raises StateError where nothing is followed.
    """
    began = clock()
    folder = project.state_folder
    with Store(folder / "state.sqlite", read_only=True) as store:
        back = carried_back(folder)
        flows = {flow: stream for flow, stream in followed(store).items() if flow not in back}
    routes: tuple[Route, ...] = ()
    if flows:
        prepared = prepare(project, exactly=flows)
        rest = resting(folder, prepared.flows)
        routes = tuple(route for route in prepared.routes if route.name not in rest)
    if not routes:
        raise StateError(
            "nothing is followed here, so nothing can drain",
            advice="`greylag run --follow` follows the sources.",
        )
    fences = fencing.load(folder)
    waiting = {each.name: (each, _ask(each)) for each in streams(routes, folder)}
    names = sorted(waiting)
    while waiting and clock() - began < timeout_seconds:
        for name, (stream, barrier) in list(waiting.items()):
            if _passed(stream, barrier):
                del waiting[name]
        if waiting:
            time.sleep(_POLL_SECONDS)
    found = tuple(
        StreamDrain(name, name not in waiting, _hindrances(waiting[name][0]) if name in waiting else ())
        for name in names
    )
    count, first = _stale(folder)
    report = DrainReport(found, count, first, clock() - began)
    if report.drained:
        drained.note(folder, [route.name for route in routes], fences)
    return report


def _ask(stream: Stream) -> str:
    """Have everything written before now followed by a barrier; its name."""
    barrier = f"drain-{uuid.uuid4().hex}"
    with closing(stream.routes[0].source.source()) as source, closing(stream.feed(source)) as feed:
        ask_barrier(stream.spool, barrier, feed.mark())
    return barrier


def _passed(stream: Stream, barrier: str) -> bool:
    with Applied.look(stream.applied) as applied:
        return applied is not None and applied.passed(barrier)


def _hindrances(stream: Stream) -> tuple[str, ...]:
    found = []
    if not is_running(stream.folder):
        found.append("no `greylag run --follow` is running")
    capture = read_progress(stream.spool)
    if capture is None:
        return (*found, "its changes have never been captured")
    if time.time() - capture.at > _SILENT_SECONDS:
        found.append(f"capture has told nothing for {time.time() - capture.at:.0f} s")
    if capture.full:
        found.append("the spool is full")
    with Applied.look(stream.applied) as applied:
        progress = None if applied is None else applied.progress()
    if progress is None:
        return (*found, "nothing of it has been applied yet: its load has not ended, or is still settling")
    if behind := max(0, capture.spooled - progress.ordinal):
        found.append(f"{plural(behind, 'change')} of the spool to be applied")
    if progress.waiting:
        found.append(
            f"{plural(progress.waiting, 'key')} waiting for requests whose outcome is unknown and that may still land"
        )
    return tuple(found) or ("its stream has not yet given what was written before the call",)


def _stale(folder: Path) -> tuple[int, tuple[str, ...]]:
    found = (each for each, accepted in stale(folder) if not accepted)
    first = [f"{each.entry['flow']} {each.entry['key']}" for each in itertools.islice(found, _SHOWN)]
    return len(first) + sum(1 for _ in found), tuple(first)
