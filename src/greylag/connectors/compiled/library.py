"""Compiled cores, where there are any. What was compiled from another source than the one beside it is none."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from greylag.connectors.compiled.compile import CORES, library_of, source_digest

if TYPE_CHECKING:
    from pathlib import Path


def load(core: Path, library: Path | None = None) -> ctypes.CDLL | None:
    """The library of this core: the one of this installation, or another; None where there is none to use."""
    try:
        found = ctypes.CDLL(str(library or library_of(core)))
        found.greylag_source.restype = ctypes.c_char_p
        return found if found.greylag_source().decode() == source_digest(core) else None
    except (AttributeError, OSError):
        return None


def there() -> list[str]:
    """The names of those that are used."""
    return [core.stem for core in CORES if load(core) is not None]
