"""What apply wrote of late, for whoever verifies meanwhile: whose records changed, and which keys were taken away.

`verify --follow` asks for it by a file that names a part, and from then on apply notes every window there *before* it
writes: what the target holds is never newer than the note. The next part begins when the file names another, so
the one before is whole once a window that began after that has been applied. A part that outgrew its bound, or that
a change has no place in, says so and takes no more; then everything is to be read. Apply has no other use for it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from greylag.core.extended_json import from_extended, to_extended
from greylag.core.records import Erased
from greylag.engine.disk import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from greylag.core.values import Document, Value
    from greylag.engine.follow.carrier import Carrier
    from greylag.engine.follow.index import Written
    from greylag.engine.follow.window import Window

PART_BYTES: Final = 256 << 20
"""What one part may take: some millions of changes."""

_WANTED: Final = "wanted"
_OVERFLOW: Final = "overflow"
_UNKNOWN: Final = "unknown"
_WHY: Final = {
    _OVERFLOW: "more had changed than is noted",
    _UNKNOWN: "its source finds no record by the id that its changes have",
}


class Touched(NamedTuple):
    """A change, as noted. `what` is "record" (this one changed), "erased" (the key is taken away) or "put" (it is
    written).
    """

    what: str
    flow: str
    id: Value = None
    key: Document | None = None


class ChangedLog:
    """The side of apply. `keys` gives the key attributes of a body, for each flow."""

    def __init__(
        self,
        folder: Path,
        carriers: Mapping[str, Sequence[Carrier]],
        keys: Mapping[str, Callable[[bytes], Document]],
        *,
        most_bytes: int = PART_BYTES,
    ) -> None:
        self._folder = folder
        self._carriers = carriers
        self._places: dict[str, list[str]] = {}
        for found in carriers.values():
            for each in found:
                self._places.setdefault(each.place, []).append(each.flow)
        self._keys = keys
        self._most_bytes = most_bytes
        self._part = ""
        self._size = 0

    def note(self, window: Window, writes: Sequence[Written]) -> None:
        """What will be written of the window. Free where nobody has asked."""
        part = self._wanted()
        if not part:
            return
        path = self._folder / part
        if part != self._part:
            self._part = part
            self._size = _mended(path)
        if self._size >= self._most_bytes or not (window.latest or writes):
            return
        rows: list[bytes] = []
        try:
            rows += [_row(each) for each in self._changes(window)]
            rows += [_row(each) for each in self._written(writes)]
        except _UnknownError:
            rows, self._size = [_row(Touched(_UNKNOWN, ""))], self._most_bytes
        raw = b"".join(rows)
        if self._size < self._most_bytes <= self._size + len(raw):
            raw = _row(Touched(_OVERFLOW, ""))
            self._size = self._most_bytes
        with writing(path), path.open("ab") as file:
            file.write(raw)
        self._size += len(raw)

    def _wanted(self) -> str:
        try:
            return (self._folder / _WANTED).read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def _changes(self, window: Window) -> Iterator[Touched]:
        for (dataset, id_), change in window.latest.items():
            for carrier in self._carriers.get(dataset, ()):
                known = carrier.known(id_).id
                if known is None:
                    raise _UnknownError
                yield Touched("record", carrier.flow, known)
                if not carrier.indexed:
                    what = "erased" if change.document is None else "put"
                    for each in carrier.keys(change):
                        yield Touched(what, carrier.flow, None, self._keys[carrier.flow](each.body))

    def _written(self, writes: Sequence[Written]) -> Iterator[Touched]:
        for each in writes:
            for flow in [each.flow] if each.flow else self._places[each.place]:
                what = "erased" if isinstance(each.item, Erased) else "put"
                yield Touched(what, flow, None, self._keys[flow](each.item.body))


@dataclass(frozen=True, slots=True)
class ChangedParts:
    """The side of who verifies."""

    folder: Path

    def ask(self, part: int) -> None:
        """Have windows that begin from now on noted in this part."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            beside = self.folder / f".{_WANTED}"
            beside.write_text(_part(part), encoding="ascii")
            beside.replace(self.folder / _WANTED)

    def read(self, part: int, start: int = 0) -> Iterator[tuple[int, Touched]]:
        """What it holds from byte `start` on, each with the byte after it. Raises TooMuchError if that is not all."""
        with suppress(FileNotFoundError), (self.folder / _part(part)).open("rb") as file:
            yield from _rows(file, start)

    def size(self, part: int) -> int:
        """Where it ends now, in bytes."""
        with suppress(FileNotFoundError):
            return (self.folder / _part(part)).stat().st_size
        return 0

    def drop(self, part: int) -> None:
        """It is not needed any more."""
        (self.folder / _part(part)).unlink(missing_ok=True)

    def end(self) -> None:
        """Nothing is to be noted any more."""
        if not self.folder.exists():
            return
        (self.folder / _WANTED).unlink(missing_ok=True)
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)


class TooMuchError(Exception):
    """Not all changes are noted; why, in words."""


class _UnknownError(Exception):
    pass


def _mended(path: Path) -> int:
    """Its size, once a row that a kill cut off has an end of its own."""
    try:
        with path.open("rb+") as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                if file.read(1) != b"\n":
                    size += file.write(b"\n")
    except FileNotFoundError:
        return 0
    return size


def _part(number: int) -> str:
    return f"{number}.jsonl"


def _rows(file: BinaryIO, start: int) -> Iterator[tuple[int, Touched]]:
    file.seek(start)
    for line in file:
        if not line.endswith(b"\n"):
            return  # it is being written, or apply was killed: then the window comes again
        start += len(line)
        try:
            what, flow, id_, key = json.loads(line)
        except ValueError:  # cut off by a kill: its window came again
            continue
        if what in _WHY:
            raise TooMuchError(_WHY[what])
        yield start, Touched(what, flow, from_extended(id_), _document(key))


def _document(told: Any) -> Document | None:
    found = from_extended(told)
    assert found is None or isinstance(found, dict)
    return found


def _row(each: Touched) -> bytes:
    key = None if each.key is None else to_extended(each.key)
    told = [each.what, each.flow, to_extended(each.id), key]
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
