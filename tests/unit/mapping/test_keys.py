from __future__ import annotations

from typing import Any

import pytest

from greylag.core.flows import TtlSpec
from greylag.core.paths import EACH
from tests.unit.mapping.flows import error, mapping, split

ORDER = {"PK": "ORDER#{_id}", "SK": "ORDER"}
LINE = {"PK": "ORDER#{@parent._id}", "SK": "ITEM#{@index}"}


@pytest.mark.parametrize(
    ("attributes", "unique_id", "injective"),
    [
        ({"PK": "{_id}"}, "_id", True),
        ({"PK": "A#{_id}"}, "_id", True),
        ({"PK": "{_id:S}"}, "_id", True),
        ({"PK": "{_id|pad:8}"}, "_id", True),
        ({"PK": "{user}", "SK": "{_id}"}, "_id", True),
        ({"PK": "{@row}"}, "@row", True),
        ({"PK": "A{@row}B"}, "@row", True),
        ({"PK": "{a.b}"}, "a.b", True),
        ({"PK": "{_id}"}, None, False),
        ({"PK": "{id}"}, "_id", False),
        ({"PK": "{_id}"}, "@row", False),
        ({"PK": "{_id|lower}"}, "_id", False),
        ({"PK": "{_id|trim}"}, "_id", False),
        ({"PK": "{_id|date}"}, "_id", False),
        ({"PK": "{_id}#{user}"}, "_id", False),
        ({"PK": "{_id}{_id}"}, "_id", False),
        ({"PK": "A", "other": "{_id}"}, "_id", False),
        ({"PK": "{@digest}"}, "@row", False),
    ],
)
def test_injective(attributes: dict[str, Any], unique_id: str | None, injective: bool) -> None:
    assert mapping(attributes, unique_id=unique_id).injective is injective


@pytest.mark.parametrize(
    ("child", "injective"),
    [
        (LINE, True),
        ({**LINE, "SK": "ITEM#{@index|pad:5}"}, True),
        ({**LINE, "SK": "ITEM#{@parent.x}#{@index}"}, True),
        ({**LINE, "SK": "ITEM#{sku}"}, False),
        ({**LINE, "SK": "ITEM#{@index}#{sku}"}, False),
        ({**LINE, "SK": "ORDER"}, False),
        ({**LINE, "SK": "{@index:S}"}, False),
        ({"PK": "ORDER#{_id}", "SK": "ITEM#{@index}"}, False),
        ({"PK": "X", "SK": "ITEM#{@parent._id}#{@index}"}, True),
        ({"PK": "X", "SK": "ITEM#{@index}#{@parent._id}"}, True),
        ({"PK": "X", "SK": "ITEM#{@parent._id}{@index}"}, False),
        ({"PK": "X", "SK": "ITEM#{@parent._id}#0{@index}"}, False),
        ({"PK": "X", "SK": "ITEM#{@index}0#{@parent._id}"}, False),
    ],
)
def test_injective_with_children(child: dict[str, Any], injective: bool) -> None:
    assert mapping(ORDER, split=(split("items", child),), unique_id="_id").injective is injective


def test_children_of_two_arrays_must_differ() -> None:
    other = {**LINE, "SK": "NOTE#{@index}"}
    assert mapping(ORDER, split=(split("a", LINE), split("b", other)), unique_id="_id").injective
    assert not mapping(ORDER, split=(split("a", LINE), split("b", LINE)), unique_id="_id").injective


def test_children_by_row() -> None:
    parent = {"PK": "{@row:S}", "SK": "P"}
    child = {"PK": "{@row:S}", "SK": "C{@index}"}
    assert mapping(parent, split=(split("a", child),), unique_id="@row").injective


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("A", "S"),
        ("A#{x}", "S"),
        ("{x:S}", "S"),
        ("{x:N}", "N"),
        ("{x:B}", "B"),
        ("{x|date}", "S"),
        ("{@row}", "N"),
        ("{@row:S}", "S"),
        ("{@digest}", "S"),
        ("{@dataset}", "S"),
        (5, "N"),
        ("{x}", None),
    ],
)
def test_key_types(template: Any, kind: str | None) -> None:
    compiled = mapping({"PK": template, "I": template, "other": template}, indexes=("I",))
    assert compiled.key_types == ({"PK": kind, "I": kind} if kind else {})
    assert compiled.lone_fields == ({} if kind else {"PK": ("x",), "I": ("x",)})


def test_types_decide_for_lone_fields() -> None:
    types = {"a": "objectId", "b": "int64", "at": "date:ms", "c": "array"}
    compiled = mapping(
        {"PK": "{a}", "SK": "{b}", "at": "{at}", "I": "{at}", "J": "{c}"},
        indexes=("at", "I", "J"),
        types=types,
    )
    assert compiled.key_types == {"PK": "S", "SK": "N", "at": "N", "I": "S"}
    assert compiled.lone_fields == {"J": ("c",)}


def test_an_index_on_a_carried_field() -> None:
    compiled = mapping(
        {"PK": "a"},
        indexes=("mail", "gone", "b", "until"),
        rename={"email": "mail", "b": "c"},
        drop=("gone",),
        ttl=TtlSpec("until", "at"),
    )
    assert compiled.lone_fields == {"mail": ("email",)}


def test_lone_fields_of_children() -> None:
    parent = {"PK": "{_id}", "SK": "P"}
    child = {"PK": "{@parent._id}", "SK": "C{@index}", "I": "{sku}", "J": "{@value}", "K": "{@parent.x.y}"}
    compiled = mapping(parent, split=(split("a.b", child),), indexes=("I", "J", "K"))
    assert compiled.lone_fields == {
        "PK": ("_id",),
        "I": ("a", "b", EACH, "sku"),
        "J": ("a", "b", EACH),
        "K": ("x", "y"),
    }


def test_one_attribute_has_one_type() -> None:
    found = error({"PK": "{_id}", "SK": "P"}, split=(split("a", {"PK": "{@parent._id}", "SK": "{@index}"}),))
    assert "S in one template and N in another" in found.message
