from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.canonical import canonical
from greylag.core.values import Binary, Int64, ObjectId, identical
from tests.unit.mapping.flows import apply, error, filled, mapping, refused

if TYPE_CHECKING:
    from greylag.core.values import Document, Value

OID = ObjectId.from_hex("65a1b2c3d4e5f60718293a4b")
DATE = datetime(2024, 1, 31, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("template", "fields", "value"),
    [
        ("PRODUCT", {}, "PRODUCT"),
        ("", {}, ""),
        ("{{a}} {{{x}}}", {"x": 1}, "{a} {1}"),
        ("A#{x}", {"x": OID}, "A#65a1b2c3d4e5f60718293a4b"),
        ("{x}#{y}", {"x": "a", "y": 2}, "a#2"),
        ("{x}{y}-", {"x": "a", "y": ""}, "a-"),
        ("A#{x}", {"x": ""}, "A#"),
        ("{a.b.c}", {"a": {"b": {"c": 7}}}, 7),
        ("N{a.b}", {"a": {"b": 7}}, "N7"),
        ("{x:S}", {"x": 5}, "5"),
        ("A{x:S}", {"x": 5}, "A5"),
        ("{x:N}", {"x": "12"}, 12),
        ("{x:N}", {"x": "-1.5"}, Decimal("-1.5")),
        ("{x:N}", {"x": Int64(12)}, Int64(12)),
        ("{x:B}", {"x": b"a"}, b"a"),
        ("{x:B}", {"x": Binary(b"a", 5)}, Binary(b"a", 5)),
        ("{x|upper}", {"x": "straße"}, "STRASSE"),
        ("{x|lower}", {"x": "ABC"}, "abc"),
        ("{x|trim|lower}", {"x": " ABC\n"}, "abc"),
        ("<{x | trim}>", {"x": " a "}, "<a>"),
        ("{x|pad:4}", {"x": 42}, "0042"),
        ("{x|pad:2}", {"x": Int64(42)}, "42"),
        ("{x|date}", {"x": DATE}, "2024-01-31"),
        ("{x|date}", {"x": "2024-01-31"}, "2024-01-31"),
        ("{x|date}", {"x": "2024-01-31T23:59:00Z"}, "2024-01-31"),
        (r"{a\.b}", {"a.b": 1}, 1),
        (r"{\@row}", {"@row": 1}, 1),
        (r"{a\:S}", {"a:S": 1}, 1),
        (r"{a\}}", {"a}": 1}, 1),
        ("{ x }", {"x": 1}, 1),
    ],
)
def test_filled(template: str, fields: Document, value: Value) -> None:
    assert identical(filled(template, fields), value)


@pytest.mark.parametrize(
    "value", [1, Int64(1), 1.5, "a", "", OID, DATE, b"x", None, True, [1], {"a": [None]}]
)
def test_a_lone_field_keeps_value_and_type(value: Value) -> None:
    assert identical(filled("{x}", {"x": value}), value)


@pytest.mark.parametrize(
    "text",
    ["012", "1.50", "1e3", "-0", "", " 1", "+1", "1.", ".5", "1_0", "٣", "0x1", "1\n", "-0.0", "9" * 5000],
)
def test_a_number_is_read_only_from_its_own_text(text: str) -> None:
    assert "no exact N" in refused(mapping({"PK": "a", "made": "{x:N}"}), {"x": text})


@pytest.mark.parametrize(
    ("template", "value", "reason"),
    [
        ("A#{x}", None, "`x` is null"),
        ("A#{x}", [1], "`x` is of type array ([1]), which has no text"),
        ("A#{x}", b"a", "`x` is of type binary"),
        ("{x:N}", True, "`x` is of type bool (True), which is no exact N"),
        ("{x:N}", DATE, "which is no exact N"),
        ("{x:N}", float("nan"), "which is no exact N"),
        ("{x:B}", "a", "which is no exact B"),
        ("{x:S}", {}, "which has no text"),
        ("{x|pad:2}", 100, "which the filter pad does not take"),
        ("{x|pad:2}", -1, "which the filter pad does not take"),
        ("{x|pad:2}", 1.0, "which the filter pad does not take"),
        ("{x|pad:2}", True, "which the filter pad does not take"),
        ("{x|date}", "31.1.2024", "which the filter date does not take"),
        ("{x|date}", "20240131", "which the filter date does not take"),
        ("{x|date}", "2024-01-31T23:59:00+02:00", "which the filter date does not take"),
        ("A{x|date}", 5, "which the filter date does not take"),
    ],
)
def test_refused(template: str, value: Value, reason: str) -> None:
    found = refused(mapping({"PK": "a", "made": template}), {"x": value})
    assert found.startswith(f"attribute `made` ({template}) cannot be filled: ")
    assert reason in found


def test_missing_is_not_null() -> None:
    compiled = mapping({"PK": "a", "made": "{x.y}"})
    assert "`x.y` is missing" in refused(compiled, {"x": 5})
    assert apply(compiled, {"x": {"y": None}})[0]["made"] is None


