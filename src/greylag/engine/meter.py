"""Turns counts into a snapshot: rates over the last seconds, time left."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import replace
from typing import TYPE_CHECKING

from greylag.core.progress import LOADED, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.progress import FlowProgress

_WINDOW_SECONDS = 10.0


class Meter:
    """Snapshots of one operation. `started` and every `now` are seconds of one monotonic clock."""

    def __init__(self, operation: str, *, started: float) -> None:
        self.operation = operation
        self._started = started
        self._flows: defaultdict[str, _Rates] = defaultdict(_Rates)
        self._whole = _Rates()

    def snapshot(self, flows: Sequence[FlowProgress], *, now: float, finished: bool = False) -> Snapshot:
        """The state of `flows` now. Rates and time left are None until there is something to measure."""
        measured = tuple(self._measured(each, now) for each in flows)
        records, size = self._whole.after(
            now, sum(each.records_read for each in flows), sum(each.bytes_read for each in flows)
        )
        return Snapshot(
            operation=self.operation,
            flows=measured,
            elapsed_seconds=now - self._started,
            records_per_second=records,
            bytes_per_second=size,
            seconds_left=_seconds_left([each for each in flows if each.stage not in LOADED], records, size),
            finished=finished,
        )

    def _measured(self, flow: FlowProgress, now: float) -> FlowProgress:
        records, size = self._flows[flow.flow].after(now, flow.records_read, flow.bytes_read)
        left = None if flow.stage in LOADED else _seconds_left([flow], records, size)
        return replace(flow, records_per_second=records, bytes_per_second=size, seconds_left=left)


class _Rates:
    """Records and bytes a second over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int, int]] = deque()

    def after(self, now: float, records: int, size: int) -> tuple[float | None, float | None]:
        self._seen.append((now, records, size))
        while self._seen[0][0] < now - _WINDOW_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        before, records_before, size_before = self._seen[0]
        span = now - before
        return ((records - records_before) / span, (size - size_before) / span) if span > 0 else (None, None)


def _seconds_left(flows: Sequence[FlowProgress], records: float | None, size: float | None) -> float | None:
    """By records where their number is known, else by bytes (a file tells its size, not its records)."""
    for rate, done in (
        (records, [(each.records_estimate, each.records_read) for each in flows]),
        (size, [(each.bytes_estimate, each.bytes_read) for each in flows]),
    ):
        if rate and all(estimate is not None for estimate, _ in done):
            return sum(max(0, (estimate or 0) - read) for estimate, read in done) / rate
    return None
