"""Pages in a source's own form: carried undecoded where the codec can, decoded where not, nothing left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from greylag.connectors.dynamodb import DynamoDBOptions, connector
from greylag.connectors.dynamodb.native import Compiled
from greylag.connectors.mongodb import wire
from greylag.connectors.mongodb.decoding import decode_page
from greylag.connectors.mongodb.keys import id_of
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.ports import DatasetInfo, TableInfo
from greylag.core.records import NativePage, Page, Rejection, Undecoded
from greylag.engine.lane import Lane
from greylag.engine.route import Route

TABLE = TableInfo("table", "id", ("PK",), {}, {"PK": "S"})
GOOD = [wire.encode_document({"_id": n, "name": f"name {n}"}) for n in range(6)]
REFUSED = wire.encode_document({"_id": 77, "name": float("nan")})
UNREADABLE = wire.encode_document({"_id": 88, "name": "xyz"}).replace(b"xyz", b"\xff\xfe\xfd")


def lane(**options: Any) -> Lane:
    target = connector.open("dynamo", DynamoDBOptions(region="us-east-1"), Path())
    spec = TableSpec(DatasetRef("dynamo", "table"), ("PK",))
    flow = FlowSpec("flow", "service", DatasetRef("mongo", "c"), spec, {"PK": "R#{_id}"}, **options)
    info = DatasetInfo("c", "id", "bson", None, None, "_id")
    return Lane(Route(flow, target, target, info, TABLE))


def native(*documents: bytes, form: str = "bson") -> NativePage:
    return NativePage(form, documents, "cursor", sum(map(len, documents)), decode_page, identify=id_of)


def test_a_native_page_decodes_when_asked() -> None:
    page = native(GOOD[0], UNREADABLE, GOOD[1])
    assert [record.id for record in page.records] == [0, 1]
    assert [rejection.id for rejection in page.rejected] == [88]
    assert isinstance(page, Page)
    assert (page.cursor, page.bytes_read) == ("cursor", len(GOOD[0]) * 2 + len(UNREADABLE))


@pytest.mark.parametrize(
    ("form", "options"), [("bson", {}), ("another", {}), ("bson", {"keep_order": True})], ids=str
)
def test_every_document_is_carried_or_rejected(form: str, options: dict[str, Any]) -> None:
    one = lane(**options)
    found = list(one.carry_all(native(*GOOD[:3], REFUSED, UNREADABLE, *GOOD[3:], form=form)))
    rejected = {record.id: carried for record, carried in found if isinstance(carried, Rejection)}
    carried = {record.id: carried for record, carried in found if not isinstance(carried, Rejection)}
    assert sorted(map(repr, rejected)) == ["77", "88"]
    assert rejected[88].raw == UNREADABLE
    assert rejected[77].original == {"_id": 77, "name": pytest.approx(float("nan"), nan_ok=True)}
    plain = {record.id: items for record, items in one.carry(Page(native(*GOOD).records, "", 0))}
    assert carried == plain
    undecoded = [record for record, _ in found if isinstance(record, Undecoded)]
    assert len(undecoded) == (6 if (form, options) == ("bson", {}) else 0)
    assert all(
        decode_page(GOOD[int(str(each.id))])[0][0].fields == each.record().fields for each in undecoded
    )


def test_the_codec_has_a_transcoder_for_bson() -> None:
    assert isinstance(lane().transcoder("bson"), Compiled)
    assert lane(where={"name": "x"}).transcoder("bson") is None
