"""Writes a window's states, each key once, and tells what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from greylag.core.records import Erased

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from greylag.core.ports import Writer
    from greylag.core.records import Encoded
    from greylag.engine.follow.index import Written

_ROUNDS: Final = 100


@dataclass(slots=True)
class Delivered:
    """What became of the states of one place. `refused` and `duplicates` were not written; `unknown` are the keys of
    batches of which a request was given up and sent again: it may still land. `exposed` are states that were put though
    what took their keys away before may still land.
    """

    put: int = 0
    deleted: int = 0
    unknown_requests: int = 0
    unknown: list[bytes] = field(default_factory=list)
    exposed: list[Written] = field(default_factory=list)
    refused: list[tuple[Written, str]] = field(default_factory=list)
    duplicates: list[tuple[Written, str]] = field(default_factory=list)


def deliver(
    writer: Writer,
    states: Iterable[Written],
    away: Callable[[Written], Erased],
    before_away: Callable[[], None],
) -> Delivered:
    """Write them all, acknowledged on return. Items that a unique index keeps out are written again once the others
    are: what they clash with may have changed in the same window. Where they keep each other out (two records have
    swapped a value) they are taken away first and then put; `away` tells what deletes a state's item, and
    `before_away` is called before the first such delete.
    """
    done = Delivered()
    _write(writer, states, done)
    for _ in range(_ROUNDS):
        waiting = [written for written, _ in done.duplicates]
        if not waiting:
            return done
        done.duplicates = []
        _write(writer, waiting, done)
        if len(done.duplicates) == len(waiting):
            break
    if len(done.duplicates) > 1:
        waiting = [written for written, _ in done.duplicates]
        done.duplicates = []
        removed = Delivered()
        before_away()
        _write(writer, [each._replace(item=away(each)) for each in waiting], removed)
        exposed = set(removed.unknown)
        done.exposed = [each for each in waiting if each.item.key in exposed]
        done.unknown += removed.unknown
        done.unknown_requests += removed.unknown_requests
        _write(writer, waiting, done)
    return done


def _write(writer: Writer, states: Iterable[Written], done: Delivered) -> None:
    sent: deque[Sequence[Written]] = deque()
    for delivery in writer.write(_batches(iter(states), writer.batch_items, sent)):
        batch = sent.popleft()
        deleted = sum([isinstance(each.item, Erased) for each in batch])
        done.deleted += deleted
        done.put += len(batch) - deleted
        if delivery.unknown:
            done.unknown_requests += delivery.unknown
            done.unknown += [each.item.key for each in batch]
        for kept_out, found in ((done.refused, delivery.refused), (done.duplicates, delivery.duplicates)):
            for place, reason in found:
                kept_out.append((batch[place], reason))
                done.put -= 1


def _batches(
    states: Iterator[Written], size: int, sent: deque[Sequence[Written]]
) -> Iterator[list[Encoded | Erased]]:
    while batch := list(islice(states, size)):
        sent.append(batch)
        yield [each.item for each in batch]
