"""A run killed at a random moment, run again, ends with the very table an uninterrupted run makes.

Twenty-three kills: of a worker, of the coordinator, of all at once; five of them in CI. The tables are read and
compared with boto3 alone.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greylag.errors import StateError
from greylag.state.store import Store
from tests.command import Command, items_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

RECORDS = 4000
PROJECT = """
project: killed
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}", create_tables: true,
            write_units_per_second: {units}}}
services:
  things:
    flows:
      things:
        from: mongo.things
        to: dynamo.{table}
        key: {{pk: "{{kind}}#{{n}}"}}
"""


@pytest.fixture(scope="module")
def things(mongodb_url: str) -> Iterator[str]:
    """A database with a collection of mixed `_id` types, two records of one key, and one that cannot be carried."""
    import bson
    from pymongo import MongoClient

    database = f"kills_{os.getpid()}"
    chance = random.Random(7)
    documents: list[dict[str, Any]] = []
    for n in range(RECORDS):
        identity = [
            n,
            f"id-{n}",
            bson.ObjectId(f"{n:024x}"),
            bson.Binary(b"%d" % n, 5),
            {"a": n},
            float(n) + 0.5,
        ][n % 6]
        documents.append(
            {"_id": identity, "kind": "k", "n": n, "price": bson.Decimal128(f"{n}.50"), "text": "x" * 300}
        )
    documents[17]["nan"] = float("nan")
    documents[99]["n"] = 98
    chance.shuffle(documents)
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database].things.insert_many(documents)
        yield database
        client.drop_database(database)


@pytest.fixture
def make(tmp_path: Path, things: str, mongodb_url: str, dynamodb_endpoint: str, table_prefix: str) -> Any:
    def command(name: str, units: int) -> tuple[Command, str]:
        folder = tmp_path / name
        folder.mkdir()
        command = Command(folder)
        table = f"{table_prefix}{name}"
        command.write(
            PROJECT.format(
                url=mongodb_url, database=things, endpoint=dynamodb_endpoint, table=table, units=units
            )
        )
        return command, table

    return command


TUNING = ("--processes", "2", "--partition-bytes", "200000", "--page-bytes", "20000")
# What Python itself says in a worker it was still starting when the coordinator was killed.
UNBORN = re.compile(
    r'Traceback \(most recent call last\):\n  File "<string>", line 1, in <module>\n'
    r"(?: .*\n)*? .* in spawn_main\n(?: .*\n)+EOFError: Ran out of input\n"
)
KILLS = {"worker": (2, 7), "coordinator": (2, 7), "all": (1, 4)}


@pytest.mark.parametrize(
    ("victim", "seeds"),
    [
        pytest.param(victim, seeds, marks=marks, id=f"{victim}-{seeds[0]}")
        for victim, (few, many) in KILLS.items()
        for seeds, marks in ((range(few), ()), (range(few, few + many), pytest.mark.long))
    ],
)
def test_a_killed_run_goes_on_and_ends_with_the_same_table(
    make: Any, dynamodb_endpoint: str, victim: str, seeds: range
) -> None:
    calm, table = make("calm", 100_000)
    calm("run", *TUNING, expect=10)
    expected = items_of(dynamodb_endpoint, table)
    assert len(expected) == RECORDS - 3
    for seed in seeds:
        chance = random.Random(f"{victim}{seed}")
        for attempt in range(5):  # a run may end before the moment comes: that proves nothing, so once more
            command, table = make(f"killed-{seed}-{attempt}", 2000)
            if _killed(command, victim, chance):
                break
        else:
            pytest.fail("five runs ended before they were killed")
        report = command.json("run", *TUNING, expect=10)
        assert report["flows"][0]["records_read"] == RECORDS
        assert report["flows"][0]["items_written"] == RECORDS - 3
        assert report["records_quarantined"] == 3
        assert command.json("quarantine", "list")["total"] == 3
        assert items_of(dynamodb_endpoint, table) == expected
        again = command.json("run", *TUNING, expect=10)
        assert again["already_finished"] == ["things"]


def _killed(command: Command, victim: str, chance: random.Random) -> bool:
    """Start a run and kill it at a random moment; whether that ended it.

    The moment is while shared keys are looked for, or some share of the load. A worker killed after its last
    page ends no run.
    """
    moment = chance.uniform(-0.3, 0.9) * RECORDS
    deadline = time.monotonic() + 60
    process = command.start("run", *TUNING)
    try:
        while process.poll() is None:
            assert time.monotonic() < deadline
            children = _children(process.pid)
            if children and _records_loaded(command.folder) >= moment:
                with contextlib.suppress(ProcessLookupError):
                    _kill(process, victim, chance.choice(children))
                break
            time.sleep(0.005)
    finally:
        _, errors = process.communicate()
    assert process.returncode in (0, 10) or "Traceback" not in UNBORN.sub("", errors), errors
    return process.returncode not in (0, 10)


def _kill(process: subprocess.Popen[str], victim: str, worker: int) -> None:
    if victim == "worker":
        os.kill(worker, signal.SIGKILL)
    elif victim == "coordinator":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _records_loaded(folder: Path) -> int:
    """As the state says, which any process may read at any time."""
    try:
        with Store(folder / ".greylag" / "state.sqlite", read_only=True) as store:
            return sum(flow.records_read for flow in store.progress())
    except StateError:  # not there, or not yet made
        return -RECORDS


def _children(pid: int) -> list[int]:
    """The worker processes of a coordinator; its resource tracker is not one."""
    found = []
    with contextlib.suppress(OSError):  # it ended meanwhile: no such file, or no such process
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            with contextlib.suppress(OSError):
                if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text():
                    found.append(child)
    return found
