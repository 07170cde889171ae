"""A handle on a process, which never comes to mean another one even when its pid is given away again."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Handle:
    """Holds one process. Linux knows this as a pidfd; elsewhere the pid itself has to do."""

    def __init__(self, pid: int, descriptor: int | None) -> None:
        self._pid = pid
        self._descriptor = descriptor

    def send(self, which: signal.Signals) -> None:
        """Sends a signal; nothing happens when the process has ended."""
        try:
            if self._descriptor is not None:
                signal.pidfd_send_signal(self._descriptor, which)
            else:
                os.kill(self._pid, which)
        except ProcessLookupError:
            pass

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for the end of the process, however long with None. False when `seconds` passed before."""
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            return bool(poll.poll(None if seconds is None else seconds * 1000))
        deadline = None if seconds is None else time.monotonic() + seconds
        while _exists(self._pid):
            if deadline is not None and time.monotonic() > deadline:
                return False
            select.select([], [], [], 0.05)
        return True


@contextmanager
def open_process(pid: int) -> Iterator[Handle | None]:
    """A handle on the process that has this pid now; None when there is none."""
    if not hasattr(os, "pidfd_open"):
        yield Handle(pid, None) if _exists(pid) else None
        return
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield Handle(pid, descriptor)
    finally:
        os.close(descriptor)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