@pytest.mark.parametrize("value", [None, "", b"", Binary(b"", 5), True, [], {}, float])
@pytest.mark.parametrize("template", ["{x}", "A#{x}"])
def test_a_key_is_never_made_of_nothing(template: str, value: Any) -> None:
    fields: Document = {} if value is float else {"x": value}
    if value is True and template != "{x}":
        assert apply(mapping({"PK": template}), fields)[0]["PK"] == "A#true"
    else:
        assert "key attribute `PK`" in refused(mapping({"PK": template}), fields)


def test_a_filter_may_leave_nothing_for_a_key() -> None:
    assert "`x` is empty" in refused(mapping({"PK": "A{x|trim}{y}"}), {"x": "  ", "y": "a"})
    assert "`x` is empty" in refused(mapping({"PK": "{x|trim}"}), {"x": "  "})


def test_an_index_that_cannot_be_filled_is_left_out() -> None:
    compiled = mapping(
        {"PK": "{_id}", "GSI1PK": "CATEGORY#{category}", "GSI1SK": "{name}"}, indexes=("GSI1PK", "GSI1SK")
    )
    nothings: list[Value] = [None, "", [1]]
    for nothing in nothings:
        [item] = apply(compiled, {"_id": 1, "category": nothing, "name": nothing})
        assert item == {"PK": 1, "_id": 1, "category": nothing, "name": nothing}
    assert apply(compiled, {"_id": 1, "name": "a"}) == [{"PK": 1, "GSI1SK": "a", "_id": 1, "name": "a"}]


def test_row_digest_and_dataset() -> None:
    fields: Document = {"a": 1, "b": [None]}
    assert filled("{@row}", fields, record_id=7) == 7
    assert filled("R{@row}", fields, record_id=7) == "R7"
    assert filled("{@dataset}:{a}", fields) == "orders:1"
    assert filled("{@dataset}", fields) == "orders"
    assert filled("{@digest}", fields) == hashlib.sha256(canonical(fields)).hexdigest()


def test_only_a_place_in_a_file_is_a_row() -> None:
    assert "`@row` is missing" in refused(mapping({"PK": "{@row}"}), {}, record_id="a")
    found = error({"PK": "{@row}"}, unique_id="_id")
    assert (found.where, "no rows" in found.message) == ("attributes.PK", True)


@pytest.mark.parametrize(
    ("template", "message", "advice"),
    [
        ("A#{x", "`{` at character 2", "{{"),
        ("A#{x{y}}", "`{` at character 2", "{{"),
        ("A}", "`}` at character 1", "}}"),
        ("{}", "names no field", "{field}"),
        ("{a..b}", "names no field", "{field}"),
        ("{a[]}", "every element", "split"),
        ("{@rwo}", "there is no `{@rwo}`", "did you mean `@row`?"),
        ("{@index}", "only in templates of `split`", ""),
        ("{@parent.a}", "only in templates of `split`", ""),
        ("{x|uper}", "no filter `uper`", "did you mean `upper`?"),
        ("{x|upper:3}", "takes no argument", ""),
        ("{x|pad}", "needs a width", "pad:8"),
        ("{x|pad:0}", "needs a width", "pad:8"),
        ("{x|pad:x}", "needs a width", "pad:8"),
        ("{x|pad:" + "9" * 5000 + "}", "needs a width", "pad:8"),
        ("{x:Q}", "asks for the type `Q`", "S (string)"),
        ("{x:S|upper}", "asks for the type", "filters already"),
        ("A{x:N}", "stands in a text", "whole template"),
        (None, "None is no template", ""),
        ([1], "no template", ""),
        (float("nan"), "no template", ""),
        (DATE.date(), "no template", "quoted"),
    ],
)
def test_malformed(template: Any, message: str, advice: str) -> None:
    found = error({"PK": "a", "made": template})
    assert found.where == "attributes.made"
    assert message in found.message
    assert advice in found.advice


@pytest.mark.parametrize("constant", [1, 1.5, Decimal("1.5"), True, "PRODUCT"])
def test_constants(constant: Any) -> None:
    assert identical(filled(constant, {}), constant)


@pytest.mark.parametrize("constant", ["", True])
def test_a_key_has_no_such_constant(constant: Any) -> None:
    assert "a key cannot be" in error({"PK": constant}).message


def test_a_key_attribute_needs_a_template() -> None:
    found = error({"other": "x"})
    assert "`PK`" in found.message
    assert found.where == "attributes"


def test_equal_templates_are_filled_alike() -> None:
    compiled = mapping({"PK": "A#{x}", "SK": "A#{x}", "I": "A#{x}", "made": "A#{x}"}, indexes=("I",))
    assert apply(compiled, {"x": 1}) == [{"PK": "A#1", "SK": "A#1", "I": "A#1", "made": "A#1", "x": 1}]
