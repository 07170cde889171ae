"""The pipeline from pages to acknowledged pages, with a writer that acknowledges late."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greylag.core.ports import Delivery
from greylag.core.records import Encoded, Erased, Page, Record, Rejection
from greylag.engine.loader import PageLoaded, Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class LateWriter:
    """Acknowledges in order, but only once `ahead` more batches have been pulled. Refuses the items in `refuses`."""

    batch_items = 3
    late_write_seconds = 0.0

    def __init__(self, ahead: int, refuses: frozenset[bytes] = frozenset()) -> None:
        self.ahead = ahead
        self.refuses = refuses
        self.written: list[bytes] = []

    def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
        waiting: deque[Sequence[Encoded | Erased]] = deque()
        for batch in batches:
            assert len(batch) <= self.batch_items
            waiting.append(batch)
            if len(waiting) > self.ahead:
                yield self._deliver(waiting.popleft())
        while waiting:
            yield self._deliver(waiting.popleft())

    def _deliver(self, batch: Sequence[Encoded | Erased]) -> Delivery:
        refused = tuple((place, "no") for place, each in enumerate(batch) if each.key in self.refuses)
        kept = [each.key for each in batch if each.key not in self.refuses]
        self.written += kept
        return Delivery(len(kept), 10 * len(kept), float(len(kept)), 0, refused)

    def limit(self, units_per_second: float | None) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


def carry(page: Page) -> Iterator[tuple[Record, list[Encoded] | Rejection]]:
    """A record of {"items": n} becomes n items; one of {} is rejected."""
    for record in page.records:
        count = record.fields.get("items")
        if isinstance(count, int):
            yield record, [Encoded(f"{record.id!r}.{n}".encode(), b"", 10) for n in range(count)]
        else:
            yield record, Rejection(record.id, "no items", "", record.fields)


def pages_of(shape: list[list[int | None]]) -> list[Page]:
    pages = []
    number = 0
    for ordinal, counts in enumerate(shape):
        records = []
        for count in counts:
            records.append(Record(number, {} if count is None else {"items": count}))
            number += 1
        pages.append(Page(records, f"after page {ordinal}", 100))
    return pages


def run(writer: LateWriter, pages: list[Page], *, cut: bool = False) -> list[PageLoaded]:
    whole = [(page, True) for page in pages]
    if cut:
        whole[-1] = (whole[-1][0], False)
    return list(Pipeline(carry, writer, iter(whole)).run())


SHAPES = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 4)), max_size=8), max_size=8)


@given(shape=SHAPES, ahead=st.integers(0, 6))
def test_every_page_is_told_once_in_order_with_its_own_counts(
    shape: list[list[int | None]], ahead: int
) -> None:
    writer = LateWriter(ahead)
    loaded = run(writer, pages_of(shape))
    assert [each.cursor for each in loaded] == [f"after page {n}" for n in range(len(shape))]
    for page, counts in zip(loaded, shape, strict=True):
        assert page.counts.records_read == len(counts)
        assert page.counts.items_written == sum(count or 0 for count in counts)
        assert page.counts.records_quarantined == counts.count(None) == len(page.rejections)
        assert page.counts.records_filtered == counts.count(0)
    assert (
        len(writer.written)
        == len(set(writer.written))
        == sum(count or 0 for counts in shape for count in counts)
    )


@given(shape=SHAPES, ahead=st.integers(0, 6))
def test_a_page_is_told_only_after_its_last_item_is_acknowledged(
    shape: list[list[int | None]], ahead: int
) -> None:
    writer = LateWriter(ahead)
    due = 0
    pages = iter(shape)
    for _ in Pipeline(carry, writer, ((page, True) for page in pages_of(shape))).run():
        due += sum(count or 0 for count in next(pages))
        assert len(writer.written) >= due


def test_what_the_target_refuses_belongs_to_the_page_of_its_record() -> None:
    pages = pages_of([[3, 3], [3, 1]])
    first, second = run(LateWriter(2, frozenset({b"1.2", b"3.0"})), pages)
    assert [each.id for each in first.rejections] == [1]
    assert [each.id for each in second.rejections] == [3]
    assert second.rejections[0].original == {"items": 1}


def test_a_page_that_was_cut_short_has_no_cursor() -> None:
    first, second = run(LateWriter(1), pages_of([[1], [1]]), cut=True)
    assert first.cursor == "after page 0"
    assert second.cursor is None


def test_a_writer_that_ends_early_is_a_defect() -> None:
    class Forgetful(LateWriter):
        def write(self, batches: Iterable[Sequence[Encoded | Erased]]) -> Iterator[Delivery]:
            for _ in batches:
                pass
            yield from ()

    with pytest.raises(AssertionError, match="before it acknowledged"):
        run(Forgetful(0), pages_of([[1]]))
