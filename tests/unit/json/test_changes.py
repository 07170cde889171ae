"""What a feed of JSON files gives of files that are written in every way there is."""

from __future__ import annotations

import gzip
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.json import changes as following
from greylag.connectors.json.connector import JsonConnector
from greylag.core.change import Followed
from greylag.core.ports import Followable, Snapshotted
from greylag.core.records import Record, Rejection
from greylag.errors import PositionLost, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greylag.core.change import ChangeBatch, DatasetEvent, RawChange

DEADLINE_SECONDS = 60.0
BY_ID = Followed("things", (("id",),))
ROWS = Followed("things", rows=True)
DIGESTS = Followed("things", digests=True)

Open = "Callable[[Followed], JsonFeed]"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Followed], Any]]:
    feeds: list[Any] = []

    def open_one(*followed: Followed) -> Any:
        source = JsonConnector("files", tmp_path / "data").source()
        assert isinstance(source, Followable)
        feeds.append(source.feed(followed, tmp_path / "scratch"))
        return feeds[-1]

    (tmp_path / "data").mkdir()
    yield open_one
    for each in feeds:
        each.close()


@pytest.fixture
def things(tmp_path: Path) -> Path:
    return tmp_path / "data" / "things.json"


def put(path: Path, *records: Any, **fields: Any) -> None:
    path.write_text(json.dumps([*records, *([fields] if fields else [])]))


def until(feed: Any, position: str, mark: str | None = None) -> tuple[list[ChangeBatch], str]:
    mark = mark or feed.mark()
    batches: list[ChangeBatch] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    for batch in feed.read(position):
        batches.append(batch)
        if batch.event is not None or feed.passed(mark):
            return batches, batch.position
        assert time.monotonic() < deadline
    raise AssertionError("the stream ended")


def told(feed: Any, batches: list[ChangeBatch]) -> list[Any]:
    """Fields of what was put, the word "deleted" for a delete, the reason of a rejection."""
    found: list[RawChange] = [change for batch in batches for change in batch.changes]
    shown: list[Any] = []
    for change in found:
        each = None if change.document is None else feed.decode(change)
        shown.append("deleted" if each is None else each.fields if isinstance(each, Record) else each.reason)
    return shown


def test_upserts_and_deletes_by_key(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"id": 1}, {"id": 2}, {"id": 3})
    feed = opened(BY_ID)
    position = feed.position()
    put(things, {"id": 3}, {"id": 1, "new": True}, {"id": 4})
    batches, position = until(feed, position)
    assert told(feed, batches) == ["deleted", {"id": 1, "new": True}, {"id": 4}]
    assert batches[0].changes[0].id == feed.id_of("things", Record(0, {"id": 2}))
    os.utime(things)
    assert told(feed, until(feed, position)[0]) == []


def test_what_changed_while_nobody_read_is_given_and_given_again(
    opened: Callable[..., Any], things: Path
) -> None:
    put(things, id=1)
    feed = opened(BY_ID)
    position = feed.position()
    feed.close()
    put(things, id=2)
    for _ in range(2):
        assert told(feed, until(opened(BY_ID), position)[0]) == ["deleted", {"id": 2}]
    with pytest.raises(PositionLost, match="was not followed so before"):
        next(opened(DIGESTS).read(position))
    with pytest.raises(PositionLost, match="was cut"):
        next(opened(BY_ID).read("17"))


def test_a_file_of_rows_may_grow(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"n": 0}, {"n": 1})
    feed = opened(ROWS)
    position = feed.position()
    put(things, {"n": 0}, {"n": 1}, {"n": 2})
    batches, position = until(feed, position)
    assert told(feed, batches) == [{"n": 2}]
    assert feed.known("things", batches[0].changes[0].id).id == 2
    put(things, {"n": 0}, {"n": 2}, {"n": 2}, {"n": 3})
    assert event(until(feed, position)[0]).detail.endswith("row 1 is not the record it was")


def test_a_file_of_rows_may_not_shrink(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"n": 0}, {"n": 1})
    feed = opened(ROWS)
    position = feed.position()
    put(things, {"n": 0})
    assert event(until(feed, position)[0]).detail.endswith("row 1 is gone")
    put(things, {"n": 0}, {"n": 1}, {"n": 2})
    assert told(feed, until(feed, position)[0]) == [{"n": 2}]


def event(batches: list[ChangeBatch]) -> DatasetEvent:
    found = batches[-1].event
    assert found is not None
    assert found.kind == "moved"
    return found


def test_by_digest_an_edit_is_a_delete_and_an_insert(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"n": 0}, {"n": 1})
    feed = opened(DIGESTS)
    position = feed.position()
    put(things, {"n": 0}, {"n": 2})
    batches, _ = until(feed, position)
    assert told(feed, batches) == ["deleted", {"n": 2}]


def test_records_that_cannot_be_told_apart(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"id": 1}, {"id": 2})
    feed = opened(BY_ID)
    position = feed.position()
    put(
        things, {"id": 1}, {"id": 2}, {"id": 1, "other": True}, {"id": 1, "third": True}, {"id": 5}, {"id": 5}
    )
    batches, position = until(feed, position)
    assert told(feed, batches) == [
        "things has more than one record of this identity: row 2, 3, and perhaps more",
        "things has more than one record of this identity: row 4, 5, and perhaps more",
    ]
    put(things, {"id": 1}, {"id": 2}, {"id": 1, "other": 2}, {"id": 5})
    batches, position = until(feed, position)
    assert told(feed, batches) == [{"id": 5}]
    put(things, {"id": 1}, {"id": 2}, {"id": 5})
    assert told(feed, until(feed, position)[0]) == [{"id": 1}]


