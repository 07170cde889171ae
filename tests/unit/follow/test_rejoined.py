"""Items of a flow with `split`, carried back: whichever item changes, the whole record is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import pytest

from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.core.change import RawChange
from greylag.core.flows import DatasetRef, FlowSpec, SplitSpec, TableSpec
from greylag.core.mapping import compile_mapping
from greylag.core.ports import TableInfo
from greylag.core.records import Item, Record, Rejection
from greylag.engine.follow.rejoined import SCHEMA, Rejoined

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = TableSpec(DatasetRef("dynamo", "shop"), ("PK", "SK"), {}, {"PK": "S", "SK": "S"})
INFO = TableInfo("shop", "1", TABLE.key, {}, TABLE.key_types)
FLOW = FlowSpec(
    "orders",
    "s",
    DatasetRef("mongo", "orders"),
    TABLE,
    {"PK": "ORDER#{_id}", "SK": "ORDER", "type": "ORDER"},
    types={"_id": "int"},
    split=(SplitSpec("lines", {"PK": "ORDER#{@parent._id}", "SK": "LINE#{@index|pad:3}", "type": "LINE"}),),
)
MAPPING = compile_mapping(FLOW)
CODEC = DynamoDBCodec(MAPPING.spec, INFO, "bson")


class _Target:
    def codec(self, *_: object) -> DynamoDBCodec:
        return CODEC

    def peek(self, body: bytes, names: Any) -> dict[str, Any]:
        return {name: value for name, value in CODEC.decode(body).items() if name in names}


class _Store:
    def codec(self, *_: object) -> _Store:
        return self

    def encode(self, record: Record) -> dict[str, Any]:
        return record.fields


class _Route:
    name, flow, table, functions = "orders", FLOW, INFO, None

    class dataset:  # noqa: N801 - stands for an instance
        family = "bson"

    @staticmethod
    def mapping() -> Any:
        return MAPPING


@pytest.fixture
def rejoined() -> Iterator[Rejoined]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        yield Rejoined(cast("Any", _Route()), cast("Any", _Target()), cast("Any", _Store()), db)


def changes(record: dict[str, Any], *gone: bytes) -> dict[bytes, RawChange]:
    """The items of a record as a stream gives them, by their keys."""
    encoded = [CODEC.encode(item) for item in MAPPING.apply(Record(record["_id"], record))]
    found = {each.key: RawChange("shop", each.key, each.body, 0) for each in encoded}
    return found | {key: RawChange("shop", key, None, 0) for key in gone}


def gathered(rejoined: Rejoined, given: dict[bytes, RawChange]) -> list[Any]:
    return [made for _, made in rejoined.gather(given.items())]


ORDER = {"_id": 7, "user": "u", "lines": [{"n": 1}, {"n": 2}, {"n": 3}]}


def test_items_in_any_windows_make_the_record(rejoined: Rejoined) -> None:
    given = changes(ORDER)
    own, first, *rest = given
    assert gathered(rejoined, {key: given[key] for key in (first, own)}) == [[{**ORDER, "lines": [{"n": 1}]}]]
    assert gathered(rejoined, {key: given[key] for key in rest}) == [[ORDER]]
    assert gathered(rejoined, changes({**ORDER, "_id": 8}) | {first: given[first]}) == [
        [{**ORDER, "_id": 8}],
        [ORDER],
    ]


def test_a_child_that_goes_leaves_the_array_and_the_last_takes_the_record(rejoined: Rejoined) -> None:
    given = changes(ORDER)
    own, *lines = given
    gathered(rejoined, given)
    gone = {key: given[key]._replace(document=None) for key in lines}
    assert gathered(rejoined, {lines[1]: gone[lines[1]]}) == [[{**ORDER, "lines": [{"n": 1}, {"n": 3}]}]]
    [refused] = gathered(rejoined, {own: given[own]._replace(document=None)})
    assert isinstance(refused, Rejection)
    assert "own item is not there" in refused.reason
    assert gathered(rejoined, gone) == [[]]


def test_an_item_that_does_not_tell_its_record_is_stale_until_it_is_gone(rejoined: Rejoined) -> None:
    gathered(rejoined, changes(ORDER))
    item: dict[str, Any] = {"PK": "ORDER#7", "SK": "LINE#x", "type": "LINE", "n": 4}
    stray = CODEC.encode(Item(item))
    change = RawChange("shop", stray.key, stray.body, 0)
    [refused] = gathered(rejoined, {stray.key: change})
    assert isinstance(refused, Rejection)
    gathered(rejoined, {stray.key: change._replace(document=None)})
    assert gathered(rejoined, changes(ORDER)) == [[ORDER]]
