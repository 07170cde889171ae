"""Writes to this machine's disk that fail as a ResourceError, and survive a power cut where that matters."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from greylag.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns any OSError inside into a ResourceError that names `path` and says whether the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ResourceError(
                f"cannot write {path}: {os.strerror(error.errno or 0)}",
                advice="Free some space there and run the same command again: it goes on from the last checkpoint.",
            ) from error
        raise ResourceError(
            f"cannot use {path}: {error.strerror or error}",
            advice="Give the user who runs greylag the right to read and write there.",
        ) from error


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path`, durably: whoever reads it finds all of it, or what was there before.
    Raises ResourceError.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
