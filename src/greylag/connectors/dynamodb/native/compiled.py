"""From BSON documents to items' bytes by carry.c, many at a call."""

from __future__ import annotations

import ctypes
import mmap
from array import array
from typing import TYPE_CHECKING, Final

from greylag.core.records import Encoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from greylag.connectors.dynamodb.native.library import Library

_TOGETHER: Final = 128
_TOGETHER_BYTES: Final = 1 << 20
_OUTPUT_BYTES: Final = 8 << 20
"""Room for what `_TOGETHER_BYTES` become, and for the largest item. A document for which there is none left is
declined.
"""


class Compiled:
    """See `ports.Transcoding`. `program` is what `program_of` gave."""

    def __init__(self, library: Library, program: bytes) -> None:
        self.program = program
        self._carry = library.carry
        self._program = _words(len(program))
        ctypes.memmove(self._program, program, len(program))
        self._output = _words(_OUTPUT_BYTES)
        self._scratch = _words(library.scratch(_OUTPUT_BYTES))
        self._results = (ctypes.c_uint32 * (3 * _TOGETHER))()

    def __call__(self, documents: Sequence[bytes]) -> Iterator[Encoded | None]:
        """For each document its item, or None where something of it is not sure."""
        for first in range(0, len(documents), _TOGETHER):
            yield from self._some(documents[first : first + _TOGETHER])

    def _some(self, documents: Sequence[bytes]) -> list[Encoded | None]:
        sizes = array("I", map(len, documents))
        if len(documents) > 1 and sum(sizes) > _TOGETHER_BYTES:
            half = len(documents) // 2
            return self._some(documents[:half]) + self._some(documents[half:])
        used = self._carry(
            *(self._program, b"".join(documents), sizes.buffer_info()[0], len(documents)),
            *(self._scratch, self._output, _OUTPUT_BYTES, self._results),
        )
        output = ctypes.string_at(self._output, used)
        ends = self._results[: 3 * len(documents)]
        found: list[Encoded | None] = []
        place = 0
        for key, body, size in zip(ends[::3], ends[1::3], ends[2::3], strict=True):
            found.append(Encoded(output[place:key], output[key:body], size) if size else None)
            place = body
        return found


def _words(size: int) -> ctypes.Array[ctypes.c_uint64]:
    """Memory of at least so many bytes, at a place that eight divides. What is never written to takes no room."""
    words = -(-size // 8)
    memory = mmap.mmap(-1, words * 8, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return (ctypes.c_uint64 * words).from_buffer(memory)
