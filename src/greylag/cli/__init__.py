"""The command line: one module per verb, imported when it is called. Parses, calls, renders; decides nothing."""

from __future__ import annotations

from greylag.cli.root import main

__all__ = ["main"]
