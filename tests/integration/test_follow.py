"""`greylag run --follow` as a user calls it: load, changes, interruptions, lost positions and the way back."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors import memory
from tests.command import Command

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

PROJECT = """
project: following
connections:
  a: {kind: memory, path: a.sqlite, family: bson}
  b: {kind: memory, path: b.sqlite}
services:
  s:
    flows:
      things: {from: a.things, to: b.things, key: {pk: "T#{_id}"}}
      named: {from: a.named, to: b.named, key: {name: "{name}"}}
"""
DEADLINE_SECONDS = 90.0
FOLLOW = ("run", "--follow", "--processes", "1", "--page-bytes", "500")


class Shop:
    """A source that is written to, what it must hold, and what the target holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.greylag = Command(folder)
        self.greylag.write(PROJECT)
        self.fresh = itertools.count(1000)
        self.things: dict[int, dict[str, Any]] = {each: {"_id": each, "n": each} for each in range(60)}
        self.named: dict[int, dict[str, Any]] = {
            each: {"_id": each, "name": f"n{each}"} for each in range(60)
        }
        memory.put(self.source, "things", self.things.values(), family="bson")
        memory.put(self.source, "named", self.named.values(), family="bson")

    @property
    def source(self) -> Path:
        return self.folder / "a.sqlite"

    def thing(self, number: int, n: int | None) -> None:
        if n is None:
            self.things.pop(number, None)
            memory.delete(self.source, "things", [number])
        else:
            self.things[number] = {"_id": number, "n": n}
            memory.write(self.source, "things", [self.things[number]])

    def name(self, number: int, name: str | None) -> None:
        if name is None:
            self.named.pop(number, None)
            memory.delete(self.source, "named", [number])
        else:
            self.named[number] = {"_id": number, "name": name}
            memory.write(self.source, "named", [self.named[number]])

    def differs(self) -> str:
        """What the target holds otherwise than it should, in words; empty where it is alike."""
        wanted = [{**each, "pk": f"T#{each['_id']}"} for each in self.things.values()]
        for table, expected in (("things", wanted), ("named", list(self.named.values()))):
            found = self.items(table)
            extra = [each for each in found if each not in expected]
            missing = [each for each in expected if each not in found]
            if extra or missing:
                return f"{table}: extra {extra[:3]}, missing {missing[:3]}"
        return ""

    def items(self, table: str) -> list[Any]:
        return memory.items(self.folder / "b.sqlite", table)

    @contextmanager
    def following(self, *arguments: str, expect: int = 0, stop: int = signal.SIGINT) -> Iterator[Following]:
        process = self.greylag.start(*FOLLOW, *arguments)
        running = Following(self, process)
        try:
            yield running
            process.send_signal(stop)
            process.wait(DEADLINE_SECONDS)
        finally:
            process.kill()
            running.thread.join()
        assert process.returncode == expect, running.text()
        assert "Traceback" not in running.text()

    def stages(self) -> set[str]:
        told = self.greylag("status", "--json", expect=None)
        if told.returncode:
            return set()
        return {each["stage"] for each in json.loads(told.stdout)["flows"]}


class Following:
    def __init__(self, shop: Shop, process: subprocess.Popen[str]) -> None:
        self.shop = shop
        self.process = process
        self._told: list[str] = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        out, err = self.process.communicate()
        self._told += [out, err]

    def text(self) -> str:
        self.thread.join(DEADLINE_SECONDS)
        return "".join(self._told)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.shop.differs()
            time.sleep(0.05)

    def until_following(self) -> None:
        """Not only as an earlier run left it: a record that is written now has to come through first."""
        number = next(self.shop.fresh)
        self.shop.thing(number, number)
        wanted = {"_id": number, "n": number, "pk": f"T#{number}"}
        self.until(lambda: wanted in self.shop.items("things"))
        self.until(lambda: self.shop.stages() == {"following"})

    def until_alike(self) -> None:
        self.until(lambda: not self.shop.differs())

    def children(self) -> list[int]:
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        found = [pid for task in tasks for pid in (task / "children").read_text().split()]
        return [int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_what_is_loaded_is_followed_until_told_to_stop(shop: Shop) -> None:
    with shop.following("--metrics-addr", "127.0.0.1:0") as running:
        running.until_following()
        for number in range(10):
            shop.thing(number + 55, -number)
            shop.name(number, f"moved{number}")
        shop.thing(0, None)
        shop.name(59, None)
        running.until_alike()
        told = shop.greylag.json("status")
        [stream] = told["streams"]
        assert told["running"]
        assert stream["changes_applied"] >= 22
        assert stream["changes_behind"] == 0
        assert 0 <= stream["lag_p50_ms"] <= stream["lag_p99_ms"] <= stream["lag_max_ms"]
        assert stream["warning"] == ""
        assert " changes applied, 0 behind, lag" in shop.greylag("status").stdout
    assert "Stopped." in running.text()
    refused = shop.greylag("run", expect=7)
    assert "is followed" in refused.stderr
    assert "--reload" in refused.stderr
    shop.thing(3, 33)
    with shop.following(stop=signal.SIGTERM) as running:
        running.until_following()
        running.until_alike()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 8))])
