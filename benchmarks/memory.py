"""(e) The memory of every process, however much is carried."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import machine, servers, shop
from benchmarks.command import Command
from benchmarks.figure import Figure, Target

SIZES = (10_000, 100_000, 1_000_000)
_GROWTH, _MOST_MB = 1.15, 250.0


def measure() -> Figure:
    """Run it."""
    found: dict[int, tuple[float, float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder,
        servers.lab("mongod") as lab,
        servers.endpoint() as endpoint,
    ):
        for size in SIZES:
            at = Path(folder) / str(size)
            shop.write_project(at)
            shop.fill(lab["MONGODB_URI"], size)
            endpoint.reset()
            command = Command(
                at,
                {**lab, "DYNAMODB_ENDPOINT": endpoint.url},
                cores=(machine.client_core(), machine.server_core()),
            )
            own, worker = command.watched("run", "--processes", "2")
            assert endpoint.counts()["items"] == size
            found[size] = own / 1e6, worker / 1e6
    rows = [(f"{size:,}", f"{own:.0f} MB", f"{worker:.0f} MB") for size, (own, worker) in found.items()]
    least, most = found[SIZES[1]], found[SIZES[2]]
    return Figure(
        "e",
        "Peak memory of a load",
        "`greylag run` with two workers, from mongod to an endpoint that answers at once. Peak resident memory "
        "(VmHWM) of the coordinator and of the larger worker.",
        (),
        (
            Target("the coordinator, 1 M records against 100 k", most[0] / least[0], most=_GROWTH),
            Target("a worker, 1 M records against 100 k", most[1] / least[1], most=_GROWTH),
            Target("the largest process at 1 M records", max(most), most=_MOST_MB, unit="MB"),
        ),
        tables=(("Peaks", (("records", "coordinator", "a worker"), *rows)),),
    )
