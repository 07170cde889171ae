"""`greylag verify` and `greylag repair` as a user calls them, over the memory connector and real processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from greylag.connectors import memory
from greylag.state.locks import run_lock
from tests.command import Command
from tests.unit.engine.test_verify import tamper

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
project: shop
connections:
  here: {kind: memory, path: data}
  there: {kind: memory, path: target}
services:
  people:
    flows:
      users:
        from: here.users
        to: there.users
        key: {userId: "{id}"}
  sales:
    flows:
      orders:
        from: here.orders
        to: there.orders
        key: {orderId: "{@row}"}
"""


# counted in each table: two workers write both at once, so places interleave as they happen to
EVERY_TENTH = """
SELECT place FROM (SELECT place, row_number() OVER (PARTITION BY in_table ORDER BY place) AS n FROM items)
WHERE n % 10 = 0
"""


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    memory.put(tmp_path / "data", "users", [{"id": f"u{number}", "n": number} for number in range(300)])
    memory.put(tmp_path / "data", "orders", [{"total": number} for number in range(100)])
    command = Command(tmp_path)
    command.write(PROJECT)
    command("run")
    return command


def test_verify_repair_verify(greylag: Command, tmp_path: Path) -> None:
    assert "400 items verified" in greylag("verify").stdout
    tamper(tmp_path / "target", f"DELETE FROM items WHERE place IN ({EVERY_TENTH})")
    report = tmp_path / "report.json"
    found = greylag.json("verify", "--report", str(report), expect=11)
    assert json.loads(report.read_text()) == found
    assert found["mismatches"] == 40
    assert {each["flow"]: each["missing"] for each in found["flows"]} == {"users": 30, "orders": 10}
    lines = (tmp_path / ".greylag" / "verify" / "last" / "mismatches.jsonl").read_text().splitlines()
    assert len(lines) == 40
    assert greylag.json("verify", "--only", "sales", expect=11)["mismatches"] == 10
    done = greylag.json("repair")
    assert {each["flow"]: each["missing"] for each in done["flows"]} == {"users": 30, "orders": 10}
    assert greylag.json("verify")["mismatches"] == 0
    assert len(memory.items(tmp_path / "target", "users")) == 300


def test_a_repair_is_no_run_that_goes_on(greylag: Command, tmp_path: Path) -> None:
    assert greylag.json("repair")["before"]["notes"] == []
    with run_lock(tmp_path / ".greylag"):
        assert "a run was going on" in greylag.json("verify")["notes"][0]


def test_sample(greylag: Command, tmp_path: Path) -> None:
    found = greylag.json("verify", "--sample", "20")
    assert [each["records"] for each in found["flows"]] == [20, 20]
    assert "extra" in found["not_looked_for"]
    tamper(tmp_path / "target", "DELETE FROM items")
    assert "not as the source says" in greylag("verify", "--sample", "20", expect=11).stderr


def test_extra_items_stay_without_the_word(greylag: Command, tmp_path: Path) -> None:
    memory.change(tmp_path / "data", "users", 5, None)
    assert "--delete-extra" in greylag("repair", expect=11).stderr
    assert len(memory.items(tmp_path / "target", "users")) == 300
    assert greylag("repair", "--delete-extra").returncode == 0
    assert len(memory.items(tmp_path / "target", "users")) == 299


def test_rounds_tell_what_lasts_and_for_how_long(greylag: Command, tmp_path: Path) -> None:
    memory.change(tmp_path / "data", "users", 5, None)
    first, second = greylag.json("verify", "--follow", "--rounds", "2", expect=11)["rounds"]
    assert (first["number"], first["verified"], first["lasting"]) == (1, 399, 1)
    assert second["oldest_seconds"] >= first["seconds"]
    greylag("repair", "--delete-extra")
    assert "nothing differs" in greylag("verify", "--follow", "--rounds", "1").stdout
