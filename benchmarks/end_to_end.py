"""(b) From mongod to DynamoDB Local, beside boto3 and what the server can take at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import corpus, servers, shop
from benchmarks.apart import apart
from benchmarks.command import Command
from benchmarks.figure import Figure, Series, Target, interleaved, ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RECORDS = 20_000
WRITER_RECORDS, PUT_RECORDS = 3_000, 600
_TARGET = 0.8
CEILING, OURS, WRITER = "prebuilt requests", "greylag run", "boto3 batch_writer"


def measure() -> Figure:
    """Run it."""
    with (
        tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder,
        servers.lab("mongod", "dynamodb") as lab,
    ):
        shop.fill(lab["MONGODB_URI"], RECORDS)
        ways = _ways(Path(folder), lab)
        ways[CEILING]()  # DynamoDB Local is compiled while it runs: the first requests tell nothing
        runs = interleaved(ways)
    rates = {name: tuple(run["count"] / run["seconds"] for run in found) for name, found in runs.items()}
    pairs = Series("", ratios(rates[OURS], rates[CEILING]), "times")
    writer = Series("", ratios(rates[OURS], rates[WRITER]), "times")
    return Figure(
        "b",
        "mongod to DynamoDB Local, end to end",
        f"{RECORDS:,} orders of {corpus.DOCUMENT_BYTES} bytes, one process on one core, mongod and DynamoDB Local on "
        "another. `greylag run` from its plan to its last checkpoint; boto3's ways read with pymongo's `find` "
        f"({WRITER_RECORDS:,} and {PUT_RECORDS:,} documents). The ceiling: the same requests, made and signed "
        "beforehand, sent over 16 connections by a few lines of asyncio, reading nothing.",
        tuple(Series(name, values, "items/s") for name, values in rates.items()),
        (Target("greylag against prebuilt requests", pairs.median, least=_TARGET),),
        (f"Against batch_writer: {writer.median:.1f} times the items a second.",),
    )


def _ways(folder: Path, lab: Mapping[str, str]) -> dict[str, Callable[[], Mapping[str, float]]]:
    endpoint = lab["DYNAMODB_ENDPOINT"]
    file = folder / "orders.bson"
    corpus.write_bson(file, "orders", RECORDS)

    def ours() -> Mapping[str, float]:
        shop.empty_table(endpoint)
        shutil.rmtree(folder / "shop", ignore_errors=True)
        shop.write_project(folder / "shop")
        report = Command(folder / "shop", lab).json("run", "--processes", "1")
        assert shop.items_in(endpoint) == RECORDS
        return {"count": RECORDS, "seconds": report["seconds"]}

    def ceiling() -> Mapping[str, float]:
        shop.empty_table(endpoint)
        found = apart("benchmarks.raw:prebuilt", endpoint=endpoint, file=str(file), count=RECORDS)
        assert shop.items_in(endpoint) == RECORDS
        return found

    def peer(function: str, count: int) -> Mapping[str, float]:
        shop.empty_table(endpoint)
        return apart(
            f"benchmarks.peers:{function}", endpoint=endpoint, mongodb=lab["MONGODB_URI"], count=count
        )

    return {
        CEILING: ceiling,
        OURS: ours,
        WRITER: lambda: peer("batch_writer", WRITER_RECORDS),
        "boto3 put_item": lambda: peer("put_item", PUT_RECORDS),
    }
