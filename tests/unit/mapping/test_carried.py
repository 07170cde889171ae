from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.records import Record
from tests.unit.mapping.flows import apply, error, mapping, refused

if TYPE_CHECKING:
    from greylag.core.values import Document, Value

KEY = {"PK": "a"}


def carried(fields: Document, **spec: Any) -> Document:
    """What is carried, and that the record was not changed on the way."""
    before = copy.deepcopy(fields)
    [item] = mapping(KEY, **spec).apply(Record(0, fields))
    assert fields == before
    return {name: value for name, value in item.attributes.items() if name not in item.derived}


@pytest.mark.parametrize(
    ("drop", "fields", "left"),
    [
        (("a",), {"a": 1, "b": 2}, {"b": 2}),
        (("a", "z"), {"a": 1, "b": 2}, {"b": 2}),
        (("a.b",), {"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}),
        (("a.b",), {"a": 5}, {"a": 5}),
        (("a.b",), {"a": [{"b": 1}]}, {"a": [{"b": 1}]}),
        (("a.b", "a"), {"a": {"b": 1}, "c": 1}, {"c": 1}),
        (("a", "a.b"), {"a": {"b": 1}, "c": 1}, {"c": 1}),
        (("a[].b",), {"a": [{"b": 1, "c": 2}, 5, {"c": 3}]}, {"a": [{"c": 2}, 5, {"c": 3}]}),
        (("a[].b",), {"a": {"b": 1}}, {"a": {"b": 1}}),
        (("a[][].b",), {"a": [[{"b": 1}], {"b": 1}]}, {"a": [[{}], {"b": 1}]}),
        (("a.b.c", "a.b.d"), {"a": {"b": {"c": 1, "d": 2, "e": 3}}}, {"a": {"b": {"e": 3}}}),
        ((r"a\.b",), {"a.b": 1, "a": {"b": 2}}, {"a": {"b": 2}}),
    ],
)
def test_drop(drop: tuple[str, ...], fields: Document, left: Document) -> None:
    assert carried(fields, drop=drop) == left


def test_what_is_not_named_is_carried() -> None:
    fields: Document = {"a": None, "b": {"c": []}, "": 1}
    assert carried(fields) == fields


def test_rename_keeps_the_order_of_fields() -> None:
    left = carried({"a": 1, "_id": 2, "b": 3}, rename={"_id": "id", "x": "y"})
    assert list(left.items()) == [("a", 1), ("id", 2), ("b", 3)]


def test_names_may_be_swapped() -> None:
    assert carried({"a": 1, "b": 2}, rename={"a": "b", "b": "a"}) == {"a": 2, "b": 1}
    assert carried({"a": 1, "b": 2}, rename={"a": "b"}, drop=("b",)) == {"b": 1}


def test_rename_and_drop_within() -> None:
    assert carried({"a": {"x": 1, "y": 2}}, rename={"a": "b"}, drop=("a.x",)) == {"b": {"y": 2}}


def test_renaming_onto_a_field_of_the_record_is_refused() -> None:
    compiled = mapping(KEY, rename={"_id": "id"})
    assert apply(compiled, {"_id": 1}) == [{"PK": "a", "id": 1}]
    assert "`_id` is renamed to `id`" in refused(compiled, {"_id": 1, "id": 1})


@pytest.mark.parametrize(
    ("spec", "where", "message"),
    [
        ({"rename": {"a": "x", "b": "x"}}, "rename.b", "`a` is renamed to `x` already"),
        ({"rename": {"a.b": "x"}}, "rename.a.b", "only top-level fields"),
        ({"rename": {"a[]": "x"}}, "rename.a[]", "only top-level fields"),
        ({"rename": {"a": ""}}, "rename.a", "no name"),
        ({"rename": {"a": "x"}, "drop": ("a",)}, "rename.a", "is dropped"),
        ({"drop": ("a[]",)}, "drop.a[]", "without its elements"),
        ({"drop": ("a..b",)}, "drop.a..b", "not a path"),
        ({"types": {"a": "strnig"}}, "types.a", "no type `strnig`"),
        ({"types": {"a": "string", r"\a": "int"}}, r"types.\a", "second type"),
    ],
)
def test_malformed(spec: dict[str, Any], where: str, message: str) -> None:
    found = error(KEY, **spec)
    assert found.where == where
    assert message in found.message


def test_unknown_type_names_the_nearest() -> None:
    assert "`string`" in error(KEY, types={"a": "strnig"}).advice


class TestOneAttributeOneWriter:
    def test_the_field_itself_is_carried_not_derived(self) -> None:
        compiled = mapping({"PK": "{PK}", "id": "{_id}", "made": "{x}"}, rename={"_id": "id"})
        [item] = compiled.apply(Record(0, {"PK": "a", "_id": 1, "x": 2}))
        assert item.attributes == {"PK": "a", "id": 1, "x": 2, "made": 2}
        assert item.derived == {"made"}

    def test_a_carried_key_is_checked_all_the_same(self) -> None:
        nothings: list[Value] = [None, "", [1]]
        for nothing in nothings:
            assert "key attribute `PK`" in refused(mapping({"PK": "{PK}"}), {"PK": nothing})

    def test_a_carried_index_field_is_left_to_the_codec(self) -> None:
        compiled = mapping({"PK": "{id}", "email": "{email}"}, indexes=("email",))
        assert apply(compiled, {"id": 1, "email": None}) == [{"PK": 1, "id": 1, "email": None}]
        assert apply(compiled, {"id": 1}) == [{"PK": 1, "id": 1}]

    def test_equal_by_chance_is_carried(self) -> None:
        compiled = mapping({"PK": "a", "kind": "PRODUCT", "other": 1})
        [item] = compiled.apply(Record(0, {"kind": "PRODUCT"}))
        assert item.derived == {"PK", "other"}

    @pytest.mark.parametrize("own", ["USER", None, ["PRODUCT"], {"PRODUCT": 1}])
    def test_different_is_refused(self, own: Any) -> None:
        reason = refused(mapping({"PK": "a", "kind": "PRODUCT"}), {"kind": own})
        assert "attribute `kind`" in reason

    def test_another_form_of_the_number_is_different(self) -> None:
        assert "attribute `n`" in refused(mapping({"PK": "a", "n": 1}), {"n": 1.0})

    def test_a_typed_template_of_the_field_is_decided_by_each_record(self) -> None:
        compiled = mapping({"PK": "{PK:S}"})
        assert apply(compiled, {"PK": "5"}) == [{"PK": "5"}]
        assert "a string that differs from the record's own field `PK` (int)" in refused(compiled, {"PK": 5})

    def test_a_dropped_or_renamed_field_leaves_its_name_free(self) -> None:
        assert apply(mapping({"PK": "P#{PK}"}, drop=("PK",)), {"PK": 1}) == [{"PK": "P#1"}]
        assert apply(mapping({"PK": "P#{PK}"}, rename={"PK": "old"}), {"PK": 1}) == [{"PK": "P#1", "old": 1}]
        assert apply(mapping({"PK": "a", "email": "{email|lower}"}, drop=("email",)), {"email": "A"}) == [
            {"PK": "a", "email": "a"}
        ]

    def test_a_pruned_field_differs_from_its_template(self) -> None:
        compiled = mapping({"PK": "a", "x": "{x}"}, drop=("x.secret",))
        assert apply(compiled, {"x": {"y": 1}}) == [{"PK": "a", "x": {"y": 1}}]
        assert "attribute `x`" in refused(compiled, {"x": {"secret": 1}})

    @pytest.mark.parametrize(
        ("attributes", "spec"),
        [
            ({"PK": "P#{PK}"}, {}),
            ({"PK": "{PK}{PK}"}, {}),
            ({"PK": "{other}"}, {"rename": {"x": "PK"}}),
            ({"PK": "constant"}, {"rename": {"x": "PK"}}),
            ({"PK": "P#{x}"}, {"rename": {"x": "PK"}}),
            ({"PK": "{PK}"}, {"rename": {"x": "PK"}}),
        ],
    )
    def test_provably_different_is_an_error(self, attributes: dict[str, Any], spec: dict[str, Any]) -> None:
        assert error(attributes, **spec).where == "attributes.PK"
