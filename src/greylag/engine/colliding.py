"""The keys that more than one source record maps to, looked up on disk.

Two files side by side: `<name>.keys`, entries of 24 bytes in ascending order (the key's 16-byte hash, then where its
line stands), and `<name>.jsonl`, one line a key, with how many items share it and the first few of them.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from typing import TYPE_CHECKING, Any

from greylag.core import extended_json
from greylag.engine.disk import sync_folder, writing
from greylag.engine.spill import DIGEST_BYTES, hashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from greylag.core.values import Value
    from greylag.engine.spill import Entry

_OFFSET = struct.Struct(">Q")
_WIDTH = DIGEST_BYTES + _OFFSET.size
SHOWN = 4
"""How many of the items that share a key are kept for messages."""


def keys_in(path: Path) -> int:
    """How many keys the file holds; none if there is no file."""
    return path.stat().st_size // _WIDTH if path.exists() else 0


class CollidingKeys:
    """The colliding keys of one table. Takes no memory of its own: a map of a file, and a binary search.

    `path` names the `.keys` file; where there is none, no key collides. Safe to open in many processes.
    """

    def __init__(self, path: Path | None) -> None:
        self._map: mmap.mmap | None = None
        self._details: mmap.mmap | None = None
        if path is not None and path.exists() and path.stat().st_size:
            self._map = _mapped(path)
            self._details = _mapped(path.with_suffix(".jsonl"))

    def __len__(self) -> int:
        return 0 if self._map is None else len(self._map) // _WIDTH

    def __contains__(self, key: bytes) -> bool:
        """Whether more than one item maps to `key` (as in `Encoded.key`)."""
        return self._map is not None and self._find(hashed(key)) is not None

    def holds(self, digest: bytes) -> bool:
        """As `in`, for a key already hashed by `spill.hashed`."""
        return self._map is not None and self._find(digest) is not None

    def reason(self, key: bytes, flow: str, record_id: Value) -> str:
        """Why the record `record_id` of `flow` is quarantined: which others map to `key`. KeyError if none does."""
        place = None if self._map is None else self._find(hashed(key))
        if place is None:
            raise KeyError(key)
        own = [flow, extended_json.to_extended(record_id)]
        detail = self._detail(place)
        others = [each for each in detail["items"] if each != own]
        if not others:
            return "two of its items map to the same key"
        named = ", ".join(f"{_text(each[1])} of flow {each[0]}" for each in others[: SHOWN - 1])
        more = detail["count"] - 1 - len(others[: SHOWN - 1])
        return f"maps to the same key as record {named}" + (f" and {more} more" if more > 0 else "")

    def close(self) -> None:
        """Let go of the files."""
        for each in (self._map, self._details):
            if each is not None:
                each.close()
        self._map = self._details = None

    def _find(self, digest: bytes) -> int | None:
        assert self._map is not None
        low, high = 0, len(self._map) // _WIDTH
        while low < high:
            middle = (low + high) // 2
            here = self._map[middle * _WIDTH : middle * _WIDTH + DIGEST_BYTES]
            if here == digest:
                return middle
            if here < digest:
                low = middle + 1
            else:
                high = middle
        return None

    def _detail(self, place: int) -> dict[str, Any]:
        assert self._map is not None
        assert self._details is not None
        (offset,) = _OFFSET.unpack_from(self._map, place * _WIDTH + DIGEST_BYTES)
        self._details.seek(offset)
        return json.loads(self._details.readline())  # type: ignore[no-any-return]


class CollidingKeysWriter:
    """Writes the two files, keys in ascending order. What is at `path` is replaced by `finish`, not before; where
    there is no key there is no file.
    """

    def __init__(self, path: Path, flows: Sequence[str]) -> None:
        self._path = path
        self._flows = flows
        self._partial = path.with_suffix(".partial"), path.with_suffix(".jsonl.partial")
        self._files: tuple[BinaryIO, BinaryIO] | None = None
        self.keys = 0

    def add(self, digest: bytes, count: int, shown: Iterable[Entry]) -> None:
        """`count` source items share the key of this hash; `shown` are the first of them."""
        items = [[self._flows[each.flow], json.loads(each.label)] for each in shown]
        line = json.dumps({"count": count, "items": items}, ensure_ascii=True, separators=(",", ":"))
        with writing(self._path):
            keys, details = self._open()
            keys.write(digest + _OFFSET.pack(details.tell()))
            details.write(line.encode() + b"\n")
        self.keys += 1

    def finish(self) -> None:
        """The files are in place, durably."""
        with writing(self._path):
            if self._files is None:
                self._path.unlink(missing_ok=True)
                return
            for file in self._files:
                file.flush()
                os.fsync(file.fileno())
                file.close()
            self._partial[1].replace(self._path.with_suffix(".jsonl"))
            self._partial[0].replace(self._path)
            sync_folder(self._path.parent)

    def _open(self) -> tuple[BinaryIO, BinaryIO]:
        if self._files is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._files = self._partial[0].open("wb"), self._partial[1].open("wb")
        return self._files


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _text(extended: Any) -> str:
    return json.dumps(extended, ensure_ascii=False)
