"""`greylag quarantine retry`, interrupted wherever that hurts, and what it may not do."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from greylag.config import Project, load
from greylag.connectors.memory import MemorySource, MemoryWriter, change, items, put
from greylag.engine.quarantine import Quarantine
from greylag.operations import quarantine as operation
from greylag.state.locks import is_running, run_lock
from greylag.state.store import Store
from tests.command import Command
from tests.inline import Inline

PROJECT = """
project: test
connections:
  a: {kind: memory, path: source.sqlite, family: bson}
  b: {kind: memory, path: target.sqlite}
services:
  s:
    flows:
      things:
        from: a.things
        to: b.things
        key: {pk: "{n}"}
"""


class Killed(BaseException):
    """Where the process would have ended."""


@pytest.fixture
def greylag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Loaded: of records 0 to 9, those with an odd number stand in quarantine; 1, 3 and 5 have been mended since."""
    monkeypatch.chdir(tmp_path)
    command = Command(tmp_path)
    command.write(PROJECT)
    documents: list[Any] = [{"_id": n, "other" if n % 2 else "n": n} for n in range(10)]
    put(tmp_path / "source.sqlite", "things", documents, family="bson")
    command("run", expect=10)
    for n in (1, 3, 5):
        change(tmp_path / "source.sqlite", "things", n, {"_id": n, "n": n})
    return command


def retry() -> operation.Retried:
    (retried,) = operation.retry(load(Path("greylag.yaml")), only=(), executor=Inline())
    return retried


def waiting(command: Command) -> list[int]:
    return sorted(each["key"] for each in command.json("quarantine", "list")["records"])


def quarantined(folder: Path) -> int:
    with Store(folder / ".greylag" / "state.sqlite", read_only=True) as store:
        return sum(each.records_quarantined for each in store.progress())


def kill_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: int = 0) -> None:
    """`retry` ends as if killed at the call of `name` that follows `after` others."""
    calls = [0]
    true = getattr(owner, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] > after:
            raise Killed
        return true(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, dying)
        with pytest.raises(Killed):
            retry()


@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (operation, "line", 0),
        (Store, "commit_retry", 0),
        (Quarantine, "settle", 1),
        (Store, "retry_settled", 1),
    ],
)
def test_killed_once_and_again_half_way_nothing_leaves_quarantine_that_was_not_carried(
    greylag: Command, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: int
) -> None:
    kill_at(monkeypatch, owner, name, after=after)
    kill_at(monkeypatch, operation, "line", after=0)
    kill_at(monkeypatch, operation, "line", after=1)
    assert retry().remaining == 2
    assert waiting(greylag) == [7, 9]
    assert quarantined(greylag.folder) == 2
    assert {item["pk"] for item in items(greylag.folder / "target.sqlite", "things")} == set(range(10)) - {
        7,
        9,
    }


def test_a_line_that_a_kill_cut_off_is_no_trouble(greylag: Command) -> None:
    with (greylag.folder / ".greylag" / "quarantine" / "things.jsonl").open("ab") as file:
        file.write(b'{"flow":"things","key":{"$o')
    assert waiting(greylag) == [1, 3, 5, 7, 9]
    greylag("quarantine", "show", "things", "77", expect=3)
    assert retry().remaining == 2


def test_a_table_made_anew_does_not_get_the_few_records_of_a_quarantine(greylag: Command) -> None:
    with closing(sqlite3.connect(greylag.folder / "target.sqlite")) as db, db:
        db.execute("UPDATE tables SET serial = serial + 100")
    refused = greylag("quarantine", "retry", expect=7)
    assert "made anew" in refused.stderr
    assert items(greylag.folder / "target.sqlite", "things") == []
    assert waiting(greylag) == [1, 3, 5, 7, 9]


def test_large_records_are_taken_a_few_at_a_time() -> None:
    together = list(operation._together(iter([b"x" * 3 * 2**20] * 5 + [b"y\n"] * 1200)))
    assert [len(group) for group in together] == [1, 1, 1, 1, 500, 500, 201]


def test_a_retry_keeps_to_the_stated_rates(greylag: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[float | None] = []
    monkeypatch.setattr(Project, "read_bytes_per_second", lambda *_: 1000.0)
    monkeypatch.setattr(Project, "write_units_per_second", lambda *_: 500.0)
    monkeypatch.setattr(MemorySource, "limit", lambda _, rate: kept.append(rate))
    monkeypatch.setattr(MemoryWriter, "limit", lambda _, rate: kept.append(rate))
    assert retry().carried == 3
    assert kept[-2:] == [1000.0, 500.0]
    assert greylag.folder.exists()


def test_looking_whether_a_run_goes_on_keeps_none_from_beginning(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        pass
    child = os.fork()
    if not child:
        while True:  # another process that looks as often as it can
            is_running(tmp_path)
    try:
        for _ in range(300):
            with run_lock(tmp_path):
                assert json.loads((tmp_path / "run.lock").read_text()) == os.getpid()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
