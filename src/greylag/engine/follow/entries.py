"""What a spool holds, and how it stands in a segment.

An entry is ``length, crc32, payload``, big-endian, 4 bytes each before the payload. The checksum begins from the
entry's ordinal, so an entry that stands in another's place is found out too. A payload's first byte is its kind::

    C  a change        written_ms (8), dataset's length (2), id's length (4), dataset, id, document
    D  a delete        the same without a document
    P  a position      clock_ms (8, or NO_CLOCK), position
    B  a barrier       its name
    E  an event        dataset's length (2), kind's length (2), dataset, kind, detail

Text is UTF-8 in which lone surrogates may stand.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple, TypeAlias

from greylag.core.change import DatasetEvent, RawChange

HEAD: Final = struct.Struct(">II")
_CHANGE: Final = struct.Struct(">cqHI")
_POSITION: Final = struct.Struct(">cq")
_EVENT: Final = struct.Struct(">cHH")
_NO_CLOCK: Final = -(2**63)


class Position(NamedTuple):
    """Everything before it is one whole number of batches; a stream begun at `position` gives what comes after.
    `clock_ms` as in `ChangeBatch`.
    """

    position: str
    clock_ms: int | None


class Barrier(NamedTuple):
    """Everything written at the source before a mark of this name was made stands before it."""

    name: str


Content: TypeAlias = RawChange | Position | Barrier | DatasetEvent


class Entry(NamedTuple):
    """`ordinal` counts the spool's entries from 0; it never goes back, but may leap (see `spool`)."""

    ordinal: int
    content: Content


class Damaged(Exception):  # noqa: N818 - it is an answer, not a failure
    """Bytes that are no whole entry."""


def encoded(ordinal: int, content: Content) -> bytes:
    """The entry's bytes."""
    payload = _payload(content)
    return HEAD.pack(len(payload), zlib.crc32(payload, ordinal & 0xFFFFFFFF)) + payload


def decoded(ordinal: int, checksum: int, payload: bytes) -> Content:
    """The content of an entry. Raises Damaged where the bytes are not those that were written."""
    if zlib.crc32(payload, ordinal & 0xFFFFFFFF) != checksum or not payload:
        raise Damaged
    kind = payload[:1]
    if kind in b"CD":
        _, written_ms, dataset_length, id_length = _CHANGE.unpack_from(payload)
        dataset_end = _CHANGE.size + dataset_length
        id_end = dataset_end + id_length
        return RawChange(
            _text(payload[_CHANGE.size : dataset_end]),
            payload[dataset_end:id_end],
            payload[id_end:] if kind == b"C" else None,
            written_ms,
        )
    if kind == b"P":
        _, clock_ms = _POSITION.unpack_from(payload)
        return Position(_text(payload[_POSITION.size :]), None if clock_ms == _NO_CLOCK else clock_ms)
    if kind == b"B":
        return Barrier(_text(payload[1:]))
    if kind == b"E":
        _, dataset_length, kind_length = _EVENT.unpack_from(payload)
        dataset_end = _EVENT.size + dataset_length
        kind_end = dataset_end + kind_length
        return DatasetEvent(
            _text(payload[_EVENT.size : dataset_end]),
            _text(payload[dataset_end:kind_end]),
            _text(payload[kind_end:]),
        )
    raise Damaged


def _payload(content: Content) -> bytes:
    if isinstance(content, RawChange):
        dataset = _bytes(content.dataset)
        kind, document = (b"D", b"") if content.document is None else (b"C", content.document)
        head = _CHANGE.pack(kind, content.written_ms, len(dataset), len(content.id))
        return b"".join((head, dataset, content.id, document))
    if isinstance(content, Position):
        clock_ms = _NO_CLOCK if content.clock_ms is None else content.clock_ms
        return _POSITION.pack(b"P", clock_ms) + _bytes(content.position)
    if isinstance(content, Barrier):
        return b"B" + _bytes(content.name)
    dataset, kind = _bytes(content.dataset), _bytes(content.kind)
    return _EVENT.pack(b"E", len(dataset), len(kind)) + dataset + kind + _bytes(content.detail)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
