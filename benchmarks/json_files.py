"""(c) JSON files to the endpoint that answers at once, and the reading of them alone beside ijson."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine, posts, servers
from benchmarks.apart import Stopwatch, apart
from benchmarks.command import Command
from benchmarks.figure import Figure, Series, Target, interleaved, ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILE_BYTES = 32_000_000
_PARSING, _WORKERS = 1.5, 1.4
_PROJECT = """\
project: forum
connections:
  files: {{kind: json, path: "{path}"}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}"}}
services:
  posts:
    flows:
      posts:
        from: files.{dataset}
        to: dynamo.posts
        key: {{pk: "{{@row:S}}"}}
"""
_DATASETS = {"lines": "posts", "array": "array.json#"}


def measure() -> Figure:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as name, servers.endpoint() as endpoint:
        folder = Path(name)
        (folder / "timed").mkdir()
        count = posts.write(folder, FILE_BYTES)
        timed = posts.write(folder / "timed", FILE_BYTES, timed=True)
        runs = interleaved(_ways(folder, endpoint, count, timed))
        sizes = {
            (kind, where): file(place, kind).stat().st_size / 1e6
            for where, place in ((False, folder), (True, folder / "timed"))
            for kind in _DATASETS
        }
    speeds = {
        way: tuple(
            sizes["array" if "array" in way else "lines", "timed" in way] / run["seconds"] for run in found
        )
        for way, found in runs.items()
    }

    def against(one: str, other: str) -> float:
        return Series("", ratios(speeds[one], speeds[other]), "times").median

    return Figure(
        "c",
        "JSON files",
        f"{count:,} posts of a forum, {sizes['lines', False]:.0f} MB as JSON Lines and as one array, with numbers that "
        "no double holds. Reading alone: every record with exact numbers, beside ijson (yajl2_c) on the same file. "
        "Greylag's workers run without Python's cyclic garbage collector, so it is off here too; ijson is measured as "
        "Python runs, which is what the targets are against, and without the collector. Timed posts also have a time "
        "and an address: colons in strings. To items: `greylag run`, its start included, to an endpoint that answers "
        "at once; the workers share both cores with it.",
        tuple(Series(way, values, "MB/s") for way, values in speeds.items()),
        (
            Target(
                "reading an array against ijson",
                against("greylag reads an array", "ijson reads an array"),
                least=_PARSING,
            ),
            Target(
                "reading lines against ijson",
                against("greylag reads lines", "ijson reads lines"),
                least=_PARSING,
            ),
            Target(
                "two workers on one .jsonl against one",
                against("greylag run on lines, two workers", "greylag run on lines"),
                least=_WORKERS,
            ),
        ),
    )


def file(folder: Path, kind: str) -> Path:
    """The file of `lines` or the `array`."""
    return folder / {"lines": "posts.jsonl", "array": "array.json"}[kind]


def _ways(
    folder: Path, endpoint: servers.Endpoint, count: int, timed: int
) -> dict[str, Callable[[], Mapping[str, float]]]:
    def reads(kind: str, *, times: bool = False) -> Mapping[str, float]:
        place, records = (folder / "timed", timed) if times else (folder, count)
        return apart("benchmarks.json_files:read", folder=str(place), kind=kind, count=records)

    def ijson_reads(kind: str, *, times: bool = False, collected: bool = True) -> Mapping[str, float]:
        place, records = (folder / "timed", timed) if times else (folder, count)
        return apart(
            "benchmarks.json_files:ijson_read",
            folder=str(place),
            kind=kind,
            count=records,
            collected=collected,
        )

    def run(kind: str, workers: int) -> Mapping[str, float]:
        project = folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        text = _PROJECT.format(path=folder, endpoint=endpoint.url, dataset=_DATASETS[kind])
        (project / "greylag.yaml").write_text(text, encoding="utf-8")
        cores = (machine.client_core(), machine.server_core()) if workers > 1 else (machine.client_core(),)
        endpoint.reset()
        # Small partitions: a file of this size would be one otherwise, and one worker's.
        report = Command(project, cores=cores).json(
            "run", "--processes", str(workers), "--partition-bytes", str(FILE_BYTES // 8)
        )
        assert endpoint.counts()["items"] == count
        return {"seconds": report["seconds"]}

    return {
        "greylag reads an array": lambda: reads("array"),
        "ijson reads an array": lambda: ijson_reads("array"),
        "ijson reads an array, without garbage collection": lambda: ijson_reads("array", collected=False),
        "greylag reads lines": lambda: reads("lines"),
        "ijson reads lines": lambda: ijson_reads("lines"),
        "ijson reads lines, without garbage collection": lambda: ijson_reads("lines", collected=False),
        "greylag reads an array of timed posts": lambda: reads("array", times=True),
        "ijson reads an array of timed posts": lambda: ijson_reads("array", times=True),
        "greylag reads lines of timed posts": lambda: reads("lines", times=True),
        "ijson reads lines of timed posts": lambda: ijson_reads("lines", times=True),
        "greylag run on an array": lambda: run("array", 1),
        "greylag run on lines": lambda: run("lines", 1),
        "greylag run on lines, two workers": lambda: run("lines", 2),
    }


def read(folder: str, kind: str, count: int) -> dict[str, float]:
    """Every record of the file, as the connector's source gives them to a load."""
    import gc

    from greylag.connectors.json.source import JsonSource
    from greylag.engine.loader import PAGE_BYTES, PARTITION_BYTES

    source = JsonSource("files", Path(folder))
    gc.freeze()
    gc.disable()
    with Stopwatch() as watch:
        found = sum(
            len(page.records)
            for partition in source.partitions(_DATASETS[kind], partition_bytes=PARTITION_BYTES)
            for page in source.read(partition, None, page_bytes=PAGE_BYTES)
        )
    assert found == count
    return watch.of(count)


def ijson_read(folder: str, kind: str, count: int, *, collected: bool) -> dict[str, float]:
    """The same with ijson's fastest backend; its numbers are ints and Decimals, as ours. `collected`: with Python's
    cyclic garbage collector.
    """
    import gc

    import ijson

    backend: Any = ijson.get_backend("yajl2_c")
    if not collected:
        gc.freeze()
        gc.disable()
    options = {"multiple_values": True} if kind == "lines" else {}
    with file(Path(folder), kind).open("rb") as content, Stopwatch() as watch:
        found = sum(
            1 for _ in backend.items(content, "" if kind == "lines" else "item", buf_size=1 << 20, **options)
        )
    assert found == count
    return watch.of(count)
