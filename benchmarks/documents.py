"""(g) From one collection to another, beside a loop that does nothing else."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import corpus, servers, shop
from benchmarks.apart import Stopwatch, apart
from benchmarks.command import Command
from benchmarks.figure import Figure, Series, Target, interleaved, ratios

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORDS = 150_000
ROUNDS = 5
_TOGETHER = 1000
_LEAST = 0.9
LOOP, OURS, VERIFY, DECODED = "raw copy loop", "greylag run", "greylag verify", "greylag run, decoded"
_PROJECT = """
project: documents
connections:
  mongo: {{kind: mongodb, url: "{url}", database: shop}}
  copied: {{kind: mongodb, url: "{url}", database: copied, create_tables: true}}
services:
  orders:
    flows:
      orders: {{from: mongo.orders, to: copied.orders{more}}}
"""


def measure() -> Figure:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as name, servers.lab("mongod") as lab:
        url = lab["MONGODB_URI"]
        shop.fill(url, RECORDS)
        command = Command(Path(name) / "orders", lab)

        def load(more: str) -> Mapping[str, float]:
            drop(url)
            shutil.rmtree(command.folder, ignore_errors=True)
            command.folder.mkdir()
            (command.folder / "greylag.yaml").write_text(_PROJECT.format(url=url, more=more))
            return {"seconds": command.json("run", "--processes", "1")["seconds"]}

        def verify() -> Mapping[str, float]:
            """What was loaded just before."""
            report = command.json("verify", "--processes", "1")
            assert report["flows"][0]["verified"] == RECORDS, report
            return {"seconds": report["seconds"]}

        def loop() -> Mapping[str, float]:
            drop(url)
            return apart("benchmarks.documents:copy", url=url)

        ways = {
            LOOP: loop,
            OURS: lambda: load(""),
            VERIFY: verify,
            DECODED: lambda: load(", attributes: {moved: true}"),
        }
        runs = interleaved(ways, rounds=ROUNDS)
    rates = {way: tuple(RECORDS / run["seconds"] for run in found) for way, found in runs.items()}

    def against(one: str, other: str) -> float:
        return Series("", ratios(rates[one], rates[other]), "times").median

    return Figure(
        "g",
        "mongod to mongod",
        f"{RECORDS:,} orders of {corpus.DOCUMENT_BYTES} bytes from one collection to another of the same server, one "
        "process on one core, mongod on another. The loop: pymongo's `find` and `insert_many` of documents that are "
        f"never decoded, {_TOGETHER:,} at a time and unordered, with the write concern that Greylag has (majority, "
        "journal). Greylag's seconds are those of the whole command's work: its plan, its worker's start, its "
        "checkpoints. Decoded: the same flow with one more attribute.",
        tuple(Series(way, values, "documents/s") for way, values in rates.items()),
        (
            Target("greylag against the loop", against(OURS, LOOP), least=_LEAST),
            Target("verify against load", against(VERIFY, OURS), least=1.0),
        ),
    )


def drop(url: str) -> None:
    """So that the next way begins with nothing."""
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](url) as client:
        client.drop_database("copied")


def copy(url: str) -> dict[str, float]:
    """The loop itself."""
    from bson.raw_bson import RawBSONDocument
    from pymongo import MongoClient
    from pymongo.write_concern import WriteConcern

    with MongoClient(url, document_class=RawBSONDocument) as client:
        copied = client["copied"].get_collection("orders", write_concern=WriteConcern("majority", j=True))
        count = 0
        with Stopwatch() as watch:
            batch: list[RawBSONDocument] = []
            for document in client["shop"]["orders"].find(batch_size=_TOGETHER):
                batch.append(document)
                if len(batch) == _TOGETHER:
                    copied.insert_many(batch, ordered=False)
                    count += len(batch)
                    batch = []
            if batch:
                copied.insert_many(batch, ordered=False)
                count += len(batch)
    return watch.of(count)
