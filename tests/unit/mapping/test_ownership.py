from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from greylag.core.mapping import Claim, keys_disjoint, overlaps
from greylag.core.values import Int64
from tests.unit.mapping.flows import mapping, split

PRODUCT = {"PK": "PRODUCT#{_id}", "SK": "PRODUCT#{_id}", "entityType": "PRODUCT"}


def claim(attributes: dict[str, Any], **more: Any) -> Claim:
    return mapping(attributes, **more).claim


@pytest.mark.parametrize(
    ("attributes", "item", "owned"),
    [
        (PRODUCT, {"PK": "PRODUCT#1", "SK": "PRODUCT#1", "entityType": "PRODUCT"}, True),
        (PRODUCT, {"PK": "PRODUCT#1", "SK": "PRODUCT#1", "entityType": "ORDER"}, False),
        (PRODUCT, {"PK": "PRODUCT#1", "SK": "PRODUCT#1"}, False),
        (PRODUCT, {"PK": "ORDER#1", "SK": "PRODUCT#1", "entityType": "PRODUCT"}, False),
        (PRODUCT, {"PK": "PRODUCT#", "SK": "PRODUCT#1", "entityType": "PRODUCT"}, False),
        ({"PK": "{x}"}, {"PK": "anything"}, True),
        ({"PK": "{x}"}, {"PK": 5}, True),
        ({"PK": "{x}"}, {"PK": b"a"}, True),
        ({"PK": "{x:S}"}, {"PK": 5}, False),
        ({"PK": "{x:N}"}, {"PK": "5"}, False),
        ({"PK": "{x:N}"}, {"PK": Decimal(5)}, True),
        ({"PK": "{x:B}"}, {"PK": b"5"}, True),
        ({"PK": "{@row}"}, {"PK": 5}, True),
        ({"PK": "A#{x}#B#{y}#C"}, {"PK": "A#1#B#2#C"}, True),
        ({"PK": "A#{x}#B#{y}#C"}, {"PK": "A##B#2#C"}, False),
        ({"PK": "A#{x}#B#{y}#C"}, {"PK": "A#1#B##C"}, False),
        ({"PK": "A#{x}#B#{y}#C"}, {"PK": "A##B##B#2#C"}, True),
        ({"PK": "ab{x}ba"}, {"PK": "aba"}, False),
        ({"PK": "{x}{y}"}, {"PK": "1"}, False),
        ({"PK": "{x}{y}"}, {"PK": "12"}, True),
        ({"PK": "{x}", "n": 1}, {"PK": 1, "n": Decimal("1.0")}, True),
        ({"PK": "{x}", "n": 1.1}, {"PK": 1, "n": Decimal("1.1")}, True),
        ({"PK": "{x}", "n": 1}, {"PK": 1, "n": True}, False),
        ({"PK": "{x}", "n": 1}, {"PK": 1, "n": "1"}, False),
        ({"PK": "{x}", "n": True}, {"PK": 1, "n": True}, True),
        ({"PK": "{x}", "n": True}, {"PK": 1, "n": 1}, False),
        ({"PK": "{x}", "n": "{y}"}, {"PK": 1}, True),
    ],
)
def test_who_owns_an_item(attributes: dict[str, Any], item: dict[str, Any], owned: bool) -> None:
    assert claim(attributes).matches(item) is owned


def test_names_are_all_that_matching_needs() -> None:
    assert claim({**PRODUCT, "other": "{x}", "I": "{y}"}, indexes=("I",)).names == ("PK", "SK", "entityType")


def test_children_are_claimed_too() -> None:
    order = claim(
        {"PK": "ORDER#{_id}", "SK": "ORDER"},
        split=(split("items", {"PK": "ORDER#{@parent._id}", "SK": "ITEM#{@index}", "kind": "LINE"}),),
    )
    assert order.names == ("PK", "SK", "kind")
    assert order.matches({"PK": "ORDER#1", "SK": "ORDER"})
    assert order.matches({"PK": "ORDER#1", "SK": "ITEM#0", "kind": "LINE"})
    assert not order.matches({"PK": "ORDER#1", "SK": "ITEM#0"})
    assert overlaps(order, claim({"PK": "{a}", "SK": "ITEM#{b}"}))
    assert not overlaps(order, claim({"PK": "{a}", "SK": "NOTE#{b}"}))
    assert not keys_disjoint(order, claim({"PK": "ORDER#1", "SK": "ITEM#{b}", "kind": "OTHER"}))
    assert not overlaps(order, claim({"PK": "ORDER#1", "SK": "ITEM#{b}", "kind": "OTHER"}))


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("A#{x}", "B#{x}", False),
        ("A#{x}", "A#{y}", True),
        ("A#{x}", "A#B#{x}", True),
        ("{x}#A", "{x}#B", False),
        ("{x}#A", "{x}A", True),
        ("A{x}", "{x}B", True),
        ("A{x}", "{x}", True),
        ("A{x}", "{x:N}", False),
        ("{x:S}", "{x:N}", False),
        ("{x:B}", "{@row}", False),
        ("{x}", "{x:N}", True),
        ("{x}", 5, True),
        ("{x:S}", 5, False),
        ("A#{x}", "A#1", True),
        ("A#{x}", "B", False),
        ("A", "A", True),
        ("A", "B", False),
        (1, Int64(1), True),
        (1, 2, False),
        ("1", 1, False),
    ],
)
def test_claims_on_one_key(one: Any, other: Any, overlap: bool) -> None:
    a, b = claim({"PK": one}), claim({"PK": other})
    assert overlaps(a, b) is overlaps(b, a) is overlap
    assert keys_disjoint(a, b) is keys_disjoint(b, a) is not overlap


def test_constants_tell_claims_apart_but_not_keys() -> None:
    one, other = claim({"PK": "{x}", "kind": "A"}), claim({"PK": "{x}", "kind": "B"})
    assert not overlaps(one, other)
    assert not keys_disjoint(one, other)
    assert overlaps(one, claim({"PK": "{x}"}))
