"""Properties of the values themselves: extended JSON gives back an identical value, canonical bytes agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.core.canonical import canonical
from greylag.core.extended_json import dumps, loads
from greylag.core.values import Code, DBPointer, ObjectId, Regex, Symbol, Value, identical
from tests.property.strategies import values


@pytest.mark.parametrize("family", ["bson", "json"])
@given(data=st.data())
def test_extended_json_gives_back_an_identical_value(family: str, data: st.DataObject) -> None:
    value: Value = data.draw(values(family))
    again = loads(dumps(value))
    assert identical(value, again, ordered=True), (value, again)


@given(one=values("bson") | values("json"), other=values("bson") | values("json"))
def test_canonical_bytes_are_equal_exactly_when_the_values_are_identical(one: Value, other: Value) -> None:
    assert (canonical(one) == canonical(other)) == identical(one, other)
    assert canonical(one) == canonical(one)


@pytest.mark.parametrize(
    "value",
    ["\ud800", Symbol("\ud800"), Regex("\ud800"), Code("\ud800"), DBPointer("\ud800", ObjectId(bytes(12)))],
)
def test_half_a_surrogate_pair_has_a_form(value: Value) -> None:
    assert canonical({"a": value}) != canonical({"a": "\udfff"})
    assert identical(loads(dumps(value)), value)
