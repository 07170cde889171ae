"""Progress as an immutable snapshot: the terminal, plain lines, `--json` and `status` all render this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOADED: Final = frozenset({"loaded", "catching up", "following"})
"""The stages of a flow whose load has ended. One that is followed catches up until apply has passed the position at
which that was; after it the flow is following.
"""


@dataclass(frozen=True, slots=True)
class FlowProgress:
    """One flow's counts since its run began, resumed runs included. `*_estimate` is None while unknown; rates are over
    the last few seconds, None until there is something to measure.
    """

    flow: str
    stage: str
    records_read: int = 0
    records_filtered: int = 0
    items_written: int = 0
    records_quarantined: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    throttles: int = 0
    records_estimate: int | None = None
    partitions_done: int = 0
    partitions_planned: int = 0
    planning: bool = False
    bytes_estimate: int | None = None
    records_per_second: float | None = None
    bytes_per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """How far following is for one source connection. What is not known yet is None.

    `changes_behind`: entries of the spool that are not applied yet. The lags, of the last five minutes, go from a write
    at the source to its acknowledgement at the target; the median and the 99th percentile are upper bounds.
    `applied_until_ms` and `captured_until_ms`: the source's time up to which everything is applied, or spooled.
    `history_seconds`: for how long the source still keeps what is not spooled yet, should nothing more be read.
    `warning` says in words what threatens.
    """

    stream: str
    changes_captured: int = 0
    changes_applied: int = 0
    changes_behind: int | None = None
    keys_waiting: int = 0
    records_stale: int = 0
    lag_p50_ms: int | None = None
    lag_p99_ms: int | None = None
    lag_max_ms: int | None = None
    captured_until_ms: int | None = None
    applied_until_ms: int | None = None
    spool_bytes: int = 0
    spool_limit_bytes: int = 0
    history_seconds: float | None = None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All flows of a run at one moment. Rates are over the last few seconds, per second; None until known. `streams`:
    what is followed.
    """

    operation: str
    flows: tuple[FlowProgress, ...]
    elapsed_seconds: float
    records_per_second: float | None = None
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    finished: bool = False
    streams: tuple[StreamProgress, ...] = ()
