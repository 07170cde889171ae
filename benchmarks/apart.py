"""Runs one function in a process of its own, on chosen cores: nothing of one measurement is left for the next.

python -m benchmarks.apart module:function '{"argument": 1}'
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from benchmarks import machine
from greylag.lab.server import AWS_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

_REMOVED = ("AWS_CA_BUNDLE", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_CONFIG_FILE")


class Failed(Exception):  # noqa: N818
    """A process that was measured ended with an error."""


@dataclass(slots=True)
class Stopwatch:
    """Wall and processor time of a `with`, in this process alone."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    _began: tuple[float, float] = field(default=(0.0, 0.0))

    def __enter__(self) -> Self:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began[0]
        self.cpu_seconds = time.process_time() - self._began[1]

    def of(self, count: int) -> dict[str, float]:
        """What a measured function returns."""
        return {"count": count, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds}


def environment(**more: str) -> dict[str, str]:
    """Dummy credentials, and nothing of the user's own settings of AWS."""
    kept = {name: value for name, value in os.environ.items() if name not in _REMOVED}
    return {**kept, **AWS_ENVIRONMENT, "NO_PROXY": "127.0.0.1,localhost", **more}


def apart(function: str, *, cores: Iterable[int] = (), **arguments: Any) -> dict[str, float]:
    """What the function returned there. `cores`: the client's alone unless others are named. Raises Failed."""
    chosen = set(cores) or {machine.client_core()}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.apart", function, json.dumps(arguments)],
        cwd=machine.ROOT,
        env=environment(GREYLAG_BENCH_CORES=",".join(map(str, sorted(chosen)))),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{function} ended with {done.returncode}:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """The process itself."""
    os.sched_setaffinity(0, set(map(int, os.environ["GREYLAG_BENCH_CORES"].split(","))))
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(module), name)
    print(json.dumps(function(**json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
