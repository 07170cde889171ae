"""Counting different values, and quantiles: bounded, and the same however they are divided."""

from __future__ import annotations

import hashlib
import random

import pytest

from greylag.engine.profiling.distinct import KEPT, Distinct
from greylag.engine.profiling.quantiles import Quantiles


def hashes(numbers: range) -> list[bytes]:
    return [hashlib.blake2b(b"%d" % each, digest_size=8).digest() for each in numbers]


def test_few_are_counted_exactly() -> None:
    distinct = Distinct()
    distinct.add(hashes(range(KEPT)))
    distinct.add(hashes(range(KEPT)))
    assert distinct.count == KEPT


@pytest.mark.parametrize("many", [1000, 20_000, 200_000])
def test_many_are_estimated(many: int) -> None:
    distinct = Distinct()
    for start in range(0, many, 1000):
        distinct.add(hashes(range(start, start + 1000)))
    assert distinct.count == pytest.approx(many, rel=0.15)


def test_parts_together_count_as_the_whole() -> None:
    whole, parts = Distinct(), [Distinct() for _ in range(3)]
    whole.add(hashes(range(5000)))
    for number, each in enumerate(parts):
        each.add(hashes(range(number * 1000, number * 1000 + 3000)))
    for order in ((0, 1, 2), (2, 0, 1)):
        together = Distinct()
        for number in order:
            together.merge(parts[number])
        assert together.count == whole.count


def test_quantiles_are_within_a_hundredth() -> None:
    chance = random.Random(3)
    sizes = [int(chance.lognormvariate(7, 1.5)) for _ in range(20_000)]
    halves = [Quantiles(), Quantiles()]
    halves[0].add(sizes[:5000])
    halves[1].add(sizes[5000:])
    halves[0].merge(halves[1])
    found = halves[0]
    ordered = sorted(sizes)
    assert (found.count, found.total, found.largest) == (len(sizes), sum(sizes), max(sizes))
    for share in (0.5, 0.99):
        exact = ordered[int(share * len(sizes)) - 1]
        assert found.at(share) == pytest.approx(exact, rel=0.01, abs=1)
    assert found.at(1.0) == pytest.approx(max(sizes), rel=0.01)


def test_quantiles_of_small_sizes_are_exact() -> None:
    found = Quantiles()
    found.add([0, 1, 2, 3, 99])
    assert [found.at(0.2), found.at(0.5), found.at(1.0)] == [0, 2, 99]
    assert Quantiles().at(0.5) == 0
