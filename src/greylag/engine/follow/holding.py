"""Keys whose write may still land, and the later states that wait for them (law 5).

Everything but `released` belongs in the transaction of a window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greylag.engine.follow.applied import BEHIND_NO_BARRIER, MOST_DUE, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from greylag.engine.follow.applied import Applied
    from greylag.engine.follow.index import Written
    from greylag.engine.follow.work import WindowWork

_DUPLICATE_AGAIN_SECONDS: Final = 5.0


class Holding:
    """The held keys of one stream, in memory and on disk. `late_seconds` says how long a write of a place may land."""

    def __init__(
        self,
        applied: Applied,
        places: Iterable[str],
        *,
        late_seconds: Callable[[str], float],
        clock: Callable[[], float],
    ) -> None:
        self._applied = applied
        self._late_seconds = late_seconds
        self._clock = clock
        here = set(places)
        self._until = {
            (place, key): clock() + late_seconds(place) for place, key in applied.held() if place in here
        }
        self._kept_out: set[tuple[str, bytes]] = set()
        self.waiting: int = applied.count("waiting")
        self.look_for_due: bool = self.waiting > 0

    def __len__(self) -> int:
        """How many keys are held."""
        return len(self._until)

    def __contains__(self, key: tuple[str, bytes]) -> bool:
        """Whether a later state of the key has to wait."""
        return key in self._until

    @property
    def late(self) -> int:
        """How many keys are held since a write of theirs may still land."""
        return len(self._until) - len(self._kept_out)

    def expired(self) -> list[tuple[str, bytes]]:
        """Keys whose writes cannot land any more. Those that a unique index keeps out are tried all at once: they may
        be in each other's way.
        """
        if not self._until:
            return []
        now = self._clock()
        found = {each for each, until in self._until.items() if until <= now}
        if found & self._kept_out:
            found |= self._kept_out
        return list(found)

    def released(self, keys: Iterable[tuple[str, bytes]]) -> None:
        """That they are held no longer is durable."""
        for each in keys:
            del self._until[each]
            self._kept_out.discard(each)

    def due(self, released: Sequence[tuple[str, bytes]]) -> list[Waiting]:
        """The states that may be written now, some thousand at most."""
        due = self._applied.due() if self.waiting and (released or self.look_for_due) else []
        self.look_for_due = len(due) == MOST_DUE
        return due

    def unheld(self, work: WindowWork, states: Iterable[Written]) -> Iterator[Written]:
        """The states that may be written; the others are put off."""
        for each in states:
            if (each.place, each.item.key) in self._until:
                work.deferred.append(each)
            else:
                yield each

    def keep_waiting(self, work: WindowWork) -> None:
        """States of held keys wait; so do those that a unique index keeps out, to be tried again."""
        put_off = {(each.place, each.item.key) for each in work.deferred}
        if work.superseded:
            self._applied.waited([each for each in work.superseded if each not in put_off])
        first = work.window.first
        waiting = [Waiting(each.place, each.item, first, each.flow, each.id) for each in work.deferred]
        again = [written for written, _ in work.duplicates]
        waiting += [Waiting(each.place, each.item, BEHIND_NO_BARRIER, each.flow, each.id) for each in again]
        if waiting:
            self._applied.wait(waiting)
        until = self._clock() + _DUPLICATE_AGAIN_SECONDS
        for each in again:
            key = each.place, each.item.key
            if key not in self._until:
                self._until[key] = until
                self._kept_out.add(key)
        self._applied.hold([(each.place, each.item.key) for each in again])
        if waiting or work.superseded:
            self.waiting = self._applied.count("waiting")

    def hold(self, work: WindowWork) -> None:
        """Keys whose writes had an unknown outcome."""
        if not work.held:
            return
        self._applied.hold(work.held)
        now = self._clock()
        for place, key in work.held:
            self._until[place, key] = now + self._late_seconds(place)
        self._kept_out.difference_update(work.held)
