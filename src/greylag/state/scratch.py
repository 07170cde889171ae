"""Folders for what does not fit into memory: gone with their owner, or where it was killed when the next one begins."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HELD = ".held"


@contextmanager
def scratch(folder: Path, prefix: str) -> Iterator[Path]:
    """A new folder `prefix…` in `folder`, which must exist. Those of owners that no longer live are removed first."""
    for left in folder.glob(f"{prefix}*"):
        _remove_unheld(left)
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
    descriptor = os.open(path / _HELD, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def _remove_unheld(path: Path) -> None:
    """A folder without the file may be one that is being made: it is left alone."""
    try:
        descriptor = os.open(path / _HELD, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)
