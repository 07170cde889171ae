"""Greylag's own load of a file of BSON documents: the functions of a worker process, without mongod around them."""

from __future__ import annotations

import cProfile
import gc
import io
import os
import pstats
import tempfile
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bson
import orjson

from benchmarks import corpus, shop
from benchmarks.apart import Stopwatch
from greylag.config import load
from greylag.connectors.dynamodb.sign import Credentials, Signer
from greylag.connectors.dynamodb.wire import Endpoint
from greylag.connectors.mongodb.decoding import decode_page, split_documents
from greylag.connectors.mongodb.keys import id_of
from greylag.core.ports import DatasetInfo
from greylag.core.records import NativePage, Page, Partition
from greylag.engine.lane import Lane
from greylag.engine.loader import PAGE_BYTES, LoadTask, LoadWork
from greylag.engine.route import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.ports import Source, Target

_PARTITION = Partition("file", 0, {})


@dataclass(frozen=True, slots=True)
class BsonFile:
    """A connector whose one partition is the file, and a source of it; only what a load calls is there."""

    path: str
    count: int
    kind: str = "bson"

    def source(self) -> Source:
        """Itself."""
        return cast("Source", self)

    def target(self) -> Target:
        """Never asked for."""
        raise NotImplementedError

    def read(self, partition: Partition, cursor: str | None, *, page_bytes: int) -> Iterator[Page]:  # noqa: ARG002
        """As connectors/mongodb reads: pages of whole documents, decoded exactly."""
        step = corpus.DOCUMENT_BYTES * -(-page_bytes // corpus.DOCUMENT_BYTES)
        left = self.count * corpus.DOCUMENT_BYTES
        with Path(self.path).open("rb") as file:
            while raw := file.read(min(step, left)):
                left -= len(raw)
                yield NativePage(
                    "bson", list(split_documents(raw)), str(left), len(raw), decode_page, identify=id_of
                )

    def limit(self, bytes_per_second: float | None) -> None:
        """No rate is stated."""

    def close(self) -> None:
        """Nothing is open."""


def route(endpoint: str, file: str, kind: str, count: int) -> Route:
    """The shop's flow of documents of this kind, from the file to the endpoint's table."""
    os.environ |= {"DYNAMODB_ENDPOINT": endpoint, "MONGODB_URI": "mongodb://127.0.0.1:1/"}
    folder = Path(tempfile.mkdtemp(prefix="greylag-bench-"))
    shop.write_project(folder, kind)
    project = load(folder / "greylag.yaml")
    [flow] = project.flows
    connector = project.connector("dynamo")
    target = connector.target()
    table = target.describe("shop")
    target.close()
    assert table is not None
    info = DatasetInfo(flow.source.dataset, "file", "bson", count, count * corpus.DOCUMENT_BYTES, "_id")
    draft = Route(flow, BsonFile(file, count), connector, info, table, project.functions)
    return Route(draft.mapping().spec, draft.source, connector, info, table, project.functions)


def load_file(endpoint: str, file: str, kind: str, count: int, folder: str) -> dict[str, float]:
    """Decode, map, encode, sign and send every document, as a worker process does."""
    worker = LoadWork({(one := route(endpoint, file, kind, count)).name: one}, Path(folder)).open()
    items = 0

    def emit(page: Any) -> None:
        nonlocal items
        items += page.counts.items_written

    gc.freeze()
    gc.disable()  # as executors/processes does
    with Stopwatch() as watch:
        worker.run(LoadTask(one.name, _PARTITION, None), emit)
    worker.close()
    assert items == count, f"{items} of {count} items were written"
    return watch.of(items)


def stages(endpoint: str, file: str, kind: str, count: int) -> dict[str, float]:
    """Microseconds a document of each step before the sending: undecoded, and value by value.
    For comparison what no way in Python does without: pymongo's decoder and orjson's dump alone.
    """
    lane = Lane(route(endpoint, file, kind, count))
    pages = list(lane.source.read(_PARTITION, None, page_bytes=PAGE_BYTES))
    spent = dict.fromkeys(
        ("natively", "decode", "decode, pymongo alone", "map", "encode", "encode, orjson alone"), 0.0
    )
    gc.freeze()
    gc.disable()

    def timed(step: str, work: Callable[[], Any]) -> Any:
        with Stopwatch() as watch:
            found = work()
        spent[step] += watch.cpu_seconds
        return found

    for _ in lane.carry_all(pages[0]):
        pass  # where nothing is compiled it learns the shapes
    for page in pages:
        assert isinstance(page, NativePage)
        raw = b"".join(page.documents)
        timed("natively", partial(deque, lane.carry_all(page), maxlen=0))
        timed("decode, pymongo alone", partial(bson.decode_all, raw))
        records = timed("decode", partial(decode_page, raw))[0]
        items = timed("map", partial(list, map(lane.items, records)))
        encoded = timed("encode", partial(list, (lane.codec.encode(each) for [each] in items)))
        made = [orjson.loads(each.body) for each in encoded]
        timed("encode, orjson alone", partial(list, map(orjson.dumps, made)))
    return {step: 1e6 * seconds / count for step, seconds in spent.items()}


def encoded(endpoint: str, file: str, kind: str, count: int) -> Iterator[bytes]:
    """The items as they are written."""
    lane = Lane(route(endpoint, file, kind, count))
    for page in lane.source.read(_PARTITION, None, page_bytes=PAGE_BYTES):
        for record in page.records:
            yield from (each.body for each in lane.encode(record))


def signer(endpoint: str) -> Callable[[bytes], bytes]:
    """Makes of a body a whole signed request."""
    at = Endpoint.parse(endpoint)
    signed = Signer(lambda: Credentials("local", "local"), "us-east-1", at.host, at.path)
    return partial(signed.request, "DynamoDB_20120810.BatchWriteItem")


def profile(endpoint: str, file: str, kind: str, count: int, folder: str) -> dict[str, Any]:
    """The same under cProfile: the functions that took most time of their own, as (share, calls, name)."""
    recorder = cProfile.Profile()
    recorder.runcall(load_file, endpoint, file, kind, count, folder)
    stats = pstats.Stats(recorder, stream=io.StringIO())
    found: Any = stats.stats  # type: ignore[attr-defined]
    whole = sum(own for _, _, own, _, _ in found.values())
    rows = sorted(
        ((own / whole, calls / count, *where) for where, (_, calls, own, _, _) in found.items()), reverse=True
    )
    return {"rows": [(share, calls, _named(path, name)) for share, calls, path, _, name in rows[:30]]}


def _named(path: str, function: str) -> str:
    if path == "~":
        return function.strip("<>")
    parts = Path(path).parts
    place = "/".join(parts[parts.index("greylag") + 1 :]) if "greylag" in parts else "/".join(parts[-2:])
    return f"{place}: {function}"
