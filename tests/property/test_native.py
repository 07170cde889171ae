"""Documents carried undecoded come out as the mapping and the codec make them, byte for byte, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.connectors.dynamodb.native import Compiled, Transcoder
from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.decoding import decode_page
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.mapping import compile_mapping
from greylag.core.ports import TableInfo
from greylag.core.records import Encoded, Refused
from tests.property.strategies import DATES, DECIMAL128S, INT64S, OBJECT_IDS, documents, values

TABLE = TableInfo("table", "id", ("PK",), {"GSI": ("GSIPK",)}, {"PK": "S", "GSIPK": "S"})
FLOWS: list[dict[str, Any]] = [
    {},
    {"rename": {"_id": "id", "a": "b"}, "numbers": "string"},
    {"drop": ("a", "c"), "types": {"b": "string", "_id": "objectId", "d": "decimal128"}},
    {
        "types": {"a": "date", "b": "double", "c": "int64", "a[]": "decimal128", "b.c": "objectId"},
        "numbers": "string",
    },
    {"types": {"a": "regex", "b": "date:ms", "c": "date:s", "d": "uuid"}},
]
BRIEF = settings(max_examples=200, deadline=None)
PLAIN = st.recursive(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
        st.integers(-(2**31), 2**31 - 1),
        st.floats(-1e6, 1e6),
        st.booleans(),
        st.none(),
        DECIMAL128S.filter(lambda value: value.is_finite() and abs(value.adjusted()) < 100),
        INT64S,
        OBJECT_IDS,
        DATES,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
"""Values of the types that are carried undecoded."""
WILD = st.builds(
    lambda identity, rest: {"_id": identity, **{name: each for name, each in rest.items() if name != "_id"}},
    values("bson"),
    documents("bson"),
)
RECORDS = (
    st.builds(
        lambda identity, rest: {"_id": identity, **rest},
        OBJECT_IDS | st.integers(0, 2**31 - 1) | st.text('abc"é', min_size=1, max_size=4),
        st.dictionaries(st.sampled_from("abcdg"), PLAIN, max_size=6),
    )
    | WILD
)


class Both:
    """A flow's two ways. `slowly` is what a load does without the other: None where the record is refused."""

    def __init__(self, *, compiled: bool = True, **options: Any) -> None:
        spec = TableSpec(DatasetRef("dynamo", "table"), ("PK",), {"GSI": ("GSIPK",)})
        attributes = {"PK": "R#{_id}", "GSIPK": "G#{g}"}
        flow = FlowSpec("flow", "service", DatasetRef("mongo", "c"), spec, attributes, **options)
        self.mapping = compile_mapping(flow)
        self.codec = DynamoDBCodec(self.mapping.spec, TABLE, "bson")
        codec = DynamoDBCodec(self.mapping.spec, TABLE, "bson", compiled=compiled)
        found = codec.transcoder(self.mapping, "bson")
        assert isinstance(found, Compiled if compiled else Transcoder)
        self.natively = found

    def slowly(self, document: bytes) -> Encoded | None:
        records, _ = decode_page(document)
        try:
            return self.codec.encode(self.mapping.apply(records[0])[0]) if records else None
        except Refused:
            return None

    def check(self, document: bytes) -> bool:
        """Whether it was carried undecoded; then exactly as the other way."""
        [found] = self.natively([document])
        assert found is None or found == self.slowly(document)
        return found is not None


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("options", FLOWS, ids=str)
@BRIEF
@given(found=st.lists(RECORDS, min_size=1, max_size=4))
def test_the_same_or_nothing(options: dict[str, Any], compiled: bool, found: list[dict[str, Any]]) -> None:
    both = Both(compiled=compiled, **options)
    for document in [*found, *found]:
        both.check(wire.encode_document(document))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("options", FLOWS[:3], ids=str)
@BRIEF
@given(record=RECORDS, data=st.data())
def test_stray_bytes(
    options: dict[str, Any], compiled: bool, record: dict[str, Any], data: st.DataObject
) -> None:
    """A byte that is wrong makes it another value, another shape, or nothing that is carried: never a wrong item."""
    both = Both(compiled=compiled, **options)
    raw = bytearray(wire.encode_document(record))
    assume(len(raw) > 20)
    both.check(bytes(raw))
    for _ in range(8):
        changed = bytearray(raw)
        place = data.draw(st.integers(4, len(raw) - 1))
        changed[place] = data.draw(st.integers(0, 255))
        both.check(bytes(changed))
