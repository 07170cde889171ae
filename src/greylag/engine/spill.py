"""Joins too large for memory: entries spilled to disk by the hash of their key, then joined bucket by bucket.

Many processes write into one folder, each to files of its own: no locks, and a process that dies spoils at most
the last block of its files. Blocks carry a checksum; a reader stops at the first block that does not hold, so what
was written before the last `sync` is always read and a torn tail never is. Work that was interrupted is done
again, and an entry written twice is found to be the same one (`Entry.origin`).

A bucket that is too large is split again by the following bits of the hash, on disk. A single key with more
entries than fit in memory is streamed. Memory stays below about 160 MB for each process that joins, and
8 MB for each that writes, whatever the dataset.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import uuid
import zlib
from typing import TYPE_CHECKING, NamedTuple

from greylag.core import extended_json
from greylag.core.values import ObjectId
from greylag.engine.disk import sync_folder, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from greylag.core.values import Value

BUCKETS = 64
"""First-level buckets of a spill: by the first six bits of the key's hash."""

BUCKET_BYTES = 16 * 2**20
"""A bucket of more than this is split again instead of being joined in memory (about nine times its size)."""

BLOCK_BYTES = 64 * 2**10
"""A bucket's entries are written in blocks of about this many bytes."""

DIGEST_BYTES = 16

_BLOCK = struct.Struct(">4sII")
_MARK = b"gls2"
_OID = b'{"$oid":"%b"}'
_ENTRY = struct.Struct(">16sBBHII")

SOURCE, TARGET = 0, 1


class Entry(NamedTuple):
    """An item as one side of a join knows it.

    `key` is the digest (16 bytes) of the table key, `body` one of the canonical body (255 bytes at most); `side` is
    SOURCE or TARGET; `flow` the flow's place in its join; `place` the item's among those of its record; `label` what
    the side finds it by again, as extended JSON: a record's id, an item's key.
    """

    key: bytes
    body: bytes
    side: int
    flow: int
    place: int
    label: bytes

    @property
    def origin(self) -> tuple[int, int, int, bytes]:
        """Equal for two entries exactly when both are the same item of the same record, spilled twice."""
        return self.side, self.flow, self.place, self.label


