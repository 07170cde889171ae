"""What every source keeps: the port's docstrings and the laws a source can break, 2, 7 and 10."""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from greylag.core.canonical import canonical
from greylag.core.extended_json import dumps
from greylag.core.values import identical, type_name
from greylag.errors import SchemaError
from tests.contract import subjects
from tests.contract.records import BSON, JSON, OF_FAMILY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.ports import Source
    from greylag.core.records import Page, Partition
    from tests.contract.subjects import SourceSubject

SUBJECTS = [
    "json lines",
    "json array",
    "mongodb",
    "documentdb",
    "memory json",
    "memory bson",
    "faulty json",
    "faulty bson",
]


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> SourceSubject:
    kind, _, detail = request.param.partition(" ")
    if kind == "json":
        return (subjects.json_lines if detail == "lines" else subjects.json_array)(tmp_path, JSON)
    if kind in {"mongodb", "documentdb"}:
        url = request.getfixturevalue("mongodb_url")
        if kind == "documentdb":
            return subjects.mongodb(
                url,
                request.getfixturevalue("database"),
                BSON,
                read_url=request.getfixturevalue("documentdb_url"),
            )
        return subjects.mongodb(url, request.getfixturevalue("database"), BSON)
    make = subjects.memory_source if kind == "memory" else subjects.faulty_source
    return make(tmp_path, OF_FAMILY[detail], detail)


@pytest.fixture
def source(subject: SourceSubject) -> Iterator[Source]:
    opened = subject.connector.source()
    yield opened
    opened.close()


def partitions(source: Source, subject: SourceSubject, size: int = 1000) -> list[Partition]:
    return list(source.partitions(subject.dataset, partition_bytes=size))


def pages(source: Source, subject: SourceSubject, size: int = 300) -> list[Page]:
    return [
        page
        for partition in partitions(source, subject)
        for page in source.read(partition, None, page_bytes=size)
    ]


def same(one: Page, other: Page) -> bool:
    return (
        one.cursor == other.cursor
        and [canonical(each.fields) for each in one.records]
        == [canonical(each.fields) for each in other.records]
        and [canonical(each.id) for each in one.records] == [canonical(each.id) for each in other.records]
        and one.rejected == other.rejected
    )


def test_check_and_datasets(source: Source, subject: SourceSubject) -> None:
    source.check()
    names = source.datasets()
    assert list(names) == sorted(names)
    assert names


def test_describe(source: Source, subject: SourceSubject) -> None:
    info = source.describe(subject.dataset)
    assert info.dataset == subject.dataset
    assert info.family == subject.family
    assert info == source.describe(subject.dataset)
    if info.estimated_records is not None:
        assert 0 <= info.estimated_records <= 10 * len(subject.records)
    if info.unique_id is not None:
        assert len({str(each) for each in subject.ids}) == len(subject.ids)


def test_a_dataset_made_anew_has_another_identity(source: Source, subject: SourceSubject) -> None:
    if subject.replace is None:
        pytest.skip("its datasets cannot be replaced")
    before = source.describe(subject.dataset).identity
    subject.replace()
    assert source.describe(subject.dataset).identity != before


def test_a_dataset_that_does_not_exist(source: Source, subject: SourceSubject) -> None:
    with pytest.raises(SchemaError) as raised:
        source.describe("nothing_of_this_name")
    assert raised.value.advice
    with pytest.raises(SchemaError):
        list(source.partitions("nothing_of_this_name", partition_bytes=1000))


@pytest.mark.parametrize("size", [1, 700, 10**9])
def test_partitions_cover_every_record_once(source: Source, subject: SourceSubject, size: int) -> None:
    planned = partitions(source, subject, size)
    assert [each.ordinal for each in planned] == list(range(len(planned)))
    assert partitions(source, subject, size) == planned
    ids: list[bytes] = []
    rejected = 0
    for partition in planned:
        for page in source.read(partition, None, page_bytes=10**6):
            ids += [canonical(record.id) for record in page.records]
            rejected += len(page.rejected)
    assert sorted(ids) == sorted(canonical(each) for each in subject.ids)
    assert rejected == subject.undecodable


