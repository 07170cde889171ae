"""A fence around JSON files: a lock file that says so, and files and folders that only root can still write."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.json.datasets import locate
from greylag.connectors.json.files import translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCK: Final = ".greylag-fence"
"""The lock file of a fenced folder. An application that looks for it can say why it writes no more."""

_WRITING: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class JsonFence:
    """See `ports.Fence`. A thing is a file, or its folder: whoever may write a folder may put another file in place of
    one. Modes do not hold root, nor a process that has a file open for writing already.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def things(self, datasets: Sequence[str], who: str | None) -> Sequence[str]:  # noqa: ARG002 - files know no users
        """See `ports.Fence.things`: the folders first."""
        files = sorted({locate(self._root, each).file.path.resolve() for each in datasets})
        folders = sorted({path.parent for path in files})
        return [str(path) for path in (*folders, *files)]

    def look(self, thing: str) -> Mapping[str, Any]:
        """See `ports.Fence.look`."""
        with translated(thing):
            found = Path(thing).stat()
        return {"mode": stat.S_IMODE(found.st_mode), "folder": stat.S_ISDIR(found.st_mode)}

    def impose(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """See `ports.Fence.impose`."""
        path, mode = Path(thing), before["mode"] & ~_WRITING
        did = []
        with translated(thing):
            if before["folder"]:
                if not (path / LOCK).exists():
                    path.chmod(before["mode"])
                    (path / LOCK).write_text(
                        json.dumps({"fenced_by": "greylag", "mode": before["mode"]}) + "\n"
                    )
                did.append(f"{path / LOCK} says that the folder is fenced")
            path.chmod(mode)
        did.append(f"{thing} has the mode {mode:04o} instead of {before['mode']:04o}")
        if os.geteuid() == 0 and before["folder"]:
            did.append("root is held by no mode: an application that runs as root has to be stopped")
        return did

    def lift(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """See `ports.Fence.lift`."""
        path = Path(thing)
        if not path.exists():
            return (f"{thing} is gone",)
        with translated(thing):
            path.chmod(before["mode"])
            if before["folder"]:
                (path / LOCK).unlink(missing_ok=True)
        return (f"{thing} has its mode {before['mode']:04o} again",)

    def clock_ms(self) -> int:
        """See `ports.Fence.clock_ms`."""
        return time.time_ns() // 1_000_000

    def close(self) -> None:
        """Nothing is open."""
