"""The parts of a survey that forget: what they keep is still right."""

from __future__ import annotations

import random
from collections import Counter

from greylag.engine.survey.heavy import KEPT, HeavyHitters
from greylag.engine.survey.refusals import EXAMPLES, GROUPS, Refusals


def test_few_keys_are_weighed_exactly() -> None:
    heavy = HeavyHitters[str]()
    heavy.add([("a", 5), ("b", 7), ("a", 4)])
    assert [(each.key, each.at_least, each.at_most) for each in heavy.heaviest(2)] == [
        ("a", 9, 9),
        ("b", 7, 7),
    ]
    assert heavy.total == 16


def test_of_many_keys_the_heaviest_are_known_within_the_bound() -> None:
    chance = random.Random(1)
    parts = [HeavyHitters[int]() for _ in range(3)]
    exact: Counter[int] = Counter()
    keys = [*range(1_000_000, 1_060_000), *[7] * 5_000, *[8] * 2_000]
    chance.shuffle(keys)
    for key in keys:
        parts[key % 3].add([(key, 1)])
        exact[key] += 1
    heavy = parts[0]
    for part in parts[1:]:
        heavy.merge(part)
    first, second = heavy.heaviest(2)
    assert (first.key, second.key) == (7, 8)
    for each in heavy.heaviest(100):
        assert each.at_least <= exact[each.key] <= each.at_most
        assert each.at_most - each.at_least <= heavy.total / KEPT
    assert heavy.total == len(keys)


def test_refusals_alike_but_for_their_values_are_one_group() -> None:
    refusals, other = Refusals(), Refusals()
    for number in range(10):
        refusals.add("oversize", f"the item has {410_000 + number:,} bytes", "split it", number)
    other.add("oversize", "the item has 500,000 bytes", "split it", 10)
    other.add("", "a: a NaN", "mend it", 11)
    refusals.merge(other)
    large, unfit = refusals.groups()
    assert (large.kind, large.records, len(large.examples)) == ("oversize", 11, EXAMPLES)
    assert (unfit.kind, unfit.records) == ("unfit-value", 1)
    assert refusals.records == 12


def test_the_number_of_groups_is_bounded() -> None:
    refusals = Refusals()
    for number in range(3 * GROUPS):
        refusals.add("unfit-value", "x" * (number + 1), "", number)
    groups = refusals.groups()
    assert len(groups) == GROUPS + 1
    assert (groups[0].kind, groups[0].records) == ("other", 2 * GROUPS)
