"""What a way back keeps is forgotten whole, or again after an interruption."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from greylag.engine.follow.applied import Applied
from greylag.errors import PositionLost, StateError
from greylag.operations.reverse.beginning import (
    COMPARE,
    COMPARE_LATER,
    begin_anew,
    begun,
    refuse_lost,
    unbegun,
)
from greylag.state import directions, drained
from greylag.state.fences import FencedService, Fences

if TYPE_CHECKING:
    from pathlib import Path


def test_until_it_has_begun_it_begins_anew(tmp_path: Path) -> None:
    spool = tmp_path / "spool" / "mongo"
    spool.mkdir(parents=True)
    (spool / "0.seg").write_bytes(b"")
    (tmp_path / "run.lock").write_bytes(b"1")
    (tmp_path / "flows.json").write_bytes(b"{}")
    begin_anew(tmp_path, compare=True)
    assert unbegun(tmp_path) == COMPARE_LATER  # what was sent before, nothing tells any more
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.lock", "unbegun"]
    refuse_lost(tmp_path)
    begun(tmp_path)
    assert unbegun(tmp_path) is None
    with pytest.raises(PositionLost, match="gone"):
        refuse_lost(tmp_path)


@pytest.mark.parametrize(
    ("left", "how"), [("nothing", COMPARE), ("an intent", COMPARE_LATER), ("a held key", COMPARE_LATER)]
)
def test_a_comparison_waits_where_something_may_still_land(tmp_path: Path, left: str, how: str) -> None:
    with closing(Applied(tmp_path / "apply" / "new.sqlite")) as applied, applied.transaction():
        if left == "an intent":
            applied.note("intent", 7)
        elif left == "a held key":
            applied.hold([("old.things", b"n1;")])
    begin_anew(tmp_path, compare=True)
    assert unbegun(tmp_path) == how
    begin_anew(tmp_path, compare=True)
    assert unbegun(tmp_path) == COMPARE_LATER, "a comparison may have been under way"


def test_a_first_comparison_waits_for_nothing(tmp_path: Path) -> None:
    begin_anew(tmp_path, compare=False)
    assert unbegun(tmp_path) == ""
    begin_anew(tmp_path, compare=True)
    assert unbegun(tmp_path) == COMPARE


def test_directions_are_told_until_they_change(tmp_path: Path) -> None:
    directions.note(tmp_path, ["a", "b"], directions.BACK)
    directions.note(tmp_path, ["b"], directions.ENDED)
    assert directions.carried_back(tmp_path) == {"a"}
    directions.refuse_back(tmp_path, ["b", "c"])
    with pytest.raises(StateError, match="flow a is carried back"):
        directions.refuse_back(tmp_path, ["a", "c"])
    directions.note(tmp_path, ["a", "b"], None)
    assert directions.load(tmp_path) == {}
    (tmp_path / "directions.json").write_text("{")
    with pytest.raises(StateError, match="do not delete"):
        directions.load(tmp_path)


def test_a_drain_tells_which_fences_stood_when_it_began(tmp_path: Path) -> None:
    services = [
        FencedService("s", "source", "fenced", {"mongo": 5}),
        FencedService("t", "source", "fencing"),
        FencedService("u", "target", "fenced", {"dynamo": 6}),
    ]
    drained.note(tmp_path, ["a", "b"], Fences(services))
    assert drained.load(tmp_path) == {key: {"s": {"mongo": 5}} for key in ("a", "b")}
    drained.forget(tmp_path, ["a"])
    assert list(drained.load(tmp_path)) == ["b"]
