"""An excerpt shows a bounded, stable part of every region of a dataset, and goes on from any of its cursors."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors import memory
from greylag.connectors.memory import MemoryConnector
from greylag.operations.rehearse.excerpt import SPREAD, ExcerptConnector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.ports import Source
    from greylag.core.records import Page

TOTAL = 2000


@pytest.fixture
def connector(tmp_path: Path) -> MemoryConnector:
    records: list[Any] = [{"n": number, "text": "x" * 50} for number in range(TOTAL)]
    records[3] = b"odd"
    memory.put(tmp_path / "data", "things", records)
    return MemoryConnector("here", tmp_path / "data")


def pages(source: Source, *, partition_bytes: int) -> Iterator[Page]:
    for partition in source.partitions("things", partition_bytes=partition_bytes):
        yield from source.read(partition, None, page_bytes=500)


def test_it_shows_what_was_asked_for_from_every_region(connector: MemoryConnector) -> None:
    with closing(ExcerptConnector(connector, 160).source()) as source:
        found = list(pages(source, partition_bytes=1))
    ids = [record.id for page in found for record in page.records]
    refused = [each.id for page in found for each in page.rejected]
    assert 160 <= len(ids) + len(refused) <= 160 + SPREAD
    assert refused == [3]
    assert len(set(map(str, ids))) == len(ids)
    assert any(isinstance(each, int) and each > TOTAL * 0.9 for each in ids)


def test_a_small_dataset_is_shown_whole(connector: MemoryConnector) -> None:
    with closing(ExcerptConnector(connector, 10 * TOTAL).source()) as source:
        found = list(pages(source, partition_bytes=5000))
    assert sum(len(page.records) + len(page.rejected) for page in found) == TOTAL


def test_reading_goes_on_from_any_cursor(connector: MemoryConnector) -> None:
    with closing(ExcerptConnector(connector, 100).source()) as source:
        [partition] = source.partitions("things", partition_bytes=10**9)
        whole = list(source.read(partition, None, page_bytes=500))
        for place, page in enumerate(whole):
            assert list(source.read(partition, page.cursor, page_bytes=500)) == whole[place + 1 :]


def test_it_is_another_dataset_than_the_whole(connector: MemoryConnector) -> None:
    with closing(ExcerptConnector(connector, 100).source()) as source, closing(connector.source()) as whole:
        assert source.describe("things").identity != whole.describe("things").identity
        assert source.describe("things").estimated_records == 100
