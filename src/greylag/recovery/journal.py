"""How far a backup or a restore has come: an append-only file of JSON lines in the state folder.

A line is durable when `add` returns. A last line that was cut off by a crash is no line.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.engine.disk import sync_folder, writing
from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Journal:
    """One file of lines."""

    path: Path

    @classmethod
    def of(cls, folder: Path, what: str, *names: str) -> Journal:
        """The journal of `what` (backup, restore) between the places `names`."""
        told = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        return cls(folder / f"{what}-{told}.jsonl")

    def add(self, *lines: Any) -> None:
        """Append, durably."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = not self.path.exists()
            with self.path.open("ab") as file:
                for line in lines:
                    file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if new:
                sync_folder(self.path.parent)

    def lines(self) -> Iterator[Any]:
        """All of them; a torn last one is cut off first. Raises StateError for what is no journal."""
        if not self.path.exists():
            return
        self._mend()
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise StateError(
                        f"{self.path} is damaged at line {number}",
                        advice="`--restart` forgets it and begins anew.",
                    ) from None

    def forget(self) -> None:
        """No error where there is none."""
        self.path.unlink(missing_ok=True)

    def _mend(self) -> None:
        with writing(self.path), self.path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            end = size
            while end:
                start = max(0, end - 65_536)
                file.seek(start)
                found = file.read(end - start).rfind(b"\n")
                if found >= 0:
                    end = start + found + 1
                    break
                end = start
            if end < size:
                file.truncate(end)
