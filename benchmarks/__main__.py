"""`make bench`: every figure, or those whose letters are given, into RESULTS.md and its charts.

    python -m benchmarks [--print] [a b …]

RESULTS.md keeps the other figures of this machine as they were measured last; with `--print` it stays as it is. Ends
with 0 whether or not the targets are met: what is missed, the report says.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchmarks import machine, report
from benchmarks.apart import environment
from benchmarks.kept import Measured, keep, kept

if TYPE_CHECKING:
    from benchmarks.figure import Figure

FIGURES = {
    "a": "hot_path",
    "b": "end_to_end",
    "c": "json_files",
    "d": "verifying",
    "e": "memory",
    "f": "resume",
    "g": "documents",
    "h": "following",
    "r": "recovering",
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("letters", nargs="*", choices=[[], *FIGURES], metavar="letter")
    parser.add_argument("--print", action="store_true", help="only show what is measured")
    arguments = parser.parse_args()
    clean = environment()
    os.environ.clear()
    os.environ |= clean
    about = machine.describe()
    found = []
    for letter in arguments.letters or FIGURES:
        measured = _measure(letter, about)
        found.append(measured.figure)
        if arguments.print:
            print(report.section(measured.figure), end="\n\n")
        else:
            keep(measured)
            report.write(kept(about), machine.ROOT / "benchmarks", about)
    print(report.summary(found))


def _measure(letter: str, about: tuple[tuple[str, str], ...]) -> Measured:
    began, load = time.monotonic(), machine.load()
    figure: Figure = importlib.import_module(f"benchmarks.{FIGURES[letter]}").measure()
    seconds = time.monotonic() - began
    print(f"({letter}) {figure.title}: {seconds:.0f} s", file=sys.stderr)
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return Measured(
        figure,
        machine.commit(),
        now,
        round(seconds / 60, 1),
        round(load, 1),
        machine.system(),
        about,
    )


if __name__ == "__main__":
    main()
