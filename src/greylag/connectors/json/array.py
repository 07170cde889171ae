"""The records of one array, as pages: in batches cut between records, one by one where that does not work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from greylag.connectors.json.decoding import decode_batch, decode_value, numbered
from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.structure import next_element, pass_value
from greylag.connectors.json.window import BLOCK_BYTES
from greylag.core.records import Refused, Rejection

if TYPE_CHECKING:
    from greylag.connectors.json.window import Window
    from greylag.core.records import Record
    from greylag.core.values import Document

_BETWEEN = re.compile(rb'[ \t\r\n]*,[ \t\r\n]*\{[ \t\r\n]*(?:"[^"\\]{0,200}"?)?')


class ArrayReader:
    """Reads on from `window`, which stands just after an array's `[` (`row` 0), or just after an element.

    After each call `offset` is where the last record ends and `row` that of the next. A page ends with the record
    that fills it, however its records were found; so what a call gives depends on the array, the place and its
    argument alone (law 2).
    """

    def __init__(self, window: Window, row: int, *, batch_bytes: int = BLOCK_BYTES) -> None:
        self.offset = window.offset
        self.row = row
        self.finished = False
        self.records: list[Record] = []
        self.rejected: list[Rejection] = []
        self._window = window
        self._batch_bytes = batch_bytes
        self._between: bytes | None = None
        self._mistaken = False

    def read(self, page_bytes: int) -> None:
        """Set `records` and `rejected` to what comes next: `page_bytes`, and what the last record has beyond that;
        set `finished` after the array's `]`. Raises Malformed, with all that came before it in `records` and
        `rejected`.
        """
        self.records, self.rejected = [], []
        start = self.offset
        self._between, self._mistaken = None, False  # learned anew: files change their style midway
        while (left := page_bytes - (self.offset - start)) > 0:
            if not next_element(self._window, after_value=self.row > 0):
                self.finished = True
                return
            self._read_some(min(left, self._batch_bytes))

    def _read_some(self, size: int) -> None:
        """At least the one element the window stands at, about `size` bytes."""
        window = self._window
        if self._between is not None:
            window.fill(size)
            end = self._cut(size)
            if end is not None:
                batch = decode_batch(b"[%b]" % window.data[window.position : end])
                if batch is not None:
                    self._take(batch, window.origin + end)
                    window.position = end
                    return
                self._mistaken = True
        self._read_scanning(size if self._between is not None else 1)

    def _cut(self, size: int) -> int | None:
        """Where, within `size` bytes, a record probably ends, going by what stood between earlier ones.

        Only decoding tells whether it does: text up to there is whole exactly if it decodes.
        """
        assert self._between is not None
        data, start = self._window.data, self._window.position
        found = data.rfind(self._between, start, start + size)
        if self._mistaken and found >= 0:
            # The same bytes stand inside records: take the last place where brackets balance.
            balance = _balance(data, start, found + 1)
            while found >= 0 and balance != (0, 0):
                earlier = data.rfind(self._between, start, found + 1)
                if earlier < 0:
                    return None
                curly, square = _balance(data, earlier + 1, found + 1)
                balance = (balance[0] - curly, balance[1] - square)
                found = earlier
        return None if found < 0 else found + 1

    def _read_scanning(self, size: int) -> None:
        """Elements of together `size` bytes or more, their ends found exactly."""
        window = self._window
        window.mark = window.position
        first = window.offset
        spans: list[tuple[int, int]] = []
        failure: Malformed | None = None
        try:
            while True:
                start = window.offset
                pass_value(window)
                spans.append((start, window.offset))
                if window.offset - first >= size:
                    break
                window.peek()
                if window.data[window.position : window.position + 1] != b",":
                    break
                next_element(window, after_value=True)
        except Malformed as error:
            failure = error
        assert window.mark is not None
        window.mark = None
        if spans:
            window.position = spans[-1][1] - window.origin
            self._decode(window.data, window.origin, spans)
        if failure is not None:
            raise failure
        if self._between is None:
            self._learn()

    def _decode(self, data: bytes, base: int, spans: list[tuple[int, int]]) -> None:
        if len(spans) > 1:
            batch = decode_batch(b"[%b]" % data[spans[0][0] - base : spans[-1][1] - base])
            if batch is not None:
                self._take(batch, spans[-1][1])
                return
        for start, end in spans:
            raw = data[start - base : end - base]
            batch = decode_batch(b"[%b]" % raw)
            if batch is None:
                try:
                    batch = [decode_value(raw, start)]
                except Refused as refused:
                    self.rejected.append(Rejection(self.row, refused.reason, refused.fix, raw=raw))
                    self.row += 1
                    self.offset = end
                    continue
            self._take(batch, end)

    def _take(self, batch: list[Document], end: int) -> None:
        self.records += numbered(batch, self.row)
        self.row += len(batch)
        self.offset = end

    def _learn(self) -> None:
        """What stands between the record just read and the next, up to that one's first key."""
        window = self._window
        if window.data[window.position - 1 : window.position] != b"}":
            return
        window.fill(BLOCK_BYTES)
        match = _BETWEEN.match(window.data, window.position)
        self._between = b"}" + match[0] if match else None


def _balance(data: bytes, start: int, end: int) -> tuple[int, int]:
    count = data.count
    return (
        count(b"{", start, end) - count(b"}", start, end),
        count(b"[", start, end) - count(b"]", start, end),
    )
