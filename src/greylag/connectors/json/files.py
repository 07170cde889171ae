"""One file: its format by its name, its content decompressed, and what tells one content of it from another."""

from __future__ import annotations

import gzip
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from greylag.connectors.json.malformed import Malformed
from greylag.connectors.json.window import Window
from greylag.errors import AuthenticationError, ConnectorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SUFFIXES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")

# Byte order marks. Without one, zero bytes tell: JSON begins with two characters of ASCII, none of them zero.
# Source: https://www.rfc-editor.org/rfc/rfc4627#section-3
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


class Version(NamedTuple):
    """What changes when a file's content does."""

    size: int
    mtime_ns: int


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Errors of the operating system as Greylag's, `name` being the file's."""
    try:
        yield
    except PermissionError as error:
        raise AuthenticationError(
            f"{name} may not be read", advice="Give the user that runs greylag permission to read it."
        ) from error
    except OSError as error:
        raise ConnectorError(f"cannot read {name}: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that was found. `name` is how messages call it: its path in the connection's folder, or its name."""

    path: Path
    name: str

    @property
    def lines(self) -> bool:
        """Whether it is JSON Lines: one record a line."""
        return self.name.removesuffix(".gz").endswith(".jsonl")

    @property
    def gzipped(self) -> bool:
        """Whether offsets count decompressed bytes, and reading from one decompresses all before it."""
        return self.name.endswith(".gz")

    @property
    def stem(self) -> str:
        """Its name without what tells the format."""
        return next(
            (self.name.removesuffix(each) for each in reversed(SUFFIXES) if self.name.endswith(each)),
            self.name,
        )

    def version(self) -> Version:
        """Raises ConnectorError where the file is gone."""
        with translated(self.name):
            found = self.path.stat()
        return Version(found.st_size, found.st_mtime_ns)

    @contextmanager
    def plain(self) -> Iterator[BinaryIO]:
        """The bytes as they stand on disk."""
        with translated(self.name):
            file = self.path.open("rb")
        with file:
            yield file

    @contextmanager
    def window(self, offset: int | None = None, *, end: int | None = None) -> Iterator[Window]:
        """A view of the content from `offset` on; None: from its start, after a byte order mark.

        Raises Malformed for text that is not UTF-8, and where a gzip stream does not reach `offset`.
        """
        with self.plain() as file:
            if not self.gzipped:
                file.seek(offset or 0)
                window = Window(file.read, offset or 0, end=end)
                if offset is None:
                    _pass_mark(window)
                yield window
                return
            with gzip.GzipFile(fileobj=file) as stream:
                try:
                    place = stream.seek(offset or 0)
                except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                    raise Malformed(
                        stream.tell(), f"the gzip stream is cut off or damaged ({error})"
                    ) from error
                # One piece at a time: what could be decompressed before the stream breaks off is not lost.
                window = Window(cast("Callable[[int], bytes]", stream.read1), place, end=end)
                if offset is None:
                    _pass_mark(window)
                yield window


def _pass_mark(window: Window) -> None:
    window.fill(4)
    start = window.data[:4]
    encoding = next((name for mark, name in _OTHER_ENCODINGS if start.startswith(mark)), None)
    if encoding is None and b"\x00" in start[:2]:
        encoding = "UTF-32" if b"\x00\x00" in start else "UTF-16"
    if encoding is not None:
        raise Malformed(0, f"this is {encoding}; JSON is UTF-8: convert the file, for example with iconv")
    if window.data.startswith(_BOM):
        window.position = len(_BOM)
