"""Writes a window's states, each key once, and tells what became of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import TYPE_CHECKING, Final, NamedTuple

from greylag.core.records import Erased

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from greylag.core.ports import Writer
    from greylag.core.records import Encoded
    from greylag.engine.follow.index import Written

_ROUNDS: Final = 100


class KeptOut(NamedTuple):
    """A state that a unique index keeps out; `holder` asks for the key of the item that has the value."""

    written: Written
    reason: str
    holder: Callable[[], bytes | None]


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
    duplicates: list[KeptOut] = field(default_factory=list)


def deliver(
    writer: Writer,
    states: Iterable[Written],
    away: Callable[[Written], Erased],
    before_away: Callable[[], None],
) -> Delivered:
    """Write them all, acknowledged on return. Items that a unique index keeps out are written again once the others
    are: what they clash with may have changed in the same window. Those that keep each other out (two records have
    swapped a value) are taken away first and then put; `away` tells what deletes a state's item, and `before_away` is
    called before the first such delete.
    """
    done = Delivered()
    _write(writer, states, done)
    for _ in range(_ROUNDS):
        waiting = done.duplicates
        if not waiting:
            break
        _write_again(writer, done)
        if len(done.duplicates) < len(waiting):
            continue
        ring = in_each_others_way(done.duplicates)
        if not ring:
            break
        before_away()
        removed = Delivered()
        _write(writer, [each._replace(item=away(each)) for each in ring], removed)
        exposed = set(removed.unknown)
        done.exposed += [each for each in ring if each.item.key in exposed]
        done.unknown += removed.unknown
        done.unknown_requests += removed.unknown_requests
        _write_again(writer, done, first=ring)
        if len(done.duplicates) == len(waiting):
            break
    return done


def in_each_others_way(kept_out: Sequence[KeptOut]) -> list[Written]:
    """Those that wait for each other's values in a ring, so that none can be written while all of them stand. What
    waits for an item that is none of these stays as it is, and so does what waits for one that is not known.
    """
    if len(kept_out) < 2:
        return []
    found = {each.written.item.key: each.written for each in kept_out}
    holders = {each.written.item.key: each.holder() for each in kept_out}
    ring = set(found)
    while True:
        wanted = {holders[key] for key in ring}
        left = {key for key in ring if holders[key] in ring and key in wanted}
        if left == ring:
            return [each for key, each in found.items() if key in ring]
        ring = left


def _write_again(writer: Writer, done: Delivered, *, first: Sequence[Written] = ()) -> None:
    waiting, done.duplicates = [each.written for each in done.duplicates], []
    _write(writer, first, done)
    before = {each.item.key for each in first}
    _write(writer, [each for each in waiting if each.item.key not in before], done)


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
        done.put -= len(delivery.refused) + len(delivery.duplicates)
        done.refused += [(batch[place], reason) for place, reason in delivery.refused]
        holders = delivery.holders or repeat(_not_known)
        done.duplicates += [
            KeptOut(batch[place], reason, holder)
            for (place, reason), holder in zip(delivery.duplicates, holders, strict=False)
        ]


def _batches(
    states: Iterator[Written], size: int, sent: deque[Sequence[Written]]
) -> Iterator[list[Encoded | Erased]]:
    while batch := list(islice(states, size)):
        sent.append(batch)
        yield [each.item for each in batch]


def _not_known() -> None:
    return None
