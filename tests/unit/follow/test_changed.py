"""What apply notes for who verifies: whole windows before they are written, within a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from greylag.core.change import RawChange
from greylag.core.extended_json import dumps
from greylag.core.records import Encoded, Erased, Record
from greylag.engine.follow.changed import ChangedLog, ChangedParts, TooMuchError, Touched
from greylag.engine.follow.index import Written
from greylag.engine.follow.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class _Flow:
    flow, place = "things", "b.things"

    def __init__(self, *, indexed: bool = False, finds: bool = True) -> None:
        self.indexed, self.finds = indexed, finds

    def known(self, id_: bytes) -> Record:
        return Record(int(id_) if self.finds else None, {})

    def keys(self, change: RawChange) -> list[Erased]:
        return [Erased(change.id, dumps({"pk": int(change.id)}).encode())]


def log(folder: Path, flow: _Flow, *, most_bytes: int = 1 << 20) -> ChangedLog:
    def key(body: bytes) -> Any:
        return {"pk": body}

    carriers: Mapping[str, Any] = {"things": [flow]}
    return ChangedLog(folder, carriers, {"things": key}, most_bytes=most_bytes)


def window(*ids: int, gone: bool = False) -> Window:
    made = Window(0, 1)
    for each in ids:
        name = str(each).encode()
        made.latest["things", name] = RawChange("things", name, None if gone else b"{}", 0)
    return made


def told(parts: ChangedParts, part: int) -> list[Touched]:
    return [each for _, each in parts.read(part)]


def test_a_part_has_what_was_written_since_it_was_asked_for(tmp_path: Path) -> None:
    parts, noting = ChangedParts(tmp_path / "changed"), log(tmp_path / "changed", _Flow())
    noting.note(window(1), [])
    parts.ask(1)
    noting.note(window(2), [])
    noting.note(window(3, gone=True), [])
    parts.ask(2)
    noting.note(window(4), [])
    key = cast("Any", {"pk": b'{"pk":3}'})
    assert [each.id for each in told(parts, 1) if each.what == "record"] == [2, 3]
    assert [(each.what, each.key) for each in told(parts, 1)][-1] == ("erased", key)
    assert [each.id for each in told(parts, 2)][:1] == [4]
    parts.end()
    noting.note(window(5), [])
    assert not list((tmp_path / "changed").iterdir())


def test_keys_of_indexed_flows_are_those_that_the_index_says(tmp_path: Path) -> None:
    parts, noting = ChangedParts(tmp_path / "changed"), log(tmp_path / "changed", _Flow(indexed=True))
    parts.ask(1)
    writes = [
        Written("b.things", Encoded(b"a", b"a", 1), "things", b"1"),
        Written("b.things", Erased(b"b", b"b"), "", b""),
    ]
    noting.note(window(1), writes)
    assert [(each.what, each.flow) for each in told(parts, 1)] == [
        ("record", "things"),
        ("put", "things"),
        ("erased", "things"),
    ]


@pytest.mark.parametrize("why", ["more had changed", "finds no record"])
def test_what_cannot_be_noted_is_said(tmp_path: Path, why: str) -> None:
    parts = ChangedParts(tmp_path / "changed")
    noting = log(tmp_path / "changed", _Flow(finds=why.startswith("more")), most_bytes=100)
    parts.ask(1)
    for number in range(10):
        noting.note(window(number), [])
    with pytest.raises(TooMuchError, match=why):
        told(parts, 1)
    assert (tmp_path / "changed" / "1.jsonl").stat().st_size < 200
    parts.ask(2)
    assert told(parts, 2) == []


def test_a_row_that_a_kill_cut_off_spoils_none_of_those_that_follow(tmp_path: Path) -> None:
    parts = ChangedParts(tmp_path / "changed")
    parts.ask(1)
    log(tmp_path / "changed", _Flow()).note(window(1, 2), [])
    path = tmp_path / "changed" / "1.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    log(tmp_path / "changed", _Flow()).note(window(1, 2), [])
    assert [each.id for each in told(parts, 1) if each.what == "record"] == [1, 2, 1, 2]
