"""A spool's files: its segments, one after the other, and `end`, which says how far they are durable."""

from __future__ import annotations

import os
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from greylag.engine.disk import sync_folder, writing
from greylag.engine.follow.entries import HEAD, Damaged, Entry, Position, decoded
from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.engine.follow.entries import Content

MAGIC: Final = b"glseg\x00\x01\n"
_END: Final = struct.Struct(">QQQ")
_CHECKSUM: Final = struct.Struct(">I")
_READ_BYTES: Final = 1 << 20
_READS: Final = 5
"""How often `end` is read: it may be read while it is being written."""

_READ_ANEW = (
    "What stood there and was not applied yet can only be read anew: `greylag run --follow --reload FLOW` loads the "
    "flow's dataset again from a new position, without emptying the target."
)


class End(NamedTuple):
    """How far a spool is durable: the segment that is being written, its bytes, and the ordinal after them."""

    segment: int
    size: int
    ordinal: int


class Scanned(NamedTuple):
    """A segment up to its last position: the bytes, the ordinal after them, that position (None: there is none), and
    whether the segment ends there.
    """

    size: int
    ordinal: int
    position: Position | None
    whole: bool


def segments(folder: Path) -> list[int]:
    """The first ordinals of the segments, in order."""
    with suppress(FileNotFoundError):
        return sorted(int(path.stem, 16) for path in folder.iterdir() if path.suffix == ".seg")
    return []


def segment_path(folder: Path, first: int) -> Path:
    """Where the segment stands whose first entry has the ordinal `first`."""
    return folder / f"{first:016x}.seg"


def size_bytes(folder: Path) -> int:
    """What all segments take on disk now."""
    total = 0
    for first in segments(folder):
        with suppress(FileNotFoundError):
            total += segment_path(folder, first).stat().st_size
    return total


def read_end(folder: Path) -> End | None:
    """How far the spool is durable; None where nothing is known to be."""
    for _ in range(_READS):
        try:
            raw = (folder / "end").read_bytes()
        except FileNotFoundError:
            return None
        if len(raw) == _END.size + _CHECKSUM.size:
            told = raw[: _END.size]
            if _CHECKSUM.pack(zlib.crc32(told)) == raw[_END.size :]:
                return End(*_END.unpack(told))
    return None


def publish_end(folder: Path, end: End) -> None:
    """Say that everything before `end` is durable. That it was said may be forgotten by a power cut."""
    told = _END.pack(*end)
    path = folder / "end"
    with writing(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(descriptor, told + _CHECKSUM.pack(zlib.crc32(told)), 0)
        finally:
            os.close(descriptor)


def entries(
    path: Path, ordinal: int, *, place: int = len(MAGIC), size: int | None = None
) -> Iterator[tuple[int, Entry]]:
    """The entries of a segment from the byte `place` on, where that of `ordinal` begins, each with the place after it;
    up to `size` bytes, None: all. Raises StateError where bytes are not what was written.
    """
    with writing(path), path.open("rb", buffering=_READ_BYTES) as file:
        if size is None:
            size = os.fstat(file.fileno()).st_size
        if file.read(len(MAGIC)) != MAGIC:
            raise damaged(path, 0)
        file.seek(place)
        while place < size:
            found = _next_entry(file, ordinal, size - place)
            if found is None:
                raise damaged(path, place)
            place += found[0]
            yield place, Entry(ordinal, found[1])
            ordinal += 1


def scan(path: Path, first: int) -> Scanned:
    """Read a segment that may have been cut off anywhere."""
    with writing(path), path.open("rb", buffering=_READ_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        if file.read(len(MAGIC)) != MAGIC:
            return Scanned(0, first, None, whole=False)
        place, ordinal = len(MAGIC), first
        kept: tuple[int, int, Position | None] = place, ordinal, None
        while (entry := _next_entry(file, ordinal, size - place)) is not None:
            place, ordinal = place + entry[0], ordinal + 1
            if isinstance(entry[1], Position):
                kept = place, ordinal, entry[1]
        return Scanned(*kept, whole=kept[0] == size)


def truncate(path: Path, size: int) -> None:
    """Cut a segment, durably."""
    with writing(path), path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def create(path: Path, raw: bytes) -> BinaryIO:
    """A new segment that holds `raw`, durably, its name too."""
    with writing(path):
        file = path.open("xb")
        file.write(MAGIC + raw)
        file.flush()
        os.fsync(file.fileno())
        sync_folder(path.parent)
        return file


def damaged(path: Path, place: int) -> StateError:
    """Bytes that were durable have changed."""
    return StateError(
        f"{path} is damaged at byte {place}: it is not what was written there", advice=_READ_ANEW
    )


def missing(folder: Path, ordinal: int) -> StateError:
    """An entry that was durable and that nobody discarded is gone."""
    return StateError(f"{folder} no longer holds its entry {ordinal}", advice=_READ_ANEW)


def _next_entry(file: BinaryIO, ordinal: int, left: int) -> tuple[int, Content] | None:
    """The entry that stands next and its length; None where the next `left` bytes do not begin with a whole one."""
    if left < HEAD.size:
        return None
    length, checksum = HEAD.unpack(file.read(HEAD.size))
    if HEAD.size + length > left:
        return None
    try:
        return HEAD.size + length, decoded(ordinal, checksum, file.read(length))
    except Damaged:
        return None
