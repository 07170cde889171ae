"""(h) Following: changes applied a second beside the raw drivers, lag at half that rate, a load while capturing."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pymongo import MongoClient, ReplaceOne

from benchmarks import servers
from benchmarks.apart import Failed, apart
from benchmarks.command import Command
from benchmarks.figure import Figure, Series, Target, interleaved, ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHANGES: Final = 10_000
RECORDS: Final = 5_000
LOADED: Final = 40_000
LAG_SECONDS: Final = 10.0
ROUNDS: Final = 3
DATABASE: Final = "following"
_LEAST, _LEAST_LOAD, _MOST_LAG_MS = 0.5, 0.85, 1000.0
TARGETS: Final = {
    "DynamoDB Local": (
        "dynamodb",
        "{{kind: dynamodb, region: us-east-1, endpoint_url: '{}', create_tables: true}}",
    ),
    "MongoDB": ("mongodb", "{{kind: mongodb, url: '{}', database: following_new, create_tables: true}}"),
}
_PROJECT: Final = """
project: following
connections:
  old: {{kind: mongodb, url: "{url}", database: following}}
  new: {new}
services:
  s: {{flows: {{things: {{from: old.things, to: new.things, key: {{_id: "{{_id}}"}}}}}}}}
"""


def measure() -> Figure:
    """Run it."""
    series: list[Series] = []
    targets: list[Target] = []
    with (
        tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder,
        servers.lab("mongod", "dynamodb") as lab,
    ):
        for name, (kind, _) in TARGETS.items():
            ways = _ways(Path(folder), lab, name)
            runs = interleaved(ways, rounds=ROUNDS)
            rates = {
                way: tuple(run["count"] / run["seconds"] for run in found) for way, found in runs.items()
            }
            series += [Series(f"{way}, {name}", values, "changes/s") for way, values in rates.items()]
            ours, raw = rates["greylag"], rates["raw drivers"]
            pairs = Series("", ratios(ours, raw), "times")
            targets.append(Target(f"greylag against raw drivers, {name}", pairs.median, least=_LEAST))
            lag = apart(
                "benchmarks.following:lag",
                folder=_project(Path(folder) / f"lag-{kind}", lab, name),
                mongodb=lab["MONGODB_URI"],
                rate=Series("", ours, "").median / 2,
            )
            targets.append(
                Target(f"lag p99 at half that rate, {name}", lag["p99_ms"], most=_MOST_LAG_MS, unit="ms")
            )
        loads = interleaved(
            {
                "load beside 1,000 writes/s": lambda: _load(Path(folder), lab, "plain", capture=False),
                "load beside 1,000 writes/s, captured": lambda: _load(
                    Path(folder), lab, "captured", capture=True
                ),
            },
            rounds=ROUNDS,
        )
        found = {way: tuple(run["count"] / run["seconds"] for run in runs) for way, runs in loads.items()}
        series += [Series(way, values, "records/s") for way, values in found.items()]
        plain, captured = found.values()
        share = Series("", ratios(captured, plain), "times").median
        targets.append(Target("load while capturing against load without", share, least=_LEAST_LOAD))
    return Figure(
        "h",
        "Following changes",
        f"{CHANGES:,} replacements of {RECORDS:,} documents of about 500 bytes, written beforehand. Greylag: capture "
        "and apply, two processes on one core, from the first window applied to the last. Raw drivers: one process "
        "reads the change stream with pymongo and writes with boto3's batch_write_item or pymongo's bulk_write, from "
        f"its first batch to its last; neither collapses. Servers on another core. Lag: {LAG_SECONDS:.0f} s of "
        f"writes. The load: {LOADED:,} documents into DynamoDB Local, by `greylag run` and by "
        "`greylag run --follow`, one worker on that core.",
        tuple(series),
        tuple(targets),
        (
            "Greylag applies the last state of a record in a window; the raw drivers write every change of a batch.",
        ),
    )


def _project(folder: Path, lab: Mapping[str, str], target: str) -> str:
    kind, new = TARGETS[target]
    url = lab["DYNAMODB_ENDPOINT"] if kind == "dynamodb" else lab["MONGODB_URI"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yaml = _PROJECT.format(url=lab["MONGODB_URI"], new=new.format(url))
    if kind == "dynamodb":
        yaml = yaml.replace('key: {_id: "{_id}"}', 'key: {pk: "T#{_id}"}')
    (folder / "greylag.yaml").write_text(yaml)
    return str(folder)


def _ways(folder: Path, lab: Mapping[str, str], target: str) -> dict[str, Callable[[], Mapping[str, float]]]:
    kind = TARGETS[target][0]

    def ours() -> Mapping[str, float]:
        return apart(
            "benchmarks.following:applied",
            folder=_project(folder / kind, lab, target),
            mongodb=lab["MONGODB_URI"],
        )

    def raw() -> Mapping[str, float]:
        return apart(
            f"benchmarks.following:raw_{kind}",
            mongodb=lab["MONGODB_URI"],
            dynamodb=lab["DYNAMODB_ENDPOINT"],
        )

    return {"raw drivers": raw, "greylag": ours}


def document(number: int, version: int) -> dict[str, Any]:
    """About 500 bytes."""
    return {
        "_id": number,
        "version": version,
        "name": f"name {number}",
        "tags": ["a", "b", "c"],
        "text": "x" * 400,
    }


def fill(mongodb: str, count: int = RECORDS) -> None:
    """The collection anew."""
    with MongoClient[dict[str, Any]](mongodb) as client:
        client.drop_database(DATABASE)
        for first in range(0, count, 1000):
            client[DATABASE]["things"].insert_many(
                [document(number, -1) for number in range(first, min(count, first + 1000))]
            )


def write(mongodb: str, count: int = CHANGES) -> None:
    """As many replacements, one after the other of each document. None of them leaves a document as it was, which would
    be no change.
    """
    with MongoClient[dict[str, Any]](mongodb) as client:
        for first in range(0, count, 1000):
            client[DATABASE]["things"].bulk_write(
                [
                    ReplaceOne({"_id": each % RECORDS}, document(each % RECORDS, each))
                    for each in range(first, first + 1000)
                ]
            )


@contextmanager
def writing(mongodb: str, rate: float, records: int = RECORDS) -> Iterator[None]:
    """So many replacements a second for the length of a `with`, a few at once."""
    stop = threading.Event()
    together = max(1, round(rate / 50))

    def work() -> None:
        with MongoClient[dict[str, Any]](mongodb) as client:
            began, done = time.monotonic(), 0
            while not stop.is_set():
                some = [
                    ReplaceOne({"_id": each % records}, document(each % records, each))
                    for each in range(done, done + together)
                ]
                client[DATABASE]["things"].bulk_write(some, ordered=False)
                done += together
                stop.wait(max(0.0, began + done / rate - time.monotonic()))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def raw_dynamodb(mongodb: str, dynamodb: str) -> dict[str, float]:
    """The change stream to batch_write_item."""
    import boto3
    from boto3.dynamodb.types import TypeSerializer

    client = boto3.client("dynamodb", endpoint_url=dynamodb, region_name="us-east-1")
    if "raw" not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName="raw",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
    serialize = TypeSerializer().serialize

    def put(documents: list[dict[str, Any]]) -> None:
        newest = {each["_id"]: each for each in documents}
        puts: Any = [
            {"PutRequest": {"Item": {k: serialize(v) for k, v in {**each, "pk": f"T#{each['_id']}"}.items()}}}
            for each in newest.values()
        ]
        while puts:
            left = client.batch_write_item(RequestItems={"raw": puts})["UnprocessedItems"]
            puts = left.get("raw", [])

    return _raw(mongodb, put, 25)


def raw_mongodb(mongodb: str, dynamodb: str) -> dict[str, float]:  # noqa: ARG001 - both ways are called alike
    """The change stream to bulk_write."""
    with MongoClient[dict[str, Any]](mongodb) as client:
        things = client["following_raw"]["things"]
        return _raw(
            mongodb,
            lambda some: things.bulk_write(
                [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in some]
            ),
            1000,
        )


def _raw(mongodb: str, put: Callable[[list[dict[str, Any]]], object], together: int) -> dict[str, float]:
    fill(mongodb)
    with MongoClient[dict[str, Any]](mongodb) as client:
        things = client[DATABASE]["things"]
        with things.watch(full_document="updateLookup", batch_size=1000) as stream:
            write(mongodb)
            count, began, some = 0, 0.0, []
            for change in stream:
                some.append(change["fullDocument"])
                if len(some) == together:
                    put(some)
                    count, some = count + len(some), []
                    if not began:
                        began, first = time.perf_counter(), count
                    if count >= CHANGES:
                        break
    return {
        "count": count - first,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time(),
    }


def _stream(folder: str) -> Any:
    from greylag.config import load
    from greylag.engine.follow.stream import streams
    from greylag.operations.prepare import prepare

    project = load(Path(folder) / "greylag.yaml")
    project.state_folder.mkdir(parents=True, exist_ok=True)
    [stream] = streams(prepare(project, create=True).routes, project.state_folder)
    return stream


@contextmanager
def _captured(stream: Any) -> Iterator[None]:
    from greylag.engine.follow.capture import CaptureWork
    from greylag.executors.child import Child

    begun = threading.Event()
    route = stream.routes[0]
    work = CaptureWork(
        stream.folder,
        stream.name,
        route.source,
        tuple(stream.followed()),
        stream.spool,
        stream.scratch,
        10 << 30,
    )
    child = Child("capture", work, lambda _: begun.set())
    while not begun.wait(0.05):
        child.check()
    try:
        yield
    finally:
        child.stop()
        child.join(60)
        child.check()


@contextmanager
def _applying(stream: Any) -> Iterator[Any]:
    from contextlib import closing

    from greylag.engine.follow.applied import Applied
    from greylag.engine.follow.apply import Apply
    from greylag.engine.follow.carrier import Forward
    from greylag.engine.follow.spool import SpoolReader
    from greylag.engine.lane import Lane

    lane = Lane(stream.routes[0])
    with (
        closing(lane),
        closing(stream.feed(lane.source)) as feed,
        closing(Applied(stream.applied)) as applied,
    ):
        yield (
            Apply({lane.route.dataset.dataset: [Forward(lane, feed)]}, SpoolReader(stream.spool), applied),
            applied,
        )


def applied(folder: str, mongodb: str) -> dict[str, float]:
    """Capture in a process of its own, apply in this one, until all is applied."""
    fill(mongodb)
    stream = _stream(folder)
    with _captured(stream):  # it saves its position, then ends
        pass
    write(mongodb)
    with _captured(stream), _applying(stream) as (apply, state):
        began, first, done = 0.0, 0, 0
        while done < CHANGES:
            if not apply.step():
                time.sleep(0.005)
                continue
            done = state.progress().changes
            if done and not began:
                began, first = time.perf_counter(), done
        return {
            "count": done - first,
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time(),
        }


def lag(folder: str, mongodb: str, rate: float) -> dict[str, float]:
    """What apply tells of its lag while so much is written."""
    fill(mongodb)
    stream = _stream(folder)
    with _captured(stream), _applying(stream) as (apply, state), writing(mongodb, rate):
        until = time.monotonic() + LAG_SECONDS
        while time.monotonic() < until:
            if not apply.step():
                time.sleep(0.005)
        told = state.progress().lag
    return {
        "count": told.changes,
        "seconds": LAG_SECONDS,
        "p99_ms": told.p99_ms,
        "p50_ms": told.p50_ms,
        "cpu_seconds": 0.0,
    }


def _load(folder: Path, lab: Mapping[str, str], name: str, *, capture: bool) -> Mapping[str, float]:
    """The seconds that the state tells of the load itself."""
    fill(lab["MONGODB_URI"], LOADED)
    project = Path(_project(folder / f"load-{name}", lab, "DynamoDB Local"))
    follow = ["--follow"] if capture else []
    with writing(lab["MONGODB_URI"], 1000.0, LOADED):
        process = Command(project, dict(lab)).start("run", "--processes", "1", *follow)
        while (seconds := _loaded(project)) is None:
            if process.poll() not in (None, 0):
                raise Failed(f"greylag in {project} ended with {process.returncode}")
            time.sleep(0.1)
    process.terminate()
    process.communicate()
    return {"count": LOADED, "seconds": seconds}


def _loaded(project: Path) -> float | None:
    """How long the load took; None while it goes on."""
    from greylag.core.progress import LOADED as STAGES
    from greylag.errors import StateError
    from greylag.state.store import Store

    try:
        with Store(project / ".greylag" / "state.sqlite", read_only=True) as store:
            for flow in store.flows():
                if flow.stage in STAGES and flow.loaded_at is not None:
                    return flow.loaded_at - flow.started_at
    except StateError:  # not there yet
        pass
    return None