def hashed(content: bytes) -> bytes:
    """The 16-byte BLAKE2b digest that stands for `content` on disk."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def label(value: Value) -> bytes:
    """An id or a key as an entry holds it; `extended_json.loads` gives the value back."""
    if type(value) is ObjectId:  # most of MongoDB's, and a JSON writer takes its time
        return _OID % value.binary.hex().encode()
    if type(value) is dict and len(value) == 1 and type(one := value.get("_id")) is ObjectId:
        return b'{"_id":%b}' % (_OID % one.binary.hex().encode())
    return extended_json.dumps(value).encode("utf-8", "surrogatepass")


def value_of(text: bytes) -> Value:
    """The inverse of `label`."""
    return extended_json.loads(text.decode("utf-8", "surrogatepass"))


class SpillWriter:
    """Writes entries into a spill folder from one process.

    Raises ResourceError when the disk is full. Nothing is promised to be on disk before `sync` or `close`.
    """

    def __init__(self, folder: Path, *, level: int = 0, block_bytes: int = BLOCK_BYTES) -> None:
        self._folder = folder
        self._level = level
        self._name = uuid.uuid4().hex
        self._block_bytes = block_bytes
        self._pending: dict[int, list[bytes]] = {}
        self._pending_bytes: dict[int, int] = {}
        self._unsynced: set[Path] = set()
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def add(self, entry: Entry) -> None:
        """Keep `entry` for its bucket."""
        bucket = bucket_of(entry.key, self._level)
        key, body, side, flow, place, text = entry
        raw = _ENTRY.pack(key, len(body), side, flow, place, len(text)) + body + text
        waiting = self._pending.setdefault(bucket, [])
        waiting.append(raw)
        size = self._pending_bytes.get(bucket, 0) + len(raw)
        self._pending_bytes[bucket] = size
        if size >= self._block_bytes:
            self._flush(bucket)

    def sync(self) -> None:
        """Everything added so far is durable when this returns: a checkpoint may depend on it."""
        self.flush()
        with writing(self._folder):
            for path in self._unsynced:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            if self._unsynced:
                sync_folder(self._folder)
        self._unsynced.clear()

    def flush(self) -> None:
        """Everything added so far can be read by other processes when this returns."""
        for bucket in list(self._pending):
            self._flush(bucket)

    def _flush(self, bucket: int) -> None:
        content = b"".join(self._pending.pop(bucket, ()))
        self._pending_bytes.pop(bucket, None)
        if not content:
            return
        path = self._folder / f"{bucket:02x}-{self._name}.spill"
        with writing(path), path.open("ab") as file:
            file.write(_BLOCK.pack(_MARK, len(content), zlib.crc32(content)) + content)
        self._unsynced.add(path)


class Spill:
    """A spill folder, read. All writers have flushed."""

    def __init__(self, folder: Path, *, level: int = 0, bucket_bytes: int = BUCKET_BYTES) -> None:
        self._folder = folder
        self._level = level
        self._bucket_bytes = bucket_bytes

    def groups(self, bucket: int) -> Iterator[tuple[bytes, Iterable[Entry]]]:
        """The bucket's entries by key, keys in ascending order.

        A key's entries are valid until the next key is asked for: a key with very many is streamed from disk.
        """
        if self._size(bucket) <= self._bucket_bytes:
            yield from self._in_memory(bucket)
            return
        first, alike = self._first(bucket)
        if first is not None and alike:
            yield first, self.entries(bucket)
            return
        finer = self._folder / f"{bucket:02x}-split"
        with writing(finer):
            shutil.rmtree(finer, ignore_errors=True)
        try:
            writer = SpillWriter(finer, level=self._level + 1)
            for entry in self.entries(bucket):
                writer.add(entry)
            writer.flush()
            inner = Spill(finer, level=self._level + 1, bucket_bytes=self._bucket_bytes)
            for each in range(BUCKETS):
                yield from inner.groups(each)
        finally:
            shutil.rmtree(finer, ignore_errors=True)

    def entries(self, bucket: int) -> Iterator[Entry]:
        """Every entry of the bucket, in no order, blocks that were cut off left out."""
        for path in self._files(bucket):
            yield from _entries(path)

    def _files(self, bucket: int) -> list[Path]:
        return sorted(self._folder.glob(f"{bucket:02x}-*.spill"))

    def _size(self, bucket: int) -> int:
        return sum(path.stat().st_size for path in self._files(bucket))

    def _first(self, bucket: int) -> tuple[bytes | None, bool]:
        """The first key, and whether there is no other."""
        first = None
        for entry in self.entries(bucket):
            if first is None:
                first = entry.key
            elif entry.key != first:
                return first, False
        return first, True

    def _in_memory(self, bucket: int) -> Iterator[tuple[bytes, Iterable[Entry]]]:
        by_key: dict[bytes, list[Entry]] = {}
        for entry in self.entries(bucket):
            by_key.setdefault(entry.key, []).append(entry)
        for key in sorted(by_key):
            yield key, by_key[key]


def bucket_of(key: bytes, level: int = 0) -> int:
    """The bucket of a hashed key: six bits of it, further right at each level, so that buckets in order hold keys in
    order.
    """
    if not level:
        return key[0] >> 2
    shift = 8 * DIGEST_BYTES - 6 * (level + 1)
    return (int.from_bytes(key, "big") >> max(shift, 0)) & (BUCKETS - 1)


def _entries(path: Path) -> Iterator[Entry]:
    with path.open("rb") as file:
        while len(head := file.read(_BLOCK.size)) == _BLOCK.size:
            mark, size, checksum = _BLOCK.unpack(head)
            content = file.read(size)
            if mark != _MARK or len(content) != size or zlib.crc32(content) != checksum:
                return
            place = 0
            while place < size:
                key, size_of_body, side, flow, item, length = _ENTRY.unpack_from(content, place)
                start = place + _ENTRY.size
                text = start + size_of_body
                place = text + length
                yield Entry(key, content[start:text], side, flow, item, content[text:place])
