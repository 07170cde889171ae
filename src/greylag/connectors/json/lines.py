"""JSON Lines: the records of a range of lines as pages, and how a file is cut into such ranges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from greylag.connectors.json.decoding import decode_batch, decode_lines, decode_value, numbered
from greylag.connectors.json.window import BLOCK_BYTES
from greylag.core.records import Refused, Rejection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from greylag.connectors.json.window import Window
    from greylag.core.records import Record
    from greylag.core.values import Document

_SPACE = b" \t\r"
_BLANK_LINE = re.compile(rb"\n[ \t\r]*(?=\n)")
_COUNTING_BYTES = 1 << 20


class LinesReader:
    """Reads on from `window`, which stands at the start of a line, to the window's end; blank lines are no records.

    `offset`, `row`, `records` and `rejected` as for `array.ArrayReader`.
    """

    def __init__(self, window: Window, row: int, *, batch_bytes: int = BLOCK_BYTES) -> None:
        self.offset = window.offset
        self.row = row
        self.finished = False
        self.records: list[Record] = []
        self.rejected: list[Rejection] = []
        self._window = window
        self._batch_bytes = batch_bytes

    def read(self, page_bytes: int) -> None:
        """As `ArrayReader.read`; a page of blank lines alone is never given."""
        self.records, self.rejected = [], []
        start = self.offset
        while (left := page_bytes - (self.offset - start)) > 0 or not (self.records or self.rejected):
            lines = self._lines(min(max(left, 1), self._batch_bytes))
            if not lines:
                self.finished = True
                return
            batch = decode_lines(lines)
            if batch is None:
                self._decode_each(lines)
            else:
                self._take(batch, len(lines))
            self._window.position = self.offset - self._window.origin

    def _lines(self, size: int) -> bytes:
        """Whole lines: as many as fit in `size`, or one; b"" at the end."""
        window = self._window
        window.fill(size)
        data, start = window.data, window.position
        end = data.rfind(b"\n", start, start + size)
        while end < 0:
            held = len(window.data) - window.position
            searched = min(size, held)
            end = window.data.find(b"\n", window.position + searched)
            if end < 0:
                size = held
                if not window.more():
                    return window.data[window.position :]
        return window.data[window.position : end + 1]

    def _decode_each(self, lines: bytes) -> None:
        for line in _split(lines):
            raw = line.strip(b" \t\r\n")
            if not raw:
                self.offset += len(line)
                continue
            batch = decode_batch(b"[%b]" % raw)
            if batch is None or len(batch) != 1:
                try:
                    batch = [decode_value(raw, self.offset + line.index(raw))]
                except Refused as refused:
                    self.rejected.append(Rejection(self.row, refused.reason, refused.fix, raw=raw))
                    self.row += 1
                    self.offset += len(line)
                    continue
            self._take(batch, len(line))

    def _take(self, batch: list[Document], size: int) -> None:
        self.records += numbered(batch, self.row)
        self.row += len(batch)
        self.offset += size


def _split(lines: bytes) -> Iterator[bytes]:
    """The lines, each with its line break. (`bytes.splitlines` breaks at a lone carriage return too.)"""
    start = 0
    while start < len(lines):
        end = lines.find(b"\n", start) + 1 or len(lines)
        yield lines[start:end]
        start = end


class Range(NamedTuple):
    """The lines from byte `start` up to `end`, the first record of which is `row`."""

    start: int
    end: int
    row: int


def ranges(file: BinaryIO, start: int, end: int, *, range_bytes: int) -> Iterator[Range]:
    """The lines between `start` and `end`, cut at line ends into ranges of about `range_bytes`.

    A range is yielded before what follows it is looked at; records are counted by their line breaks.
    """
    row = 0
    while start < end:
        stop = _line_end(file, start + max(range_bytes, 1) - 1, end)
        yield Range(start, stop, row)
        if stop < end:
            row += count_records(file, start, stop)
        start = stop


def _line_end(file: BinaryIO, place: int, end: int) -> int:
    """Just after the first line break at or after `place`."""
    file.seek(place)
    while place < end:
        block = file.read(min(BLOCK_BYTES, end - place))
        found = block.find(b"\n")
        if found >= 0:
            return place + found + 1
        if not block:
            break
        place += len(block)
    return end


def count_records(file: BinaryIO, start: int, end: int) -> int:
    """How many lines between `start` and `end` are not blank."""
    file.seek(start)
    count = 0
    content = False  # whether the line that a block ended in has any, so far
    while start < end:
        block = file.read(min(_COUNTING_BYTES, end - start))
        if not block:
            break
        start += len(block)
        first = block.find(b"\n")
        if first < 0:
            content = content or bool(block.strip(_SPACE))
            continue
        count += content or bool(block[:first].strip(_SPACE))
        count += block.count(b"\n") - 1 - len(_BLANK_LINE.findall(block, first))
        content = bool(block[block.rfind(b"\n") + 1 :].strip(_SPACE))
    return count + content
