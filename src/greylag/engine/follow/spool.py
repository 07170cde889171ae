"""The spool: what a stream has given, durable on this machine until it is applied.

One process writes a spool, one or more read it. It is a folder of segments, named for the ordinal of their first entry
in sixteen hex digits, and `end`, which says how far they are durable. A batch's changes and the position after them
are written, then made durable, then `end` says so; no reader looks beyond `end`. So what a reader has seen is never
lost, and a position is never saved before the changes it covers.

After a crash the writer cuts the last segment back to its last position, and the stream is read again from there:
nothing is lost, and nothing that a reader saw comes twice. What was cut was never seen. After a cut ordinals leap
(`LEAP`): should a reader have applied more than the disk still holds (`end` lost by a power cut and bytes lost by the
medium, both), it is told so, and does not take new entries for those it has applied.

Bounded: while it is `full` the writer waits until readers have applied and discarded whole segments.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from greylag.core.change import SPOOL_BYTES
from greylag.engine.disk import sync_folder, writing
from greylag.engine.follow import segments
from greylag.engine.follow.entries import Barrier, Position, encoded
from greylag.engine.follow.segments import MAGIC, End, segment_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.change import ChangeBatch
    from greylag.engine.follow.entries import Content, Entry

SEGMENT_BYTES: Final = 16 << 20
LEAP: Final = 2**32

_SEGMENTS_AT_LEAST: Final = 8


class SpoolWriter:
    """The only writer of a spool, in one process. `recover` comes first. After an error it is of no further use."""

    def __init__(
        self, folder: Path, *, limit_bytes: int = SPOOL_BYTES, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self._segment_bytes = min(segment_bytes, max(1, limit_bytes // _SEGMENTS_AT_LEAST))
        self._file: BinaryIO | None = None
        self._first = self._next = self._size = 0
        self._position: Position | None = None

    def recover(self) -> str | None:
        """Make the spool whole after any end of its last writer; the last position it holds, None in a new one.

        Raises StateError where bytes that were durable have changed.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        durable = segments.read_end(self.folder)
        cut = False
        while self._position is None and (found := segments.segments(self.folder)):
            path = segment_path(self.folder, found[-1])
            size, self._next, self._position, whole = segments.scan(path, found[-1])
            if durable is not None and durable.segment == found[-1] and size < durable.size:
                raise segments.damaged(path, size)
            cut = cut or not whole
            if self._position is None:  # it was being made
                with writing(path):
                    path.unlink()
            elif not whole:
                segments.truncate(path, size)
        if durable is not None and self._next < durable.ordinal:
            raise segments.missing(self.folder, durable.ordinal - 1)
        self._begin_segment(self._next + (LEAP if cut and self._position is not None else 0))
        return self.position

    @property
    def position(self) -> str | None:
        """The last durable position."""
        return None if self._position is None else self._position.position

    @property
    def next_ordinal(self) -> int:
        """The ordinal that the next entry will have; all before it are durable."""
        return self._next

    @property
    def size_bytes(self) -> int:
        """What the spool holds on disk now."""
        return segments.size_bytes(self.folder)

    @property
    def full(self) -> bool:
        """Whether nothing more should be appended until segments have been discarded."""
        return self.size_bytes >= self.limit_bytes

    def append(self, batch: ChangeBatch) -> None:
        """Hold the batch, and the position after it; durable on return. A batch is held whole, whatever its size."""
        entries: list[Content] = list(batch.changes)
        if batch.event is not None:
            entries.append(batch.event)
        self._hold(entries, Position(batch.position, batch.clock_ms))

    def barrier(self, name: str) -> None:
        """Put a barrier after all that was appended; durable on return. A position has been appended before."""
        assert self._position is not None, "a barrier stands after a position"
        self._hold([Barrier(name)], self._position)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with suppress(OSError):  # what a full disk did not take was promised to nobody
                self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _hold(self, entries: list[Content], position: Position) -> None:
        assert self._file is not None, "recover comes first"
        entries.append(position)
        raw = b"".join([encoded(ordinal, each) for ordinal, each in enumerate(entries, self._next)])
        with writing(segment_path(self.folder, self._first)):
            self._file.write(raw)
            self._file.flush()
            os.fdatasync(self._file.fileno())
        self._size += len(raw)
        self._next += len(entries)
        self._position = position
        if self._size >= self._segment_bytes:
            self._begin_segment(self._next)
        else:
            segments.publish_end(self.folder, End(self._first, self._size, self._next))

    def _begin_segment(self, first: int) -> None:
        """At once, not with the next batch: only then can the segment before it be discarded. It begins with the last
        position, which may then be discarded with what was before.
        """
        self.close()
        raw = b"" if self._position is None else encoded(first, self._position)
        self._file = segments.create(segment_path(self.folder, first), raw)
        self._first, self._size = first, len(MAGIC) + len(raw)
        self._next = first + (self._position is not None)
        segments.publish_end(self.folder, End(self._first, self._size, self._next))


class SpoolReader:
    """Reads a spool that another process may be writing; also where no writer has been yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._left = (
            0,
            0,
            len(MAGIC),
        )  # the ordinal after the last entry given, its segment, and the byte after it

    @property
    def end(self) -> int:
        """The ordinal after the last durable entry."""
        durable = segments.read_end(self.folder)
        return 0 if durable is None else durable.ordinal

    @property
    def size_bytes(self) -> int:
        """What the spool holds on disk now."""
        return segments.size_bytes(self.folder)

    def read(self, start: int) -> Iterator[Entry]:
        """The entries from the ordinal `start` on that are durable now, in order; then it ends. To go on, read again
        from the ordinal after the last one: that costs nothing for what was read before.

        Raises StateError where bytes have changed since they were written, and where entries are gone that no reader
        discarded.
        """
        durable = segments.read_end(self.folder)
        if durable is None or start >= durable.ordinal:
            return
        found = [first for first in segments.segments(self.folder) if first <= durable.segment]
        for first, following in zip(found, [*found[1:], durable.ordinal], strict=True):
            if following <= start:
                continue
            if first > start:
                break
            at = first
            place = len(MAGIC)
            if self._left[:2] == (start, first):
                at, _, place = self._left
            size = durable.size if first == durable.segment else None
            for after, entry in segments.entries(
                segment_path(self.folder, first), at, place=place, size=size
            ):
                at = entry.ordinal + 1
                if entry.ordinal == start:
                    start = at
                    self._left = start, first, after
                    yield entry
            if start != at or 0 < abs(following - at) < LEAP:
                break
            start = following
        if start != durable.ordinal:
            raise segments.missing(self.folder, start)

    def discard(self, below: int) -> None:
        """Delete the segments all of whose entries have an ordinal smaller than `below`; never the last one."""
        durable = segments.read_end(self.folder)
        for first, following in itertools.pairwise(segments.segments(self.folder)):
            if durable is None or following > min(below, durable.segment):
                return
            with writing(self.folder), suppress(FileNotFoundError):
                segment_path(self.folder, first).unlink()
