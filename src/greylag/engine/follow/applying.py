"""The process that applies one stream, until it is told to stop."""

from __future__ import annotations

import gc
import itertools
import threading
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from greylag.engine.connections import Rates
from greylag.engine.follow.applied import Applied
from greylag.engine.follow.apply import Apply
from greylag.engine.follow.carrier import Forward
from greylag.engine.follow.changed import ChangedLog
from greylag.engine.follow.spool import SpoolReader
from greylag.engine.lane import Lane, Lanes
from greylag.engine.quarantine import Quarantine
from greylag.state.fences import Watch
from greylag.state.locks import hold_worker_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from greylag.engine.follow.stream import Stream

SETTLED: Final = "settled"
"""What it emits once nothing that was written before it began can still land."""
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class ApplyWork:
    """The apply of one stream, as its process gets it. `settle`: writes from before may still land (law 5)."""

    stream: Stream
    settle: bool
    rates: Rates = Rates()  # noqa: RUF009 - frozen

    def open(self) -> ApplyWorker:
        """See `core.work.Work`."""
        return ApplyWorker(self)


class ApplyWorker:
    """Runs one task: to apply until it is told to stop."""

    def __init__(self, work: ApplyWork) -> None:
        self._work = work
        self._stop = threading.Event()
        self._worker_lock = hold_worker_lock(work.stream.folder)
        self._lanes = Lanes({route.name: route for route in work.stream.routes})

    def run(self, task: object, emit: Callable[[str], None]) -> None:  # noqa: ARG002 - there is one
        """Emits SETTLED, once."""
        gc.enable()  # unlike a load's, this process may live for weeks
        stream = self._work.stream
        self._lanes.limit(self._work.rates)
        lanes = [self._lanes[route.name] for route in stream.routes]
        with closing(stream.feed(lanes[0].source)) as feed, closing(Applied(stream.applied)) as applied:
            carriers: defaultdict[str, list[Forward]] = defaultdict(list)
            for lane in lanes:
                carriers[lane.route.dataset.dataset].append(Forward(lane, feed))
            apply = Apply(
                carriers,
                SpoolReader(stream.spool),
                applied,
                settle_seconds=self._settle_seconds(lanes),
                changed=ChangedLog(
                    stream.changed, carriers, {lane.route.name: lane.codec.key for lane in lanes}
                ),
                late_after_ms=Watch(stream.folder, stream.name, _services(lanes)),
            )
            while apply.waits:
                if self._stop.wait(_POLL_SECONDS):
                    return
            emit(SETTLED)
            refused = [
                each.refused(Quarantine.of(stream.folder, each.flow))
                for found in carriers.values()
                for each in found
            ]
            apply.gather(stream.claims, itertools.chain.from_iterable(refused))
            while not self._stop.is_set():
                if not apply.step():
                    self._stop.wait(_POLL_SECONDS)

    def control(self, message: object) -> None:  # noqa: ARG002 - whatever it says
        """Stop soon, between two windows."""
        self._stop.set()

    def close(self) -> None:
        """Close every connection."""
        self._lanes.close()

    def _settle_seconds(self, lanes: list[Lane]) -> float:
        return max(lane.writer.late_write_seconds for lane in lanes) if self._work.settle else 0.0


def _services(lanes: list[Lane]) -> dict[str, frozenset[str]]:
    """The services of each dataset."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for lane in lanes:
        found[lane.route.dataset.dataset].add(lane.route.flow.service)
    return {dataset: frozenset(services) for dataset, services in found.items()}
