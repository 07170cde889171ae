"""Which flows of one dataset could not be carried back together, and which rest while one of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.json.connector import JsonConnector
from greylag.connectors.memory import MemoryConnector
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.ports import DatasetInfo, TableInfo
from greylag.engine.route import Route
from greylag.errors import StateError
from greylag.operations.rivals import refuse_resting, resting, rival_losses
from greylag.state import directions

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.ports import Connector

A, NOT_A = {"kind": "a"}, {"kind": {"ne": "a"}}


def flow(name: str, dataset: str = "things", key: str = "{_id}", **more: Any) -> FlowSpec:
    table = TableSpec(DatasetRef("new", name), ("pk",))
    return FlowSpec(name, "s", DatasetRef("old", dataset), table, {"pk": key}, **more)


def losses(folder: Path, *flows: FlowSpec, json: bool = False) -> list[list[str]]:
    source: Connector = JsonConnector("old", folder) if json else MemoryConnector("old", folder / "old")
    info = DatasetInfo("things", "", "json", 0, 0, None, resumable_changes=True)
    routes = [
        Route(each, source, source, info, TableInfo(each.name, "", ("pk",), {}, {}, 0)) for each in flows
    ]
    return [[loss.kind for loss in rival_losses(route, routes)] for route in routes]


def test_flows_that_carry_the_same_records_cannot_go_back_together(tmp_path: Path) -> None:
    assert losses(tmp_path, flow("one"), flow("two"), flow("three", "others")) == [
        ["shared-records"],
        ["shared-records"],
        [],
    ]
    assert losses(tmp_path, flow("one", where=A), flow("two", where=NOT_A)) == [[], []]
    assert losses(tmp_path, flow("one", where=A), flow("two", where={"b": 1})) == [["shared-records"]] * 2


def test_in_a_file_their_keys_are_made_of_the_same_fields(tmp_path: Path) -> None:
    one, two = flow("one", key="A#{id}", where=A), flow("two", key="B#{id}", where=NOT_A)
    assert losses(tmp_path, one, two, json=True) == [[], []]
    assert losses(tmp_path, one, flow("two", key="{name}", where=NOT_A), json=True) == [["shared-file"]] * 2
    assert losses(tmp_path, one, flow("two", key="{@row}", where=NOT_A), json=True) == [["shared-file"]] * 2


def test_while_one_goes_back_the_others_rest(tmp_path: Path) -> None:
    flows = [flow("one"), flow("two"), flow("three", "others")]
    assert resting(tmp_path, flows) == {}
    directions.note(tmp_path, ["one"], directions.BACK)
    assert resting(tmp_path, flows) == {"two": "one"}
    refuse_resting(tmp_path, flows, ["one", "three"])
    with pytest.raises(StateError, match="flow one, of the same records, is carried back"):
        refuse_resting(tmp_path, flows, ["two"])
    directions.note(tmp_path, ["one"], directions.ENDED)
    assert resting(tmp_path, flows) == {}
