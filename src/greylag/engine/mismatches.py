"""The file of mismatches: one JSON line each, written as they are found.

A line has `kind` (missing, different, extra, contested), `flow`, `item` (the hash of its key), `key` as it stands at
the target and `id` of the source's record, both in extended JSON; and for a different item its `differences`, each
with its `path` and the value of either side (left out where there is none).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from greylag.engine.disk import writing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MISMATCHES = "mismatches.jsonl"
REMAINING = "remaining.jsonl"


class MismatchFile:
    """Begins the file anew. Every method raises ResourceError when the disk is full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")

    def add(self, lines: Iterable[bytes]) -> None:
        """Append whole lines."""
        with writing(self._path):
            self._file.writelines(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with writing(self._path):
            self._file.close()
