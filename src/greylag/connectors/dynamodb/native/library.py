"""The functions of carry.c, where it is compiled."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from greylag.connectors.compiled.compile import CARRY
from greylag.connectors.compiled.library import load

if TYPE_CHECKING:
    from collections.abc import Callable


class Library(NamedTuple):
    """Its functions, which carry.c describes."""

    carry: Callable[..., int]
    scratch: Callable[[int], int]


@cache
def compiled() -> Library | None:
    """Those of this installation, or None."""
    found = load(CARRY)
    if found is None:
        return None
    function, scratch = found.greylag_carry, found.greylag_scratch
    scratch.restype = ctypes.c_uint64
    scratch.argtypes = [ctypes.c_uint32]
    function.restype = ctypes.c_uint32
    function.argtypes = [
        *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32),
        *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p),
    ]
    return Library(function, scratch)
