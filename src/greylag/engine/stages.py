"""Progress of an operation that reads its flows several times: a snapshot tells the stage it is in."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from greylag.core.progress import FlowProgress
from greylag.engine.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from greylag.core.ports import DatasetInfo
    from greylag.core.progress import Snapshot

_SNAPSHOT_SECONDS = 0.5


class Staged(Protocol):
    """What progress is shown of: a route, or a dataset that is only looked at."""

    @property
    def name(self) -> str:
        """How it is shown."""

    @property
    def dataset(self) -> DatasetInfo:
        """How much there is to read."""


class Stages:
    """Counts per flow, from nothing again at each stage; tells `observe` at most twice a second."""

    def __init__(self, operation: str, routes: Sequence[Staged], observe: Callable[[Snapshot], None]) -> None:
        self._operation = operation
        self._routes = routes
        self._observe = observe
        self._flows: dict[str, FlowProgress] = {}
        self._meter = Meter(operation, started=time.monotonic())
        self._next = 0.0

    def begin(self, stage: str, *, estimated: bool = True) -> None:
        """A new stage; `estimated` where it reads as many records as the source is thought to hold."""
        self._meter = Meter(f"{self._operation}: {stage}", started=time.monotonic())
        self._flows = {
            route.name: FlowProgress(
                route.name,
                stage,
                records_estimate=route.dataset.estimated_records if estimated else None,
                bytes_estimate=route.dataset.estimated_bytes if estimated else None,
            )
            for route in self._routes
        }
        self._next = 0.0

    def add(self, flow: str, **counts: int) -> None:
        """Add to the counts of `flow`, by the names of `FlowProgress`."""
        before = self._flows[flow]
        after = {name: getattr(before, name) + count for name, count in counts.items()}
        self._flows[flow] = replace(before, **after)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SNAPSHOT_SECONDS
            self._observe(self._meter.snapshot(tuple(self._flows.values()), now=now))

    def finish(self) -> None:
        """The last snapshot."""
        self._observe(self._meter.snapshot(tuple(self._flows.values()), now=time.monotonic(), finished=True))