def test_records_come_exactly_as_they_are(source: Source, subject: SourceSubject) -> None:
    found = {canonical(each.id): each.fields for page in pages(source, subject) for each in page.records}
    for record_id, record in zip(subject.ids, subject.records, strict=True):
        fields = found[canonical(record_id)]
        assert identical(fields, record, ordered=True), (fields, record)
        for _, value in subjects.paths(fields):
            type_name(value)  # raises for what is outside the union


def test_what_cannot_be_said_exactly_is_rejected_with_its_reason(
    source: Source, subject: SourceSubject
) -> None:
    if not subject.undecodable:
        pytest.skip("cannot hold such a record")
    rejected = [each for page in pages(source, subject) for each in page.rejected]
    assert len(rejected) == subject.undecodable
    for each in rejected:
        assert each.reason
        assert each.fix
        assert each.raw or each.original is not None


@pytest.mark.parametrize("size", [1, 300, 10**9])
def test_pages_hold_about_what_was_asked_for(source: Source, subject: SourceSubject, size: int) -> None:
    (whole,) = partitions(source, subject, 10**9)
    found = list(source.read(whole, None, page_bytes=size))
    assert all(page.records or page.rejected for page in found)
    largest = max(len(dumps(each)) for each in subject.records)
    assert all(page.bytes_read <= size + 3 * largest for page in found)
    assert all(page.bytes_read > 0 for page in found)
    if size == 1:
        assert len(found) == len(subject.records) + subject.undecodable
    if size == 10**9:
        assert len(found) == 1


def test_law_2_reading_again_from_a_cursor_gives_the_same_pages(
    source: Source, subject: SourceSubject
) -> None:
    for partition in partitions(source, subject, 3000):
        read = list(source.read(partition, None, page_bytes=200))
        again = list(source.read(partition, None, page_bytes=200))
        assert len(read) == len(again)
        assert all(same(one, other) for one, other in zip(read, again, strict=True))
        for place, page in enumerate(read):
            rest = list(source.read(partition, page.cursor, page_bytes=200))
            assert len(rest) == len(read) - place - 1
            assert all(same(one, other) for one, other in zip(read[place + 1 :], rest, strict=True))


def test_a_cursor_holds_for_pages_of_another_size(source: Source, subject: SourceSubject) -> None:
    (whole,) = partitions(source, subject, 10**9)
    first = next(iter(source.read(whole, None, page_bytes=500)))
    rest = [each for page in source.read(whole, first.cursor, page_bytes=50) for each in page.records]
    assert len(first.records) + len(rest) == len(subject.records)


def test_partitions_and_cursors_survive_a_checkpoint(source: Source, subject: SourceSubject) -> None:
    for partition in partitions(source, subject, 3000):
        stored = replace(partition, bounds=json.loads(json.dumps(partition.bounds)))
        for page in source.read(partition, None, page_bytes=500):
            cursor = json.loads(json.dumps(page.cursor))
            other = subject.connector.source()
            rest = sum(len(each.records) for each in other.read(stored, cursor, page_bytes=10**6))
            assert rest == sum(
                len(each.records) for each in source.read(partition, page.cursor, page_bytes=10**6)
            )
            other.close()


def test_a_connector_goes_to_other_processes(subject: SourceSubject) -> None:
    opened = pickle.loads(pickle.dumps(subject.connector)).source()
    assert sum(len(page.records) for page in pages(opened, subject)) == len(subject.records)
    opened.close()


def test_fetch_gives_those_that_exist(source: Source, subject: SourceSubject) -> None:
    wanted = [subject.ids[place] for place in (3, 0, len(subject.ids) - 1)]
    found = {
        canonical(each.id): each.fields
        for each in source.fetch(subject.dataset, [*wanted, _unknown(subject)])
    }
    assert set(found) == {canonical(each) for each in wanted}
    for place in (3, 0, len(subject.ids) - 1):
        assert identical(found[canonical(subject.ids[place])], subject.records[place], ordered=True)
    assert list(source.fetch(subject.dataset, [])) == []


