"""(a) Documents to signed requests on one core, beside boto3."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import corpus, servers
from benchmarks.apart import apart
from benchmarks.figure import ROUNDS, Figure, Series, Target, interleaved, ratios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOCUMENTS = 40_000
PEER_DOCUMENTS = 6_000
_TARGET = 12.0
OURS, WRITER, ITEMS = "greylag", "boto3 batch_writer", "botocore batch_write_item"


def measure() -> Figure:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder, servers.endpoint() as endpoint:
        file, texts = Path(folder) / "details.bson", Path(folder) / "texts.bson"
        corpus.write_bson(file, "details", DOCUMENTS)
        corpus.write_bson(texts, "texts", DOCUMENTS)
        busy: list[float] = []
        runs = interleaved(_ways(endpoint, str(file), folder, busy))
        of_texts = interleaved(_ways(endpoint, str(texts), folder, []), rounds=3)
        steps = [
            apart("benchmarks.engine:stages", endpoint=endpoint.url, file=str(file), count=DOCUMENTS)
            for _ in range(ROUNDS)
        ]
        profile = apart(
            "benchmarks.engine:profile", endpoint=endpoint.url, file=str(file), count=DOCUMENTS, folder=folder
        )
    wall = {name: _rates(found, "seconds") for name, found in runs.items()}
    cpu = {name: _rates(found, "cpu_seconds") for name, found in runs.items()}
    return Figure(
        "a",
        "MongoDB documents to signed BatchWriteItem requests",
        f"{DOCUMENTS:,} products of {corpus.DOCUMENT_BYTES} bytes of BSON and about 33 values, decoded, mapped as "
        "examples/shop says, encoded, signed and sent by the functions of a worker process, on one core, to an "
        "endpoint on another core that answers at once. The others are fed the same bytes "
        f"({PEER_DOCUMENTS:,} of them) and make the same items.",
        tuple(Series(name, values, "items/s") for name, values in wall.items())
        + tuple(Series(f"{name}, a CPU-second", values, "items/s") for name, values in cpu.items()),
        (
            Target("greylag against batch_writer, items/s", _median_ratio(wall, WRITER), least=_TARGET),
            Target(
                "greylag against batch_writer, items a CPU-second", _median_ratio(cpu, WRITER), least=_TARGET
            ),
        ),
        (
            f"Against batch_write_item: {_median_ratio(wall, ITEMS):.1f} times the items a second.",
            f"The endpoint used {100 * max(busy):.0f} % of its core at most: it is not what limits.",
            f"Products of the same size with about 10 values, most of it one text: {_of_texts(of_texts)}",
        ),
        (
            ("Where the time goes", _steps(steps, cpu)),
            (
                "The same by function (cProfile, own time; the profiler itself weighs on small functions)",
                _hottest(profile),
            ),
        ),
    )


def _ways(
    endpoint: servers.Endpoint, file: str, folder: str, busy: list[float]
) -> dict[str, Callable[[], Mapping[str, float]]]:
    at: dict[str, Any] = {"endpoint": endpoint.url, "file": file}

    def ours() -> Mapping[str, float]:
        before = endpoint.cpu_seconds()
        found = apart("benchmarks.engine:load_file", count=DOCUMENTS, folder=folder, **at)
        busy.append((endpoint.cpu_seconds() - before) / found["seconds"])
        return found

    return {
        OURS: ours,
        WRITER: lambda: apart("benchmarks.peers:batch_writer", count=PEER_DOCUMENTS, **at),
        ITEMS: lambda: apart("benchmarks.peers:batch_write_item", count=PEER_DOCUMENTS, **at),
    }


def _rates(runs: list[Mapping[str, float]], by: str) -> tuple[float, ...]:
    return tuple(run["count"] / run[by] for run in runs)


def _median_ratio(rates: Mapping[str, tuple[float, ...]], peer: str) -> float:
    return Series("", ratios(rates[OURS], rates[peer]), "times").median


def _of_texts(runs: Mapping[str, list[Mapping[str, float]]]) -> str:
    rates = {name: _rates(found, "cpu_seconds") for name, found in runs.items()}
    ours = Series(OURS, rates[OURS], "items/s").median
    return f"{ours:,.0f} items a CPU-second, {_median_ratio(rates, WRITER):.1f} times batch_writer."


def _steps(
    found: list[dict[str, float]], cpu: Mapping[str, tuple[float, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Medians; what the steps leave of the whole is sending and what holds it all together."""
    steps = {name: Series(name, tuple(each[name] for each in found), "µs").median for name in found[0]}
    whole = 1e6 / Series("", cpu[OURS], "").median
    peer = 1e6 / Series("", cpu[WRITER], "").median
    rest = whole - sum(steps[name] for name in ("decode", "map", "encode"))
    rows = [
        ("decode, and prove that nothing was lost", steps["decode"]),
        ("of which pymongo's decoder alone, into its own types, unproved", steps["decode, pymongo alone"]),
        ("map, the user's `python:` function included", steps["map"]),
        ("encode, with types, sizes and limits", steps["encode"]),
        ("of which orjson alone", steps["encode, orjson alone"]),
        ("sign, send, account, checkpoint", rest),
        ("**all of it**", whole),
        (f"what {_TARGET:.0f} times batch_writer allows", peer / _TARGET),
    ]
    return (("step", "CPU, µs a document"), *((name, f"{value:.1f}") for name, value in rows))


def _hottest(profile: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    rows = tuple(
        (f"{100 * share:.1f} %", f"{calls:.2f}", f"`{name}`") for share, calls, name in profile["rows"][:16]
    )
    return (("own time", "calls a document", "function"), *rows)
