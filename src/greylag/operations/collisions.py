"""Which of the flows' tables need their keys looked through before anything is written, and the pass that does it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from greylag.core.progress import FlowProgress
from greylag.engine.collisions import doubtful, find_collisions
from greylag.engine.meter import Meter
from greylag.engine.route import by_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from greylag.core.progress import Snapshot
    from greylag.core.work import Executor
    from greylag.engine.connections import Rates
    from greylag.engine.route import Route


def with_collisions(
    todo: Sequence[Route],
    siblings: Sequence[Route],
    executor: Executor,
    folder: Path,
    *,
    observe: Callable[[Snapshot], None],
    rates: Rates,
) -> list[Route]:
    """The routes, each told where its table's colliding keys stand if its keys are not provably its own. `rates` are
    those of all workers together.
    """
    progress = _KeyProgress(siblings, observe)
    routes = list(todo)
    for table, group in by_table(siblings).items():
        suspects = doubtful(group)
        if not suspects or not {route.name for route in suspects} & {route.name for route in routes}:
            continue
        found = find_collisions(
            suspects, executor, collisions_of(folder, table), rates=rates, progress=progress.read
        )
        names = {route.name for route in suspects}
        routes = [route.with_colliding(found.path) if route.name in names else route for route in routes]
    return routes


def collisions_of(folder: Path, table: str) -> Path:
    """Where the pass over a table's keys keeps what it found."""
    return folder / "collisions" / quote(table, safe="")


class _KeyProgress:
    """Shows the pass that looks for keys of several records, as it reads."""

    def __init__(self, routes: Sequence[Route], observe: Callable[[Snapshot], None]) -> None:
        self._observe = observe
        self._meter = Meter("looking for keys that several records share", started=time.monotonic())
        self._flows = {
            route.name: FlowProgress(
                route.name,
                "checking keys",
                records_estimate=route.dataset.estimated_records,
                bytes_estimate=route.dataset.estimated_bytes,
            )
            for route in routes
        }
        self._next = 0.0

    def read(self, flow: str, records: int, size: int) -> None:
        before = self._flows[flow]
        self._flows[flow] = replace(
            before, records_read=before.records_read + records, bytes_read=before.bytes_read + size
        )
        now = time.monotonic()
        if now >= self._next:
            self._next = now + 0.5
            started = [each for each in self._flows.values() if each.records_read]
            self._observe(self._meter.snapshot(started, now=now))
