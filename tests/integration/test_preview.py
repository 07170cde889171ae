"""`greylag preview`: records beside their items, and those that can have none with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.command import Command

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
project: previewed
connections:
  files: {kind: json, path: data}
  local: {kind: memory, path: items.sqlite, create_tables: true}
services:
  s: {flows: {things: {from: files.things, to: local.things, where: {n: {ne: 3}}, key: {PK: "THING#{id}"}}}}
"""
LINES = """\
{"id": "a", "n": 1}
{"id": "b", "id": "c", "n": 2}
{"id": "d", "n": 3}
{"n": 4}
"""


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    command.write(PROJECT)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "things.jsonl").write_text(LINES)
    return command


def test_every_record_is_shown_with_its_items_or_the_reason_why_it_has_none(greylag: Command) -> None:
    shown = {each["id"]: each for each in greylag.json("preview", "things")}
    assert sorted(shown) == [0, 1, 2, 3]
    assert shown[0]["items"] == [{"PK": "THING#a", "id": "a", "n": 1}]
    assert "id" in shown[1]["refused"]
    assert shown[1]["fix"]
    assert not shown[1]["items"]
    assert shown[2]["refused"] is None
    assert not shown[2]["items"]
    assert "PK" in shown[3]["refused"]
    text = greylag("preview", "things").stdout
    assert text.count("would be quarantined") == 2
    assert "left out by `where`" in text


def test_one_record_is_found_by_its_id(greylag: Command) -> None:
    [shown] = greylag.json("preview", "things", "--key", "0")
    assert shown["record"] == {"id": "a", "n": 1}
    assert "no record with the id 9" in greylag("preview", "things", "--key", "9", expect=3).stderr
