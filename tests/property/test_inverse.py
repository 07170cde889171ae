"""inverse(map(record)) is the record, type by type, wherever a mapping says that it loses nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.core.flows import DatasetRef, FlowSpec, SplitSpec, TableSpec, TtlSpec
from greylag.core.mapping import compile_mapping
from greylag.core.mapping.inverse import Inverse
from greylag.core.ports import TableInfo
from greylag.core.records import Record, Refused
from greylag.core.values import identical
from tests.property.strategies import DATES, INT64S, OBJECT_IDS, documents, values

TABLE = TableSpec(
    DatasetRef("dynamo", "shop"), ("PK", "SK"), {"Index": ("I",)}, {"PK": "S", "SK": "S", "I": "S"}
)
INFO = TableInfo("shop", "1", TABLE.key, TABLE.indexes, TABLE.key_types)

IDS: dict[str, st.SearchStrategy[Any]] = {
    "objectId": OBJECT_IDS,
    "string": st.text("aZ09#-", min_size=1, max_size=5),
    "int": st.integers(-5, 2**31 - 1),
    "int64": INT64S,
    "double": st.floats(-2, 2).filter(lambda number: repr(number) != "-0.0"),
    "date": DATES,
    "bool": st.booleans(),
}
OPTIONS: list[dict[str, Any]] = [
    {},
    {"rename": {"_id": "id"}},
    {"rename": {"_id": "id", "a": "alpha"}, "keep_order": True},
    {"drop": ("_id",)},
    {"types": {"a": "date:ms"}},
    {"ttl": TtlSpec("ttl", "when", 60)},
    {"ttl": TtlSpec("when", "when")},
    {"drop": ("_id", "b")},
    {"drop": ("a.c",)},
]
ATTRIBUTES: list[dict[str, Any]] = [
    {"PK": "A#{_id}", "SK": "A"},
    {"PK": "A#{_id}", "SK": "{_id:S}", "I": "{b:S}", "kind": "X"},
    {"PK": "A#{_id}", "SK": "{_id}#{b}", "I": "{a}"},
    {"PK": "{b}#{_id|lower}", "SK": "A", "same": "{b}"},
]
SPLITS: list[tuple[SplitSpec, ...]] = [
    (),
    (),
    (
        SplitSpec(
            "items",
            {"PK": "A#{@parent._id}", "SK": "ITEM#{@index|pad:3}", "kind": "ITEM"},
            rename={"c": "see"},
        ),
    ),
    (SplitSpec("in.tags", {"PK": "A#{@parent._id}", "SK": "T#{@value}", "n": "{@index}"}),),
    (SplitSpec("items", {"PK": "A#{@index}", "SK": "ITEM#{@index|pad:3}"}),),
]


@st.composite
def cases(draw: st.DrawFn) -> tuple[FlowSpec, Record]:
    rule = draw(st.sampled_from(sorted(IDS)))
    options = dict(draw(st.sampled_from(OPTIONS)))
    options["types"] = {"_id": rule, **options.get("types", {})}
    options["split"] = draw(st.sampled_from(SPLITS))
    flow = FlowSpec(
        "f", "s", DatasetRef("mongo", "orders"), TABLE, draw(st.sampled_from(ATTRIBUTES)), **options
    )
    fields: dict[str, Any] = {"_id": draw(IDS[rule])}
    for name in ("a", "b"):
        if draw(st.booleans()):
            fields[name] = draw(values("bson"))
    if draw(st.booleans()):
        fields["b"] = draw(st.text("ab#", min_size=1, max_size=3))
    if draw(st.booleans()):
        fields["when"] = draw(DATES)
    if draw(st.booleans()):
        fields["items"] = draw(st.lists(documents("bson"), max_size=12))
    if draw(st.booleans()):
        fields["in"] = {"x": 1, "tags": draw(st.lists(st.text("ab", min_size=1), max_size=3, unique=True))}
    return flow, Record(fields["_id"], fields)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(cases(), st.randoms())
def test_the_inverse_of_what_a_mapping_makes_is_the_record(
    case: tuple[FlowSpec, Record], random: Any
) -> None:
    flow, record = case
    mapping, inverse = compile_mapping(flow), Inverse(flow)
    codec = DynamoDBCodec(mapping.spec, INFO, "bson")
    try:
        items = mapping.apply(record)
        own, *children = [codec.decode(codec.encode(item).body) for item in items]
    except Refused:
        assume(False)
    # What a template wrote is taken for the template's own.
    assume(not record.fields.keys() & (items[0].attributes.keys() - record.fields.keys()))
    elements: Any = record.fields.get("items", [])
    assume(not any(each.keys() == {"value"} for each in elements))
    event(f"losses: {[loss.kind for loss in inverse.losses]}")
    if inverse.losses:
        return
    assert inverse.kind(own) == 0
    kinds = []
    for child in children:
        kind = inverse.kind(child)
        assert kind is not None
        assert inverse.parent_key(child, kind) == {name: own[name] for name in TABLE.key}
        kinds.append((kind, child))
    random.shuffle(kinds)
    try:
        found = inverse.record(own, kinds)
    except Refused as refused:
        if refused.kind == "unreadable-template":
            return  # `{_id}#{b}`, and one of them has a `#`
        raise
    assert identical(found.fields, record.fields), (found.fields, record.fields)
