"""The machine a run stands on: its cores and who gets which, its versions, its commit."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("greylag", "boto3", "botocore", "pymongo", "orjson", "msgspec", "ijson")


def client_core() -> int:
    """The core of what is measured."""
    return min(os.sched_getaffinity(0))


def server_core() -> int:
    """Another core for the servers; the same one where the machine has only one."""
    return max(os.sched_getaffinity(0))


def pin(pid: int, *cores: int) -> None:
    """Keep a running process, with all the threads it has, on these cores. Gone threads are passed over."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


def cpu_seconds(pid: int) -> float:
    """What a process has spent so far, in user and kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def describe() -> tuple[tuple[str, str], ...]:
    """What must be the same for figures to stand in one table: processor, memory, versions."""
    versions = [
        f"Python {platform.python_version()}",
        *(f"{name} {metadata.version(name)}" for name in PACKAGES),
    ]
    return (
        ("processor", f"{_processor()}, {os.cpu_count()} cores, of which this run had {_usable()}"),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"),
        ("versions", ", ".join(versions)),
    )


def system() -> str:
    """The kernel; figures of two of its builds are told apart, not kept apart."""
    return f"{platform.system()} {platform.release()}"


def load() -> float:
    """Processes that wanted a core over the last minute, as the kernel counts them."""
    return os.getloadavg()[0]


def _usable() -> int:
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    """Of the sources, and whether they were changed since."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = (
        ", with changes not committed" if git("status", "--porcelain", "--", "src", "benchmarks/*.py") else ""
    )
    return f"{git('rev-parse', '--short=12', 'HEAD') or 'unknown'}{changed}"
