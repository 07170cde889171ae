"""Applies what a spool holds to the targets, a window at a time, so that after any crash no key goes back.

A window is the entries [a, b) of the spool. Before its first write its end is made durable (the intent); after a
crash the first window is exactly [a, b) again and writes exactly the same states. When the target has acknowledged
all of them, one transaction saves the position b, the index, what is stale, what waits, and the counts.

A key whose write had an unknown outcome, and every key of a window that a crash left open, is held for the target's
`late_write_seconds`: a later state of it waits on disk, while other keys go on (law 5). Why this converges is argued
in docs/decisions/0006-following.md.
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from greylag.core.records import Erased, Rejection
from greylag.engine.follow.applied import ApplyProgress
from greylag.engine.follow.carrier import Gathering
from greylag.engine.follow.delivering import deliver
from greylag.engine.follow.holding import Holding
from greylag.engine.follow.index import Index, Outcome, Written
from greylag.engine.follow.lag import Lag
from greylag.engine.follow.staleness import MEND, Staleness
from greylag.engine.follow.window import WINDOW_CHANGES, Window, read_window
from greylag.engine.follow.work import WindowWork
from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from greylag.core.change import DatasetEvent
    from greylag.core.records import Encoded
    from greylag.engine.follow.applied import Applied, Waiting
    from greylag.engine.follow.carrier import Carrier
    from greylag.engine.follow.changed import ChangedLog
    from greylag.engine.follow.spool import SpoolReader

_DISCARD_SECONDS: Final = 1.0


class Apply:
    """The apply of one stream. `carriers` are the flows of each dataset. One process at a time: the run has a lock."""

    def __init__(
        self,
        carriers: Mapping[str, Sequence[Carrier]],
        spool: SpoolReader,
        applied: Applied,
        *,
        settle_seconds: float = 0.0,
        window_changes: int = WINDOW_CHANGES,
        late_after_ms: Callable[[], Mapping[str, int]] = dict,
        changed: ChangedLog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`settle_seconds`: how long writes of the load may still land; nothing is written before that has passed.
        `late_after_ms` gives the datasets whose source refuses the application's writes, and since when. `changed` is
        told of every window before it is written.
        """
        self._carriers = carriers
        self._flows = {each.flow: each for found in carriers.values() for each in found}
        self._gathering = {flow: each for flow, each in self._flows.items() if isinstance(each, Gathering)}
        self._writers = {each.place: each for each in self._flows.values()}
        self._spool = spool
        self._applied = applied
        self._index = Index(applied.db)
        self._clock = clock
        self._window_changes = window_changes
        self._late_after_ms = late_after_ms
        self._changed = changed
        self._lag = Lag()
        self._not_before = clock() + settle_seconds
        self._position: int = applied.noted("position") or 0
        self._clock_ms: int | None = applied.noted("clock_ms")
        self._intended: int | None = applied.noted("intent")
        self._counts: dict[str, int] = applied.noted("counts") or dict.fromkeys(
            ("changes", "put", "deleted", "windows", "unknown"), 0
        )
        self._holding = Holding(applied, self._writers, late_seconds=self._late_seconds, clock=clock)
        self._staleness = Staleness(applied, carriers)
        self._next_discard = 0.0

    @property
    def position(self) -> int:
        """The ordinal of the first entry not yet applied."""
        return self._position

    @property
    def late(self) -> int:
        """How many keys there are a write of which may still land."""
        return self._holding.late

    @property
    def waits(self) -> bool:
        """Whether nothing may be written yet, since writes of the load may still land."""
        return self._clock() < self._not_before

    def gather(self, folder: Path, refused: Iterable[tuple[str, bytes, Rejection]] = ()) -> None:
        """Take over what the load's workers noted of their keys (in `folder`), and the records that the load `refused`
        (flow, id, why), before the first window. May be interrupted and called again.
        """
        if not self._applied.noted("gathered"):
            with self._applied.transaction():
                self._staleness.take_over(refused)
                self._applied.note("gathered", True)
        files = sorted(folder.glob("*.sqlite"))
        for path in files:
            self._index.gather(path)
        if files:
            again: bool = self._applied.noted("gathering") or False
            with self._applied.transaction():
                self._index.gathered()
                self._applied.note("gathering", True)
            self._write_free_keys(again=again)
        for path in files:
            for each in folder.glob(f"{path.name}*"):
                each.unlink()

    def _write_free_keys(self, *, again: bool) -> None:
        """Of the keys that the load left out as shared, those that by then one record alone claims. What is written
        here may be an earlier state: the stream brings the newest. `again`: it may have been begun before.
        """
        place: tuple[str, bytes, bytes] | None = ("", b"", b"")
        while place is not None:
            with self._applied.transaction():
                place = self._index.touch_unwritten(place, self._window_changes)
                self._write_now(self._index.settle().writes, every_key=again)
        self._applied.put_back()

    def write(self, states: Iterable[Written]) -> tuple[int, int]:
        """Write states before the first window, no key twice; how many were put and deleted. What is kept out waits and
        is stale, as it is in a window.
        """
        with self._applied.transaction():
            work = self._write_now(states)
        self._applied.put_back()
        return work.put, work.deleted

    def _write_now(self, states: Iterable[Written], *, every_key: bool = False) -> WindowWork:
        work = WindowWork(Window(0, 0))
        places: dict[str, list[Written]] = defaultdict(list)
        for written in states:
            places[written.place].append(written)
        self._deliver(work, places.items(), every_key=every_key)
        self._keep(work, Outcome([], {}, set(), set()))
        return work

    def step(self) -> bool:
        """Apply the next window; whether there was one. Raises StateError where the stream ends: its dataset was
        dropped, renamed, or changed in a way that nothing can follow. All before that has been applied.
        """
        if self.waits:
            return False
        again = self._intended
        # A fence that came after a crash must not make another window of what had been begun.
        late_after_ms = self._late_after_ms() if again is None else self._applied.noted("late_after_ms") or {}
        window = read_window(
            self._spool,
            self._position,
            end=again,
            changes=self._window_changes,
            late_after_ms=late_after_ms,
        )
        if again is not None and window.end != again:
            raise StateError(
                f"the spool {self._spool.folder} ends at entry {window.end}, though {again} had been begun",
                advice="`greylag run --follow --reload FLOW` loads the datasets again from a new position.",
            )
        released = [] if again is not None else self._holding.expired()
        takes_up = bool(released) or self._holding.look_for_due
        if again is None and window.end == window.first and not takes_up:
            return False
        if again is None and (window.latest or takes_up):
            with self._applied.transaction():
                self._applied.release(released)
                self._applied.note("intent", window.end)
                self._applied.note("late_after_ms", dict(late_after_ms))
            self._holding.released(released)
        due = self._holding.due(released)
        self._apply(window, due, again=again is not None)
        self._intended = None
        if window.event is not None:
            raise _ended(window.event, [each.flow for each in self._carriers.get(window.event.dataset, ())])
        if self._clock() >= self._next_discard:
            self._spool.discard(self._position)
            self._next_discard = self._clock() + _DISCARD_SECONDS
        return True

    def _late_seconds(self, place: str) -> float:
        return self._writers[place].writer.late_write_seconds

    def _apply(self, window: Window, due: Sequence[Waiting], *, again: bool) -> None:
        work = WindowWork(window)
        with self._applied.transaction():
            outcome = self._set(work)
            if self._changed is not None:
                self._changed.note(window, outcome.writes)
            self._deliver(work, self._by_place(work, outcome, due), every_key=again)
            self._keep(work, outcome)
            self._save(work)
        self._applied.put_back()
        self._position = window.end

    def _keep(self, work: WindowWork, outcome: Outcome) -> None:
        """What waits, what is stale, and what is held."""
        self._holding.keep_waiting(work)
        self._staleness.mark(work, outcome)
        self._holding.hold(work)

    def _set(self, work: WindowWork) -> Outcome:
        """Tell the index what the window's changes make of the records of indexed flows."""
        latest = work.window.latest
        for (dataset, id_), change in latest.items():
            for carrier in self._carriers.get(dataset, ()):
                if not carrier.indexed or carrier.flow in self._gathering:
                    continue
                carried = [] if change.document is None else carrier.carry(change)
                if not isinstance(carried, Rejection) and _repeats(carried):
                    carried = carrier.rejection(change, "two of its items map to the same key", MEND)
                self._set_record(work, carrier, id_, carried)
        for flow, gathering in self._gathering.items():
            carrier = self._flows[flow]
            changes = (
                (id_, change)
                for (dataset, id_), change in latest.items()
                if carrier in self._carriers.get(dataset, ())
            )
            for id_, carried in gathering.gather(changes):
                self._set_record(work, carrier, id_, carried)
        return self._index.settle()

    def _set_record(
        self, work: WindowWork, carrier: Carrier, id_: bytes, carried: Sequence[Encoded] | Rejection
    ) -> None:
        if isinstance(carried, Rejection):
            self._index.spoil(carrier, id_)
            work.refused[carrier.flow, id_] = carried
        else:
            self._index.set(carrier, id_, carried)
            work.fine.add((carrier.flow, id_))

    def _by_place(
        self, work: WindowWork, outcome: Outcome, due: Sequence[Waiting]
    ) -> Iterator[tuple[str, Iterable[Written]]]:
        """The states of each place, no key twice in one. Flows without an index are mapped as their states are asked
        for, while others are on their way to the target.
        """
        settled: dict[str, list[Written]] = defaultdict(list)
        for written in outcome.writes:
            settled[written.place].append(written)
        for place in self._writers:
            states = itertools.chain(settled[place], self._mapped(work, place))
            if self._holding.waiting:
                newest = {
                    each.item.key: Written(place, each.item, each.flow, each.id)
                    for each in due
                    if each.place == place
                }
                work.taken_up |= {(each.flow, each.id) for each in newest.values()}
                newest |= {each.item.key: each for each in states}
                work.superseded += [(place, key) for key in newest if (place, key) not in self._holding]
                states = itertools.chain(newest.values())
            yield place, self._holding.unheld(work, states) if self._holding else states

    def _mapped(self, work: WindowWork, place: str) -> Iterator[Written]:
        keep_fine = bool(self._staleness)
        gone = self._gone(work, place)
        for turn, ((dataset, id_), change) in enumerate(work.window.latest.items()):
            if change.document is None:
                continue
            for carrier in self._carriers.get(dataset, ()):
                if carrier.indexed or carrier.place != place:
                    continue
                items = carrier.carry(change)
                if isinstance(items, Rejection):
                    work.refused[carrier.flow, id_] = items
                    continue
                if keep_fine:
                    work.fine.add((carrier.flow, id_))
                for item in items:
                    if gone and item.key in gone:
                        if gone[item.key][0] > turn:
                            continue
                        del gone[item.key]
                    yield Written(place, item, carrier.flow, id_)
        for _, written in gone.values():
            yield written

    def _gone(self, work: WindowWork, place: str) -> dict[bytes, tuple[int, Written]]:
        """By their keys, what the window deletes, and in whose turn. Two ids may have one key: MongoDB lets a record's
        `_id` turn from 1 to 1.0, which is told as a delete and a new record. What comes last counts.
        """
        found: dict[bytes, tuple[int, Written]] = {}
        for turn, ((dataset, id_), change) in enumerate(work.window.latest.items()):
            if change.document is not None:
                continue
            for carrier in self._carriers.get(dataset, ()):
                if not carrier.indexed and carrier.place == place:
                    if self._staleness:
                        work.fine.add((carrier.flow, id_))
                    for item in carrier.keys(change):
                        found[item.key] = turn, Written(place, item, carrier.flow, id_)
        return found

    def _deliver(
        self, work: WindowWork, places: Iterable[tuple[str, Iterable[Written]]], *, every_key: bool = False
    ) -> None:
        """Write them. With `every_key` all keys are held afterwards, since they were being written at a crash; if some
        were being taken away, all are written once more when no delete can land any longer.
        """
        took_away = every_key and self._applied.took_away
        for place, states in places:
            late = self._late_seconds(place)
            known = list(states) if every_key and late else []
            done = deliver(self._writers[place].writer, known or states, self._away, self._applied.take_away)
            work.put += done.put
            work.deleted += done.deleted
            work.unknown += done.unknown_requests
            work.out_of_reach += done.refused
            work.duplicates += [(each.written, each.reason) for each in done.duplicates]
            if late:
                work.held += [(place, key) for key in done.unknown]
                work.held += [(place, each.item.key) for each in known]
                work.deferred += known if took_away else done.exposed

    def _away(self, written: Written) -> Erased:
        if isinstance(written.item, Erased):
            return written.item
        return self._flows[written.flow].erased(written.item)

    def _save(self, work: WindowWork) -> None:
        window, counts = work.window, self._counts
        counts["changes"] += len(window.written_ms)
        counts["put"] += work.put
        counts["deleted"] += work.deleted
        counts["unknown"] += work.unknown
        counts["windows"] += bool(window.written_ms)
        if window.written_ms:
            self._lag.add(window.written_ms, round(time.time() * 1000), time.monotonic())
        if window.clock_ms is not None:
            self._clock_ms = window.clock_ms
        applied = self._applied
        applied.reach(window.barriers, window.end)
        applied.pass_barriers()
        for name, value in (
            ("position", window.end),
            ("intent", None),
            ("counts", counts),
            ("clock_ms", self._clock_ms),
        ):
            applied.note(name, value)
        applied.publish(
            ApplyProgress(
                window.end,
                counts["changes"],
                counts["put"],
                counts["deleted"],
                counts["windows"],
                self._holding.waiting,
                len(self._holding),
                self._staleness.shown,
                counts["unknown"],
                self._lag.figures(time.monotonic()),
                self._clock_ms,
                time.time(),
            )
        )


def _repeats(items: Sequence[Encoded]) -> bool:
    return len(items) > 1 and len({each.key for each in items}) < len(items)


def _ended(event: DatasetEvent, flows: Sequence[str]) -> StateError:
    flow = min(flows, default="FLOW")
    return StateError(
        f"dataset {event.dataset} was {event.kind} at the source: {event.detail}",
        advice="Everything before that has been applied. Make the dataset what it should be: `greylag run --follow "
        f"--reload {flow}` loads what is there then, and takes what is gone from the target. Or take the flow out.",
    )
