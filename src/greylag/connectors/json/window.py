"""A moving view of a file: as much of it in memory as the value being read needs, and a block."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from greylag.connectors.json.malformed import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES = 1 << 16
"""What is read and decoded in one go: small enough to stay in a processor's cache."""

_SPACE = re.compile(rb"[ \t\r\n]*")


class Window:
    """Bytes of a stream from absolute offset `origin` on, in `data`; `position` is the next one to look at.

    Everything before `position`, or before `mark` where that is set, is let go when more is read. Reading ends at
    absolute offset `end` where that is given.
    """

    def __init__(
        self,
        read: Callable[[int], bytes],
        offset: int,
        *,
        end: int | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.data = b""
        self.origin = offset
        self.position = 0
        self.mark: int | None = None
        self._read = read
        self._end = end
        self._block_bytes = block_bytes
        self._failure: Malformed | None = None

    @property
    def offset(self) -> int:
        """The absolute offset of `position`."""
        return self.origin + self.position

    def more(self) -> bool:
        """Read on; False at the end. Relative positions held elsewhere are void after this.

        Raises Malformed where nothing more can be decompressed.
        """
        if self._grow():
            return True
        if self._failure is not None:
            raise self._failure
        return False

    def _grow(self) -> bool:
        """At least double what is held: so a value of any size costs time in proportion to its size."""
        floor = self.position if self.mark is None else self.mark
        held = self.data[floor:]
        wanted = max(self._block_bytes, len(held))
        blocks = [held]
        while wanted > 0:
            block = self._block(wanted, self.origin + floor + sum(map(len, blocks)))
            if not block:
                break
            blocks.append(block)
            wanted -= len(block)
        if len(blocks) == 1:
            return False
        self.data = b"".join(blocks)
        self.origin += floor
        self.position -= floor
        if self.mark is not None:
            self.mark = 0
        return True

    def _block(self, wanted: int, at: int) -> bytes:
        """What comes next, b"" at the end and where nothing more can be read, which `_failure` then tells."""
        if self._failure is not None:
            return b""
        if self._end is not None:
            wanted = min(wanted, self._end - at)
        try:
            return self._read(wanted) if wanted > 0 else b""
        except (EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's failure, not the stream's
            self._failure = Malformed(at, f"the gzip stream is cut off or damaged ({error})")
            return b""

    def fill(self, count: int) -> None:
        """Have at least `count` bytes from `position` on in memory, or all there are."""
        while len(self.data) - self.position < count and self._grow():
            pass

    def peek(self) -> int:
        """Skip white space; the byte at `position`, -1 at the end."""
        while True:
            match = _SPACE.match(self.data, self.position)
            assert match is not None
            self.position = match.end()
            if self.position < len(self.data):
                return self.data[self.position]
            if not self.more():
                return -1

    def expect(self, byte: bytes) -> None:
        """Skip white space and `byte`. Raises Malformed where there is another."""
        found = self.peek()
        if found != byte[0]:
            raise Malformed(self.offset, found_instead(found, f"expected `{byte.decode()}`"))
        self.position += 1


def found_instead(found: int, expected: str) -> str:
    """The message for byte `found` (-1: the end) where something else was `expected`."""
    if found < 0:
        return f"the file ends where it should go on: {expected}"
    shown = f"`{chr(found)}`" if 32 < found < 127 else f"byte 0x{found:02x}"
    return f"{expected}, found {shown}"
