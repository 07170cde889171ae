"""The writer against an endpoint that throttles, refuses, resets, stalls and lies."""

from __future__ import annotations

import email.utils
import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from greylag.connectors.dynamodb import DynamoDBOptions, connector, patience, wire
from greylag.connectors.dynamodb.codec import DynamoDBCodec
from greylag.connectors.dynamodb.writer import DynamoDBWriter
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.ports import Delivery, TableInfo
from greylag.core.records import Encoded, Item
from greylag.errors import AuthenticationError, ConnectorError, SchemaError, TransientError
from tests.dynamodb_endpoint import ScriptedEndpoint

TABLE = TableInfo("table", "id", ("PK",), {}, {"PK": "S"})
CODEC = DynamoDBCodec(
    FlowSpec("flow", "service", DatasetRef("m", "c"), TableSpec(DatasetRef("dynamo", "table"), ("PK",))),
    TABLE,
    "json",
)
Open = Callable[..., DynamoDBWriter]


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_DELAY_SECONDS", 0.001)
    monkeypatch.setattr(patience, "LONGEST_DELAY_SECONDS", 0.01)


@pytest.fixture
def open_writer() -> Iterator[Open]:
    opened: list[DynamoDBWriter] = []

    def open_(endpoint: ScriptedEndpoint, **options: Any) -> DynamoDBWriter:
        given = DynamoDBOptions(
            region="us-east-1", endpoint_url=endpoint.url, **{"connections": 2, **options}
        )
        target = connector.open("dynamo", given, Path()).target()
        writer = target.writer(TABLE)
        assert isinstance(writer, DynamoDBWriter)
        opened.append(writer)
        return writer

    yield open_
    for each in opened:
        each.close()


def item(name: str, **fields: Any) -> Encoded:
    return CODEC.encode(Item({"PK": name, **fields}))


def batches(count: int, size: int = 5) -> list[list[Encoded]]:
    return [[item(f"{at}-{each}") for each in range(size)] for at in range(count)]


def write(writer: DynamoDBWriter, given: list[list[Encoded]]) -> list[Delivery]:
    return list(writer.write(given))


def test_pages_without_an_item_do_not_pile_up(open_writer: Open) -> None:
    """Each empty batch stands for a page whose records were all refused, and are kept until it is delivered."""
    pulled = 0

    def pages() -> Iterator[list[Encoded]]:
        nonlocal pulled
        for _ in range(500):
            pulled += 1
            yield []

    with ScriptedEndpoint() as endpoint:
        for number, _ in enumerate(open_writer(endpoint, connections=16).write(pages()), 1):
            assert pulled - number < 3
    assert pulled == 500


THROTTLED = ("error", 400, "ProvisionedThroughputExceededException", "slower")


@pytest.mark.parametrize(
    "steps",
    [
        [("reset",)],
        [("carry out and reset",)],
        [("error", 500, "InternalServerError", "oh")] * 3,
        [("error", 503, "ServiceUnavailable", "oh")],
        [THROTTLED] * 4,
        [("error", 400, "ThrottlingException", "slower")],
        [("unprocessed", 5), ("unprocessed", 3), ("unprocessed", 1)],
        [("chunked",), ("close",), ("in pieces",)],
        [("wrong checksum",)],
        [("not http",)],
    ],
    ids=lambda steps: steps[0][0],
)
def test_everything_is_written_in_the_end(steps: list[Any], open_writer: Open) -> None:
    with ScriptedEndpoint(*steps) as endpoint:
        given = batches(4)
        deliveries = write(open_writer(endpoint), given)
        assert [each.items for each in deliveries] == [5, 5, 5, 5]
        assert [each.refused for each in deliveries] == [()] * 4
        assert endpoint.items.keys() == {each.key for batch in given for each in batch}
        failed = [each for each in steps if each[0] not in {"chunked", "close", "in pieces"}]
        assert len(endpoint.requests) == len(given) + len(failed)


def test_throttles_are_counted(open_writer: Open) -> None:
    with ScriptedEndpoint(THROTTLED, THROTTLED, ("unprocessed", 2)) as endpoint:
        assert [each.throttles for each in write(open_writer(endpoint, connections=1), batches(1))] == [3]
        assert [len(each) for each in endpoint.requests] == [5, 5, 5, 2]


