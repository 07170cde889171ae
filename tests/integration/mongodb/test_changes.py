"""MongoDB's change streams: what the contract suite does not ask, against a replica set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from bson import json_util
from bson.int64 import Int64
from bson.timestamp import Timestamp
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.read_preferences import ReadPreference
from pymongo.synchronous.database import Database

from greylag.connectors.mongodb import stream
from greylag.connectors.mongodb.address import Address
from greylag.connectors.mongodb.changes import MongoFeed
from greylag.connectors.mongodb.positions import StreamPosition, time_of
from greylag.connectors.mongodb.source import MongoSource
from greylag.core.change import Followed
from greylag.core.records import Record
from greylag.errors import PositionLost, StateError
from tests.contract.subjects import open_connector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.change import ChangeBatch, RawChange

NAMES = ("orders", "users")


@pytest.fixture
def db(mongodb_url: str, database: str) -> Iterator[Any]:
    with MongoClient[Any](mongodb_url) as client:
        for name in NAMES:
            client[database].create_collection(name)
        yield client[database]


@pytest.fixture
def feed(mongodb_url: str, db: Any, tmp_path: Path) -> Iterator[MongoFeed]:
    """Of both collections, so over the whole database."""
    connector = open_connector(tmp_path, kind="mongodb", url=mongodb_url, database=db.name)
    source = connector.source()
    assert isinstance(source, MongoSource)
    found = source.feed([Followed(name) for name in NAMES], tmp_path)
    yield found
    found.close()
    source.close()


def given(feed: MongoFeed, position: str, *, until_event: bool = False) -> list[ChangeBatch]:
    mark, batches = feed.mark(), []
    for batch in feed.read(position):
        batches.append(batch)
        if batch.event is not None or (not until_event and feed.passed(mark)):
            return batches
        assert len(batches) < 60
    raise AssertionError


def changes(feed: MongoFeed, position: str) -> list[RawChange]:
    return [change for batch in given(feed, position) for change in batch.changes]


def test_collections_keep_their_order_and_their_names(feed: MongoFeed, db: Any) -> None:
    position = feed.position()
    for number in range(3):
        db.orders.insert_one({"_id": number})
        db.users.insert_one({"_id": number})
        db.others.insert_one({"_id": number})
    assert [each.dataset for each in changes(feed, position)] == ["orders", "users"] * 3


def test_a_position_is_one_that_every_member_has(
    mongodb_url: str, db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.orders.insert_one({"_id": 1})
    url = f"{mongodb_url}{'&' if '?' in mongodb_url else '/?'}readPreference=secondaryPreferred"
    feed = MongoFeed("mongo", Address.parse("mongo", SecretStr(url), db.name), NAMES, patience_seconds=5)
    here = StreamPosition.parse(feed.position()).time
    assert here is not None
    asked = Database.command

    def behind(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = asked(self, *arguments, **options)
        if options.get("read_preference") == ReadPreference.NEAREST:
            answer["lastWrite"]["majorityOpTime"]["ts"] = Timestamp(here.time - 60, 1)
        return answer

    monkeypatch.setattr(Database, "command", behind)
    assert StreamPosition.parse(feed.position()).time == Timestamp(here.time - 60, 2)
    feed.close()


def test_an_update_gives_the_whole_document_as_it_is_now(feed: MongoFeed, db: Any) -> None:
    db.orders.insert_one({"_id": 1, "lines": [1]})
    position = feed.position()
    for number in range(3):
        db.orders.update_one({"_id": 1}, {"$push": {"lines": number}})
    found = [feed.decode(each) for each in changes(feed, position)]
    assert found == [Record(1, {"_id": 1, "lines": [1, 0, 1, 2]})] * 3


def test_a_change_to_what_was_deleted_since_is_left_to_its_delete(feed: MongoFeed, db: Any) -> None:
    db.orders.insert_one({"_id": 1})
    position = feed.position()
    db.orders.update_one({"_id": 1}, {"$set": {"a": 1}})
    db.orders.delete_one({"_id": 1})
    [only] = changes(feed, position)
    assert only.document is None
    assert feed.known("orders", only.id) == Record(1, {"_id": 1})


def test_an_id_that_changes_its_type_is_a_delete_and_a_new_record(feed: MongoFeed, db: Any) -> None:
    """MongoDB takes 1 and 1.0 for one `_id`, and lets a replacement turn one into the other."""
    db.orders.insert_one({"_id": 1})
    position = feed.position()
    db.orders.replace_one({"_id": 1}, {"_id": 1.0, "a": 1})
    assert type(db.orders.find_one()["_id"]) is float
    former, latter = changes(feed, position)
    assert (former.document, feed.known("orders", former.id).id) == (None, 1)
    assert type(feed.known("orders", former.id).id) is int
    assert feed.decode(latter) == Record(1.0, {"_id": 1.0, "a": 1})
    assert former.id != latter.id
    position = feed.position()
    db.orders.delete_one({"_id": Int64(1)})
    [gone] = changes(feed, position)
    assert gone.id == latter.id


@pytest.mark.parametrize("without", [["updateDescription"], ["lsid"]])
def test_an_event_larger_than_a_document_may_be_comes_whole(
    feed: MongoFeed, db: Any, monkeypatch: pytest.MonkeyPatch, without: list[str]
) -> None:
    """It is asked for without what nobody needs; what is still too large the server splits."""
    monkeypatch.setattr(stream, "_NOT_NEEDED", without)
    db.orders.insert_one({"_id": 1, "a": "x" * 9_000_000})
    position = feed.position()
    db.orders.update_one({"_id": 1}, {"$set": {"b": "y" * 7_500_000}})
    db.users.insert_one({"_id": 2})
    first, second = changes(feed, position)
    assert first.document is not None
    assert len(first.document) > 16_500_000
    assert feed.decode(second) == Record(2, {"_id": 2})


@pytest.mark.parametrize(
    ("how", "kind", "dataset", "detail"),
    [
        (lambda db: db.orders.drop(), "dropped", "orders", "was dropped"),
        (lambda db: db.users.rename("people"), "renamed", "users", "renamed to people"),
        (lambda db: db.others.rename("users", dropTarget=True), "dropped", "users", "users"),
        (lambda db: db.client.drop_database(db.name), "dropped", None, "dropped"),
    ],
)
def test_what_happens_to_a_collection_as_a_whole_ends_the_stream(
    feed: MongoFeed, db: Any, how: Any, kind: str, dataset: str | None, detail: str
) -> None:
    db.others.insert_one({"_id": 1})
    position = feed.position()
    db.orders.insert_one({"_id": 1})
    how(db)
    batches = given(feed, position, until_event=True)
    event = batches[-1].event
    assert event is not None
    assert event.kind == kind
    assert dataset in (None, event.dataset)
    assert detail in event.detail
    assert [each.id for batch in batches for each in batch.changes] == [feed.id_of("orders", Record(1, {}))]


def test_a_single_collection_is_followed_by_a_stream_of_its_own(
    mongodb_url: str, db: Any, tmp_path: Path
) -> None:
    source = open_connector(tmp_path, kind="mongodb", url=mongodb_url, database=db.name).source()
    assert isinstance(source, MongoSource)
    feed = source.feed([Followed("users")], tmp_path)
    position = feed.position()
    db.orders.insert_one({"_id": 1})
    db.users.insert_one({"_id": 1})
    assert [each.dataset for each in changes(feed, position)] == ["users"]
    db.users.rename("people")
    event = given(feed, position, until_event=True)[-1].event
    assert event is not None
    assert (event.dataset, event.kind) == ("users", "renamed")
    feed.close()
    source.close()


def test_a_stream_goes_on_where_one_of_more_collections_ended(
    feed: MongoFeed, mongodb_url: str, db: Any, tmp_path: Path
) -> None:
    """The server looks for a token's event among those of the stream alone."""
    db.orders.insert_one({"_id": 1})
    position = feed.position()
    db.orders.insert_one({"_id": 2})
    last = next(each for each in feed.read(position) if each.changes).position
    assert StreamPosition.parse(last).token is not None
    db.users.insert_one({"_id": 3})
    source = open_connector(tmp_path, kind="mongodb", url=mongodb_url, database=db.name).source()
    assert isinstance(source, MongoSource)
    alone = source.feed([Followed("users")], tmp_path)
    assert [each.dataset for each in changes(alone, last)] == ["users"]
    alone.close()
    source.close()


