"""What a sweep reads of each side: segments of the target's tables, partitions of the source's datasets."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

from greylag.core.ports import Ranged
from greylag.engine.collisions import doubtful
from greylag.engine.sweep import PairTask, SourceTask, TargetTask

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from greylag.engine.route import Route

PARTITION_BYTES = 64 * 2**20
STRETCH_BYTES = 16 * 2**20
"""Of the partitions whose items are held in memory until their records come."""
_SEGMENTS_PER_PROCESS = 4


def in_pairs(siblings: Sequence[Route], checked: Collection[int]) -> frozenset[int]:
    """Those of the flows at the places `checked` whose source and target can be read together, stretch by stretch:
    alone in their tables, their records items as they stand, no two of one key, both sides cut alike.
    """
    found = set()
    for places in _by_table(siblings):
        route = siblings[places[0]]
        order = route.dataset.order
        if len(places) > 1 or places[0] not in checked or order is None or route.colliding is not None:
            continue
        mapping = route.mapping()
        if not (mapping.identity and mapping.injective):
            continue
        with closing(route.target.target()) as target:
            if isinstance(target, Ranged) and target.ordered(route.table.name, order):
                found.add(places[0])
    return frozenset(found)


def pair_tasks(siblings: Sequence[Route], pairs: Collection[int]) -> Iterator[PairTask]:
    """Both sides of the flows at the places `pairs`."""
    for place in sorted(pairs):
        route = siblings[place]
        with closing(route.source.source()) as source, closing(route.target.target()) as target:
            assert isinstance(target, Ranged)
            for partition in source.partitions(route.dataset.dataset, partition_bytes=STRETCH_BYTES):
                yield PairTask(place, partition, target.stretch(route.table.name, partition))


def target_tasks(
    siblings: Sequence[Route], processes: int, but: Collection[int] = ()
) -> Iterator[TargetTask]:
    """Every item of every table of `siblings`, each table once; those of the flows `but` are left out."""
    for places in _by_table(siblings):
        if places[0] in but:
            continue
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
