"""Documents that go through as they are: what is passed together, and what must be looked at one by one."""

from __future__ import annotations

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import message

from greylag.connectors.mongodb import statements, wire
from greylag.connectors.mongodb.codec import as_it_is, as_they_are
from greylag.core.passing import Passing
from greylag.core.values import Int64, MaxKey, ObjectId, Timestamp

OTHER_FIRST = wire.encode_document({"a": 1, "_id": ObjectId(bytes(12))})
COMMON = [
    wire.encode_document({"_id": ObjectId(bytes(range(12))), "a": 1}),
    wire.encode_document({"_id": "x", "zeros": Int64(0), "more": 0.0}),
    wire.encode_document({"_id": ""}),
]
BLANK = wire.encode_document({"_id": "late", "a": {"b": 1}, "at": Timestamp(0, 0)})
HARMLESS = [
    wire.encode_document({"_id": Timestamp(0, 0)}),
    wire.encode_document({"_id": "inner", "a": {"at": Timestamp(0, 0)}}),
    wire.encode_document({"_id": "text", "a": b"\x11name" + bytes(20)}),
    wire.encode_document({"_id": "x" * 230, "a": bytes(12)}),
]


def test_items_are_those_that_one_by_one_would_be() -> None:
    found = as_they_are(COMMON)
    assert isinstance(found, Passing)
    assert list(found) == [as_it_is(each) for each in COMMON]
    assert list(found[1:]) == list(found)[1:]
    assert found.size_bytes == sum(map(len, COMMON))


@pytest.mark.parametrize(
    "document",
    [
        OTHER_FIRST,
        wire.encode_document({"a": 1}),
        wire.encode_document({"_id": 1}),
        wire.encode_document({"_id": MaxKey()}),
    ],
)
def test_another_id_has_all_looked_at(document: bytes) -> None:
    found = as_they_are([*COMMON, document])
    assert not isinstance(found, Passing)
    assert list(found) == [as_it_is(each) for each in [*COMMON, document]]


@pytest.mark.parametrize("place", range(len(COMMON + HARMLESS) + 1))
def test_a_timestamp_the_server_would_fill_is_found_wherever_it_stands(place: int) -> None:
    documents = [*COMMON, *HARMLESS]
    assert not statements.any_is_changed_by_the_server(documents, b"".join(documents))
    documents.insert(place, BLANK)
    assert statements.any_is_changed_by_the_server(documents, b"".join(documents))


def test_the_message_is_that_of_documents_given_one_by_one() -> None:
    def sent(documents: list[object]) -> bytes:
        command = {"insert": "things", "documents": documents}
        _, content, _, _ = message._op_msg(0, command, "shop", None, bson.DEFAULT_CODEC_OPTIONS)
        return content[16:]  # behind the header, which numbers each message

    together = sent([statements.Documents(b"".join(COMMON))])
    assert together == sent([RawBSONDocument(each) for each in COMMON])
