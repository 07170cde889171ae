"""Parts of a backup: records into gzip files of a bounded size, and back."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, Final

from greylag.errors import SourceDataError
from greylag.recovery.format import Digest, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES: Final = "dynamodb-json"
"""Items in DynamoDB JSON, one a line, attributes sorted by name."""
BSON: Final = "bson"
"""Documents in BSON, one after the other, as mongodump writes them."""
FILE: Final = "file"
"""A file's bytes as they stand; a record is the content of a part."""
FORMS: Final = (LINES, BSON, FILE)

PART_BYTES: Final = 8 << 20
"""Of records in one part, before compression."""

_LEVEL: Final = 1
"""Half as small again costs five times the processor: a backup is read far less often than it is written."""
_GZIP: Final = 31
_LENGTH: Final = struct.Struct("<i")


class PartWriter:
    """Records of one piece, compressed as they come. Holds no more than the compressed content of one part."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._begin()

    def _begin(self) -> None:
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._chunks: list[bytes] = []
        self._digest = Digest()
        self.records = 0
        self.content_bytes = 0

    def add(self, records: Sequence[bytes]) -> None:
        """Some records, in order."""
        content = b"".join(records) if self._form != LINES else b"\n".join(records) + b"\n"
        self._chunks.append(self._compressor.compress(content))
        self._digest.add(records)
        self.records += len(records)
        self.content_bytes += len(content)

    def end(self, file: str, piece: int, place: int) -> tuple[Part, bytes]:
        """The part and the content of its file; the writer begins the next."""
        self._chunks.append(self._compressor.flush())
        content = b"".join(self._chunks)
        part = Part(
            file,
            piece,
            place,
            len(content),
            hashlib.sha256(content).hexdigest(),
            self.records,
            self.content_bytes,
            self._digest.text(),
        )
        self._begin()
        return part, content


def check_file(part: Part, content: bytes, where: str) -> None:
    """Raises SourceDataError unless `content` is what was written."""
    if len(content) != part.bytes:
        raise _damaged(f"{where} has {len(content):,} bytes, {part.bytes:,} were written")
    if hashlib.sha256(content).hexdigest() != part.sha256:
        raise _damaged(f"{where} is not what was written: its SHA-256 differs")


def records_of(part: Part, content: bytes, form: str, where: str) -> list[bytes]:
    """The records of a part whose file holds `content`. Raises SourceDataError for a damaged one."""
    check_file(part, content, where)
    try:
        plain = zlib.decompress(content, _GZIP, part.content_bytes)
        records = _split(plain, form)
    except (zlib.error, struct.error, ValueError) as error:
        raise _damaged(f"{where} cannot be read: {error}") from error
    if len(plain) != part.content_bytes or len(records) != part.records:
        raise _damaged(f"{where} holds other records than the manifest says")
    return records


def _split(plain: bytes, form: str) -> list[bytes]:
    if form == LINES:
        lines = plain.split(b"\n")
        if lines.pop():
            raise ValueError("the last line has no end")
        return lines
    if form == BSON:
        return _documents(plain)
    return [plain] if plain else []


def _documents(plain: bytes) -> list[bytes]:
    found = []
    place = 0
    while place < len(plain):
        length = _LENGTH.unpack_from(plain, place)[0]
        if length < 5 or place + length > len(plain):
            raise ValueError(f"no document at byte {place}")
        found.append(plain[place : place + length])
        place += length
    return found


def _damaged(message: str) -> SourceDataError:
    return SourceDataError(
        message, advice="Restore another backup, or an undamaged copy of this one. Nothing was written."
    )
