"""Which row each record of a file had when it was loaded: its id, where records have no other.

Deleting a record moves those behind it. A hidden file beside the data keeps their rows, for the content of the file
that stands there and for the one that is about to: so it fits whichever a crash leaves.
"""

from __future__ import annotations

import itertools
import json
import os
from typing import TYPE_CHECKING, Any

from greylag.connectors.json.files import translated
from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Rows:
    """The rows of the records of one file, in order, as ranges: the first, and how many."""

    def __init__(self, ranges: list[list[int]] | None = None) -> None:
        self.ranges = ranges or []

    def add(self, row: int) -> None:
        """The next record's."""
        if self.ranges and sum(self.ranges[-1]) == row:
            self.ranges[-1][1] += 1
        else:
            self.ranges.append([row, 1])

    def __iter__(self) -> Iterator[int]:
        for first, count in self.ranges:
            yield from range(first, first + count)


class RowsFile:
    """The hidden file beside `path`; `dataset` is the array inside it."""

    def __init__(self, path: Path, dataset: str) -> None:
        self._data = path
        self._dataset = dataset
        self.path = path.with_name(f".{path.name}.greylag-rows")

    def read(self) -> Iterator[int]:
        """The rows of the records as they stand; from 0 on where nothing was moved yet. Raises StateError where the
        file has been changed since.
        """
        told = self._told()
        if told is None:
            return itertools.count()
        now = fingerprint(self._data)
        for each in told:
            if each["file"] == now:
                found = each["rows"].get(self._dataset)
                return itertools.count() if found is None else iter(Rows(found))
        raise StateError(
            f"{self._data.name} was changed by something else than Greylag: which record had which row is not known",
            advice=f"Put the file back as it was, or remove {self.path.name} and compare with "
            "`greylag follow --reverse --compare`.",
        )

    def write(self, rows: Rows, following: list[int]) -> None:
        """Before the file is put in place whose fingerprint will be `following`; durable on return."""
        now = fingerprint(self._data)
        others: dict[str, Any] = {}
        kept: list[dict[str, Any]] = []
        for each in self._told() or [{"file": now, "rows": {}}]:
            if each["file"] == now:
                others = each["rows"]
                kept = [each]
        told = [*kept, {"file": following, "rows": {**others, self._dataset: rows.ranges}}]
        draft = self.path.with_name(self.path.name + "-new")
        with translated(str(self.path)), draft.open("w", encoding="utf-8") as file:
            json.dump(told, file)
            file.flush()
            os.fsync(file.fileno())
        with translated(str(self.path)):
            draft.replace(self.path)

    def _told(self) -> list[dict[str, Any]] | None:
        try:
            told: list[dict[str, Any]] = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        return told


def fingerprint(path: Path) -> list[int]:
    """Differs where a file was written or another was put in its place."""
    with translated(str(path)):
        found = path.stat()
    return [found.st_ino, found.st_mtime_ns, found.st_size]
