from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.records import Record
from tests.unit.mapping.flows import apply, error, mapping, refused, split

if TYPE_CHECKING:
    from greylag.core.values import Document

ORDER = {"PK": "ORDER#{_id}", "SK": "ORDER"}
LINE = {"PK": "ORDER#{@parent._id}", "SK": "ITEM#{@index}"}


def test_each_element_becomes_a_child() -> None:
    compiled = mapping(
        ORDER,
        split=(
            split(
                "items", {**LINE, "kind": "LINE", "sum": "{price}"}, rename={"sku": "id"}, drop=("secret",)
            ),
        ),
        rename={"_id": "id"},
    )
    fields: Document = {
        "_id": 1,
        "items": [{"sku": "a", "price": 5, "secret": 1}, {"sku": "b", "price": 6}],
        "total": 11,
    }
    before = copy.deepcopy(fields)
    parent, one, two = compiled.apply(Record(1, fields))
    assert fields == before
    assert parent.attributes == {"PK": "ORDER#1", "SK": "ORDER", "id": 1, "total": 11}
    assert one.attributes == {
        "PK": "ORDER#1",
        "SK": "ITEM#0",
        "kind": "LINE",
        "sum": 5,
        "id": "a",
        "price": 5,
    }
    assert two.attributes == {
        "PK": "ORDER#1",
        "SK": "ITEM#1",
        "kind": "LINE",
        "sum": 6,
        "id": "b",
        "price": 6,
    }
    assert one.derived == {"PK", "SK", "kind", "sum"}


def test_scalar_elements_are_carried_as_value() -> None:
    compiled = mapping(ORDER, split=(split("tags", {**LINE, "made": "T#{@value}"}),))
    _, one, two = apply(compiled, {"_id": 1, "tags": ["a", 5]})
    assert one == {"PK": "ORDER#1", "SK": "ITEM#0", "made": "T#a", "value": "a"}
    assert two["value"] == 5
    assert "`@value` is missing" in refused(compiled, {"_id": 1, "tags": [{}]})


@pytest.mark.parametrize("whole", [[], None, "text", {"a": 1}])
def test_what_has_no_elements_stays_in_the_parent(whole: Any) -> None:
    compiled = mapping(ORDER, split=(split("items", LINE),))
    assert apply(compiled, {"_id": 1, "items": whole}) == [
        {"PK": "ORDER#1", "SK": "ORDER", "_id": 1, "items": whole}
    ]


def test_a_nested_array() -> None:
    compiled = mapping(
        ORDER, split=(split("cart.lines", LINE), split("cart.notes", {**LINE, "SK": "NOTE#{@index}"}))
    )
    fields: Document = {"_id": 1, "cart": {"lines": [{"x": 1}], "notes": ["n"], "open": True}}
    before = copy.deepcopy(fields)
    parent, line, note = apply(compiled, fields)
    assert fields == before
    assert parent["cart"] == {"open": True}
    assert line == {"PK": "ORDER#1", "SK": "ITEM#0", "x": 1}
    assert note == {"PK": "ORDER#1", "SK": "NOTE#0", "value": "n"}


def test_templates_see_the_parent_and_its_row() -> None:
    attributes = {"PK": "{@parent.who.name}", "SK": "{@row}#{@index|pad:3}#{@dataset}"}
    _, child = apply(
        mapping(ORDER, split=(split("a", attributes),)),
        {"_id": 1, "who": {"name": "n"}, "a": [{}]},
        record_id=4,
    )
    assert child == {"PK": "n", "SK": "4#000#orders"}


def test_one_bad_child_refuses_the_record() -> None:
    compiled = mapping(ORDER, split=(split("items", {**LINE, "SK": "ITEM#{sku}"}),))
    assert "`sku` is missing" in refused(compiled, {"_id": 1, "items": [{"sku": "a"}, {}]})


def test_rules_of_all_items_are_one_set() -> None:
    compiled = mapping(
        ORDER,
        types={"total": "decimal"},
        rename={"total": "sum"},
        split=(
            split(
                "items",
                LINE,
                types={"price": "int64", "cost": "decimal"},
                rename={"price": "p", "cost": "sum"},
            ),
        ),
    )
    assert compiled.spec.types == {"total": "decimal"}
    assert compiled.types == {"sum": "decimal", "p": "int64"}


@pytest.mark.parametrize(
    ("spec", "where", "message"),
    [
        ({"split": (split("a[].b", LINE),)}, "split.a[].b", "cannot be split"),
        ({"split": (split("a", LINE), split("a", LINE))}, "split.a", "split already"),
        ({"split": (split("a", LINE), split("a.b", LINE))}, "split.a.b", "split already"),
        ({"split": (split("a", {"PK": "x"}),)}, "split.a.attributes", "key attribute `SK`"),
        ({"split": (split("a", {**LINE, "SK": "{@parent}"}),)}, "split.a.attributes.SK", "names no field"),
        ({"split": (split("a", {**LINE, "SK": "{@idnex}"}),)}, "split.a.attributes.SK", "there is no"),
        ({"split": (split("a", {**LINE, "SK": "{@index}"}),)}, "attributes.SK", "S in one template and N"),
        ({"split": (split("a", LINE, rename={"x.y": "z"}),)}, "split.a.rename.x.y", "top-level"),
        ({"split": (split("a", LINE, types={"x": "q"}),)}, "split.a.types.x", "no type"),
        ({"split": (split("a", LINE),), "drop": ("a[].x",)}, "drop.a[].x", "items of their own"),
        ({"split": (split("a", LINE),), "types": {"a[].x": "int"}}, "types.a[].x", "items of their own"),
        (
            {"split": (split("a", LINE, types={"x": "int"}),), "types": {"x": "string"}},
            "split.a.types.x",
            "has the type string in other items",
        ),
    ],
)
def test_malformed(spec: dict[str, Any], where: str, message: str) -> None:
    found = error(ORDER, **spec)
    assert found.where == where
    assert message in found.message
