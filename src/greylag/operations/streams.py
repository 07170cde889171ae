"""How far following is, from the files of capture and apply alone: for `status`, the terminal and metrics."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from greylag.console.units import duration, size
from greylag.core.progress import StreamProgress
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.capture import read_progress
from greylag.engine.follow.stream import Stream
from greylag.state.directions import carried_back

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from greylag.engine.follow.capture import CaptureProgress
    from greylag.state.store import Store

WARN_SHARE: Final = 0.25
"""A warning when less than this share of what the source keeps is left before changes not yet spooled are lost."""
SILENT_SECONDS: Final = 30.0
"""A capture that told nothing for so long is taken to be not running; it tells every second."""

BEHIND_MS: Final = 60_000
"""A capture whose newest change was older than this when it was spooled is behind."""

_FOLLOWED: Final = "follow.flows"


def followed(store: Store) -> dict[str, str]:
    """The flows that are followed, each with the name of its stream."""
    found: dict[str, str] | None = store.noted(_FOLLOWED)
    return found or {}


def remember(store: Store, streams: Sequence[Stream]) -> None:
    """Note that these are followed from now on."""
    store.note(
        _FOLLOWED, followed(store) | {route.name: each.name for each in streams for route in each.routes}
    )


def progress(folder: Path, names: Sequence[str], *, now: float | None = None) -> tuple[StreamProgress, ...]:
    """How far the streams of these names are, by their files in the state folder."""
    now = time.time() if now is None else now
    return tuple(_progress(Stream(name, (), folder), now) for name in names)


def progress_back(folder: Path) -> tuple[StreamProgress, ...]:
    """How far the streams are that go back, named by their connection and service."""
    back = carried_back(folder)
    found = []
    for flows in sorted((folder / "reverse").glob("*/flows.json")) if back else ():
        if back.isdisjoint(json.loads(flows.read_bytes())):
            continue
        service = flows.parent
        names = [unquote(each.name) for each in sorted(service.glob("spool/*"))]
        found += [
            replace(each, stream=f"{each.stream}, back for {unquote(service.name)}")
            for each in progress(service, names)
        ]
    return tuple(found)


def _progress(stream: Stream, now: float) -> StreamProgress:
    capture = read_progress(stream.spool)
    with Applied.look(stream.applied) as applied:
        done = None if applied is None else applied.progress()
    found = StreamProgress(stream.name)
    if capture is not None:
        left = capture.history.left_seconds
        left = None if left is None else max(0.0, left - (now - capture.at))
        found = StreamProgress(
            stream.name,
            changes_captured=capture.changes,
            changes_behind=max(0, capture.spooled - (0 if done is None else done.ordinal)),
            captured_until_ms=capture.clock_ms,
            spool_bytes=capture.spool_bytes,
            spool_limit_bytes=capture.limit_bytes,
            history_seconds=left,
            warning=_warning(capture, left, now),
        )
    if done is None:
        return found
    return StreamProgress(
        **{name: getattr(found, name) for name in StreamProgress.__dataclass_fields__}
        | {
            "changes_applied": done.changes,
            "keys_waiting": done.waiting,
            "records_stale": done.stale,
            "lag_p50_ms": done.lag.p50_ms,
            "lag_p99_ms": done.lag.p99_ms,
            "lag_max_ms": done.lag.max_ms,
            "applied_until_ms": done.clock_ms,
        }
    )


def _warning(capture: CaptureProgress, left: float | None, now: float) -> str:
    silent = now - capture.at > SILENT_SECONDS
    if not (silent or capture.full or capture.behind_ms > BEHIND_MS):
        return ""
    why = "capture is not running" if silent else "the spool is full" if capture.full else "capture is behind"
    kept = capture.history.kept_seconds
    if left is not None and kept is not None and left < WARN_SHARE * kept:
        if left == 0:
            return f"{why}: the source may have lost changes that are not spooled yet"
        return f"{why}: in {duration(left)} the source will have lost changes that are not spooled yet"
    if capture.full and not silent:
        return (
            f"the spool is full ({size(capture.spool_bytes)}): capture waits until apply has gone on; the source keeps "
            + ("what is to come" if left is None else f"what is to come for {duration(left)} more")
        )
    return ""
