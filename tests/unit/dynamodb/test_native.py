"""Which documents are carried undecoded by their shapes, and that they come out as they would otherwise."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import pytest

from greylag.connectors.dynamodb.native import transcoder
from greylag.connectors.mongodb import wire
from greylag.core.values import Decimal128, Int64, ObjectId, Regex
from tests.property.test_native import Both

ID = ObjectId(bytes(range(12)))
PLAIN: dict[str, Any] = {
    "_id": ID,
    "g": "kitchen",
    "price": Decimal128("12.50"),
    "weight": 2.5,
    "count": 7,
    "large": Int64(2**40),
    "seen": datetime(2024, 1, 31, 10, 0, 0, 123000, tzinfo=UTC),
    "sold": True,
    "nothing": None,
    "tags": ["a", "b"],
    "size": {"wide": 3, "unit": "cm"},
    "lines": [{"of": ID, "price": Decimal128("1.00")}, {"of": ID, "price": Decimal128("2.00")}],
    "empty": {"list": [], "document": {}},
}
TYPES = {
    "_id": "objectId",
    "price": "decimal128",
    "lines[].of": "objectId",
    "lines[].price": "decimal128",
    "seen": "date",
}


@pytest.fixture
def both() -> Both:
    """Which knows the shape of PLAIN."""
    found = Both(compiled=False, types=TYPES, rename={"_id": "id"})
    assert not found.check(wire.encode_document(PLAIN))
    return found


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"g": ""},
        {"g": 'quoted "so" and \\ so\nwith\tlines'},
        {"g": "é 日本 😀"},
        {"size": {"wide": 3, "unit": 'c"m'}},
        {"price": Decimal128("12.5")},
        {"price": Decimal128("500.00")},
        {"price": Decimal128("0.00")},
        {"price": Decimal128("-3.10")},
        {"price": Decimal128("1E+3")},
        {"price": Decimal128("0.000000000000000000001")},
        {"price": Decimal128("1234567890123456789012345678.90")},
        {"weight": 5.0},
        {"weight": -0.25},
        {"weight": 1e300 / 1e200},
        {"weight": 0.1},
        {"count": -(2**31)},
        {"large": Int64(5)},
        {"seen": datetime(2024, 1, 31, tzinfo=UTC)},
        {"seen": datetime(999, 1, 1, 1, 1, 1, 1000, tzinfo=UTC)},
        {"sold": False},
        {"lines": [{"of": ID, "price": Decimal128("1.00")}, {"of": ID, "price": Decimal128("2.5")}]},
    ],
    ids=str,
)
def test_what_changes_no_shape_is_carried_undecoded(both: Both, change: dict[str, Any]) -> None:
    assert both.check(wire.encode_document({**PLAIN, **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"weight": float("nan")},
        {"weight": -0.0},
        {"price": Decimal128("1E+6000")},
        {"g": "x" * 420_000},
        {"g": "k" * 3000},
        {"g": None},
        {"more": 1},
        {"_greylag": 1},
        {"PK": "another"},
        {"id": "another"},
        {"pattern": Regex("a")},
        {"": 1},
    ],
    ids=lambda change: str(change)[:40],
)
def test_what_is_not_sure_is_left_to_the_codec(both: Both, change: dict[str, Any]) -> None:
    document = wire.encode_document({**PLAIN, **change})
    assert not both.check(document)
    if change.keys() <= PLAIN.keys() and change != {"g": None}:
        assert both.check(wire.encode_document(PLAIN)), "the shape is still known"
    elif change in ({"g": None}, {"more": 1}):
        assert both.check(document), "its shape is new only once"
    else:
        assert not both.check(document)


def test_lengths_that_contradict_each_other() -> None:
    both = Both(compiled=False)
    document = wire.encode_document({"_id": 1, "g": "abc", "d": {"s": "abc"}})
    both.check(document)
    assert both.check(document)
    for place in [each for each in range(len(document)) if document[each : each + 4] == struct.pack("<i", 4)]:
        assert not both.check(document[:place] + struct.pack("<i", 5) + document[place + 4 :])
    place = document.index(b"\x03d\0") + 3
    assert not both.check(document[:place] + b"\x11" + document[place + 1 :])


@pytest.mark.parametrize("stray", [b"\xff", b"\xed\xa0\x80", b"\0"])
def test_text_that_is_none_is_not_even_dropped(stray: bytes) -> None:
    """Law 7: the record goes to quarantine, though the mapping leaves the field out."""
    both = Both(compiled=False, drop=("dropped",))
    document = wire.encode_document({"_id": 1, "g": "abc", "dropped": "x" * len(stray)})
    both.check(document)
    assert both.check(document)
    assert not both.check(document.replace(b"x" * len(stray), stray))


def test_it_gives_up_where_shapes_do_not_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcoder, "_WATCHED", 20)
    both = Both(compiled=False)
    known = wire.encode_document({"_id": 1, "g": "x"})
    both.check(known)
    assert both.check(known)
    for number in range(20):
        both.check(wire.encode_document({"_id": 1, "g": "x", f"field{number}": 1}))
    assert not both.check(known)


def test_flows_that_do_more_have_no_transcoder() -> None:
    for options in ({"keep_order": True}, {"where": {"g": "x"}}, {"drop": ("size.wide",)}):
        with pytest.raises(AssertionError):
            Both(**options)
