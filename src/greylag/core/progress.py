"""Progress as an immutable snapshot: the terminal, plain lines, `--json` and `status` all render this one."""

from __future__ import annotations

from dataclasses import dataclass


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
class Snapshot:
    """All flows of a run at one moment. Rates are over the last few seconds, per second; None until known."""

    operation: str
    flows: tuple[FlowProgress, ...]
    elapsed_seconds: float
    records_per_second: float | None = None
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    finished: bool = False
