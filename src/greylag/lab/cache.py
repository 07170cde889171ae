"""The folder in which what `greylag lab install` fetched is kept, for all labs and tests of one user."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/greylag/lab`, or `~/.cache/greylag/lab`. It can be deleted at any time.

    The place is a matter of the user's machine and not of a project, so it is no part of greylag.yaml, and
    this is the one place outside config.py that reads the environment.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "greylag" / "lab"
