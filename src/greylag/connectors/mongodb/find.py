"""`find` in the server's own commands.

pymongo's raw batches make an object of every document of a batch and join them again, which takes longer than the
server does; here a batch is taken apart once, into the documents' bytes.

Source: https://www.mongodb.com/docs/manual/reference/command/find/
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pymongo.errors
from bson.int64 import Int64

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.bounds import LENIENT
from greylag.core.records import Refused
from greylag.errors import SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bson.raw_bson import RawBSONDocument
    from pymongo.synchronous.collection import Collection

Documents: TypeAlias = "Collection[dict[str, Any]]"

_LENGTH: Final = struct.Struct("<i")
_SMALLEST_DOCUMENT_BYTES: Final = 5
_DOCUMENT: Final = 0x03


def find(
    collection: Documents,
    where: Mapping[str, Any],
    projection: Mapping[str, Any] | None = None,
    *,
    batch_size: int | None = None,
    sort: Sequence[tuple[str, int]] = (),
    hint: Sequence[tuple[str, int]] = (),
    **more: Any,
) -> Iterator[list[bytes]]:
    """What is found, in batches as the server sends them; a batch without documents is left out. `more` has `min`,
    `max`, `skip` and `limit`. The cursor ends with the iterator. Raises as pymongo does, and SourceDataError for a
    batch that cannot be read.
    """
    database = collection.database
    sized = {} if batch_size is None else {"batchSize": batch_size}
    command = {"find": collection.name, "filter": where, **more, **sized}
    for name, value in (("projection", projection), ("sort", sort), ("hint", hint)):
        if value:
            command[name] = dict(value)
    if collection.read_concern.document:
        command["readConcern"] = collection.read_concern.document
    with database.client.start_session(causal_consistency=False) as session:

        def ask(command: dict[str, Any]) -> tuple[int, list[bytes]]:
            reply: RawBSONDocument = database.command(
                command, read_preference=collection.read_preference, codec_options=LENIENT, session=session
            )
            return _batch(bytes(reply["cursor"].raw))  # pymongo gives a view of a large one

        cursor, documents = ask(command)
        try:
            while True:
                if documents:
                    yield documents
                if not cursor:
                    return
                cursor, documents = ask({"getMore": Int64(cursor), "collection": collection.name, **sized})
        finally:
            if cursor:
                with suppress(pymongo.errors.PyMongoError):
                    database.command(
                        {"killCursors": collection.name, "cursors": [Int64(cursor)]},
                        read_preference=collection.read_preference,
                        session=session,
                    )


def _batch(cursor: bytes) -> tuple[int, list[bytes]]:
    """A reply's cursor: its number, 0 where it has ended, and the documents of the batch."""
    number = 0
    documents: list[bytes] = []
    try:
        for place, name_end, end in wire.elements(cursor):
            name = cursor[place + 1 : name_end]
            if name == b"id":
                number = int.from_bytes(cursor[name_end + 1 : end], "little", signed=True)
            elif name in {b"firstBatch", b"nextBatch"}:
                documents = _documents(cursor, name_end + 5, end - 1)
    except (Refused, IndexError, ValueError, struct.error) as error:
        raise SourceDataError(f"the server sent a batch that cannot be read: {error}") from error
    return number, documents


def _documents(raw: bytes, place: int, end: int) -> list[bytes]:
    """The documents of an array whose elements lie between `place` and `end`: a type, a position's digits, a zero, a
    document. This loop sees every document that is read.
    """
    documents: list[bytes] = []
    length_at, name_end, add = _LENGTH.unpack_from, raw.index, documents.append
    while place < end:
        if raw[place] != _DOCUMENT:
            raise SourceDataError(
                f"the server sent a value of the BSON type {raw[place]} instead of a document"
            )
        start = name_end(0, place) + 1
        [length] = length_at(raw, start)
        place = start + length
        if length < _SMALLEST_DOCUMENT_BYTES or place > end:
            raise SourceDataError(f"the server sent a document whose length is {length}")
        add(raw[start:place])
    return documents
