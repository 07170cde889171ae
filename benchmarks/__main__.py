"""`make bench`: every figure into RESULTS.md and its charts. With letters, those figures to the terminal alone.

    python -m benchmarks [a b …]

Ends with 0 whether or not the targets are met: what is missed, the report says.
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
    letters = parser.parse_args().letters
    clean = environment()
    os.environ.clear()
    os.environ |= clean
    started, load = time.monotonic(), machine.load()
    figures = [_measure(letter) for letter in letters or FIGURES]
    if letters:
        print("\n\n".join(report.section(each) for each in figures))
        return
    seconds = time.monotonic() - started
    about = [
        *machine.describe(),
        (
            "run",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds / 60:.0f} minutes; load average before: {load:.1f}",
        ),
    ]
    report.write(figures, machine.ROOT / "benchmarks", about)
    print(report.summary(figures))


def _measure(letter: str) -> Figure:
    began = time.monotonic()
    figure: Figure = importlib.import_module(f"benchmarks.{FIGURES[letter]}").measure()
    print(f"({letter}) {figure.title}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return figure


if __name__ == "__main__":
    main()
