"""Whether a batch of JSON records is sure to lose nothing when msgspec decodes it: proof.c, where it is compiled."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING

from greylag.connectors.compiled.compile import PROOF
from greylag.connectors.compiled.library import load

if TYPE_CHECKING:
    from collections.abc import Callable


def proven(text: bytes, deepest: int, *, lines: bool) -> bool:
    """Whether msgspec, if it takes `text`, gives all that is in it: objects, nested at most `deepest` levels. `lines`:
    one on each line, blank lines aside; otherwise one array of them. False is not sure.
    """
    scan = _compiled()
    return scan is not None and scan(text, len(text), deepest, lines) == 1


@cache
def _compiled() -> Callable[[bytes, int, int, bool], int] | None:
    """The one of this installation, or None."""
    found = load(PROOF)
    if found is None:
        return None
    scan = found.greylag_json_proven
    scan.restype = ctypes.c_int
    scan.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int]
    return scan
