"""What pymongo loses on the way, and what no value can say."""

from __future__ import annotations

import struct

import bson
import pytest

from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.decoding import decode_page
from greylag.core.records import Refused
from greylag.core.values import (
    Binary,
    DBPointer,
    Decimal128,
    Document,
    Int64,
    ObjectId,
    Regex,
    Symbol,
    Undefined,
    identical,
)

OBJECT_ID = ObjectId(bytes(range(12)))


def doc(*elements: bytes, identity: bytes = b"\x10_id\0\x01\0\0\0") -> bytes:
    content = identity + b"".join(elements)
    return struct.pack("<i", len(content) + 5) + content + b"\0"


def text(kind: bytes, name: bytes, content: bytes) -> bytes:
    return kind + name + b"\0" + struct.pack("<i", len(content) + 1) + content + b"\0"


EXACT: dict[str, tuple[bytes, Document]] = {
    "symbol": (text(b"\x0e", b"a", b"x"), {"a": Symbol("x")}),
    "undefined": (b"\x06a\0", {"a": Undefined()}),
    "pointer": (text(b"\x0c", b"a", b"db.c") + OBJECT_ID.binary, {"a": DBPointer("db.c", OBJECT_ID)}),
    "reference in another order": (
        b"\x03a\0" + doc(text(b"\x02", b"$ref", b"c"), identity=b"\x10$id\0\x01\0\0\0"),
        {"a": {"$id": 1, "$ref": "c"}},
    ),
    "options of a regex as they stand": (b"\x0ba\0p\0xiq\0", {"a": Regex("p", "xiq")}),
    "old binary": (b"\x05a\0\x06\0\0\0\x02\x02\0\0\0hi", {"a": Binary(b"hi", 2)}),
    "an int64 that is small": (b"\x12a\0" + struct.pack("<q", 5), {"a": Int64(5)}),
    "a null in a name that is none": (text(b"\x02", b"a", b"x\0y"), {"a": "x\0y"}),
}


@pytest.mark.parametrize("case", EXACT)
def test_what_pymongo_loses_is_carried_exactly(case: str) -> None:
    element, fields = EXACT[case]
    raw = doc(element)
    records, rejected = decode_page(raw)
    assert not rejected
    assert identical(records[0].fields, {"_id": 1, **fields}, ordered=True), records
    assert wire.encode_document(records[0].fields) == raw


STRAY: dict[str, tuple[bytes, str]] = {
    "one name twice": (b"\x0aa\0\x0aa\0", "field a stands twice"),
    "one name twice, nested": (b"\x03o\0" + doc(identity=b"\x0aa\0\x08a\0\x01"), "field o.a stands twice"),
    "text not UTF-8": (text(b"\x02", b"a", b"\xff"), "field a holds text that is not UTF-8"),
    "half a surrogate pair": (text(b"\x02", b"a", b"\xed\xa0\x80"), "not UTF-8"),
    "a name not UTF-8": (b"\x0a\xff\0", "not UTF-8"),
    "array out of order": (b"\x04a\0" + doc(identity=b"\x0a1\0\x0a0\0"), "position 0 belongs"),
    "a boolean of 2": (b"\x08a\0\x02", "neither 0 nor 1"),
    "NaN with a payload": (b"\x13a\0" + struct.pack("<QQ", 7, 0x7C << 56), "Decimal128"),
    "negative NaN": (b"\x13a\0" + struct.pack("<QQ", 0, 0xFC << 56), "Decimal128"),
    "too many digits": (b"\x13a\0" + struct.pack("<QQ", 2**64 - 1, (6176 << 49) | (2**49 - 1)), "Decimal128"),
    "old binary of two lengths": (b"\x05a\0\x06\0\0\0\x02\x03\0\0\0hi", "two lengths"),
    "an unknown type": (b"\x20a\0", "unknown BSON type 0x20"),
}


@pytest.mark.parametrize("case", STRAY)
def test_what_no_value_says_is_rejected_alone(case: str) -> None:
    element, reason = STRAY[case]
    good, bad = wire.encode_document({"_id": Int64(7), "s": "x"}), doc(element)
    records, rejected = decode_page(good + bad + good)
    assert [record.fields for record in records] == [{"_id": 7, "s": "x"}] * 2
    [rejection] = rejected
    assert reason in rejection.reason
    assert rejection.id == 1
    assert rejection.raw == bad
    assert rejection.original is None
    assert rejection.fix


def test_a_document_without_id_is_rejected() -> None:
    records, rejected = decode_page(bson.encode({"a": 1}) + bson.encode({"_id": 1}))
    assert [record.id for record in records] == [1]
    assert rejected[0].reason == "it has no _id"
    assert rejected[0].id is None


def test_an_id_that_cannot_be_read_is_rejected_without_it() -> None:
    [rejection] = decode_page(doc(identity=text(b"\x02", b"_id", b"\xff")))[1]
    assert rejection.id is None
    assert rejection.raw


def test_deep_nesting_ends_in_a_rejection_not_in_a_crash() -> None:
    raw = doc(identity=b"\x0aa\0")
    for _ in range(5000):
        raw = doc(b"\x03a\0" + raw)
    records, [rejection] = decode_page(raw)
    assert not records
    assert "nested deeper" in rejection.reason


@pytest.mark.parametrize(
    "value", [2**31, Int64(2**63), Decimal128("1E+6200"), Decimal128("-NaN"), Decimal128("1" * 35), "\ud800"]
)
def test_what_bson_cannot_hold_is_refused_not_cut(value: object) -> None:
    with pytest.raises(Refused):
        wire.encode_document({"a": value})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["a\0b", "\udc80"])
def test_names_bson_cannot_hold_are_refused(name: str) -> None:
    with pytest.raises(Refused):
        wire.encode_document({name: 1})


@pytest.mark.parametrize("length", [0, 4, -1, -(2**31)])
def test_what_follows_a_length_that_no_document_has_is_rejected_as_a_whole(length: int) -> None:
    rest = struct.pack("<i", length) + doc() * 2
    records, rejected = decode_page(doc() + rest)
    assert [identity for identity, _ in records] == [1]
    assert [each.raw for each in rejected] == [rest]


def test_a_page_that_ends_within_a_length() -> None:
    records, rejected = decode_page(doc() + b"\x05\0")
    assert len(records) == 1
    assert [each.raw for each in rejected] == [b"\x05\0"]