def test_a_position_that_the_oplog_does_not_have_is_lost(feed: MongoFeed, db: Any) -> None:
    """An event's token with one digit of its collection's UUID made less: the entry at its time comes after it. A token
    made greater is told only once something is written after it."""
    position = feed.position()
    db.orders.insert_one({"_id": 1})
    batch = next(each for each in feed.read(position) if each.changes)
    token = StreamPosition.parse(batch.position).token
    assert token is not None
    text = token["_data"]
    digit = next(at for at in range(40, 48) if text[at] != "0")
    other = text[:digit] + "0" + text[digit + 1 :]
    with pytest.raises(PositionLost, match="oplog") as raised:
        next(feed.read(StreamPosition.after({"_data": other}).text))
    assert "--reload" in raised.value.advice


def test_a_cursor_that_the_server_closed_is_opened_again(feed: MongoFeed, db: Any) -> None:
    batches = feed.read(feed.position())
    for number in range(3):
        db.orders.insert_one({"_id": number})
        while not (batch := next(batches)).changes:
            pass
        assert [feed.known("orders", each.id).id for each in batch.changes] == [number]
        idle = db.client.admin.aggregate(
            [{"$currentOp": {"idleCursors": True}}, {"$match": {"ns": f"{db.name}.$cmd.aggregate"}}]
        )
        cursors = [each["cursor"]["cursorId"] for each in idle if "cursor" in each]
        assert db.command({"killCursors": "$cmd.aggregate", "cursors": cursors})["cursorsKilled"]


def test_history_reaches_from_the_first_entry_of_the_oplog(feed: MongoFeed) -> None:
    history = feed.history(feed.position())
    assert history.kept_seconds is not None
    assert history.left_seconds is not None
    assert 0 <= history.left_seconds <= history.kept_seconds + 1


def test_positions_are_text_and_tell_their_time(feed: MongoFeed, db: Any) -> None:
    start = StreamPosition.parse(feed.position())
    assert start.time is not None
    assert start.token is None
    db.orders.insert_one({"_id": 1})
    batch = next(each for each in feed.read(start.text) if each.changes)
    position = StreamPosition.parse(batch.position)
    assert position.token is not None
    assert position.time == time_of(position.token)
    assert position.time is not None
    assert position.time >= start.time
    assert batch.clock_ms == position.time.time * 1000
    assert StreamPosition.parse(position.text) == position
    for wrong in ("", "{}", "[]", json_util.dumps({"token": 1})):
        with pytest.raises(StateError):
            StreamPosition.parse(wrong)
    assert time_of({"_data": b"binary"}) is None
    assert time_of({"_data": "82zz"}) is None
