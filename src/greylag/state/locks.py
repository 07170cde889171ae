"""Locks of the operating system: they die with their holder, so none is ever stale.

`run.lock` is held by the coordinator of a run. `workers.lock` is held shared by each of its workers, so that the
next coordinator can wait until the last worker of a killed one has ended before it reads the checkpoints.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORKERS_END_SECONDS = 60.0
_POLL_SECONDS = 0.05
_LOOKERS_SECONDS = 5.0


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold this state folder as its only coordinator. Raises StateError while another holds it, or while its
    workers have not ended within a minute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if not _locked(descriptor):
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace").strip() or "unknown"
            raise StateError(
                f"another greylag (process {holder}) is working on {folder}",
                advice="Wait for it to end, or stop it with Ctrl-C; `greylag status` shows how far it is.",
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        _wait_for_workers(folder)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Take the lock for a coordinator, unless another has it. Those who only look (`is_running`) hold it shared for
    a moment: they are waited for.
    """
    deadline = time.monotonic() + _LOOKERS_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            if time.monotonic() > deadline:
                return False
            time.sleep(random.uniform(0.001, 0.01))  # noqa: S311 - so that two do not wait for each other
        else:
            return True


def is_running(folder: Path) -> bool:
    """Whether some coordinator holds this state folder now. Changes nothing."""
    try:
        descriptor = os.open(folder / "run.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def hold_worker_lock(folder: Path) -> int:
    """Mark this process as a worker for as long as it lives; the descriptor must stay open."""
    descriptor = os.open(folder / "workers.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _wait_for_workers(folder: Path) -> None:
    descriptor = os.open(folder / "workers.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + _WORKERS_END_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StateError(
                        f"worker processes of an earlier run on {folder} have not ended",
                        advice=f"`fuser {folder / 'workers.lock'}` names them; end them and run the command again.",
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return
    finally:
        os.close(descriptor)
