"""A window: the entries of the spool that are applied at once, collapsed to the last change of each record."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from greylag.core.change import DatasetEvent, RawChange
from greylag.engine.follow.entries import Barrier, Position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.engine.follow.spool import SpoolReader

WINDOW_CHANGES: Final = 5000
WINDOW_BYTES: Final = 8 << 20


@dataclass(slots=True)
class Window:
    """The entries from ordinal `first` to before `end`. Each change is a whole state (law 3), so of a record's changes
    only the last one counts, and `latest` is in the order of these; what was in between never shows at the target.
    `written_ms` has one time for each change.
    """

    first: int
    end: int
    latest: dict[tuple[str, bytes], RawChange] = field(default_factory=dict)
    written_ms: list[int] = field(default_factory=list)
    barriers: list[str] = field(default_factory=list)
    event: DatasetEvent | None = None
    clock_ms: int | None = None
    late: dict[tuple[str, bytes], RawChange] = field(default_factory=dict)
    """Changes behind a fence: they are not applied, and what came before them is."""


def read_window(
    spool: SpoolReader,
    first: int,
    *,
    end: int | None = None,
    changes: int = WINDOW_CHANGES,
    most_bytes: int = WINDOW_BYTES,
    late_after_ms: Mapping[str, int] = MappingProxyType({}),
) -> Window:
    """What the spool holds from ordinal `first` on, about so much of it; with `end` exactly up to there, as it was read
    before. What was written to a dataset after its moment in `late_after_ms` is late.
    """
    window = Window(first, first)
    latest, written_ms = window.latest, window.written_ms
    size = 0
    for ordinal, content in spool.read(first):
        if end is not None and ordinal >= end:
            break
        window.end = ordinal + 1
        if isinstance(content, RawChange):
            late = content.written_ms > late_after_ms.get(content.dataset, content.written_ms)
            found, record = window.late if late else latest, (content.dataset, content.id)
            found.pop(record, None)  # in the order of their last changes
            found[record] = content
            written_ms.append(content.written_ms)
            size += len(content.document or b"") + 64
            if end is None and (size >= most_bytes or len(written_ms) >= changes):
                break
        elif isinstance(content, Position):
            window.clock_ms = content.clock_ms if content.clock_ms is not None else window.clock_ms
        elif isinstance(content, Barrier):
            window.barriers.append(content.name)
        elif isinstance(content, DatasetEvent):
            window.event = content
            break
    return window
