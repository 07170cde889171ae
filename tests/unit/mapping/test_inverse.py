"""Items that an application wrote or changed, back to records; and what a mapping cannot give back."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.flows import PythonSpec, TtlSpec
from greylag.core.mapping.inverse import Inverse
from greylag.core.records import Refused
from greylag.core.values import ObjectId, identical
from tests.unit.mapping.flows import flow, split

if TYPE_CHECKING:
    from greylag.core.values import Document

HEX = "507f1f77bcf86cd799439011"
PRODUCT: dict[str, Any] = {"PK": "PRODUCT#{_id}", "SK": "PRODUCT#{_id}", "kind": "PRODUCT"}
SHOP = flow(PRODUCT, rename={"_id": "id"}, indexes=("GSI",))


def item(**more: Any) -> Document:
    return {
        "PK": f"PRODUCT#{HEX}",
        "SK": f"PRODUCT#{HEX}",
        "kind": "PRODUCT",
        "id": ObjectId.from_hex(HEX),
        **more,
    }


def refused(inverse: Inverse, attributes: Document, *children: tuple[int, Document]) -> str:
    with pytest.raises(Refused) as caught:
        inverse.record(attributes, children)
    assert caught.value.fix
    return caught.value.reason


def test_an_item_of_the_applications_own_becomes_a_record() -> None:
    record = Inverse(SHOP).record(item(name="tea", price=5))
    assert record.fields == {"_id": ObjectId.from_hex(HEX), "name": "tea", "price": 5}
    assert record.id == ObjectId.from_hex(HEX)


def test_derived_attributes_must_be_what_the_mapping_derives() -> None:
    inverse = Inverse(SHOP)
    assert refused(inverse, item(PK="PRODUCT#other")).startswith("attribute `PK` is 'PRODUCT#other'")
    assert "would not write" in refused(inverse, item(_id="x"))
    without = item()
    del without["SK"]
    assert "attribute `SK` is missing" in refused(inverse, without)


def test_an_index_attribute_must_follow_its_field() -> None:
    inverse = Inverse(flow({**PRODUCT, "GSI": "C#{category}"}, rename={"_id": "id"}, indexes=("GSI",)))
    assert inverse.record(item(category="tea", GSI="C#tea")).fields["category"] == "tea"
    assert "`GSI`" in refused(inverse, item(category="pots", GSI="C#tea"))
    assert "`GSI` is missing" in refused(inverse, item(category="pots"))


def test_what_where_leaves_out_is_carried_back_all_the_same() -> None:
    inverse = Inverse(flow(PRODUCT, rename={"_id": "id"}, where={"active": True}))
    assert inverse.record(item(active=False)).fields["active"] is False


@pytest.mark.parametrize(
    ("rule", "wire", "value"),
    [
        ("objectId", HEX, ObjectId.from_hex(HEX)),
        ("int", "5", 5),
        ("date", "2024-01-31T10:00:00.000Z", datetime(2024, 1, 31, 10, tzinfo=UTC)),
        ("decimal", "1.50", Decimal("1.50")),
    ],
)
def test_a_dropped_field_comes_back_from_its_template_by_its_type(rule: str, wire: str, value: Any) -> None:
    inverse = Inverse(flow({"PK": "P#{_id}"}, drop=("_id",), types={"_id": rule}))
    assert inverse.losses == ()
    assert identical(inverse.record({"PK": f"P#{wire}"}).fields, {"_id": value})
    assert "which is no" in refused(inverse, {"PK": "P#neither"})


def test_text_that_can_be_read_in_two_ways_is_refused() -> None:
    inverse = Inverse(flow({"PK": "{a}#{b}"}, drop=("a", "b"), types={"a": "string", "b": "string"}))
    assert inverse.record({"PK": "x#y"}).fields == {"a": "x", "b": "y"}
    assert "in two ways" in refused(inverse, {"PK": "x#y#z"})


def test_a_ttl_of_its_own_is_derived_again() -> None:
    when = datetime(2024, 1, 31, 10, tzinfo=UTC)
    inverse = Inverse(flow({"PK": "P#{_id}"}, ttl=TtlSpec("ttl", "until", 60)))
    seconds = int(when.timestamp()) + 60
    assert inverse.record({"PK": "P#1", "_id": 1, "until": when, "ttl": seconds}).fields == {
        "_id": 1,
        "until": when,
    }
    assert "`ttl`" in refused(inverse, {"PK": "P#1", "_id": 1, "until": when, "ttl": 5})


def test_rows_are_the_records_ids() -> None:
    inverse = Inverse(flow({"PK": "{@row}", "SK": "{thread}"}))
    record = inverse.record({"PK": 7, "SK": "t", "thread": "t"})
    assert (record.id, record.fields) == (7, {"thread": "t"})


ORDERS = flow(
    {"PK": "O#{_id}", "SK": "O"},
    split=(split("items", {"PK": "O#{@parent._id}", "SK": "I#{@index}"}),),
    types={"_id": "int"},
    drop=("_id",),
)


def test_children_go_back_into_their_array_by_place() -> None:
    inverse = Inverse(ORDERS)
    children: list[Document] = [
        {"PK": "O#1", "SK": f"I#{place}", "sku": name} for place, name in ((10, "c"), (0, "a"), (2, "b"))
    ]
    assert [inverse.kind(each) for each in children] == [1, 1, 1]
    assert inverse.parent_key(children[0], 1) == {"PK": "O#1", "SK": "O"}
    record = inverse.record({"PK": "O#1", "SK": "O"}, [(1, each) for each in children])
    assert record.fields == {"_id": 1, "items": [{"sku": "a"}, {"sku": "b"}, {"sku": "c"}]}
    assert "holds `items`" in refused(inverse, {"PK": "O#1", "SK": "O", "items": []}, (1, children[0]))
    assert "would not write" in refused(inverse, {"PK": "O#1", "SK": "O", "items": [{"sku": "a"}]})


def test_python_must_be_undone_by_its_inverse() -> None:
    functions: dict[str, Any] = {
        "m:cents": lambda record: {**record, "price": record["price"] * 100},
        "m:units": lambda record: {**record, "price": record["price"] // 100},
    }
    spec = flow({"PK": "P#{_id}"}, python=PythonSpec("m:cents", "m:units"))
    inverse = Inverse(spec, functions.__getitem__)
    assert inverse.record({"PK": "P#1", "_id": 1, "price": 500}).fields == {"_id": 1, "price": 5}
    assert "would not make" in refused(inverse, {"PK": "P#1", "_id": 1, "price": 550})


@pytest.mark.parametrize(
    ("attributes", "more", "kind", "name"),
    [
        ({"PK": "P#{_id}"}, {"drop": ("secret",)}, "dropped-field", "secret"),
        ({"PK": "P#{_id}"}, {"drop": ("address.city",)}, "dropped-field", "address"),
        ({"PK": "P#{_id}"}, {"drop": ("_id",)}, "field-in-template-only", "_id"),
        (
            {"PK": "P#{_id|lower}"},
            {"drop": ("_id",), "types": {"_id": "string"}},
            "field-in-template-only",
            "_id",
        ),
        ({"PK": "{_id}"}, {"drop": ("_id",), "types": {"_id": "decimal"}}, "field-in-template-only", "_id"),
        ({"PK": "P#{_id}"}, {"python": PythonSpec("m:f")}, "python-without-inverse", "m:f"),
        ({"PK": "{@digest}"}, {}, "digest-in-template", "@digest"),
        (
            {"PK": "P#{_id}", "SK": "P"},
            {"split": (split("tags", {"PK": "P#{@parent._id}", "SK": "T#{@value}"}),)},
            "split-place",
            "tags",
        ),
        (
            {"PK": "P#{_id}", "SK": "P"},
            {"split": (split("items", {"PK": "I#{sku}", "SK": "I#{@index}"}),)},
            "split-parent",
            "items",
        ),
        (
            {"PK": "P#{_id}", "SK": "{a}"},
            {
                "split": (split("items", {"PK": "P#{@parent._id}#{@parent.a}", "SK": "{@index}"}),),
                "types": {"a": "int"},
            },
            "split-kinds",
            "items",
        ),
    ],
)
def test_what_cannot_be_had_back_is_said(
    attributes: dict[str, Any], more: dict[str, Any], kind: str, name: str
) -> None:
    losses = Inverse(flow(attributes, **more)).losses
    assert [(each.kind, each.name) for each in losses] == [(kind, name)]
    assert losses[0].advice
