"""`greylag run --dry-run`: everything a run does but create, write and save."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from greylag.core.extended_json import to_extended
from greylag.core.progress import FlowProgress
from greylag.core.records import Rejection
from greylag.engine.lane import Lane
from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES
from greylag.engine.meter import Meter
from greylag.state.store import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.progress import Snapshot
    from greylag.core.records import Page
    from greylag.engine.route import Route
    from greylag.operations.prepare import Prepared


SHOWN = 20
"""How many records of a flow are told by name."""


@dataclass(frozen=True, slots=True)
class WouldRefuse:
    """A record that a run would quarantine: its id in extended JSON, and why."""

    flow: str
    key: Any
    reason: str


def dry_run(
    prepared: Prepared, *, limit: int | None, observe: Callable[[Snapshot], None]
) -> tuple[tuple[FlowProgress, ...], tuple[WouldRefuse, ...]]:
    """Read and map every record, or `limit` of each flow; what would be written and quarantined, and of each flow the
    first records that would be. Key collisions are not looked for: that needs the disk.
    """
    meter = Meter("dry run", started=time.monotonic())
    done: list[FlowProgress] = []
    refused: list[WouldRefuse] = []
    for route in prepared.routes:
        progress = FlowProgress(route.name, "mapping")
        for progress in _flow(route, limit, refused):
            observe(meter.snapshot([*done, progress], now=time.monotonic()))
        done.append(progress)
    return tuple(done), tuple(refused)


def _flow(route: Route, limit: int | None, refused: list[WouldRefuse]) -> Iterator[FlowProgress]:
    totals: dict[str, Any] = dict.fromkeys(asdict(Counts()), 0)
    nothing = FlowProgress(
        route.name,
        "mapped",
        records_estimate=route.dataset.estimated_records,
        bytes_estimate=route.dataset.estimated_bytes,
    )
    with closing(Lane(route)) as lane:
        left = limit
        for partition in lane.source.partitions(route.dataset.dataset, partition_bytes=PARTITION_BYTES):
            for page in lane.source.read(partition, None, page_bytes=PAGE_BYTES):
                for each in _count(lane, page, left, totals):
                    if sum(known.flow == route.name for known in refused) < SHOWN:
                        refused.append(WouldRefuse(route.name, to_extended(each.id), each.reason))
                yield replace(nothing, **totals)
                if left is not None:
                    left -= len(page.records)
                    if left <= 0:
                        return


def _count(lane: Lane, page: Page, left: int | None, totals: dict[str, int]) -> Iterator[Rejection]:
    """Add the page to `totals`; its rejections, as they are met."""
    totals["bytes_read"] += page.bytes_read
    totals["records_read"] += len(page.rejected)
    totals["records_quarantined"] += len(page.rejected)
    yield from page.rejected
    for place, (_, carried) in enumerate(lane.carry(page)):
        if left is not None and place >= left:
            return
        totals["records_read"] += 1
        if isinstance(carried, Rejection):
            totals["records_quarantined"] += 1
            yield carried
        elif not carried:
            totals["records_filtered"] += 1
        else:
            totals["items_written"] += len(carried)
            totals["bytes_written"] += sum(each.size_bytes for each in carried)
