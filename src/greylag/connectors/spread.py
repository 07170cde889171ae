"""A share of the records of pages, at even distances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeVar

    from greylag.core.records import Page

    Each = TypeVar("Each")


def spread(pages: Iterable[Page], share: float) -> Iterator[Page]:
    """The pages with about `share` (0 to 1) of their records and rejected records, the first one always among them.

    Records and rejected ones are chosen apart: a page does not say how they stand to each other.
    """
    owed = [1.0, 1.0]  # of records and of rejected ones; the first of each is due at once
    for page in pages:
        records, owed[0] = _chosen(page.records, share, owed[0])
        rejected, owed[1] = _chosen(page.rejected, share, owed[1])
        yield replace(page, records=records, rejected=rejected)


def _chosen(each: Sequence[Each], share: float, owed: float) -> tuple[list[Each], float]:
    """Those at which what is owed reaches one, and what is owed after the last."""
    chosen = []
    for one in each:
        if owed >= 1:
            chosen.append(one)
            owed -= 1
        owed += share
    return chosen, owed