def test_killed_anywhere_it_goes_on(shop: Shop, seed: int) -> None:
    """Coordinator, capture, apply, or a worker of the load, while the source is written to."""
    chance = random.Random(seed)
    for round_ in range(3):
        running = Following(shop, shop.greylag.start(*FOLLOW))
        for _ in range(chance.randrange(40)):
            write_something(shop, chance)
            time.sleep(chance.random() * 0.05)
        victims = running.children()
        if victims and chance.random() < 0.7:
            os.kill(chance.choice(victims), signal.SIGKILL)
            for _ in range(chance.randrange(20)):
                write_something(shop, chance)
        running.process.kill()
        running.thread.join()
        assert "Traceback" not in running.text() or round_ < 0, running.text()
    with shop.following() as running:
        write_something(shop, chance)
        running.until_following()
        running.until_alike()


def write_something(shop: Shop, chance: random.Random) -> None:
    number = chance.randrange(80)
    match chance.randrange(4):
        case 0:
            shop.thing(number, None)
        case 1:
            shop.thing(number, chance.randrange(1000))
        case 2:
            shop.name(number, None)
        case _:
            shop.name(number, f"{number}-{chance.randrange(9)}")


@pytest.mark.long
def test_killed_children_are_started_again(shop: Shop) -> None:
    with shop.following() as running:
        running.until_following()
        for number in range(2):
            [*before] = running.children()
            assert len(before) == 2
            os.kill(before[number], signal.SIGKILL)
            running.until(lambda: len(set(running.children()) - {before[number]}) == 2)  # noqa: B023
            shop.thing(number, 100 + number)
            running.until_alike()


def test_a_lost_position_is_a_clear_error_and_reload_the_way_back(shop: Shop) -> None:
    with shop.following() as running:
        running.until_following()
    shop.thing(1, None)
    shop.thing(2, 22)
    shop.name(3, "moved")
    shop.name(4, None)
    memory.forget_changes(shop.source)
    shop.thing(5, 55)
    lost = shop.greylag(*FOLLOW, expect=13)
    assert "--reload" in lost.stderr
    with shop.following("--reload", "things") as running:
        shop.thing(6, 66)
        running.until_following()
        running.until_alike()


def test_a_dropped_dataset_ends_it_with_an_error(shop: Shop) -> None:
    running = Following(shop, shop.greylag.start(*FOLLOW))
    running.until_following()
    shop.thing(5, 55)
    memory.drop(shop.source, "named")
    assert running.process.wait(DEADLINE_SECONDS) == 7
    assert "named" in running.text()
    assert {"_id": 5, "n": 55, "pk": "T#5"} in memory.items(shop.folder / "b.sqlite", "things")


@pytest.mark.long
def test_what_was_loaded_without_it_is_not_followed_silently(shop: Shop) -> None:
    shop.greylag("run")
    shop.thing(1, 11)
    refused = shop.greylag(*FOLLOW, expect=7)
    assert "loaded without --follow" in refused.stderr
    with shop.following("--restart") as running:
        running.until_following()
        running.until_alike()


@pytest.mark.long
def test_a_spool_that_is_gone_is_not_begun_anew_silently(shop: Shop) -> None:
    import shutil

    with shop.following() as running:
        running.until_following()
    shutil.rmtree(shop.folder / ".greylag" / "spool")
    refused = shop.greylag(*FOLLOW, expect=7)
    assert "is gone" in refused.stderr
    with shop.following("--reload", "s") as running:
        running.until_following()
        running.until_alike()


@pytest.mark.long
def test_a_flow_joins_what_is_followed(shop: Shop) -> None:
    with shop.following("--only", "things") as running:
        running.until_following()
    shop.thing(1, 11)
    with shop.following("--only", "named") as running:
        running.until_following()
        running.until_alike()


@pytest.mark.parametrize(
    "arguments",
    [("--limit", "1"), ("--dry-run",), ("--plan", "x"), ("--restart", "--reload", "s")],
)
def test_what_makes_no_sense_beside_it_is_said(shop: Shop, arguments: tuple[str, ...]) -> None:
    assert "beside" in shop.greylag(*FOLLOW, *arguments, expect=2).stderr
    assert "--follow" in shop.greylag("run", "--reload", "s", expect=2).stderr
