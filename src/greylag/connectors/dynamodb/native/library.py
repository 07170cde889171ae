"""The compiled carry.c, where there is one. What was compiled from another carry.c than the one beside it is none."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from greylag.connectors.dynamodb.native.compile import LIBRARY, source_digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Library(NamedTuple):
    """Its functions, which carry.c describes."""

    carry: Callable[..., int]
    scratch: Callable[[int], int]


@cache
def compiled() -> Library | None:
    """The one of this installation, or None."""
    return load(LIBRARY)


def load(library: Path) -> Library | None:
    """The same of a library anywhere."""
    try:
        found = ctypes.CDLL(str(library))
        found.greylag_source.restype = ctypes.c_char_p
        if found.greylag_source().decode() != source_digest():
            return None
        function = found.greylag_carry
        scratch = found.greylag_scratch
    except (AttributeError, OSError):
        return None
    scratch.restype = ctypes.c_uint64
    scratch.argtypes = [ctypes.c_uint32]
    function.restype = ctypes.c_uint32
    function.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32),
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p),
    ]
    return Library(function, scratch)
