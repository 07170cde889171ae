"""What a compiled mapping claims to prove holds for the items it makes of generated records."""

from __future__ import annotations

import copy
from collections import Counter
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, assume, event, given, reject, settings
from hypothesis import strategies as st

from greylag.core.flows import DatasetRef, FlowSpec, SplitSpec, TableSpec
from greylag.core.mapping import MappingError, compile_mapping, keys_disjoint, overlaps
from greylag.core.records import Record, Refused
from greylag.core.values import Int64, identical, is_number
from tests.property.strategies import DATES, OBJECT_IDS, documents

if TYPE_CHECKING:
    from greylag.core.mapping import Mapping
    from greylag.core.records import Item
    from greylag.core.values import Document, Value

TABLE = TableSpec(DatasetRef("dynamo", "shop"), ("PK", "SK"), {"Index": ("I",)})

_LITERALS = st.sampled_from(["", "A", "A#", "#", "B#", "0", "1#"])
_ALPHABET = "Aa#01 "
_TEXTS = st.text(_ALPHABET, max_size=3)
_SCALARS: st.SearchStrategy[Any] = st.one_of(
    _TEXTS,
    st.integers(-2, 12),
    st.integers(0, 3).map(Int64),
    st.floats(-2, 2),
    st.none(),
    st.booleans(),
    st.binary(max_size=2),
)
_IDS: st.SearchStrategy[Any] = st.sampled_from(
    [
        _TEXTS,
        _TEXTS,
        st.integers(0, 130),
        st.integers(-3, 130).map(Int64),
        OBJECT_IDS,
        DATES,
        st.binary(max_size=2),
    ]
)


def templates(names: list[str]) -> st.SearchStrategy[str]:
    """Templates of one to three parts over `names`, typed or filtered or neither."""

    def placeholders(*suffixes: str) -> st.SearchStrategy[str]:
        return st.builds("{{{}{}}}".format, st.sampled_from(names), st.sampled_from(suffixes))

    inner = placeholders("", "", ":S", "|lower", "|trim", "|pad:3")
    around = st.builds("{}{}{}".format, _LITERALS, inner, _LITERALS)
    several = st.builds("{}{}{}{}".format, _LITERALS, inner, _LITERALS, inner)
    return around | around | several | placeholders("", ":S", ":N", "|pad:3")


PARENTS = templates(["_id", "_id", "_id", "a", "b", "@row"])
CHILDREN = templates(["@parent._id", "@parent._id", "@index", "@index", "@index", "a", "@row"])


@st.composite
def flows(draw: st.DrawFn, unique_id: str | None = None) -> Mapping:
    """A mapping that compiles, perhaps with children."""
    attributes: dict[str, Any] = {
        "PK": draw(PARENTS),
        "SK": draw(PARENTS | st.just("ORDER") | st.integers(0, 2)),
    }
    if draw(st.booleans()):
        attributes["kind"] = draw(st.sampled_from(["X", "Y", 1, True]))
    if draw(st.booleans()):
        attributes["I"] = draw(PARENTS)
    splits = tuple(
        SplitSpec(path, {"PK": draw(CHILDREN), "SK": draw(CHILDREN)})
        for path in draw(st.sampled_from([(), ("items",), ("items", "tags")]))
    )
    spec = FlowSpec("f", "s", DatasetRef("mongo", "orders"), TABLE, attributes, split=splits)
    try:
        return compile_mapping(spec, unique_id=unique_id)
    except MappingError:
        reject()


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """A few records whose `_id` is unique and has one type."""
    ids = draw(st.lists(draw(_IDS), min_size=1, max_size=8, unique_by=repr))
    elements = st.lists(st.fixed_dictionaries({}, optional={"a": _SCALARS}) | _SCALARS, max_size=4)
    fields = st.fixed_dictionaries(
        {}, optional={"a": _SCALARS, "b": _SCALARS, "items": elements, "tags": elements}
    )
    return [Record(row, {"_id": each, **draw(fields)}) for row, each in enumerate(ids)]


