"""What the DynamoDB codec writes, it reads back as the identical value; and it agrees with boto3's serialiser."""

from __future__ import annotations

import base64
from contextlib import suppress
from decimal import Decimal
from typing import Any

import orjson
import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.connectors.dynamodb.hints import RESERVED
from greylag.connectors.dynamodb.size import item_bytes
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.paths import format_path
from greylag.core.ports import TableInfo
from greylag.core.records import Item, Refused
from greylag.core.values import TYPE_NAMES, Document, Value, identical
from tests.property.strategies import documents

TABLE = TableInfo("table", "id", ("PK",), {}, {"PK": "S"})
RULES = sorted({*TYPE_NAMES.values(), "uuid", "int32", "date:ms", "date:s"})
FAMILIES = ["bson", "json"]
BRIEF = settings(max_examples=100, deadline=None)


def codec(family: str, **flow: Any) -> DynamoDBCodec:
    spec = TableSpec(DatasetRef("dynamo", "table"), ("PK",))
    return DynamoDBCodec(FlowSpec("flow", "service", DatasetRef("mongo", "c"), spec, **flow), TABLE, family)


def legal_names(value: Any) -> Any:
    """DynamoDB has no empty names, and one is Greylag's own; the unit tests see them refused."""
    if isinstance(value, dict):
        return {
            name if name not in {"", RESERVED} else "-": legal_names(each) for name, each in value.items()
        }
    if isinstance(value, list):
        return [legal_names(each) for each in value]
    if type(value).__name__ == "Code" and value.scope is not None:
        return type(value)(value.code, legal_names(value.scope))
    return value


def carried(family: str) -> st.SearchStrategy[Document]:
    return documents(family).map(lambda document: {**legal_names(document), "PK": "key"})


def paths(value: Value, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    from greylag.core.paths import EACH

    found = [here] if here else []
    if isinstance(value, dict):
        for name, each in value.items():
            found += paths(each, (*here, name))
    elif isinstance(value, list):
        for each in value:
            found += paths(each, (*here, EACH))
    return found


@st.composite
def typed(draw: st.DrawFn, family: str) -> tuple[Document, dict[str, str]]:
    document = draw(carried(family))
    found = sorted({format_path(path) for path in paths(document)} - {"PK"})
    if not found:
        return document, {}
    return document, draw(st.dictionaries(st.sampled_from(found), st.sampled_from(RULES), max_size=6))


@pytest.mark.parametrize("family", FAMILIES)
@BRIEF
@given(data=st.data())
def test_round_trip(family: str, data: st.DataObject) -> None:
    document = data.draw(carried(family))
    one = codec(family, numbers="string")
    encoded = one.encode(Item(document))
    assert identical(one.decode(encoded.body), document)
    assert encoded.size_bytes == item_bytes(orjson.loads(encoded.body))


@pytest.mark.parametrize("family", FAMILIES)
@BRIEF
@given(data=st.data())
def test_round_trip_under_rules(family: str, data: st.DataObject) -> None:
    document, types = data.draw(typed(family))
    one = codec(family, numbers="string", types=types)
    encoded = one.canonical(Item(document))
    assert identical(one.decode(encoded.body), document)
    assert encoded.size_bytes == item_bytes(orjson.loads(encoded.body))


@pytest.mark.parametrize("family", FAMILIES)
@BRIEF
@given(data=st.data())
def test_round_trip_in_order(family: str, data: st.DataObject) -> None:
    document, types = data.draw(typed(family))
    one = codec(family, numbers="string", keep_order=True, types=types)
    body = one.canonical(Item(document)).body
    assert identical(one.decode(body), document, ordered=True)


def hinted(wire: dict[str, Any]) -> int:
    """Wire values that some hint stands for, `*` counted for each of its elements."""
    from greylag.connectors.dynamodb.hints import Hint, read, under

    def count(value: dict[str, Any], nodes: list[Hint]) -> int:
        [(kind, content)] = value.items()
        own = any(node.code is not None for node in nodes)
        if kind == "M":
            return own + sum(count(each, under(nodes, name)) for name, each in content.items())
        if kind == "L":
            return own + sum(count(each, under(nodes, str(at), "*")) for at, each in enumerate(content))
        return own

    types, _ = read(wire.get(RESERVED))
    return count(
        {"M": {name: each for name, each in wire.items() if name != RESERVED}}, [types] if types else []
    )


@pytest.mark.parametrize("family", FAMILIES)
@BRIEF
@given(data=st.data())
def test_a_hint_stands_only_where_it_is_needed(family: str, data: st.DataObject) -> None:
    """Each value alone in an item: without its hint it would be read as another one."""
    document, types = data.draw(typed(family))
    one = codec(family, numbers="string", types=types)
    for name, value in document.items():
        wire = orjson.loads(one.encode(Item({"PK": "key", name: value})).body)
        if isinstance(value, dict | list) or not hinted(wire):
            continue
        del wire[RESERVED]
        with suppress(Refused):
            assert not identical(one.decode(orjson.dumps(wire))[name], value)


@pytest.mark.parametrize("family", FAMILIES)
@BRIEF
@given(data=st.data())
def test_quarantine_refuses_what_string_tags(family: str, data: st.DataObject) -> None:
    """With `numbers: quarantine` the same body, or a refusal of a number that `string` would have made text of."""
    document = data.draw(carried(family))
    tagged = codec(family, numbers="string").encode(Item(document))
    try:
        strict = codec(family).encode(Item(document))
    except Refused as refused:
        assert "number" in refused.reason or "digits" in refused.reason or "zero" in refused.reason  # noqa: PT017
        codes = str(orjson.loads(tagged.body)[RESERVED])
        assert any(f"'{code}'" in codes for code in ("d", "n", "N", "i", "l"))
    else:
        assert strict == tagged


_BOTO = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**38) + 1, 10**38 - 1),
        st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
        st.binary(max_size=10),
    ),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc/~*é", min_size=1), inner, max_size=4)
    ),
    max_leaves=10,
)


