"""(d) Proving it, beside doing it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import servers, shop
from benchmarks.command import Command
from benchmarks.figure import Figure, Series, Target, interleaved, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORDS = 15_000


def measure() -> Figure:
    """Run it."""
    with (
        tempfile.TemporaryDirectory(prefix="greylag-bench-") as name,
        servers.lab("mongod", "dynamodb") as lab,
    ):
        folder = Path(name) / "shop"
        shop.fill(lab["MONGODB_URI"], RECORDS)
        command = Command(folder, lab)

        def load() -> Mapping[str, float]:
            shop.empty_table(lab["DYNAMODB_ENDPOINT"])
            shutil.rmtree(folder, ignore_errors=True)
            shop.write_project(folder)
            return {"seconds": command.json("run", "--processes", "1")["seconds"]}

        def verify() -> Mapping[str, float]:
            report = command.json("verify", "--processes", "1")
            assert report["flows"][0]["verified"] == RECORDS, report
            return {"seconds": report["seconds"]}

        def plan() -> Mapping[str, float]:
            report = command.json("plan", "--full", "--processes", "1")
            assert report["flows"][0]["items"] == RECORDS, report
            return {"seconds": report["seconds"]}

        runs = interleaved({"greylag run": load, "greylag verify": verify, "greylag plan --full": plan})
    rates = {way: tuple(RECORDS / run["seconds"] for run in found) for way, found in runs.items()}
    return Figure(
        "d",
        "Looking at every record, beside loading it",
        f"{RECORDS:,} orders from mongod to DynamoDB Local, one process on one core, the servers on another. "
        "`verify` reads every record and every item and compares them through the mapping; "
        "`plan --full` reads, maps and encodes every record and writes nothing.",
        tuple(Series(way, values, "records/s") for way, values in rates.items()),
        (
            Target(
                "verify against load",
                Series("", ratios(rates["greylag verify"], rates["greylag run"]), "times").median,
                least=1.0,
            ),
            Target(
                "plan --full against load",
                Series("", ratios(rates["greylag plan --full"], rates["greylag run"]), "times").median,
                least=1.0,
            ),
        ),
    )
