"""(f) What a kill costs: records written twice, and the time until the first is written again."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import corpus, machine, servers, shop
from benchmarks.command import Command, kill
from benchmarks.figure import ROUNDS, Figure, Series, Target

if TYPE_CHECKING:
    from benchmarks.servers import Endpoint

RECORDS = 100_000
_MOST_TWICE, _MOST_SECONDS = 2.0, 5.0
_POLL_SECONDS = 0.01


def measure() -> Figure:
    """Run it."""
    chance = random.Random(corpus.SEED)
    twice, seconds = [], []
    with (
        tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder,
        servers.lab("mongod") as lab,
        servers.endpoint() as endpoint,
    ):
        shop.fill(lab["MONGODB_URI"], RECORDS)
        for number in range(ROUNDS):
            at = Path(folder) / str(number)
            shop.write_project(at)
            both = machine.client_core(), machine.server_core()
            command = Command(at, {**lab, "DYNAMODB_ENDPOINT": endpoint.url}, cores=both)
            share, restart = _killed(command, endpoint, chance.uniform(0.2, 0.8))
            twice.append(100 * share)
            seconds.append(restart)
    of_twice, of_seconds = (
        Series("written twice", tuple(twice), "%"),
        Series("to start again", tuple(seconds), "s"),
    )
    return Figure(
        "f",
        "Going on after a kill",
        f"`greylag run` with two workers carries {RECORDS:,} records from mongod to an endpoint that answers at once; "
        "all of its processes are killed (SIGKILL) at a random moment, and the same command is called again. The "
        "seconds are from that call to the first item that is written.",
        (of_twice, of_seconds),
        (
            Target("records written twice (the worst run)", max(twice), most=_MOST_TWICE, unit="%"),
            Target(
                "until the first item is written again (the worst run)",
                max(seconds),
                most=_MOST_SECONDS,
                unit="s",
            ),
        ),
    )


def _killed(command: Command, endpoint: Endpoint, moment: float) -> tuple[float, float]:
    """The share of records written twice, and the seconds until the first item after the kill."""
    endpoint.reset()
    process = command.start("run", "--processes", "2", "--json")
    while (before := endpoint.counts()["items"]) < moment * RECORDS:
        assert process.poll() is None, "the run ended before it was killed"
        time.sleep(_POLL_SECONDS)
    kill(process)
    before = endpoint.counts()["items"]
    endpoint.reset()
    began = time.time()
    command.json("run", "--processes", "2")
    after = endpoint.counts()
    assert before + after["items"] >= RECORDS
    return (before + after["items"] - RECORDS) / RECORDS, after["first_at"] - began