def test_units_are_what_dynamodb_says(open_writer: Open) -> None:
    with ScriptedEndpoint(("unprocessed", 2)) as endpoint:
        assert [each.units for each in write(open_writer(endpoint), batches(2))] == [10.0, 10.0]


def test_an_answer_that_never_comes_is_asked_for_again(
    open_writer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.2)
    with ScriptedEndpoint(("stall",), ("stall",)) as endpoint:
        given = batches(3)
        assert len(write(open_writer(endpoint), given)) == 3
        assert len(endpoint.items) == 15
        assert endpoint.connections >= 4


def test_time_the_caller_takes_is_no_timeout(open_writer: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop stands still while a batch is pulled: an answer that comes soon after is not late."""
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.3)

    with ScriptedEndpoint(("when told",)) as endpoint:
        given = batches(3)

        def slow() -> Iterator[list[Encoded]]:
            yield from given[:2]
            began = time.monotonic()
            while len(endpoint.requests) < 2 or time.monotonic() - began < 0.4:
                time.sleep(0.01)  # a slow source
            endpoint.tell(0.1)
            yield given[2]

        assert len(list(open_writer(endpoint).write(slow()))) == 3
        assert len(endpoint.requests) == 3


def test_patience_ends_when_nothing_succeeds(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        writer = open_writer(endpoint, patience_seconds=0.3)
        endpoint.throttle_all = True
        began = time.monotonic()
        with pytest.raises(TransientError, match=r"ThrottlingException.*nothing has succeeded"):
            write(writer, batches(3))
        assert 0.3 <= time.monotonic() - began < 5
        endpoint.throttle_all = False
        assert len(write(writer, batches(3))) == 3, "the writer can be used again"


def test_unprocessed_for_ever_ends_too(open_writer: Open) -> None:
    with ScriptedEndpoint(*[("unprocessed", 5)] * 10_000) as endpoint:
        with pytest.raises(TransientError, match="unprocessed"):
            write(open_writer(endpoint, patience_seconds=0.2), batches(1))
        assert not endpoint.items


def test_an_endpoint_that_is_away(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        writer = open_writer(endpoint, patience_seconds=0.2)
    with pytest.raises(TransientError, match=r"cannot connect to http://127\.0\.0\.1"):
        write(writer, batches(2))


def test_items_that_dynamodb_refuses_are_found_and_the_others_written(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        endpoint.poison = {"0-7", "0-19", "1-0"}
        given = batches(3, size=25)
        deliveries = write(open_writer(endpoint), given)
        assert [[place for place, _ in each.refused] for each in deliveries] == [[7, 19], [0], []]
        assert [each.items for each in deliveries] == [23, 24, 25]
        assert "ValidationException: one item is wrong" in deliveries[0].refused[0][1]
        assert len(endpoint.items) == 72


def test_deliveries_come_in_order_and_the_window_is_bounded(
    open_writer: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.3)
    pulled = itertools.count()
    last = 0

    def counted() -> Iterator[list[Encoded]]:
        nonlocal last
        for batch in batches(60):
            last = next(pulled) + 1
            yield batch

    with ScriptedEndpoint(("stall",)) as endpoint:
        writer = open_writer(endpoint, connections=4)
        sizes = []
        for at, delivery in enumerate(writer.write(counted())):
            assert last - at <= 4 * 4
            sizes.append(delivery.items)
    assert sizes == [5] * 60


def test_an_empty_batch_is_delivered_in_its_turn(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        given: list[list[Encoded]] = [[], *batches(1), []]
        assert [each.items for each in write(open_writer(endpoint), given)] == [0, 5, 0]
        assert len(endpoint.requests) == 1


def test_the_same_item_twice_is_sent_once(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        one = item("one")
        endpoint.poison = {"bad"}
        [delivery] = write(open_writer(endpoint), [[one, item("bad"), one, item("bad")]])
        assert delivery.items == 2
        assert [place for place, _ in delivery.refused] == [1, 3]
        with pytest.raises(ConnectorError, match="share a key"):
            write(open_writer(endpoint), [[item("one", n=1), item("one", n=2)]])


def test_a_request_stays_under_16_mb(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        large = [item(f"{at}", text="\x01" * 400_000) for at in range(25)]
        assert sum(len(each.body) for each in large) > 3 * 16 * 2**20
        assert [each.items for each in write(open_writer(endpoint, connections=1), [large])] == [25]
        assert max(int(head["content-length"]) for head in endpoint.heads) <= 16 * 2**20
        assert len(endpoint.items) == 25


@pytest.mark.parametrize(
    ("step", "kind", "text"),
    [
        (("error", 400, "AccessDeniedException", "User: arn is not authorized"), AuthenticationError, "not authorized"),
        (("error", 400, "UnrecognizedClientException", "invalid token"), AuthenticationError, "invalid token"),
        (("error", 400, "InvalidSignatureException", "no match\nx-amz-token:SECRET"), AuthenticationError, "match"),
        (("error", 400, "ExpiredTokenException", "expired"), AuthenticationError, "expired"),
        (("error", 400, "ResourceNotFoundException", "no table"), SchemaError, "no table"),
        (("error", 400, "KMSDisabledException", "key off"), ConnectorError, "key off"),
    ],
    ids=lambda value: value[2] if isinstance(value, tuple) else None,
)  # fmt: skip
def test_what_waiting_does_not_mend_is_raised_at_once(
    step: Any, kind: type[ConnectorError], text: str, open_writer: Open
) -> None:
    with ScriptedEndpoint(step) as endpoint:
        with pytest.raises(kind, match=text) as caught:
            write(open_writer(endpoint, connections=1), batches(1))
        assert type(caught.value) is kind
        assert caught.value.advice
        assert "SECRET" not in str(caught.value)
        assert len(endpoint.requests) == 1


def test_a_wrong_clock_is_set_by_the_services(open_writer: Open) -> None:
    then = time.time() + 7200
    date = ("Date", email.utils.formatdate(then, usegmt=True))
    skewed = (
        "error",
        400,
        "InvalidSignatureException",
        "Signature expired: 20240101 is now earlier than",
        date,
    )
    with ScriptedEndpoint(skewed) as endpoint:
        assert len(write(open_writer(endpoint, connections=1), batches(2))) == 2
        stamps = [head["x-amz-date"] for head in endpoint.heads]
        assert stamps[1][:11] == time.strftime("%Y%m%dt%H", time.gmtime(then))[:11]
    with (
        ScriptedEndpoint(skewed, skewed) as endpoint,
        pytest.raises(AuthenticationError, match="Signature expired"),
    ):
        write(open_writer(endpoint, connections=1), batches(1))


def test_the_limit_holds_and_can_be_changed_from_another_thread(open_writer: Open) -> None:
    with ScriptedEndpoint() as endpoint:
        writer = open_writer(endpoint)
        writer.limit(200.0)
        began = time.monotonic()
        write(writer, batches(20))  # 100 items of 2 units each
        limited = time.monotonic() - began
        assert limited > 0.5
        writer.limit(1.0)
        threading.Timer(0.2, writer.limit, [None]).start()
        began = time.monotonic()
        write(writer, batches(20))
        assert time.monotonic() - began < 5


def test_an_error_of_the_source_reaches_the_caller(open_writer: Open) -> None:
    def broken() -> Iterator[list[Encoded]]:
        yield from batches(3)
        raise SchemaError("the source went away")

    with ScriptedEndpoint() as endpoint:
        writer = open_writer(endpoint)
        with pytest.raises(SchemaError, match="the source went away"):
            list(writer.write(broken()))


def test_leaving_early_leaves_nothing_running(open_writer: Open) -> None:
    with ScriptedEndpoint(*[("stall",)] * 2) as endpoint:
        writer = open_writer(endpoint, connections=4)
        given = writer.write(batches(20))
        endpoint.script.clear()
        next(given)
        assert isinstance(given, Generator)
        given.close()
        assert len(write(writer, batches(3))) == 3
