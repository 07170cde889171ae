"""What a sweep reads of each side: segments of the target's tables, partitions of the source's datasets."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from greylag.engine.collisions import doubtful
from greylag.engine.sweep import SourceTask, TargetTask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from greylag.engine.route import Route

PARTITION_BYTES = 64 * 2**20
_SEGMENTS_PER_PROCESS = 4


def target_tasks(siblings: Sequence[Route], processes: int) -> Iterator[TargetTask]:
    """Every item of every table of `siblings`, each table once."""
    for places in _by_table(siblings):
        route = siblings[places[0]]
        target = route.target.target()
        try:
            segments = target.segments(route.table.name, count=_SEGMENTS_PER_PROCESS * processes)
        finally:
            target.close()
        for segment in segments:
            yield TargetTask(tuple(places), segment)


def source_tasks(siblings: Sequence[Route], checked: Collection[int]) -> Iterator[SourceTask]:
    """Every record of the flows at the places `checked`, and of those that may have a key of theirs, too."""
    for place in sorted({*checked, *_sharing_keys(siblings, checked)}):
        route = siblings[place]
        source = route.source.source()
        try:
            for partition in source.partitions(route.dataset.dataset, partition_bytes=PARTITION_BYTES):
                yield SourceTask(place, partition)
        finally:
            source.close()


def _sharing_keys(siblings: Sequence[Route], checked: Collection[int]) -> set[int]:
    names: set[str] = set()
    for places in _by_table(siblings):
        suspects = {route.name for route in doubtful([siblings[place] for place in places])}
        if suspects & {siblings[place].name for place in checked}:
            names |= suspects
    return {place for place, route in enumerate(siblings) if route.name in names}


def _by_table(siblings: Sequence[Route]) -> list[list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, route in enumerate(siblings):
        places[str(route.flow.table.ref)].append(place)
    return list(places.values())
