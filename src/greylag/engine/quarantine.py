"""The records that could not be carried: one JSON line each in `.greylag/quarantine/<flow>.jsonl`.

Only the coordinator writes. A line is durable before the checkpoint that covers its record, and the checkpoint
holds the file's length: lines after it, from pages that will be read again, are cut off when a run resumes.
"""

from __future__ import annotations

import base64
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import from_extended, to_extended
from greylag.core.records import Rejection
from greylag.engine.disk import sync_folder, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One flow's quarantine file."""

    flow: str
    path: Path

    @classmethod
    def of(cls, folder: Path, flow: str) -> Quarantine:
        """The quarantine of `flow` in the state folder `folder`."""
        return cls(flow, folder / "quarantine" / f"{flow}.jsonl")

    def append(self, rejections: Iterable[Rejection]) -> int:
        """Add lines, durably. The file's length in bytes after them."""
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = not self.path.exists()
            with self.path.open("ab") as file:
                for rejection in rejections:
                    file.write(line(self.flow, rejection))
                file.flush()
                os.fsync(file.fileno())
                if new:
                    sync_folder(self.path.parent)
                return file.tell()

    def truncate(self, length: int) -> None:
        """Cut off what stands after `length` bytes; no file is an empty one, and a shorter one stays as it is."""
        with suppress(FileNotFoundError):
            if self.path.stat().st_size > length:
                os.truncate(self.path, length)

    @property
    def rewriting(self) -> Path:
        """Where `quarantine retry` writes what stays, until the state says that it counts."""
        return self.path.with_suffix(".retrying")

    def settle(self, *, rewritten: bool) -> None:
        """End a retry that was interrupted: its file counts if the state had committed to it, else it is removed."""
        if rewritten and self.rewriting.exists():
            self.rewriting.replace(self.path)
            sync_folder(self.path.parent)
        self.rewriting.unlink(missing_ok=True)

    def entries(self) -> Iterator[dict[str, Any]]:
        """The lines as dicts, one at a time. A last line that is still being written, or was when its run was
        killed, is not counted: no checkpoint covers it.
        """
        for each in self.lines():
            yield json.loads(each)

    def lines(self) -> Iterator[bytes]:
        """The whole lines as they stand."""
        try:
            with self.path.open("rb") as file:
                for each in file:
                    if not each.endswith(b"\n"):
                        return
                    yield each
        except FileNotFoundError:
            return

    def count(self) -> int:
        """How many records stand here."""
        return sum(1 for _ in self.entries())


def line(flow: str, rejection: Rejection) -> bytes:
    """The line of one rejection. `key` is the source's id; `original` the record as it was, in extended JSON."""
    entry: dict[str, Any] = {
        "flow": flow,
        "key": to_extended(rejection.id),
        "reason": rejection.reason,
        "fix": rejection.fix,
        "original": to_extended(rejection.original),
    }
    if rejection.raw is not None:
        entry["raw"] = base64.b64encode(rejection.raw).decode()
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def key_text(key: object) -> str:
    """A record's key, as its line has it, as one text."""
    return json.dumps(key, sort_keys=True)


def rejection(entry: dict[str, Any]) -> Rejection:
    """The rejection a line was written from."""
    original = from_extended(entry["original"])
    assert original is None or isinstance(original, dict)
    raw = base64.b64decode(entry["raw"]) if "raw" in entry else None
    return Rejection(from_extended(entry["key"]), entry["reason"], entry["fix"], original, raw)
