"""The folder in which what `greylag lab install` fetched is kept, for all labs and tests of one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.config.folders import user_cache

if TYPE_CHECKING:
    from pathlib import Path


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/greylag/lab`, or `~/.cache/greylag/lab`. It can be deleted at any time."""
    return user_cache() / "lab"
