"""A file with some of its records put, changed or deleted: written beside it, then put in its place at once.

What is not changed stays byte for byte; a changed record keeps the order of its fields and the style of its text; new
ones come at the end. One pass, in memory for one record and the changes.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from greylag.connectors.json.decoding import decode_value
from greylag.connectors.json.files import translated
from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.places import Rows, RowsFile, fingerprint
from greylag.connectors.json.pointer import enter_array
from greylag.connectors.json.rendering import COMPACT, Style, in_order_of, render, style_of
from greylag.connectors.json.structure import elements, pass_value
from greylag.core.records import Refused
from greylag.errors import ConnectorError, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from greylag.connectors.json.datasets import Dataset
    from greylag.core.values import Document

_COPY_BYTES: Final = 1 << 20


class Changes:
    """What to do: fields by key, None to delete. `key_of` tells a record's key from its fields and row."""

    def __init__(
        self, wanted: Mapping[bytes, Document | None], key_of: Callable[[Document, int], bytes | None]
    ) -> None:
        self.left = dict(wanted)
        """Those whose record has not been met."""
        self._key_of = key_of
        self._wanted = wanted
        self.style: Style | None = None
        self.changed = False

    def text(self, raw: bytes, row: int, base: str) -> bytes | None:
        """What stands in the place of a record: itself, its new text, or nothing."""
        self.style = style_of(raw, base)
        try:
            old = decode_value(raw, 0)
        except (Refused, Malformed):
            return raw
        key = self._key_of(old, row)
        if key is None or key not in self._wanted:
            return raw
        new = self._wanted[key]
        self.left.pop(key, None)
        if new is None:
            self.changed = True
            return None
        ordered = in_order_of(new, old)
        text = raw if render(ordered, COMPACT) == render(old, COMPACT) else render(ordered, self.style)
        self.changed = self.changed or text is not raw
        return text

    def added(self) -> Iterator[tuple[bytes, Document]]:
        """Records that were nowhere, in the order of their keys' changes."""
        for key, fields in self.left.items():
            if fields is not None:
                self.changed = True
                yield key, fields


def rewrite(found: Dataset, changes: Changes, row_of: Callable[[bytes], int] | None) -> None:
    """Make the changes, durably. With `row_of`, a new record's row by its key, rows are kept. Raises ConnectorError
    where the file is compressed, SourceDataError where it is malformed or written by someone else meanwhile.
    """
    if found.file.gzipped:
        raise ConnectorError(
            f"{found.file.name} is compressed: changes are not carried back into it",
            advice="Unpack it, and name the unpacked file.",
        )
    path = found.file.path.resolve()
    before = fingerprint(path)
    rows_file = RowsFile(path, found.shown) if row_of is not None else None
    draft = path.with_name(f".{path.name}.greylag-new")
    with _writable(path.parent), translated(found.file.name):
        with draft.open("wb") as out:
            old = rows_file.read() if rows_file is not None else _numbers()
            rows = Rows()
            write = _write_lines if found.file.lines else _write_array
            try:
                write(found, out, changes, _Numbering(old, rows, row_of))
            except Malformed as error:
                draft.unlink()
                raise SourceDataError(
                    f"{found.shown}: {error.reason}, at byte {error.offset}", advice="Mend the file."
                ) from error
            out.flush()
            os.fsync(out.fileno())
        if not changes.changed:
            draft.unlink()
            return
        shutil.copymode(path, draft)
        if fingerprint(path) != before:
            draft.unlink()
            raise SourceDataError(
                f"{found.file.name} was written by someone else while a change was carried back into it",
                advice="Fence the old store (`greylag fence`), then go on.",
            )
        if rows_file is not None:
            rows_file.write(rows, fingerprint(draft))
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _Numbering:
    def __init__(self, old: Iterator[int], rows: Rows, row_of: Callable[[bytes], int] | None) -> None:
        self._old = old
        self._rows = rows
        self._row_of = row_of

    def next(self) -> int:
        return next(self._old)

    def keep(self, row: int) -> None:
        self._rows.add(row)

    def keep_new(self, key: bytes) -> None:
        if self._row_of is not None:
            self._rows.add(self._row_of(key))


def _numbers() -> Iterator[int]:
    place = 0
    while True:
        yield place
        place += 1


def _write_lines(found: Dataset, out: BinaryIO, changes: Changes, numbering: _Numbering) -> None:
    ended = True
    with found.file.plain() as file:
        for line in file:
            raw = line.strip()
            if not raw:
                out.write(line)
                continue
            row = numbering.next()
            text = changes.text(raw, row, "")
            if text is not None:
                numbering.keep(row)
                out.write(line.replace(raw, text) if text is not raw else line)
                ended = line.endswith(b"\n")
    for key, fields in changes.added():
        if not ended:
            out.write(b"\n")
        out.write(render(fields, _one_line(changes.style)) + b"\n")
        ended = True
        numbering.keep_new(key)


def _one_line(style: Style | None) -> Style:
    return COMPACT if style is None else Style(None, "", style.comma, style.colon, style.ascii)


def _write_array(found: Dataset, out: BinaryIO, changes: Changes, numbering: _Numbering) -> None:
    with found.file.plain() as plain, found.file.window() as window:
        enter_array(window, found.steps, found.shown)
        _copy(plain, out, window.offset)
        first_gap, between, written = b"", b"", 0
        window.mark = window.position
        for count, _ in enumerate(elements(window)):
            start = window.position - window.mark
            pass_value(window)
            both = window.data[window.mark : window.position]
            gap, raw = both[:start], both[start:]
            if count == 0:
                first_gap = gap
            else:
                between = gap
            row = numbering.next()
            text = changes.text(raw, row, _base(gap, first_gap))
            if text is not None:
                numbering.keep(row)
                out.write((between or b"," + first_gap) if written else first_gap)
                out.write(text)
                written += 1
            window.mark = window.position
        rest = window.data[window.mark : window.position - 1]
        between = between or b"," + (first_gap or b" ")
        style = changes.style or Style()
        for key, fields in changes.added():
            out.write(between if written else first_gap)
            out.write(render(fields, style))
            numbering.keep_new(key)
            written += 1
        out.write(rest + b"]")
        plain.seek(window.offset)
        shutil.copyfileobj(plain, out, _COPY_BYTES)


def _base(gap: bytes, first_gap: bytes) -> str:
    """What a record's line begins with."""
    for each in (gap, first_gap):
        if b"\n" in each:
            return each.rpartition(b"\n")[2].decode()
    return ""


def _copy(plain: BinaryIO, out: BinaryIO, count: int) -> None:
    while count:
        block = plain.read(min(count, _COPY_BYTES))
        if not block:
            return
        out.write(block)
        count -= len(block)


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """A fence takes the right to write the folder from everyone; it is given back for the moment of writing."""
    with translated(str(folder)):
        mode = stat.S_IMODE(folder.stat().st_mode)
        allowed = os.access(folder, os.W_OK)
        if not allowed:
            folder.chmod(mode | stat.S_IWUSR)
    try:
        yield
    finally:
        if not allowed:
            folder.chmod(mode)
