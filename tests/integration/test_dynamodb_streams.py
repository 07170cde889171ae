"""A table's stream: turned on, marked, lost, and followed at both emulators."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from greylag.connectors.dynamodb.connector import DynamoDBConnector
from greylag.connectors.dynamodb.options import DynamoDBOptions
from greylag.connectors.dynamodb.session import Session
from greylag.connectors.dynamodb.streams import StreamsFeed
from greylag.connectors.dynamodb.target import DynamoDBTarget
from greylag.core.change import Followed
from greylag.core.flows import DatasetRef, TableSpec
from greylag.errors import PositionLost, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.core.change import RawChange
    from greylag.core.ports import ChangeFeed

SCRATCH = Path("/nonexistent")


@pytest.fixture
def target(dynamodb_endpoint: str, table_prefix: str) -> Iterator[DynamoDBTarget]:
    made = _target(dynamodb_endpoint, table_prefix)
    yield made
    made.close()


def _target(endpoint: str, prefix: str, **options: Any) -> DynamoDBTarget:
    """With one table, of two keys."""
    made = DynamoDBConnector("dynamo", _options(endpoint)).target()
    assert isinstance(made, DynamoDBTarget)
    key_types = {"PK": "S", "n": "N"}
    made.prepare(TableSpec(DatasetRef("dynamo", f"{prefix}shop"), ("PK", "n"), {}, key_types))
    if options:
        made.close()
        made = DynamoDBTarget("dynamo", _options(endpoint, **options))
    return made


def _options(endpoint: str, **more: Any) -> DynamoDBOptions:
    return DynamoDBOptions(region="us-east-1", endpoint_url=endpoint, **{"create_tables": True, **more})


def _feed(target: DynamoDBTarget, prefix: str) -> ChangeFeed:
    return target.feed([Followed(f"{prefix}shop")], SCRATCH)


def _client(endpoint: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")


def _put(endpoint: str, prefix: str, *names: str) -> None:
    client = _client(endpoint)
    for name in names:
        client.put_item(TableName=f"{prefix}shop", Item={"PK": {"S": name}, "n": {"N": "1"}})


def _until(feed: ChangeFeed, position: str, mark: str) -> list[RawChange]:
    found: list[RawChange] = []
    deadline = time.monotonic() + 60
    for batch in feed.read(position):
        found += batch.changes
        if feed.passed(mark):
            return found
        assert time.monotonic() < deadline
    raise AssertionError


def test_markers_are_removed_and_never_given(
    target: DynamoDBTarget, dynamodb_endpoint: str, table_prefix: str
) -> None:
    feed = _feed(target, table_prefix)
    try:
        position = feed.position()
        _put(dynamodb_endpoint, table_prefix, "a", "b")
        marks = [feed.mark(), feed.mark()]
        found = _until(feed, position, marks[1])
        assert feed.passed(marks[0])
        assert [each.id for each in found] == [b"S1:aN1:1", b"S1:bN1:1"]
        left = _client(dynamodb_endpoint).scan(TableName=f"{table_prefix}shop")["Items"]
        assert sorted(each["PK"]["S"] for each in left) == ["a", "b"]
    finally:
        feed.close()


def test_a_marker_that_stayed_is_hidden_from_scans(
    target: DynamoDBTarget, dynamodb_endpoint: str, table_prefix: str
) -> None:
    _put(dynamodb_endpoint, table_prefix, "a")
    _client(dynamodb_endpoint).put_item(
        TableName=f"{table_prefix}shop",
        Item={"PK": {"S": "_greylag#mark#left"}, "n": {"N": "-9.75E+125"}},
    )
    [segment] = target.segments(f"{table_prefix}shop", count=1)
    assert [each.key for batch in target.scan(segment) for each in batch] == [b"S1:aN1:1"]


def test_a_position_of_yesterday_is_lost(
    target: DynamoDBTarget, dynamodb_endpoint: str, table_prefix: str
) -> None:
    feed = _feed(target, table_prefix)
    try:
        position = json.loads(feed.position())
        _put(dynamodb_endpoint, table_prefix, "a")
        old = {**position, "read_ms": position["read_ms"] - 24 * 3600 * 1000}
        with pytest.raises(PositionLost, match="24 hours") as caught:
            next(iter(feed.read(json.dumps(old))))
        assert "--compare" in caught.value.advice
        position["tables"][f"{table_prefix}shop"]["shards"] = {"shardId-0000": "begin"}
        with pytest.raises(PositionLost):
            next(iter(feed.read(json.dumps(position))))
        history = feed.history(json.dumps(old))
        assert history.left_seconds == 0
    finally:
        feed.close()


def test_a_stream_is_turned_on_only_where_that_is_allowed(dynamodb_endpoint: str, table_prefix: str) -> None:
    target = _target(dynamodb_endpoint, table_prefix, create_tables=False)
    feed = _feed(target, table_prefix)
    try:
        with pytest.raises(SchemaError, match="has no stream") as caught:
            feed.position()
        assert "create_tables" in caught.value.advice
        _client(dynamodb_endpoint).update_table(
            TableName=f"{table_prefix}shop",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        )
        with pytest.raises(SchemaError, match="KEYS_ONLY"):
            feed.position()
    finally:
        feed.close()
        target.close()


def test_a_stream_that_is_turned_off_ends(
    target: DynamoDBTarget, dynamodb_endpoint: str, table_prefix: str
) -> None:
    feed = _feed(target, table_prefix)
    try:
        position = feed.position()
        _put(dynamodb_endpoint, table_prefix, "a")
        _client(dynamodb_endpoint).update_table(
            TableName=f"{table_prefix}shop", StreamSpecification={"StreamEnabled": False}
        )
        batches = list(feed.read(position))
        assert [each.id for batch in batches for each in batch.changes] == [b"S1:aN1:1"]
        event = batches[-1].event
        assert event is not None
        assert event.kind == "invalidated"
    finally:
        feed.close()


@pytest.mark.parametrize(("rule", "count"), [("carry", 1), ("ignore", 0)])
def test_what_expires_is_deleted_by_rule(
    dynamodb_endpoint: str, table_prefix: str, rule: str, count: int
) -> None:
    """No emulator deletes what has expired: the record of such a deletion is put before the feed."""
    target = _target(dynamodb_endpoint, table_prefix, ttl_deletes=rule)
    session = Session("dynamo", _options(dynamodb_endpoint, ttl_deletes=rule))
    feed = StreamsFeed(session, [f"{table_prefix}shop"], target.describe)
    position = feed.position()
    _put(dynamodb_endpoint, table_prefix, "a")
    _client(dynamodb_endpoint).delete_item(
        TableName=f"{table_prefix}shop", Key={"PK": {"S": "a"}, "n": {"N": "1"}}
    )
    mark = feed.mark()
    try:
        read = feed._reader.read

        def expired(iterator: str) -> Any:
            found = read(iterator)
            for record in found.records if found else ():
                if record["eventName"] == "REMOVE":
                    record["userIdentity"] = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
            return found

        feed._reader.read = expired  # type: ignore[method-assign]
        found = _until(feed, position, mark)
        assert len([each for each in found if each.document is None]) == count
        assert len([each for each in found if each.document is not None]) == 1
    finally:
        feed.close()
        target.close()


def test_motos_streams_are_followed_too(moto_endpoint: str, table_prefix: str) -> None:
    target = _target(moto_endpoint, table_prefix)
    feed = _feed(target, table_prefix)
    try:
        position = feed.position()
        _put(moto_endpoint, table_prefix, "a")
        assert [each.id for each in _until(feed, position, feed.mark())] == [b"S1:aN1:1"]
    finally:
        feed.close()
        target.close()
