"""Copies of the files that are followed, as they were at a feed's first position: what a load reads.

A feed that looks at files from time to time does not see every state they have. A load must read none that it did not
see: a record that came and went between two looks would stay at the target for good. So the load reads a copy, which
nobody writes.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

from greylag.connectors.json.files import translated
from greylag.connectors.json.watching import FileState

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.connectors.json.files import DataFile

_FOLDER: Final = "snapshot"


def root_of(scratch: Path, live: Path) -> Path:
    """Where the copies stand: a folder, or one file where the connection is one."""
    return scratch / _FOLDER / live.name if live.is_file() else scratch / _FOLDER


def copy(file: DataFile, scratch: Path) -> FileState | None:
    """Copy the file, durably; the state it has, None where it changed meanwhile and there is no copy."""
    target = scratch / _FOLDER / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    before = FileState.of(file.path)
    beside = target.with_name(f".{target.name}.new")
    with translated(file.name), file.path.open("rb") as source, beside.open("wb") as written:
        shutil.copyfileobj(source, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())
    if before is None or FileState.of(file.path) != before:
        beside.unlink()
        return None
    os.utime(beside, ns=(before.mtime_ns, before.mtime_ns))
    beside.replace(target)
    return before
