"""Whether a file that others write has changed, and whether it may be read now.

Going by inode, size and time of change, and by content where these cannot tell: a file that was read within a moment
of being written may be written again without a trace, and is read again. A file that is just being written is waited
for.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

QUIET_SECONDS: Final = 0.1
"""A file is read once it has been left alone for so long."""
BUSY_SECONDS: Final = 2.0
"""One that is never left alone is read all the same."""
GONE_SECONDS: Final = 2.0
"""How long a file may be away while another is put in its place, or be empty while it is written anew."""
DAMAGED_SECONDS: Final = 15.0
"""How long a file may stand there unchanged and not be JSON: somebody may be in the middle of writing it."""

_FINE_SECONDS: Final = 0.05
_COARSE_SECONDS: Final = 2.1
"""How exactly file systems tell when a file was written; some only to two seconds."""


class FileState(NamedTuple):
    """What a file system tells of a file's content."""

    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """None where there is no file."""
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)

    def version(self) -> str:
        """As text; with a `?` behind it for a state that does not prove its content (see `certain`)."""
        return f"{self.inode}:{self.size}:{self.mtime_ns}"

    def certain(self, read_at: float) -> bool:
        """Whether content read from this moment on (seconds since 1970) cannot change without the state changing."""
        exact = _COARSE_SECONDS if self.mtime_ns % 1_000_000_000 == 0 else _FINE_SECONDS
        return read_at - self.mtime_ns / 1e9 > exact


@dataclass(slots=True)
class Watched:
    """One file between two looks at it. Times are those of the monotonic clock."""

    state: FileState | None = None
    since: float = 0.0
    """Since when it is in this state."""
    busy_since: float | None = None
    """Since when it has kept changing."""

    def look(self, path: Path) -> FileState | None:
        """How it is now."""
        now, state = time.monotonic(), FileState.of(path)
        if state != self.state:
            if self.busy_since is None:
                self.busy_since = now
            self.state, self.since = state, now
        elif now - self.since >= QUIET_SECONDS:
            self.busy_since = None
        return state

    @property
    def quiet(self) -> bool:
        """Whether it may be read."""
        now = time.monotonic()
        return (
            self.busy_since is None
            or now - self.since >= QUIET_SECONDS
            or now - self.busy_since >= BUSY_SECONDS
        )

    def unchanged(self, seconds: float) -> bool:
        """Whether it has been in this state for so long."""
        return time.monotonic() - self.since >= seconds


def boot() -> str:
    """Differs after this machine was started anew: then its monotonic clock begins again."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return os.name
