"""BSON to values and back: every byte, by the fast way and by the exact one."""

from __future__ import annotations

import bson
from hypothesis import given
from hypothesis import strategies as st

from greylag.connectors.mongodb import decimal128, wire
from greylag.connectors.mongodb.decoding import decode_page
from greylag.core.records import Refused
from greylag.core.values import Document, Value, identical
from tests.property.strategies import DECIMAL128S, documents, values

RECORDS = st.builds(lambda identity, rest: {"_id": identity, **rest}, values("bson"), documents("bson"))


@given(documents("bson"))
def test_the_exact_way_gives_back_document_and_bytes(document: Document) -> None:
    raw = wire.encode_document(document)
    again = wire.decode_exact(raw)
    assert identical(document, again, ordered=True), (document, again)
    assert wire.encode_document(again) == raw


@given(st.lists(RECORDS, max_size=5))
def test_a_page_gives_identical_records_in_order(found: list[Document]) -> None:
    page = b"".join(map(wire.encode_document, found))
    records, rejected = decode_page(page)
    assert not rejected
    assert len(records) == len(found)
    for document, record in zip(found, records, strict=True):
        assert identical(document, record.fields, ordered=True), (document, record.fields)
        assert identical(document["_id"], record.id, ordered=True)


@given(st.lists(st.binary(max_size=40), max_size=3), st.data())
def test_stray_bytes_are_refused_or_say_exactly_what_they_are(
    parts: list[bytes], data: st.DataObject
) -> None:
    raw = bytearray(wire.encode_document({"_id": 1, "b": b"".join(parts), "a": [1.5, "x", None, True]}))
    place = data.draw(st.integers(4, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    try:
        document = wire.decode_exact(bytes(raw))
    except Refused:
        return
    assert wire.encode_document(document) == bytes(raw)


@given(RECORDS, documents("bson"))
def test_the_id_is_found_unread(record: Document, before: Document) -> None:
    identity = {"_id": record["_id"]}
    document = {**{name: each for name, each in before.items() if name != "_id"}, **identity}
    assert wire.id_element(wire.encode_document(document)) == wire.encode_document(identity)


@given(DECIMAL128S)
def test_decimals_have_the_bytes_pymongo_gives_them(value: Value) -> None:
    bid = bson.Decimal128(str(value)).bid
    assert decimal128.to_bid(value) == bid  # type: ignore[arg-type]
    again = decimal128.from_bid(bid)
    assert again is not None
    assert identical(value, again)
