"""An application that writes at a set rate, and a ledger of every write that its store acknowledged."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: Final = ("a", "b", "c")
IDS: Final = 60
RATE: Final = 100.0

State = dict[str, Any]


class Refused(Exception):  # noqa: N818 - what a fence does
    """The store takes no more writes of the application."""


class Things(Protocol):
    """Where the application keeps its records, each a state with `_id`. What returns was acknowledged; Refused where
    the store is fenced.
    """

    def insert(self, state: State) -> None:
        """One that is not there."""

    def replace(self, before: State, state: State) -> None:
        """The whole record."""

    def update(self, before: State, change: State) -> None:
        """Some fields, perhaps one that the key at the target is made of."""

    def delete(self, before: State) -> None:
        """One that is there."""

    def read(self) -> list[State]:
        """All records, as they stand now."""

    def close(self) -> None:
        """Let go of connections."""


class Ledger:
    """Inserts, updates, replaces, deletes, moves keys and swaps unique names.

    `last` is the last acknowledged state of each `_id`, None where it was deleted. Every state has a `version` of its
    own, so that an earlier one is told from a later one.
    """

    def __init__(self, things: Things, *, seed: int, rate: float = RATE) -> None:
        self._things = things
        self._chance = random.Random(seed)
        self._rate = rate
        self._version = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.last: dict[int, State | None] = {}
        self.acknowledged = 0
        self.refused = False

    def begin(self) -> None:
        """Some records."""
        for number in range(IDS // 2):
            state = self._state(number)
            self._things.insert(dict(state))
            self._acknowledge(number, state)

    def go_on_at(self, things: Things) -> None:
        """The application has moved: from now on it writes there."""
        self._things.close()
        self._things = things
        self.refused = False

    def __enter__(self) -> Self:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        assert self._thread is not None
        self._thread.join(60)
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Close the connection."""
        self._things.close()

    def records(self) -> list[State]:
        """What the store holds; each of them the last acknowledged state, or this raises."""
        found = {each["_id"]: each for each in self._things.read()}
        expected = {number: state for number, state in self.last.items() if state is not None}
        assert found == expected, "the store itself is not what it acknowledged"
        return list(found.values())

    def _work(self) -> None:
        began, done = time.monotonic(), 0
        acts: list[Callable[[], None]] = [
            self._insert,
            self._update,
            self._update,
            self._replace,
            self._delete,
            self._move,
            self._swap,
        ]
        try:
            while not self._stopping.is_set():
                self._chance.choice(acts)()
                done += 1
                self._stopping.wait(max(0.0, began + done / self._rate - time.monotonic()))
        except Refused:
            self.refused = True
        except BaseException as error:  # noqa: BLE001 - raised where the test waits
            self._error = error

    def _state(self, number: int) -> State:
        self._version += 1
        return {
            "_id": number,
            "kind": self._chance.choice(KINDS),
            "name": f"name-{number}-{self._version}",
            "version": self._version,
            "text": "x" * self._chance.randrange(200),
        }

    def _there(self) -> int | None:
        known = [number for number, state in self.last.items() if state is not None]
        return self._chance.choice(known) if known else None

    def _acknowledge(self, number: int, state: State | None) -> None:
        self.last[number] = state
        self.acknowledged += 1

    def _known(self, number: int) -> State:
        state = self.last[number]
        assert state is not None
        return state

    def _change(self, number: int, **change: Any) -> None:
        self._version += 1
        change["version"] = self._version
        before = self._known(number)
        self._things.update(before, change)
        self._acknowledge(number, {**before, **change})

    def _insert(self) -> None:
        number = self._chance.randrange(IDS)
        if self.last.get(number) is None:
            state = self._state(number)
            self._things.insert(dict(state))
            self._acknowledge(number, state)

    def _update(self) -> None:
        if (number := self._there()) is not None:
            self._change(number)

    def _replace(self) -> None:
        if (number := self._there()) is not None:
            before = self._known(number)
            state = {**self._state(number), "name": before["name"]}
            self._things.replace(before, dict(state))
            self._acknowledge(number, state)

    def _delete(self) -> None:
        if (number := self._there()) is not None:
            self._things.delete(self._known(number))
            self._acknowledge(number, None)

    def _move(self) -> None:
        """Another `kind`, of which the key at the target is made."""
        if (number := self._there()) is not None:
            kind = self._known(number)["kind"]
            self._change(number, kind=self._chance.choice([each for each in KINDS if each != kind]))

    def _swap(self) -> None:
        """Two records change names, which are unique, by way of a third name."""
        known = [number for number, state in self.last.items() if state is not None]
        if len(known) < 2:
            return
        one, other = self._chance.sample(known, 2)
        first, second = self._known(one)["name"], self._known(other)["name"]
        for number, name in ((one, f"between-{one}-{self._version}"), (other, first), (one, second)):
            self._change(number, name=name)