def test_fetch_finds_every_record_by_the_id_that_read_gave(source: Source, subject: SourceSubject) -> None:
    read = [each for page in pages(source, subject) for each in page.records]
    found = {
        canonical(each.id): each.fields for each in source.fetch(subject.dataset, [each.id for each in read])
    }
    assert len(found) == len(read)
    assert all(identical(found[canonical(each.id)], each.fields, ordered=True) for each in read)


def _unknown(subject: SourceSubject) -> Any:
    return 10**8


def test_reading_changes_nothing(source: Source, subject: SourceSubject) -> None:
    before = subject.fingerprint()
    pages(source, subject)
    list(source.fetch(subject.dataset, subject.ids))
    source.check()
    assert subject.fingerprint() == before


def test_law_10_a_read_that_is_open_holds_up_no_writer(source: Source, subject: SourceSubject) -> None:
    if subject.write is None:
        pytest.skip("nobody writes there")
    (whole,) = partitions(source, subject, 10**9)
    reading = source.read(whole, None, page_bytes=1)
    next(reading)
    subject.write()
    assert len(list(reading)) >= len(subject.records) - 2


def test_law_10_a_limit_is_kept(source: Source, subject: SourceSubject) -> None:
    total = sum(page.bytes_read for page in pages(source, subject))
    source.limit(total / 0.5)
    started = time.monotonic()
    assert sum(page.bytes_read for page in pages(source, subject)) == total
    assert time.monotonic() - started >= 0.25
    source.limit(None)


def test_two_sources_read_beside_each_other(subject: SourceSubject) -> None:
    one, other = subject.connector.source(), subject.connector.source()
    (whole,) = list(one.partitions(subject.dataset, partition_bytes=10**9))
    readings = [each.read(whole, None, page_bytes=100) for each in (one, other)]
    assert all(same(a, b) for a, b in zip(*readings, strict=True))
    one.close()
    other.close()


def sampled(source: Source, subject: SourceSubject, count: int) -> tuple[list[bytes], int, bool]:
    sample = source.sample(subject.dataset, count)
    assert sample.bias
    read = list(sample.pages)
    fields = [canonical(each.fields) for page in read for each in page.records]
    return fields, sum(len(page.rejected) for page in read), sample.whole


def test_a_sample_that_may_hold_all_is_all(source: Source, subject: SourceSubject) -> None:
    fields, rejected, whole = sampled(source, subject, len(subject.records) + subject.undecodable)
    assert whole
    assert sorted(fields) == sorted(canonical(each) for each in subject.records)
    assert rejected == subject.undecodable


@pytest.mark.parametrize("count", [1, 20])
def test_a_smaller_sample_says_that_it_is_one(source: Source, subject: SourceSubject, count: int) -> None:
    fields, rejected, whole = sampled(source, subject, count)
    assert not whole
    assert 1 <= len(fields) + rejected <= 3 * count
    known = {canonical(each) for each in subject.records}
    assert set(fields) <= known
    assert len(set(fields)) == len(fields), "no record twice"


def test_a_sample_of_nothing(source: Source, subject: SourceSubject) -> None:
    with pytest.raises(SchemaError):
        list(source.sample("nothing_of_this_name", 10).pages)


def test_the_inventory(source: Source, subject: SourceSubject) -> None:
    found = source.inventory(subject.dataset)
    assert found.dataset == subject.dataset
    assert found.form
    json.dumps(found.as_json())
    assert all(each.name and each.keys for each in found.indexes)
    if subject.family == "bson":
        assert [(each.keys, each.unique) for each in found.indexes] == [((("_id", "ascending"),), True)]
    with pytest.raises(SchemaError):
        source.inventory("nothing_of_this_name")
