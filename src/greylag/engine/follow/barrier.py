"""Waiting until everything that was written to a source before now has been applied."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from typing import TYPE_CHECKING, Final

from greylag.engine.follow.applied import Applied
from greylag.engine.follow.capture import ask_barrier

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.engine.follow.stream import Stream

_POLL_SECONDS: Final = 0.05


def applied_until_now(
    stream: Stream, purpose: str, *, seconds: float, going: Callable[[], bool] = lambda: True
) -> bool:
    """Whether apply passed, within `seconds`, a mark that is made now. Capture and apply have to be running; nothing
    is waited for once they are not `going`.
    """
    barrier = f"{purpose}-{uuid.uuid4().hex}"
    with closing(stream.routes[0].source.source()) as source, closing(stream.feed(source)) as feed:
        ask_barrier(stream.spool, barrier, feed.mark())
    deadline = time.monotonic() + seconds
    while going() and time.monotonic() < deadline:
        with Applied.look(stream.applied) as applied:
            if applied is not None and applied.passed(barrier):
                return True
        time.sleep(_POLL_SECONDS)
    return False