def test_records_that_cannot_be_carried(opened: Callable[..., Any], things: Path) -> None:
    things.write_text('[{"id": 1}]')
    feed = opened(BY_ID)
    position = feed.position()
    things.write_text('[{"id": 1}, {"id": 2, "id": 3}, 7]')
    batches, position = until(feed, position)
    found = [feed.decode(change) for change in batches[0].changes]
    assert all(isinstance(each, Rejection) for each in found)
    assert [(each.id, each.raw) for each in found] == [(1, b'{"id": 2, "id": 3}'), (2, b"7")]
    things.write_text('[{"id": 1}, {"id": 3}]')
    assert told(feed, until(feed, position)[0]) == ["deleted", "deleted", {"id": 3}]


def test_half_a_file_is_waited_for(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"id": 1}, {"id": 2})
    feed = opened(BY_ID)
    position = feed.position()
    stream = feed.read(position)
    mark = feed.mark()
    for half in ("", '[{"id": 1}, {"id'):
        things.write_text(half)
        assert not next(stream).changes
        assert not feed.passed(mark)
    put(things, {"id": 1}, {"id": 2}, {"id": 3})
    assert told(feed, until(feed, position, mark)[0]) == [{"id": 3}]


def test_a_file_that_stays_half_is_an_error(
    opened: Callable[..., Any], things: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "DAMAGED_SECONDS", 0.5)
    put(things, {"id": 1})
    feed = opened(BY_ID)
    position = feed.position()
    things.write_text('[{"id": 1}, {"id')
    with pytest.raises(SourceDataError, match="cut off") as raised:
        until(feed, position)
    assert "it goes on" in raised.value.advice
    put(things, {"id": 2})
    assert told(feed, until(feed, position)[0]) == ["deleted", {"id": 2}]


def test_a_file_that_is_away_for_a_moment(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"id": 1})
    feed = opened(BY_ID)
    position = feed.position()
    stream = feed.read(position)
    things.rename(things.with_suffix(".bak"))
    assert next(stream).event is None
    put(things, {"id": 2})
    assert told(feed, until(feed, position)[0]) == ["deleted", {"id": 2}]


def test_a_write_that_leaves_no_trace(opened: Callable[..., Any], things: Path) -> None:
    """The same size, inode and time as what was read: only content tells."""
    put(things, {"id": 1, "n": 1})
    now = (time.time_ns() // 10**9) * 10**9
    os.utime(things, ns=(now, now))  # a file system that tells whole seconds
    feed = opened(BY_ID)
    stream = feed.read(feed.position())
    put(things, {"id": 1, "n": 2})
    os.utime(things, ns=(now, now))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (batch := next(stream)).changes:
        assert time.monotonic() < deadline
    assert told(feed, [batch]) == [{"id": 1, "n": 2}]


def test_compressed_files_and_arrays_in_one_file(opened: Callable[..., Any], tmp_path: Path) -> None:
    packed, both = tmp_path / "data" / "packed.jsonl.gz", tmp_path / "data" / "db.json"
    packed.write_bytes(gzip.compress(b'{"id": 1}\n'))
    both.write_text(json.dumps({"a": [{"id": 1}], "b": [{"in": {"id": 7}}]}))
    followed = (
        Followed("packed", (("id",),)),
        Followed("db.json#/a", (("id",),)),
        Followed("db.json#/b", (("in", "id"),)),
    )
    feed = opened(*followed)
    position = feed.position()
    packed.write_bytes(gzip.compress(b'{"id": 1}\n{"id": 2}\n'))
    both.write_text(json.dumps({"a": [{"id": 1}], "b": [{"in": {"id": 7}, "new": 1}]}))
    found = {
        each.dataset: feed.decode(each).fields for batch in until(feed, position)[0] for each in batch.changes
    }
    assert found == {"packed": {"id": 2}, "db.json#/b": {"in": {"id": 7}, "new": 1}}


def test_a_load_reads_the_first_position(opened: Callable[..., Any], things: Path, tmp_path: Path) -> None:
    put(things, {"id": 1}, {"id": 2})
    connector = JsonConnector("files", tmp_path / "data")
    assert isinstance(connector, Snapshotted)
    source = connector.as_followed(tmp_path / "scratch").source()
    before = source.describe("things").identity
    opened(BY_ID).position()
    put(things, {"id": 3})
    [partition] = source.partitions("things", partition_bytes=1 << 20)
    [page] = source.read(partition, None, page_bytes=1 << 20)
    assert [each.fields["id"] for each in page.records] == [1, 2]
    assert source.describe("things").identity == before


def test_many_changes_come_in_batches(opened: Callable[..., Any], things: Path) -> None:
    put(things, {"id": -1})
    feed = opened(BY_ID)
    position = feed.position()
    put(things, *({"id": number} for number in range(1200)))
    batches, _ = until(feed, position)
    assert [len(each.changes) for each in batches if each.changes] == [500, 500, 201]
    again = opened(BY_ID)
    assert told(again, until(again, batches[0].position)[0]) == told(feed, batches[1:])
