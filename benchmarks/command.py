"""The command `greylag` as a user calls it, on chosen cores, watched while it runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import machine
from benchmarks.apart import Failed, environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WATCHED_EVERY_SECONDS = 0.05


@dataclass
class Command:
    """`greylag` in `folder`. `cores`: the client's alone unless others are named."""

    folder: Path
    servers: Mapping[str, str] = field(default_factory=dict)
    cores: Iterable[int] = ()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """In a process group of its own, so that `kill` ends all of it."""
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("greylag")), *arguments],
            cwd=self.folder,
            env=environment(**self.servers),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        os.sched_setaffinity(process.pid, set(self.cores) or {machine.client_core()})
        return process

    def json(self, *arguments: str) -> dict[str, Any]:
        """What `--json` prints. Raises Failed."""
        return self.finish(self.start(*arguments, "--json"))

    def finish(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """What it printed once it ended. Raises Failed."""
        out, _ = process.communicate()
        if process.returncode:
            raise Failed(f"greylag in {self.folder} ended with {process.returncode}: {out}")
        found: dict[str, Any] = json.loads(out)
        return found

    def watched(self, *arguments: str) -> tuple[int, int]:
        """Peak memory in bytes of the command's own process and of its largest worker."""
        process = self.start(*arguments, "--json")
        peaks: dict[int, int] = {}
        while process.poll() is None:
            for pid in [process.pid, *workers(process.pid)]:
                peaks[pid] = max(peaks.get(pid, 0), peak_bytes(pid))
            time.sleep(_WATCHED_EVERY_SECONDS)
        self.finish(process)
        own = peaks.pop(process.pid)
        return own, max(peaks.values(), default=0)


def kill(process: subprocess.Popen[str]) -> None:
    """All of it, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def peak_bytes(pid: int) -> int:
    """The most memory it has held so far; 0 once it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def workers(pid: int) -> list[int]:
    """Its worker processes, without the resource tracker."""
    found = []
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            with contextlib.suppress(OSError):
                if "resource_tracker" not in Path(f"/proc/{child}/cmdline").read_text():
                    found.append(child)
    return found
