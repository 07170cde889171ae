"""The command line: one module per verb, imported when it is called. Parses, calls, renders; decides nothing."""

from __future__ import annotations

import signal
import sys

INTERRUPTED = 130
"""The exit code of what Ctrl-C or SIGTERM ended."""


def main() -> None:
    """The entry point of the command `greylag`; ends the process with the exit code."""
    try:
        signal.signal(
            signal.SIGTERM, _interrupt
        )  # ends as Ctrl-C does: workers first, and the terminal as it was
        from greylag.cli.root import greylag  # takes a while, and may be interrupted too

        greylag(prog_name="greylag")
    except KeyboardInterrupt:
        sys.stderr.write("greylag: interrupted\n")
        sys.exit(INTERRUPTED)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
