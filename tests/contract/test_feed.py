"""What every change stream keeps: the port's docstrings and the laws a stream can break, 1 and 3."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.canonical import canonical
from greylag.core.change import Followed
from greylag.core.ports import Followable
from greylag.core.records import Record, Rejection
from greylag.errors import PositionLost
from tests.contract import subjects
from tests.contract.records import OF_FAMILY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from greylag.core.change import ChangeBatch, RawChange
    from greylag.core.ports import ChangeFeed
    from tests.contract.subjects import FeedSubject
    from tests.documentdb.proxy import DocumentDB

SUBJECTS = [
    *("memory json", "memory bson", "faulty bson", "mongodb", "documentdb", "dynamodb", "json array"),
    "json lines",
]
DEADLINE_SECONDS = 60.0


@pytest.fixture
def cluster(mongodb_url: str) -> Iterator[DocumentDB]:
    """A DocumentDB that does not keep an idle stream waiting long."""
    from tests.documentdb.proxy import DocumentDB

    made = DocumentDB(mongodb_url, wait_milliseconds=50)
    yield made
    made.close()


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> FeedSubject:
    kind, _, detail = request.param.partition(" ")
    if kind == "mongodb":
        url = request.getfixturevalue("mongodb_url")
        return subjects.mongodb_feed(url, request.getfixturevalue("database"))
    if kind == "documentdb":
        url, cluster = request.getfixturevalue("mongodb_url"), request.getfixturevalue("cluster")
        return subjects.documentdb_feed(url, request.getfixturevalue("database"), cluster)
    if kind == "dynamodb":
        prefix = request.getfixturevalue("table_prefix")
        return subjects.dynamodb_feed(request.getfixturevalue("dynamodb_endpoint"), prefix)
    makers = {"memory": subjects.memory_feed, "faulty": subjects.faulty_feed, "json": subjects.json_feed}
    return makers[kind](tmp_path, detail)


@pytest.fixture
def opened(subject: FeedSubject, tmp_path: Path) -> Iterator[Callable[[], ChangeFeed]]:
    """Feeds of `dataset` alone, each over a source of its own."""
    closing: list[Any] = []

    def open_one() -> ChangeFeed:
        source = subject.connector.source()
        assert isinstance(source, Followable)
        assert source.describe(subject.dataset).resumable_changes
        feed = source.feed([Followed(subject.dataset, subject.fields)], tmp_path / "scratch")
        closing.extend((feed, source))
        return feed

    (tmp_path / "scratch").mkdir()
    yield open_one
    for each in closing:
        each.close()


@pytest.fixture
def feed(opened: Callable[[], ChangeFeed]) -> ChangeFeed:
    return opened()


def until_passed(feed: ChangeFeed, position: str, mark: str) -> list[ChangeBatch]:
    """The batches that hold all that was written before `mark`."""
    batches: list[ChangeBatch] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    for batch in feed.read(position):
        batches.append(batch)
        if batch.event is not None or feed.passed(mark):
            return batches
        assert time.monotonic() < deadline, "the mark was never passed"
    raise AssertionError("the stream ended")


def changes(batches: list[ChangeBatch]) -> list[RawChange]:
    return [change for batch in batches for change in batch.changes]


def numbered(first: int, last: int) -> list[dict[str, Any]]:
    return [{"_id": each, "n": each} for each in range(first, last)]


def replaced(subject: FeedSubject, feed: ChangeFeed) -> tuple[str, str]:
    """Some writes between a position and a mark."""
    position = feed.position()
    subject.write(subject.dataset, numbered(0, 5))
    subject.write(subject.another, numbered(0, 3))
    if subject.family == "bson":
        subject.write(subject.dataset, [{"_id": 1, "n": "again"}])
    subject.delete(subject.dataset, [2])
    subject.write(subject.dataset, numbered(5, 7))
    subject.delete(subject.dataset, [6])
    return position, feed.mark()


def folded(feed: ChangeFeed, found: list[RawChange]) -> dict[bytes, Record]:
    """What is left once whole states and deletes have been applied in order."""
    left: dict[bytes, Record] = {}
    for change in found:
        if change.document is None:
            left.pop(change.id, None)
        else:
            record = feed.decode(change)
            assert isinstance(record, Record)
            left[change.id] = record
    return left


def fields(records: dict[bytes, Record]) -> list[bytes]:
    return sorted(canonical(record.fields) for record in records.values())


def expected(subject: FeedSubject) -> list[bytes]:
    again = "again" if subject.family == "bson" else 1
    left: list[Any] = [{"_id": each, "n": again if each == 1 else each} for each in (0, 1, 3, 4, 5)]
    return sorted(canonical(each) for each in left)


def test_everything_written_after_a_position_is_given(subject: FeedSubject, feed: ChangeFeed) -> None:
    position, mark = replaced(subject, feed)
    found = changes(until_passed(feed, position, mark))
    assert fields(folded(feed, found)) == expected(subject)
    assert {each.dataset for each in found} == {subject.dataset}


def test_a_stream_goes_on_from_every_position_it_gave(
    subject: FeedSubject, feed: ChangeFeed, opened: Callable[[], ChangeFeed]
) -> None:
    position, mark = replaced(subject, feed)
    batches = until_passed(feed, position, mark)
    places = {batch.position: place for place, batch in enumerate(batches)}  # an idle stream repeats its own
    for given, place in places.items():
        again = opened()
        rest = changes(until_passed(again, given, mark))
        assert rest == changes(batches[place + 1 :])


@pytest.mark.long
def test_read_again_from_an_earlier_position_it_gives_the_same_and_has_passed_nothing_yet(
    subject: FeedSubject, feed: ChangeFeed
) -> None:
    position = feed.position()
    subject.write(subject.dataset, numbered(0, 600))  # more than a batch of most streams
    mark = feed.mark()
    given = changes(until_passed(feed, position, mark))
    assert len(given) == 600
    assert changes(until_passed(feed, position, mark)) == given


def test_records_have_the_ids_of_their_changes(subject: FeedSubject, feed: ChangeFeed) -> None:
    position, mark = replaced(subject, feed)
    left = folded(feed, changes(until_passed(feed, position, mark)))
    source = subject.connector.source()
    try:
        read = [
            record
            for each in source.partitions(subject.dataset, partition_bytes=1 << 20)
            for page in source.read(each, None, page_bytes=1 << 20)
            for record in page.records
        ]
    finally:
        source.close()
    assert {feed.id_of(subject.dataset, each): canonical(each.fields) for each in read} == {
        each: canonical(record.fields) for each, record in left.items()
    }
    known = feed.known_fields(subject.dataset)
    for each in read:
        alone = feed.known(subject.dataset, feed.id_of(subject.dataset, each))
        names = [path[0] for path in known if path != ("@row",)]
        assert alone.fields == {name: each.fields[name] for name in names if isinstance(name, str)}
        if known:
            assert canonical(alone.id) == canonical(each.id)


def test_every_value_comes_as_it_is_read(subject: FeedSubject, feed: ChangeFeed) -> None:
    records = [{"_id": number, **each} for number, each in enumerate(OF_FAMILY[subject.family])]
    position = feed.position()
    subject.write(subject.dataset, records)
    left = folded(feed, changes(until_passed(feed, position, feed.mark())))
    assert fields(left) == sorted(canonical(each) for each in records)


def test_a_mark_is_passed_once_all_before_it_was_given(
    subject: FeedSubject, feed: ChangeFeed, opened: Callable[[], ChangeFeed]
) -> None:
    position, mark = feed.position(), None
    for number in range(3):
        subject.write(subject.dataset, numbered(number * 10, number * 10 + 4))
        mark = opened().mark()
        assert not feed.passed(mark)
        batches = until_passed(feed, position, mark)
        assert len(changes(batches)) == 4
        position = batches[-1].position
    assert mark is not None
    assert feed.passed(mark)


def test_a_mark_is_passed_while_nothing_is_written(subject: FeedSubject, feed: ChangeFeed) -> None:
    position = feed.position()
    mark = feed.mark()
    assert changes(until_passed(feed, position, mark)) == []


def test_what_is_written_while_it_reads_is_given(subject: FeedSubject, feed: ChangeFeed) -> None:
    stream = feed.read(feed.position())
    deadline = time.monotonic() + DEADLINE_SECONDS
    for number in range(3):
        subject.write(subject.dataset, numbered(number, number + 1))
        while not (batch := next(stream)).changes:
            assert time.monotonic() < deadline
        [change] = batch.changes
        record = feed.decode(change)
        assert isinstance(record, Record)
        assert record.fields["n"] == number
        assert abs(change.written_ms / 1000 - time.time()) < DEADLINE_SECONDS


def test_an_idle_stream_gives_positions(subject: FeedSubject, feed: ChangeFeed) -> None:
    stream = feed.read(feed.position())
    first, second = next(stream), next(stream)
    assert not first.changes
    subject.write(subject.dataset, numbered(0, 1))
    mark = feed.mark()
    for batch in (first, second):
        assert len(changes(until_passed(feed, batch.position, mark))) == 1


def test_a_dropped_dataset_ends_the_stream_by_an_event(subject: FeedSubject, feed: ChangeFeed) -> None:
    position = feed.position()
    subject.write(subject.dataset, numbered(0, 2))
    subject.drop(subject.another)
    subject.write(subject.dataset, numbered(2, 3))
    subject.drop(subject.dataset)
    batches: list[ChangeBatch] = []
    for batch in feed.read(position):
        batches.append(batch)
        assert len(batches) < DEADLINE_SECONDS
    event = batches[-1].event
    assert event is not None
    assert (event.dataset, event.kind) == (subject.dataset, "dropped")
    given = [each for each in changes(batches) if each.document is not None]
    assert len(given) == 3 or not subject.every_state


def test_a_position_that_history_no_longer_reaches_is_lost(subject: FeedSubject, feed: ChangeFeed) -> None:
    if subject.cut is None:
        pytest.skip("its history cannot be cut")
    position = feed.position()
    subject.write(subject.dataset, numbered(0, 2))
    subject.cut()
    with pytest.raises(PositionLost) as raised:
        next(feed.read(position))
    assert raised.value.advice
    position = feed.position()
    subject.write(subject.dataset, numbered(2, 3))
    assert len(changes(until_passed(feed, position, feed.mark()))) == 1


def test_history_is_told(subject: FeedSubject, feed: ChangeFeed) -> None:
    position = feed.position()
    subject.write(subject.dataset, numbered(0, 2))
    history = feed.history(position)
    if history.kept_seconds is not None and history.left_seconds is not None:
        assert 0 <= history.left_seconds <= history.kept_seconds + 1


def test_what_cannot_be_decoded_is_rejected_with_its_bytes(feed: ChangeFeed, subject: FeedSubject) -> None:
    position = feed.position()
    subject.write(subject.dataset, numbered(0, 1))
    [change] = changes(until_passed(feed, position, feed.mark()))
    assert change.document is not None
    found = feed.decode(change._replace(document=change.document[:-1]))
    assert isinstance(found, Rejection)
    assert found.raw is not None
