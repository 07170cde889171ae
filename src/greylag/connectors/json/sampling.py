"""Samples of a JSON file: spread over what can be read in a moment, else over places of JSON Lines."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Final, NamedTuple

from greylag.connectors.json.lines import LinesReader
from greylag.connectors.spread import spread
from greylag.core.inventory import Sample
from greylag.core.records import Page, Record, Rejection
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.connectors.json.files import DataFile

PASSED_BYTES: Final = 64 << 20
"""A file, or of a larger array its beginning, of so many bytes is read to its end; of gzip, as many decompressed."""
PLACES: Final = 128
"""A larger file of lines is read at so many places."""
HELD_BYTES: Final = 4 << 20
"""How much is read before it is known how many records there may be."""


class Spot(NamedTuple):
    """A place to read lines at: from the line that begins after `start`, up to `end`; and how many records."""

    start: int
    end: int
    records: int


def spots(size: int, count: int) -> Iterator[Spot]:
    """Random places, one in each of equal parts of a file of `size` bytes; together `count` records.
    The same for the same size.
    """
    chance = random.Random(size)  # noqa: S311 - no secret hangs on it
    places = min(PLACES, count)
    for number in range(places):
        start, end = size * number // places, size * (number + 1) // places
        records = count * (number + 1) // places - count * number // places
        # Not from the last part of it: the lines to be read should lie in it, too.
        yield Spot(start + int(chance.random() * (end - start) / 2) if number else 0, end, records)


def lines_at(file: DataFile, spot: Spot, page_bytes: int) -> Page | None:
    """The records that begin in `spot`, as many as it asks for; None where none does. Their ids are None: nobody
    counted the lines before.
    """
    with file.window(spot.start, end=None) as window:
        if spot.start:
            while (found := window.data.find(b"\n", window.position)) < 0:
                window.position = len(window.data)
                if not window.more():
                    return None
            window.position = found + 1
        if window.offset >= spot.end:
            return None
        reader = LinesReader(window, 0)
        start = reader.offset
        records: list[Record] = []
        rejected: list[Rejection] = []
        while (
            not reader.finished and len(records) + len(rejected) < spot.records and reader.offset < spot.end
        ):
            reader.read(page_bytes)
            records += [Record(None, each.fields) for each in reader.records]
            rejected += [Rejection(None, each.reason, each.fix, raw=each.raw) for each in reader.rejected]
        kept = records[: max(0, spot.records - len(rejected))]
        return Page(kept, "", reader.offset - start, rejected[: spot.records]) if kept or rejected else None


def spread_sample(pages: Iterator[Page], count: int, file: DataFile) -> Sample:
    """About `count` records at even distances of the file whose `pages` these are, or of its beginning."""
    ahead = Ahead(pages)
    content = _content_bytes(file)
    expected = ahead.records if ahead.ended else ahead.records * content / ahead.bytes_read
    if expected <= count:
        return Sample(ahead.pages(), "every record", whole=True)
    passed = min(content, PASSED_BYTES)
    if ahead.ended or (passed == content and not file.gzipped):
        where = "the whole file"
    else:
        where = f"the first {PASSED_BYTES >> 20} MB of its content; later ones may look different"
    share = min(1.0, count / expected * content / passed)
    chosen = cut(spread(ahead.pages(), share), PASSED_BYTES, 2 * count)
    return Sample(chosen, f"records at even distances over {where}")


def cut(pages: Iterator[Page], size: int, records: int) -> Iterator[Page]:
    """Pages up to about `size` bytes of source, and to `records`."""
    for page in pages:
        yield page
        size -= page.bytes_read
        records -= len(page.records) + len(page.rejected)
        if size <= 0 or records <= 0:
            return


def _content_bytes(file: DataFile) -> int:
    """How much the file holds. A gzip file says it in its last four bytes, modulo 4 GB and of its last member alone:
    what cannot be true gives way to a guess.

    Source: https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
    """
    size = file.version().size
    if not file.gzipped or size < 4:
        return size
    with file.plain() as stream:
        stream.seek(-4, os.SEEK_END)
        told = int.from_bytes(stream.read(4), "little")
    return told if told >= size else 4 * size


class Ahead:
    """Pages read ahead of time: `HELD_BYTES` of them, or all there are (`ended`)."""

    def __init__(self, pages: Iterator[Page]) -> None:
        self._rest = pages
        self._held: list[Page] = []
        self.records = self.bytes_read = 0
        self.ended = False
        self._failure: SourceDataError | None = None
        while self.bytes_read < HELD_BYTES:
            try:
                page = next(pages, None)
            except SourceDataError as error:
                self._failure = error
                page = None
            if page is None:
                self.ended = True
                return
            self._held.append(page)
            self.records += len(page.records) + len(page.rejected)
            self.bytes_read += page.bytes_read

    def pages(self) -> Iterator[Page]:
        """All of them, from the first. Raises what the reading of them raised, in its place."""
        yield from self._held
        self._held.clear()
        if self._failure is not None:
            raise self._failure
        yield from self._rest
