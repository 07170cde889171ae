"""Shows snapshots while an operation runs: bars in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from greylag.console import lines
from greylag.console.units import count, duration, size
from greylag.core.progress import LOADED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.progress import FlowProgress, Snapshot

_LINE_SECONDS = 5.0


@contextmanager
def live(*, silent: bool = False) -> Iterator[Callable[[Snapshot], None]]:
    """A function that shows each snapshot it is given, on standard error: standard output is for results."""
    if silent:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield bars.show
    else:
        yield _Lines().show


class _Lines:
    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_SECONDS

    def show(self, snapshot: Snapshot) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            print(lines.total(snapshot), file=sys.stderr, flush=True)


@contextmanager
def _bars() -> Iterator[_Bars]:
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        TextColumn("{task.fields[figures]}"),
        console=Console(stderr=True),
        transient=False,
    )
    with progress:
        yield _Bars(progress)


class _Bars:
    """A bar for each flow and a line for the whole."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._total = progress.add_task("", total=None, figures="", visible=False)

    def show(self, snapshot: Snapshot) -> None:
        for flow in snapshot.flows:
            if flow.flow not in self._tasks:
                self._tasks[flow.flow] = self._progress.add_task(flow.flow, total=None, figures="")
            done, total = _share(flow)
            self._progress.update(self._tasks[flow.flow], total=total, completed=done, figures=_figures(flow))
        self._progress.update(
            self._total,
            description=snapshot.operation,
            figures=", ".join(_rates(snapshot)),
            visible=len(snapshot.flows) > 1,
        )


def _share(flow: FlowProgress) -> tuple[int, int | None]:
    """How much of how much, in records or else in bytes; None while that is unknown."""
    if flow.stage in LOADED:
        return 1, 1
    if flow.records_estimate is not None:
        return flow.records_read, max(flow.records_estimate, flow.records_read)
    if flow.bytes_estimate is not None:
        return flow.bytes_read, max(flow.bytes_estimate, flow.bytes_read)
    return 0, None


def _figures(flow: FlowProgress) -> str:
    parts = [f"{count(flow.records_read)} records"]
    if flow.records_quarantined:
        parts.append(f"{count(flow.records_quarantined)} quarantined")
    if flow.stage not in LOADED:
        parts += _rates(flow)
    parts.append(f"{count(flow.throttles)} throttles")
    return ", ".join(parts)


def _rates(measured: FlowProgress | Snapshot) -> list[str]:
    parts = []
    if measured.records_per_second is not None:
        parts.append(f"{count(measured.records_per_second)}/s")
    if measured.bytes_per_second is not None:
        parts.append(f"{size(measured.bytes_per_second)}/s")
    if measured.seconds_left is not None:
        parts.append(f"{duration(measured.seconds_left)} left")
    return parts
