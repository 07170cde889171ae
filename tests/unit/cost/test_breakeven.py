"""Where lines cross, and how they are drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal

from greylag.cost.bill import Account
from greylag.cost.breakeven import crossings
from greylag.cost.chart import svg
from greylag.cost.prices import shipped
from greylag.operations.cost.compare import compare_presets, crossing_text


def test_a_line_that_overtakes_a_flat_one() -> None:
    assert crossings(lambda k: 2 * k, lambda _: Decimal(10)) == ((Decimal("5.00"), True),)
    assert crossings(lambda _: Decimal(10), lambda k: 2 * k) == ((Decimal("5.00"), False),)
    assert crossings(lambda k: k, lambda k: k + 1) == ()


def test_two_crossings_are_both_told() -> None:
    found = crossings(lambda k: (k - 1) * (k - 100), lambda _: Decimal(0))
    assert [(round(times), above) for times, above in found] == [(1, False), (100, True)]


def test_above_a_crossing_one_is_dearer_below_it_the_other() -> None:
    [small] = compare_presets(["dynamodb", "rds"], ["small"], shipped(), "none")
    assert small.crossings
    for each in small.crossings:
        dearer, cheaper = small.ways[each.dearer], small.ways[each.cheaper]
        after, before = each.times * Decimal("1.01"), each.times * Decimal("0.98")
        assert dearer(after).exact > cheaper(after).exact, crossing_text(each)
        assert dearer(before).exact <= cheaper(before).exact, crossing_text(each)


def test_at_which_use_provisioned_capacity_costs_less() -> None:
    [small] = compare_presets(["dynamodb"], ["small"], shipped(), "none")
    assert "above 28.9 %" in small.notes[0]
    account = Account(shipped(), "none")
    units = Decimal(3600) * Decimal("0.65") / Decimal("2.25")  # 28.9 % of an hour of one unit
    demanded = account.line("", "dynamodb", "write-request-unit", units).exact
    provisioned = account.line("", "dynamodb", "write-capacity-hour", 1).exact
    assert abs(demanded - provisioned) < Decimal("0.000001")


def test_a_chart_is_svg_with_a_line_for_each_way() -> None:
    drawn = svg("A < B", {"one": lambda k: k, "two & more": lambda _: Decimal(3)}, axis="times")
    root = ET.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}polyline")) == 2
    texts = [each.text for each in root.iter(f"{space}text")]
    assert {"A < B", "one", "two & more", "times"} <= set(texts)
    heights = [point.split(",")[1] for point in root.findall(f"{space}polyline")[1].attrib["points"].split()]
    assert len(set(heights)) == 1
