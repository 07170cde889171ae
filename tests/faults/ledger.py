"""An application that writes at a set rate, and a ledger of every write that MongoDB acknowledged."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from pymongo import MongoClient

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = ("a", "b", "c")
IDS = 60


class Ledger:
    """Inserts, updates, replaces, deletes, moves keys and swaps unique values in `things` of a database.

    `last` is the last acknowledged state of each `_id`, None where it was deleted. Every state has a `version` of its
    own, so that an earlier one is told from a later one.
    """

    def __init__(self, url: str, database: str, *, seed: int, rate: float = 200.0) -> None:
        self._client = MongoClient[dict[str, Any]](url, retryWrites=True)
        self._things = self._client[database]["things"]
        self._chance = random.Random(seed)
        self._rate = rate
        self._version = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.last: dict[int, dict[str, Any] | None] = {}
        self.acknowledged = 0

    def create(self) -> None:
        """The collection, its unique index, and some records."""
        self._things.create_index("name", unique=True)
        for number in range(IDS // 2):
            self._put(number, self._state(number))

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
        self._client.close()

    def records(self) -> list[dict[str, Any]]:
        """What the source holds; each of them the last acknowledged state, or this raises."""
        found = {each["_id"]: each for each in self._things.find()}
        expected = {number: state for number, state in self.last.items() if state is not None}
        assert found == expected, "the source itself is not what was acknowledged"
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
                time.sleep(max(0.0, began + done / self._rate - time.monotonic()))
        except BaseException as error:  # noqa: BLE001 - raised where the test waits
            self._error = error

    def _state(self, number: int) -> dict[str, Any]:
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

    def _put(self, number: int, state: dict[str, Any]) -> None:
        self._things.replace_one({"_id": number}, state, upsert=True)
        self._acknowledge(number, state)

    def _acknowledge(self, number: int, state: dict[str, Any] | None) -> None:
        self.last[number] = state
        self.acknowledged += 1

    def _insert(self) -> None:
        number = self._chance.randrange(IDS)
        if self.last.get(number) is None:
            state = self._state(number)
            self._things.insert_one(dict(state))
            self._acknowledge(number, state)

    def _update(self) -> None:
        if (number := self._there()) is not None:
            self._version += 1
            self._things.update_one({"_id": number}, {"$set": {"version": self._version}})
            before = self.last[number]
            assert before is not None
            self._acknowledge(number, {**before, "version": self._version})

    def _replace(self) -> None:
        if (number := self._there()) is not None:
            before = self.last[number]
            assert before is not None
            self._put(number, {**self._state(number), "name": before["name"]})

    def _delete(self) -> None:
        if (number := self._there()) is not None:
            self._things.delete_one({"_id": number})
            self._acknowledge(number, None)

    def _move(self) -> None:
        """Another `kind`, of which the key at the target is made."""
        if (number := self._there()) is not None:
            before = self.last[number]
            assert before is not None
            self._version += 1
            kind = self._chance.choice([each for each in KINDS if each != before["kind"]])
            change = {"kind": kind, "version": self._version}
            self._things.update_one({"_id": number}, {"$set": change})
            self._acknowledge(number, {**before, **change})

    def _swap(self) -> None:
        """Two records change names, which are unique, by way of a third name."""
        known = [number for number, state in self.last.items() if state is not None]
        if len(known) < 2:
            return
        one, other = self._chance.sample(known, 2)
        first, second = self.last[one], self.last[other]
        assert first is not None
        assert second is not None
        for number, name in ((one, f"between-{one}"), (other, first["name"]), (one, second["name"])):
            self._version += 1
            change = {"name": name, "version": self._version}
            self._things.update_one({"_id": number}, {"$set": change})
            before = self.last[number]
            assert before is not None
            self._acknowledge(number, {**before, **change})
