"""The servers a figure needs, all kept on the servers' core, and ended with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from greylag.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint that answers at once."""

    url: str
    pid: int

    def counts(self) -> dict[str, Any]:
        """What came since the last `reset`."""
        with urllib.request.urlopen(f"{self.url}/counts") as answer:  # noqa: S310 - our own address
            found: dict[str, Any] = json.loads(answer.read())
        return found

    def reset(self) -> None:
        """Count from nothing."""
        urllib.request.urlopen(f"{self.url}/counts", data=b"{}").close()  # noqa: S310

    def cpu_seconds(self) -> float:
        """What it has spent."""
        return machine.cpu_seconds(self.pid)


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """An endpoint for the length of a `with`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.endpoint"],
        cwd=machine.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        machine.pin(process.pid, machine.server_core())
        yield Endpoint(url, process.pid)
    finally:
        process.communicate()


@contextmanager
def lab(*names: str) -> Iterator[dict[str, str]]:
    """Servers of Greylag's lab for the length of a `with`, which gives their `.env` lines."""
    with tempfile.TemporaryDirectory(prefix="greylag-bench-") as folder:
        here = Lab(Path(folder))
        try:
            here.up(names, until=os.getpid())
            for server in here.status():
                for process in server.processes:
                    machine.pin(process.pid, machine.server_core())
            yield here.environment()
        finally:
            here.down()
