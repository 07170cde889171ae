"""A snapshot as one plain line, and a table of what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.console.units import count, duration, plural, size
from greylag.core.progress import LOADED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.progress import FlowProgress, Snapshot, StreamProgress


def total(snapshot: Snapshot) -> str:
    """Where the whole operation stands."""
    flows = snapshot.flows
    if snapshot.streams and all(each.stage in LOADED for each in flows):
        stages = sorted({each.stage for each in flows})
        return f"{', '.join(stages)}: " + "; ".join(following(each) for each in snapshot.streams)
    parts = [f"{snapshot.operation}: {count(sum(each.records_read for each in flows))} records"]
    known = [each.records_estimate for each in flows]
    if flows and None not in known:
        parts[0] += f" of about {count(sum(each or 0 for each in known))}"
    if snapshot.records_per_second is not None:
        parts.append(f"{count(snapshot.records_per_second)} records/s")
    if snapshot.bytes_per_second is not None:
        parts.append(f"{size(snapshot.bytes_per_second)}/s")
    throttles = sum(each.throttles for each in flows)
    if throttles:
        parts.append(f"{count(throttles)} throttles")
    quarantined = sum(each.records_quarantined for each in flows)
    if quarantined:
        parts.append(f"{count(quarantined)} quarantined")
    if snapshot.seconds_left is not None and not snapshot.finished:
        parts.append(f"about {duration(snapshot.seconds_left)} left")
    return ", ".join(parts)


def following(stream: StreamProgress) -> str:
    """How far one stream is."""
    parts = [f"{stream.stream}: {count(stream.changes_applied)} changes applied"]
    if stream.changes_behind is not None:
        parts.append(f"{count(stream.changes_behind)} behind")
    if stream.lag_p50_ms is not None and stream.lag_p99_ms is not None and stream.lag_max_ms is not None:
        parts.append(
            f"lag {_milliseconds(stream.lag_p50_ms)} (p99 {_milliseconds(stream.lag_p99_ms)}, "
            f"most {_milliseconds(stream.lag_max_ms)})"
        )
    parts.append(f"spool {size(stream.spool_bytes)}")
    if stream.keys_waiting:
        parts.append(f"{plural(stream.keys_waiting, 'key')} waiting")
    if stream.records_stale:
        parts.append(f"{plural(stream.records_stale, 'record')} stale")
    if stream.history_seconds is not None:
        parts.append(f"source keeps {duration(stream.history_seconds)}")
    return ", ".join(parts)


def _milliseconds(value: int) -> str:
    return f"{value} ms" if value < 10_000 else duration(value / 1000)


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows, the first of them a heading, in columns two spaces apart; those numbered in `right` flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def flows(progress: Sequence[FlowProgress]) -> str:
    """What each flow has done, as a table."""
    heading = (
        "flow",
        "stage",
        "read",
        "filtered",
        "written",
        "quarantined",
        "bytes read",
        "bytes written",
        "throttles",
    )
    rows = [heading]
    rows += [
        (
            each.flow,
            each.stage,
            count(each.records_read),
            count(each.records_filtered),
            count(each.items_written),
            count(each.records_quarantined),
            size(each.bytes_read),
            size(each.bytes_written),
            count(each.throttles),
        )
        for each in progress
    ]
    return table(rows, right=range(2, 9))