def made(mapping: Mapping, record: Record) -> list[Item]:
    try:
        return mapping.apply(record)
    except Refused:
        return []


def key(item: Item) -> tuple[Value, ...]:
    """What DynamoDB takes for one key: numbers by their value."""
    values = [item.attributes[name] for name in TABLE.key]
    return tuple(
        (Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
        if is_number(value)
        else str(value)
        if not isinstance(value, bytes)
        else value
        for value in values
    )


_SETTINGS = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


def _crowd(ids: list[Value]) -> list[Record]:
    """Records that differ only in their ids, each with more than ten elements."""
    lists: Document = {"items": [{"a": "x"}] * 12, "tags": ["0", "1"]}
    return [Record(row, {"_id": each, "a": "x", "b": 1, **lists}) for row, each in enumerate(ids)]


# Every text of up to two characters: what a mapping can confuse is among them.
_CROWDS = [
    _crowd([*_ALPHABET, *("".join(pair) for pair in product(_ALPHABET, repeat=2))]),
    _crowd([*range(131)]),
]


@settings(_SETTINGS, max_examples=150)
@given(st.sampled_from(["_id", "_id", "@row"]).flatmap(flows), st.sampled_from(_CROWDS))
def test_injective_mappings_give_every_item_a_key_of_its_own(mapping: Mapping, batch: list[Record]) -> None:
    assume(mapping.injective)
    event(f"splits: {len(mapping.spec.split)}")
    keys = Counter(key(item) for record in batch for item in made(mapping, record))
    assert [each for each, count in keys.items() if count > 1] == []


@_SETTINGS
@given(flows(), flows(), records())
def test_claims_hold_every_item_and_never_share_one_they_deny(
    one: Mapping, other: Mapping, batch: list[Record]
) -> None:
    apart, keys_apart = not overlaps(one.claim, other.claim), keys_disjoint(one.claim, other.claim)
    event(f"apart: {apart}, keys apart: {keys_apart}")
    assert apart or not keys_apart
    ones = [item for record in batch for item in made(one, record)]
    others = [item for record in batch for item in made(other, record)]
    for item in ones:
        assert one.claim.matches(
            {name: item.attributes[name] for name in one.claim.names if name in item.attributes}
        )
        assert not (apart and other.claim.matches(item.attributes))
    if keys_apart:
        assert not {key(item) for item in ones} & {key(item) for item in others}


@_SETTINGS
@given(flows(), records())
def test_keys_have_the_types_the_mapping_decided(mapping: Mapping, batch: list[Record]) -> None:
    assert not mapping.key_types.keys() & mapping.lone_fields.keys()
    assume(not mapping.spec.split)  # a child's template may decide what a parent's lone field then has to be
    for item in (item for record in batch for item in made(mapping, record)):
        for name, kind in mapping.key_types.items():
            value = item.attributes.get(name)
            if name in TABLE.key:
                assert value not in ("", b"")
                assert value is not None
            if value is not None and name in item.derived:
                assert kind == ("N" if is_number(value) else "B" if isinstance(value, bytes) else "S")


@_SETTINGS
@given(st.sampled_from(["bson", "json"]).flatmap(documents))
def test_what_is_not_named_is_carried_as_it_is(fields: Document) -> None:
    mapping = compile_mapping(
        FlowSpec("f", "s", DatasetRef("m", "o"), TABLE, {"PK": "{@digest}", "SK": "{@row}", "kind": "X"})
    )
    assume(not fields.keys() & {"PK", "SK", "kind"})
    before = copy.deepcopy(fields)
    [item] = mapping.apply(Record(0, fields))
    assert {*item.attributes} - item.derived == {*fields}
    assert identical({name: item.attributes[name] for name in fields}, before, ordered=True)
