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
        busy: list[float] = []
        runs = {
            kind: interleaved(
                _ways(endpoint, Path(folder), kind, busy), rounds=ROUNDS if kind == "orders" else 3
            )
            for kind in ("orders", "products", "texts")
        }
        at: dict[str, Any] = {
            "endpoint": endpoint.url,
            "file": str(Path(folder) / "orders.bson"),
            "kind": "orders",
            "count": DOCUMENTS,
        }
        steps = [apart("benchmarks.engine:stages", **at) for _ in range(ROUNDS)]
        profile = apart("benchmarks.engine:profile", folder=folder, **at)
    wall = {name: _rates(found, "seconds") for name, found in runs["orders"].items()}
    cpu = {name: _rates(found, "cpu_seconds") for name, found in runs["orders"].items()}
    return Figure(
        "a",
        "MongoDB documents to signed BatchWriteItem requests",
        f"{DOCUMENTS:,} orders of {corpus.DOCUMENT_BYTES} bytes of BSON and about 24 values, mapped as examples/shop "
        "says, encoded, signed and sent by the functions of a worker process, on one core, to an endpoint on another "
        f"core that answers at once. The others are fed the same bytes ({PEER_DOCUMENTS:,} of them) and make the same "
        "items, without the hints that restore types.",
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
            f"Products of the same size, 33 values, through a `python:` function: {_beside(runs['products'])}",
            f"The same of 10 values, most of it one text: {_beside(runs['texts'])}",
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
    endpoint: servers.Endpoint, folder: Path, kind: str, busy: list[float]
) -> dict[str, Callable[[], Mapping[str, float]]]:
    file = folder / f"{kind}.bson"
    corpus.write_bson(file, kind, DOCUMENTS)
    at: dict[str, Any] = {"endpoint": endpoint.url, "file": str(file), "kind": kind}

    def ours() -> Mapping[str, float]:
        before = endpoint.cpu_seconds()
        found = apart("benchmarks.engine:load_file", count=DOCUMENTS, folder=str(folder), **at)
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


def _beside(runs: Mapping[str, list[Mapping[str, float]]]) -> str:
    rates = {name: _rates(found, "cpu_seconds") for name, found in runs.items()}
    ours = Series(OURS, rates[OURS], "items/s").median
    return f"{ours:,.0f} items a CPU-second, {_median_ratio(rates, WRITER):.1f} times batch_writer."


def _steps(
    found: list[dict[str, float]], cpu: Mapping[str, tuple[float, ...]]
) -> tuple[tuple[str, ...], ...]:
    """Medians; what the first step leaves of the whole is sending and what holds it all together."""
    steps = {name: Series(name, tuple(each[name] for each in found), "µs").median for name in found[0]}
    whole = 1e6 / Series("", cpu[OURS], "").median
    peer = 1e6 / Series("", cpu[WRITER], "").median
    rows = [
        ("carry documents undecoded", steps["natively"]),
        ("sign, send, account", whole - steps["natively"]),
        ("**all of it**", whole),
        (f"what {_TARGET:.0f} times batch_writer allows", peer / _TARGET),
        (
            "instead of the first, where a mapping does more: decode, and prove that nothing was lost",
            steps["decode"],
        ),
        ("… of which pymongo's decoder alone, into its own types, unproved", steps["decode, pymongo alone"]),
        ("… map", steps["map"]),
        ("… encode, with types, sizes and limits", steps["encode"]),
        ("… of which orjson alone", steps["encode, orjson alone"]),
    ]
    return (("step", "CPU, µs a document"), *((name, f"{value:.1f}") for name, value in rows))


def _hottest(profile: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    rows = tuple(
        (f"{100 * share:.1f} %", f"{calls:.2f}", f"`{name}`") for share, calls, name in profile["rows"][:16]
    )
    return (("own time", "calls a document", "function"), *rows)
