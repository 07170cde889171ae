"""What every target keeps: the port's docstrings and the laws a target can break, 3, 4, 7 and 10."""

from __future__ import annotations

import itertools
import json
import pickle
import threading
import time
import uuid
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.flows import DatasetRef, FlowSpec
from greylag.core.records import Encoded, Item, Refused, Stored
from greylag.core.values import Int64, identical
from greylag.errors import SchemaError
from tests.contract import subjects
from tests.contract.records import BSON, OF_FAMILY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from greylag.core.ports import Codec, TableInfo, Target
    from greylag.core.values import Document
    from tests.contract.subjects import TargetSubject

SUBJECTS = ["memory", "faulty", "dynamodb", "mongodb", "documentdb"]


@pytest.fixture(scope="module", params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TargetSubject:
    folder: Path = tmp_path_factory.mktemp("target")
    if request.param == "dynamodb":
        endpoint = request.getfixturevalue("dynamodb_endpoint")
        return subjects.dynamodb_target(endpoint, f"contract-{uuid.uuid4().hex[:8]}-")
    if request.param == "documentdb":
        url, database = request.getfixturevalue("documentdb_url"), f"contract_{uuid.uuid4().hex[:8]}"
        return subjects.mongodb_target(url, database, own_identity=False)
    if request.param == "mongodb":
        return subjects.mongodb_target(
            request.getfixturevalue("mongodb_url"), f"contract_{uuid.uuid4().hex[:8]}"
        )
    return (subjects.memory_target if request.param == "memory" else subjects.faulty_target)(folder)


@pytest.fixture
def target(subject: TargetSubject) -> Iterator[Target]:
    opened = subject.connector.target()
    yield opened
    opened.close()


@pytest.fixture
def table(subject: TargetSubject, target: Target, request: pytest.FixtureRequest) -> Iterator[TableInfo]:
    """A fresh table."""
    name = f"{subject.prefix}{uuid.uuid4().hex[:8]}"
    yield target.prepare(subject.spec(name))
    if subject.drop is not None and target.describe(name) is not None:
        subject.drop(name)


def codec_of(target: Target, table: TableInfo, subject: TargetSubject, **flow: Any) -> Codec:
    ref = DatasetRef("source", "things")
    return target.codec(
        FlowSpec("things", "service", ref, subject.spec(table.name), **flow), table, subject.family
    )


def items(subject: TargetSubject, count: int, start: int = 0) -> list[Item]:
    return [
        subject.item(f"k{number % 7}", number, {"text": f"item {number}"})
        for number in range(start, start + count)
    ]


def write(target: Target, table: TableInfo, encoded: Sequence[Encoded]) -> None:
    with closing(target.writer(table)) as writer:
        size = writer.batch_items
        batches = [encoded[start : start + size] for start in range(0, len(encoded), size)]
        deliveries = list(writer.write(batches))
    assert [each.items for each in deliveries] == [len(batch) for batch in batches]
    assert not any(each.refused for each in deliveries)


def stored(target: Target, table: TableInfo, count: int = 3) -> dict[bytes, bytes]:
    found: list[Stored] = []
    for segment in target.segments(table.name, count=count):
        for batch in target.scan(segment):
            found += batch
    assert len({each.key for each in found}) == len(found)
    return {each.key: each.body for each in found}


def test_describe_and_prepare(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    target.check()
    assert target.describe("no-table-of-this-name") is None
    described = target.describe(table.name)
    assert described is not None
    spec = subject.spec(table.name)
    assert (described.identity, described.key) == (table.identity, spec.key)
    assert {name: tuple(keys) for name, keys in table.indexes.items()} == spec.indexes
    assert table.key_types == spec.key_types
    assert target.prepare(spec).identity == table.identity


def test_a_table_with_another_key_is_refused(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    other = replace(subject.spec(table.name), key=("pk",))
    with pytest.raises(SchemaError) as raised:
        target.prepare(other)
    assert raised.value.advice


def test_a_missing_index_is_refused(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    types = {"text": "S", "pk": "S", "sk": "N"}
    with pytest.raises(SchemaError, match="other"):
        target.prepare(replace(subject.spec(table.name), indexes={"other": ("text",)}, key_types=types))


def test_a_table_made_anew_has_another_identity(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    if subject.drop is None:
        pytest.skip("its tables cannot be dropped")
    if not subject.own_identity:
        pytest.skip("its tables have no identity but their name")
    subject.drop(table.name)
    opened = subject.connector.target()
    assert opened.describe(table.name) is None
    assert opened.prepare(subject.spec(table.name)).identity != table.identity
    opened.close()


def test_law_7_what_is_written_comes_back_exactly(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)
    wanted: dict[bytes, Item] = {}
    encoded: list[Encoded] = []
    refused = 0
    for number, record in enumerate(OF_FAMILY[subject.family]):
        item = subject.item(f"k{number}", number, record)
        try:
            encoded.append(codec.encode(item))
        except Refused:
            refused += 1
            continue
        wanted[encoded[-1].key] = item
        assert codec.canonical(item).key == encoded[-1].key
        assert encoded[-1].size_bytes > 0
    assert refused < len(BSON) // 10
    write(target, table, encoded)
    found = stored(target, table)
    assert set(found) == set(wanted)
    for key, body in found.items():
        assert body == codec.canonical(wanted[key]).body
        decoded = codec.decode(body)
        assert identical(decoded, wanted[key].attributes), (decoded, wanted[key].attributes)
        assert identical(codec.key(body), {name: decoded[name] for name in table.key})


def test_keys_are_equal_exactly_when_the_target_takes_them_for_one(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)

    def key(pk: str, sk: int, text: str = "") -> bytes:
        return codec.encode(subject.item(pk, sk, {"text": text})).key

    assert key("a", 1, "x") == key("a", 1, "y")
    assert len({key("a", 1), key("a", 11), key("a1", 1), key("b", 1)}) == 4


def test_an_item_without_its_key_is_refused(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    codec = codec_of(target, table, subject)
    for missing in table.key:
        attributes = {
            name: value for name, value in items(subject, 1)[0].attributes.items() if name != missing
        }
        with pytest.raises(Refused, match=missing) as raised:
            codec.encode(Item(attributes))
        assert raised.value.fix


def test_law_3_writing_again_changes_nothing_and_a_later_state_replaces(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)
    first = [codec.encode(each) for each in items(subject, 30)]
    write(target, table, first)
    before = stored(target, table)
    write(target, table, first)
    assert stored(target, table) == before
    later = subject.item("k3", 3, {"new": True})
    write(target, table, [codec.encode(later)])
    after = stored(target, table)
    key = codec.encode(later).key
    assert codec.decode(after.pop(key)) == later.attributes  # nothing of the earlier state is left
    del before[key]
    assert after == before


def test_law_4_what_is_delivered_is_there(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    codec = codec_of(target, table, subject)
    other = subject.connector.target()
    with closing(target.writer(table)) as writer:
        size = writer.batch_items
        batches = [
            [codec.encode(each) for each in items(subject, size, start)] for start in range(0, 6 * size, size)
        ]
        for batch, delivery in zip(batches, writer.write(iter(batches)), strict=True):
            assert delivery.items == len(batch)
            assert delivery.size_bytes == sum(each.size_bytes for each in batch)
            assert delivery.units > 0
            keys = [codec.key(each.body) for each in batch]
            assert {each.key for each in other.fetch(table, keys)} == {each.key for each in batch}
    other.close()


def test_batches_are_pulled_as_they_are_sent(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)
    pulled = itertools.count()
    seen = 0

    def endless() -> Iterator[list[Encoded]]:
        nonlocal seen
        for seen in pulled:
            yield [codec.encode(each) for each in items(subject, 2, 2 * seen)]

    with closing(target.writer(table)) as writer:
        deliveries = writer.write(endless())
        for number, delivery in enumerate(itertools.islice(deliveries, 20)):
            assert delivery.items == 2
            assert seen - number < 500  # law 9: no more than a bounded number ahead
        if hasattr(deliveries, "close"):
            deliveries.close()


def test_an_empty_batch_is_delivered_in_its_place(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)
    with closing(target.writer(table)) as writer:
        batches = [[], [codec.encode(each) for each in items(subject, 3)], []]
        assert [each.items for each in writer.write(batches)] == [0, 3, 0]
        assert list(writer.write([])) == []


def test_what_the_batches_raise_is_raised_once_the_rest_has_landed(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)

    def failing() -> Iterator[list[Encoded]]:
        for start in range(0, 40, 10):
            yield [codec.encode(each) for each in items(subject, 10, start)]
        raise ValueError("the source broke")

    delivered: list[int] = []
    with closing(target.writer(table)) as writer:
        deliveries = writer.write(failing())
        with pytest.raises(ValueError, match="the source broke"):
            delivered.extend(each.items for each in deliveries)
    assert sum(delivered) == 40
    assert len(stored(target, table)) == 40


@pytest.mark.parametrize("count", [1, 2, 7])
def test_segments_cover_every_item_once(
    subject: TargetSubject, target: Target, table: TableInfo, count: int
) -> None:
    codec = codec_of(target, table, subject)
    encoded = [codec.encode(each) for each in items(subject, 60)]
    write(target, table, encoded)
    segments = target.segments(table.name, count=count)
    assert [each.ordinal for each in segments] == list(range(len(segments)))
    assert all(json.loads(json.dumps(each.bounds)) == each.bounds for each in segments)
    assert set(stored(target, table, count)) == {each.key for each in encoded}


def test_an_empty_table(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    assert stored(target, table) == {}
    assert list(target.fetch(table, [])) == []
    assert list(target.fetch(table, [subject.key("nobody", 1)])) == []


def test_peek_tells_who_owns_an_item(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    codec = codec_of(target, table, subject)
    fields: Document = {"pk": "USER#1", "sk": Int64(5), "kind": "USER", "flag": True, "none": None}
    body = codec.canonical(Item({**subject.key("USER#1", 5), **fields})).body
    seen = target.peek(body, ("pk", "sk", "kind", "flag", "none", "missing"))
    assert set(seen) == {"pk", "sk", "kind", "flag", "none"}
    assert (seen["pk"], seen["sk"], seen["kind"], seen["flag"], seen["none"]) == (
        "USER#1",
        5,
        "USER",
        True,
        None,
    )
    assert target.peek(body, ()) == {}


def test_fetch_and_delete(subject: TargetSubject, target: Target, table: TableInfo) -> None:
    codec = codec_of(target, table, subject)
    encoded = [codec.encode(each) for each in items(subject, 150)]
    write(target, table, encoded)
    whole = stored(target, table)
    keys = [codec.key(whole[each.key]) for each in encoded]
    found = {each.key: each.body for each in target.fetch(table, [*keys, subject.key("nobody", 1)])}
    assert found == whole
    assert target.delete(table, keys[:120]) == 120
    assert set(stored(target, table)) == {each.key for each in encoded[120:]}
    assert target.delete(table, keys[:2]) == 2  # again: nothing to do is no error
    assert len(stored(target, table)) == 30


def test_law_10_a_limit_is_kept_and_can_be_lifted_from_another_thread(
    subject: TargetSubject, target: Target, table: TableInfo
) -> None:
    codec = codec_of(target, table, subject)
    batches = [[codec.encode(each) for each in items(subject, 5, start)] for start in range(0, 60, 5)]
    with closing(target.writer(table)) as writer:
        units = sum(each.units for each in writer.write(batches))
        writer.limit(units / 1.0)
        started = time.monotonic()
        list(writer.write(batches))
        assert time.monotonic() - started >= 0.4
        writer.limit(units / 3600)
        lifting = threading.Timer(0.2, writer.limit, [None])
        lifting.start()
        started = time.monotonic()
        list(writer.write(batches))
        assert 0.1 < time.monotonic() - started < 30
        lifting.join()


def test_a_connector_goes_to_other_processes(subject: TargetSubject, table: TableInfo) -> None:
    other = pickle.loads(pickle.dumps(subject.connector)).target()
    again = pickle.loads(pickle.dumps(table))
    assert again == table
    codec = codec_of(other, again, subject)
    write(other, again, [codec.encode(each) for each in items(subject, 3)])
    assert len(stored(other, again)) == 3
    other.close()
