"""The statements of write commands, put together from documents that are BSON already."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.bounds import as_sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bson.raw_bson import RawBSONDocument

_DOCUMENT, _ARRAY = b"\x03", b"\x04"
_UPSERT: Final = b"\x08upsert\0\x01"
_ONE: Final = b"\x10limit\0\x01\0\0\0"
_ZERO: Final = bytes(8)
_NAMED_ZERO: Final = bytes(9)
"""The zero that ends a field's name, and the timestamp behind it."""
_BLANK: Final = re.compile(rb"\x11[^\0]*\0\0{8}")
_TIMESTAMP: Final = 0x11


class Documents(Mapping[str, Any]):
    """Documents end to end, which pymongo takes for one and so puts into a command's sequence as they stand.

    A command's documents follow each other there with nothing between them.

    Source: https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md#sections
    """

    _type_marker = 101  # pymongo's own mark of a class that has its BSON as `raw`

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __getitem__(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def insert(document: bytes) -> RawBSONDocument:
    """Put in a document whose `_id` is not there yet."""
    return as_sent(document)


def replace(document: bytes) -> RawBSONDocument:
    """Put a document in the place of the one with its `_id`, or in if there is none."""
    return as_sent(wire.document_of(_query(document) + _DOCUMENT + b"u\0" + document + _UPSERT))


def replace_literally(document: bytes) -> RawBSONDocument:
    """The same as a pipeline: for what the server would not take, or would change, in a plain replacement."""
    literal = wire.document_of(_DOCUMENT + b"$literal\0" + document)
    stage = wire.document_of(_DOCUMENT + b"$replaceWith\0" + literal)
    pipeline = wire.document_of(_DOCUMENT + b"0\0" + stage)
    return as_sent(wire.document_of(_query(document) + _ARRAY + b"u\0" + pipeline + _UPSERT))


def delete(document: bytes) -> RawBSONDocument:
    """Delete the document with the `_id` of this one."""
    return as_sent(wire.document_of(_query(document) + _ONE))


def query(document: bytes) -> bytes:
    """The BSON of a filter that finds the document with the `_id` of this one."""
    element = wire.id_element(document)
    assert element is not None, "a document without _id is written nowhere"
    # {_id: {$eq: value}}, since a value may look like an operator
    equal = wire.document_of(element[4:5] + b"$eq\0" + element[9:-1])
    return wire.document_of(_DOCUMENT + b"_id\0" + equal)


def _query(document: bytes) -> bytes:
    return _DOCUMENT + b"q\0" + query(document)


def any_is_changed_by_the_server(documents: Sequence[bytes], joined: bytes) -> bool:
    """Whether `is_changed_by_the_server` is so for one of them; `joined` are the same end to end."""
    ends: list[int] = []
    looked_at = -1
    for found in _BLANK.finditer(joined):  # no name reaches over a document's end, which is a zero
        ends = ends or list(accumulate(map(len, documents)))
        place = bisect_right(ends, found.start())
        if place != looked_at and is_changed_by_the_server(documents[place]):
            return True
        looked_at = place
    return False


def is_changed_by_the_server(document: bytes) -> bool:
    """Whether a plain insert or replacement would not be stored as it is: a timestamp of zero in a field of its own
    becomes the server's time.

    Source: https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
    """
    if _NAMED_ZERO not in document or not _BLANK.search(document):
        return False
    return any(
        document[place] == _TIMESTAMP
        and document[name_end + 1 : end] == _ZERO
        and document[place + 1 : name_end] != b"_id"
        for place, name_end, end in wire.elements(document)
    )
