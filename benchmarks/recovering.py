"""(r) A backup and its restore, beside scripts with boto3's scan and batch_writer."""

from __future__ import annotations

import base64
import gc
import gzip
import json
import resource
import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from boto3.dynamodb.types import Binary

from benchmarks import corpus, servers, shop
from benchmarks.apart import Stopwatch, apart
from benchmarks.figure import Figure, Series, Target, interleaved, ratios
from greylag.config import load
from greylag.core.work import Finished
from greylag.executors.inline import Inline
from greylag.operations.backup import BackupOptions, backup
from greylag.operations.restore import RestoreOptions, restore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from greylag.core.work import Message, Work

Task = TypeVar("Task")

RECORDS, MANY = 20_000, 100_000
ROUNDS = 3
_BACKUP, _RESTORE, _GROWTH = 3.0, 5.0, 1.15
COPY = "shop-copy"
OURS_OUT, SCAN = "greylag backup", "boto3 scan"
OURS_IN, WRITER = "greylag restore", "boto3 batch_writer"


def measure() -> Figure:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as name, servers.lab("dynamodb") as lab:
        folder, endpoint = Path(name), lab["DYNAMODB_ENDPOINT"]
        shop.write_project(folder / "shop")
        _fill(endpoint, folder, RECORDS)
        runs = interleaved(
            {
                OURS_OUT: lambda: _ours_out(endpoint, folder),
                SCAN: lambda: _apart("scan", endpoint, folder),
                OURS_IN: lambda: _ours_in(endpoint, folder),
                WRITER: lambda: _apart("batch_writer", endpoint, folder),
            },
            rounds=ROUNDS,
        )
        few = max(run["peak_mb"] for way in (OURS_OUT, OURS_IN) for run in runs[way])
        _fill(endpoint, folder, MANY)
        many = max(_ours_out(endpoint, folder)["peak_mb"], _ours_in(endpoint, folder)["peak_mb"])
    rates = {way: tuple(run["count"] / run["cpu_seconds"] for run in found) for way, found in runs.items()}
    walls = {way: tuple(run["count"] / run["seconds"] for run in found) for way, found in runs.items()}
    out = Series("", ratios(rates[OURS_OUT], rates[SCAN]), "times")
    back = Series("", ratios(rates[OURS_IN], rates[WRITER]), "times")
    return Figure(
        "r",
        "Backup and restore",
        f"{RECORDS:,} orders in a table on DynamoDB Local, into gzip files and back into a new table; one process on "
        "one core, the server on another. `greylag backup` and `greylag restore` in that process, with all they do: "
        "digests, journal, the check of the whole backup before it is restored. The scripts: boto3's `Table.scan`, a "
        "JSON line for each item, gzip of the same level; lines back through `Table.batch_writer`.",
        tuple(Series(f"{way}, a CPU-second", values, "items/s") for way, values in rates.items()),
        (
            Target("greylag backup against scan, items a CPU-second", out.median, least=_BACKUP),
            Target("greylag restore against batch_writer, items a CPU-second", back.median, least=_RESTORE),
            Target(f"peak memory, {MANY:,} items against {RECORDS:,}", many / few, most=_GROWTH),
        ),
        (
            *tuple(
                f"{way}: {Series('', values, '').median:,.0f} items a second of the clock."
                for way, values in walls.items()
            ),
            f"Peak memory at {MANY:,} items: {many:.0f} MB.",
        ),
    )


def _fill(endpoint: str, folder: Path, count: int) -> None:
    shop.empty_table(endpoint)
    file = folder / "orders.bson"
    corpus.write_bson(file, "orders", count)
    apart("benchmarks.raw:prebuilt", endpoint=endpoint, file=str(file), count=count)
    assert shop.items_in(endpoint) == count


def _apart(function: str, endpoint: str, folder: Path) -> Mapping[str, float]:
    if function in {"batch_writer", "ours_in"}:
        _remove_copy(endpoint)
    if function == "batch_writer":
        _make_copy(endpoint)
    return apart(f"benchmarks.recovering:{function}", endpoint=endpoint, folder=str(folder))