@BRIEF
@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), _BOTO, max_size=5))
def test_agrees_with_boto3(document: dict[str, Any]) -> None:
    """Where boto3's serialiser is defined: numbers compared as decimals, since boto3 keeps `1.50`."""
    serialise = TypeSerializer().serialize
    ours = orjson.loads(codec("json", numbers="string").encode(Item({**document, "PK": "key"})).body)
    for name, value in document.items():
        assert _comparable(ours[name]) == _comparable(dict(serialise(_decimals(value))))


def _decimals(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _decimals(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_decimals(each) for each in value]
    return abs(value) if isinstance(value, Decimal) and not value else value


def _comparable(wire: dict[str, Any]) -> Any:
    [(kind, content)] = wire.items()
    if kind == "N":
        return kind, Decimal(content)
    if kind == "S" and content.strip("-0.") == "":
        return "N", Decimal(0)  # -0, which we tag and boto3 sends as it is
    if kind == "B":
        return kind, base64.b64decode(content) if isinstance(content, str) else bytes(content)
    if kind == "L":
        return kind, [_comparable(each) for each in content]
    if kind == "M":
        return kind, {name: _comparable(each) for name, each in content.items()}
    return kind, content


@BRIEF
@given(
    st.lists(st.integers(-(10**40), 10**40) | st.decimals(allow_nan=False, allow_infinity=False), min_size=2)
)
def test_number_keys_are_equal_exactly_when_the_numbers_are(values: list[Any]) -> None:
    table = TableInfo("table", "id", ("N",), {}, {"N": "N"})
    spec = TableSpec(DatasetRef("dynamo", "table"), ("N",))
    one = DynamoDBCodec(FlowSpec("flow", "service", DatasetRef("mongo", "c"), spec), table, "json")
    keys: dict[bytes, Decimal] = {}
    for value in values:
        try:
            key = one.encode(Item({"N": value})).key
        except Refused:
            continue
        assert keys.setdefault(key, Decimal(value)) == Decimal(value)
    assert len(keys) == len(set(keys.values()))