def _ours_out(endpoint: str, folder: Path) -> Mapping[str, float]:
    shutil.rmtree(folder / "shop" / "backups", ignore_errors=True)
    return _apart("ours_out", endpoint, folder)


def _ours_in(endpoint: str, folder: Path) -> Mapping[str, float]:
    return _apart("ours_in", endpoint, folder)


def ours_out(endpoint: str, folder: str) -> dict[str, float]:
    """`greylag backup`."""
    project = load(Path(folder) / "shop" / "greylag.yaml", environ=_environ(endpoint))
    with Stopwatch() as watch:
        told = backup(
            project, BackupOptions("backups", ("dynamo.shop",)), executor=_Worker(), observe=lambda _: None
        )
    return {**watch.of(told.tables[0].records or 0), "peak_mb": _peak_mb()}


def ours_in(endpoint: str, folder: str) -> dict[str, float]:
    """`greylag restore`."""
    project = load(Path(folder) / "shop" / "greylag.yaml", environ=_environ(endpoint))
    with Stopwatch() as watch:
        told = restore(
            project,
            RestoreOptions("backups", into=f"dynamo.{COPY}"),
            executor=_Worker(),
            observe=lambda _: None,
        )
    return {**watch.of(told.tables[0].records), "peak_mb": _peak_mb()}


class _Worker(Inline):
    """One worker in this process, with the collector as executors/processes sets it in those of the command."""

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Message[Task] | Finished[Task]]:
        """See `Executor.run`."""
        gc.freeze()
        gc.disable()
        for event in super().run(work, tasks):
            if isinstance(event, Finished):
                gc.collect()
            yield event
        gc.enable()


def scan(endpoint: str, folder: str) -> dict[str, float]:
    """The script: every item of a scan as a line, its types kept."""
    table: Any = boto3.resource("dynamodb", endpoint_url=endpoint, region_name="us-east-1").Table(shop.TABLE)
    count = 0
    more: dict[str, Any] = {}
    with Stopwatch() as watch, gzip.open(Path(folder) / "script.gz", "wt", compresslevel=1) as file:
        while True:
            page = table.scan(ConsistentRead=True, **more)
            for item in page["Items"]:
                file.write(json.dumps(item, default=_typed) + "\n")
                count += 1
            if "LastEvaluatedKey" not in page:
                break
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return watch.of(count)


def batch_writer(endpoint: str, folder: str) -> dict[str, float]:
    """The script's other half."""
    table: Any = boto3.resource("dynamodb", endpoint_url=endpoint, region_name="us-east-1").Table(COPY)
    count = 0
    with (
        Stopwatch() as watch,
        gzip.open(Path(folder) / "script.gz", "rt") as file,
        table.batch_writer() as writer,
    ):
        for line in file:
            writer.put_item(Item=json.loads(line, object_hook=_untyped))
            count += 1
    return watch.of(count)


def _typed(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"$n": str(value)}
    if isinstance(value, Binary):
        held: Any = value
        return {"$b": base64.b64encode(held.value).decode()}
    raise TypeError(type(value).__name__)


def _untyped(found: dict[str, Any]) -> Any:
    if len(found) == 1:
        if "$n" in found:
            return Decimal(found["$n"])
        if "$b" in found:
            return base64.b64decode(found["$b"])
    return found


def _environ(endpoint: str) -> dict[str, str]:
    return {"DYNAMODB_ENDPOINT": endpoint, "MONGODB_URI": "mongodb://127.0.0.1:1"}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _remove_copy(endpoint: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    if COPY in client.list_tables()["TableNames"]:
        client.delete_table(TableName=COPY)
    client.close()


def _make_copy(endpoint: str) -> None:
    """With the keys and indexes of the shop's table."""
    client: Any = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    told = client.describe_table(TableName=shop.TABLE)["Table"]
    client.create_table(
        TableName=COPY,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=told["AttributeDefinitions"],
        KeySchema=told["KeySchema"],
        GlobalSecondaryIndexes=[
            {name: each[name] for name in ("IndexName", "KeySchema", "Projection")}
            for each in told["GlobalSecondaryIndexes"]
        ],
    )
    client.close()
