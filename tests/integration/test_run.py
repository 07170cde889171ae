"""`greylag run` as a user meets it, over the memory connector: what it says, saves, resumes and refuses."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from greylag.config import load
from greylag.connectors.memory import change, items, put
from greylag.core.values import ObjectId
from greylag.operations.run import RunOptions, run
from greylag.state.locks import run_lock
from greylag.state.store import Store
from tests.command import Command
from tests.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from greylag.core.values import Document

PROJECT = """
project: test
connections:
  a: {kind: memory, path: source.sqlite, family: bson}
  b: {kind: memory, path: target.sqlite}
services:
  first:
    flows:
      things:
        from: a.things
        to: b.things
        key: {pk: "K#{_id}"}
  second:
    flows:
      others:
        from: a.others
        to: b.others
        key: {pk: "{n}"}
"""
SMALL = ("--partition-bytes", "20000", "--page-bytes", "2000")


def things(count: int) -> Iterator[Document]:
    return ({"_id": ObjectId(n.to_bytes(12, "big")), "n": n, "text": "x" * 60} for n in range(count))


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    command = Command(tmp_path)
    command.write(PROJECT)
    put(tmp_path / "source.sqlite", "things", things(600), family="bson")
    put(tmp_path / "source.sqlite", "others", ({"_id": n, "n": n} for n in range(50)), family="bson")
    return command


def stored(command: Command, table: str) -> list[Document]:
    return items(command.folder / "target.sqlite", table)


def test_everything_arrives_and_the_report_says_so(greylag: Command) -> None:
    report = greylag.json("run", *SMALL)
    flows = {flow["flow"]: flow for flow in report["flows"]}
    assert (flows["things"]["records_read"], flows["things"]["items_written"]) == (600, 600)
    assert flows["things"]["stage"] == "loaded"
    assert flows["things"]["partitions_planned"] > 1
    assert {item["pk"] for item in stored(greylag, "things")} == {f"K#{n:024x}" for n in range(600)}
    assert {item["pk"] for item in stored(greylag, "others")} == set(range(50))
    assert not list((greylag.folder / ".greylag" / "quarantine").glob("*"))


def test_a_finished_run_says_so_and_changes_nothing(greylag: Command) -> None:
    greylag("run", *SMALL)
    before = stored(greylag, "things")
    change(greylag.folder / "source.sqlite", "things", 3, None)
    again = greylag("run", *SMALL)
    assert "Everything was loaded before; nothing was changed" in again.stdout
    assert stored(greylag, "things") == before


def test_only_one_service_or_flow(greylag: Command) -> None:
    assert [flow["flow"] for flow in greylag.json("run", "--only", "second")["flows"]] == ["others"]
    assert [flow["flow"] for flow in greylag.json("run", "--only", "things")["flows"]] == ["things"]
    wrong = greylag("run", "--only", "thing", expect=3)
    assert "things" in wrong.stderr


def test_a_dry_run_writes_nothing_anywhere(greylag: Command) -> None:
    report = greylag.json("run", "--dry-run")
    assert [flow["items_written"] for flow in report["flows"]] == [600, 50]
    assert stored(greylag, "things") == []
    assert not (greylag.folder / ".greylag").exists()


def test_a_dry_run_names_the_first_records_that_would_be_refused(greylag: Command) -> None:
    change(greylag.folder / "source.sqlite", "others", 40, {"_id": 40})
    report = greylag.json("run", "--dry-run", expect=10)
    assert [(each["flow"], each["key"]) for each in report["refused"]] == [("others", 40)]
    told = greylag("run", "--dry-run", expect=10)
    assert "others  40   key attribute `pk`" in told.stdout
    for row in range(10, 40):
        change(greylag.folder / "source.sqlite", "others", row, {"_id": row})
    assert "\nand 11 more" in greylag("run", "--dry-run", expect=10).stdout


def test_limit_carries_so_many_records_of_each_flow_and_a_run_without_it_the_rest(greylag: Command) -> None:
    report = greylag.json("run", "--limit", "7", *SMALL)
    assert [flow["records_read"] for flow in report["flows"]] == [7, 7]
    assert len(stored(greylag, "things")) == 7
    report = greylag.json("run", *SMALL)
    assert [flow["records_read"] for flow in report["flows"]] == [600, 50]
    assert len(stored(greylag, "things")) == 600


def test_restart_loads_again_from_the_start(greylag: Command) -> None:
    greylag("run", *SMALL)
    change(greylag.folder / "source.sqlite", "others", 3, {"_id": 3, "n": 3, "new": True})
    report = greylag.json("run", "--restart", *SMALL)
    assert report["flows"][0]["records_read"] == 600
    assert any(item.get("new") for item in stored(greylag, "others"))


def test_a_load_from_the_start_looks_for_shared_keys_again(greylag: Command) -> None:
    source = greylag.folder / "source.sqlite"
    change(source, "others", 9, {"_id": 9, "n": 8})
    greylag("run", *SMALL, expect=10)
    change(source, "others", 9, {"_id": 9, "n": 9})
    change(source, "others", 20, {"_id": 20, "n": 21})
    greylag("run", "--restart", *SMALL, expect=10)
    assert {each["key"] for each in greylag.json("quarantine", "list")["records"]} == {20, 21}
    (greylag.folder / ".greylag" / "state.sqlite").unlink()  # another way to begin anew
    change(source, "others", 20, {"_id": 20, "n": 20})
    greylag("run", *SMALL)
    assert {item["pk"] for item in stored(greylag, "others")} == set(range(50))


def test_restart_begins_anew_where_the_state_is_damaged_in_its_middle(greylag: Command) -> None:
    greylag("run", *SMALL)
    state = greylag.folder / ".greylag" / "state.sqlite"
    with closing(sqlite3.connect(state)) as db:
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'partitions'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    with state.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert "--restart" in greylag("run", *SMALL, expect=7).stderr
    assert greylag.json("run", "--restart", *SMALL)["flows"][0]["records_read"] == 600


def test_a_restart_killed_as_it_begins_leaves_quarantine_and_state_as_one(
    greylag: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(greylag.folder / "source.sqlite", "others", 5, {"_id": 5, "other": 1})
    greylag("run", *SMALL, expect=10)
    monkeypatch.chdir(greylag.folder)
    monkeypatch.setattr(Store, "begin", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(load(Path("greylag.yaml")), RunOptions(restart=True), executor=Inline(), observe=lambda _: None)
    assert greylag.json("run", *SMALL, expect=10)["records_quarantined"] == 1
    assert greylag.json("quarantine", "list")["total"] == 1


def test_a_record_that_cannot_be_carried_stands_in_quarantine_until_it_is_mended(greylag: Command) -> None:
    change(greylag.folder / "source.sqlite", "others", 5, {"_id": 5, "other": 1})
    change(greylag.folder / "source.sqlite", "others", 9, {"_id": 9, "n": 8})
    ended = greylag("run", *SMALL, expect=10)
    assert "3 records in quarantine" in ended.stderr
    lines = (greylag.folder / ".greylag/quarantine/others.jsonl").read_text().splitlines()
    assert {json.loads(line)["key"] for line in lines} == {5, 8, 9}
    shown = greylag.json("quarantine", "show", "others", "5")
    assert shown["original"] == {"_id": 5, "other": 1}
    assert shown["reason"]
    assert shown["fix"]
    assert "same key as record 9" in greylag.json("quarantine", "show", "others", "8")["reason"]
    change(greylag.folder / "source.sqlite", "others", 9, {"_id": 9, "n": 9})
    (retried,) = greylag.json("quarantine", "retry", expect=10)
    assert (retried["carried"], retried["remaining"]) == (2, 1)
    assert greylag.json("quarantine", "list")["total"] == 1
    change(greylag.folder / "source.sqlite", "others", 5, {"_id": 5, "n": 5})
    (retried,) = greylag.json("quarantine", "retry")
    assert (retried["carried"], retried["remaining"]) == (1, 0)
    assert {item["pk"] for item in stored(greylag, "others")} == set(range(50))
    assert greylag.json("run", *SMALL)["records_quarantined"] == 0


def test_a_changed_mapping_is_refused_with_the_way_on(greylag: Command) -> None:
    greylag("run", *SMALL)
    greylag.write(PROJECT.replace("K#", "L#"))
    refused = greylag("run", *SMALL, expect=7)
    assert "mapping" in refused.stderr
    assert "--restart" in refused.stderr
    assert len(stored(greylag, "things")) == 600


def test_a_retry_is_refused_where_rows_may_have_become_other_records(greylag: Command) -> None:
    path = greylag.folder / "things.json"
    path.write_text('[{"id": 1}, {"ID": 2}, {"id": 3}]')
    greylag.write(
        PROJECT.replace("{kind: memory, path: source.sqlite, family: bson}", "{kind: json, path: .}").replace(
            "K#{_id}", "{id}"
        )
    )
    greylag("run", "--only", "things", expect=10)
    path.write_text('[{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}]')
    refused = greylag("quarantine", "retry", "--only", "things", expect=7)
    assert "--restart" in refused.stderr
    assert greylag.json("quarantine", "list")["total"] == 1
    greylag("run", "--only", "things", "--restart")
    assert {item["pk"] for item in stored(greylag, "things")} == {0, 1, 2, 3}


def test_a_table_that_is_gone_is_not_made_by_a_run_that_is_refused(greylag: Command) -> None:
    greylag("run", *SMALL)
    with closing(sqlite3.connect(greylag.folder / "target.sqlite")) as db:
        db.execute("DELETE FROM tables WHERE name = 'things'")
        db.commit()
        refused = greylag("run", *SMALL, expect=7)
        assert "b.things is gone" in refused.stderr
        assert db.execute("SELECT name FROM tables").fetchall() == [("others",)]
    greylag("run", "--restart", *SMALL)
    assert len(stored(greylag, "things")) == 600


def test_a_table_made_anew_is_refused(greylag: Command) -> None:
    greylag("run", *SMALL)
    with closing(sqlite3.connect(greylag.folder / "target.sqlite")) as db, db:
        db.execute("UPDATE tables SET serial = serial + 100 WHERE name = 'things'")
    refused = greylag("run", *SMALL, expect=7)
    assert "made anew" in refused.stderr


def test_environments_keep_their_states_apart(greylag: Command) -> None:
    greylag.write(PROJECT + "environments: {prod: {connections: {b: {path: prod.sqlite}}}}\n")
    greylag("run", *SMALL)
    report = greylag.json("run", "--env", "prod", *SMALL)
    assert report["already_finished"] == []
    assert len(items(greylag.folder / "prod.sqlite", "things")) == 600
    assert greylag.json("status", "--env", "prod")["finished"]


def test_a_second_coordinator_is_refused(greylag: Command) -> None:
    with run_lock(greylag.folder / ".greylag"):
        refused = greylag("run", *SMALL, expect=7)
        assert f"process {os.getpid()}" in refused.stderr
    greylag("run", *SMALL)


def test_status_without_a_run_says_what_starts_one(greylag: Command) -> None:
    assert "greylag run" in greylag("status", expect=7).stderr


@pytest.mark.parametrize(("tell", "told"), [(os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)])
def test_an_interrupted_run_ends_with_130_and_the_next_one_goes_on(
    greylag: Command, tell: Callable[[int, int], None], told: signal.Signals
) -> None:
    put(greylag.folder / "source.sqlite", "many", things(20_000), family="bson")
    greylag.write(PROJECT.replace("a.things", "a.many"))
    process = greylag.start("run", "--only", "things", "--partition-bytes", "200000", "--page-bytes", "500")
    deadline = time.monotonic() + 60
    while not (loaded := _records_loaded(greylag)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    tell(process.pid, told)  # Ctrl-C goes to the whole group, the word of a supervisor to one process
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    before = _records_loaded(greylag)
    assert loaded <= before < 20_000
    status = greylag("status")
    assert "not running" in status.stdout
    report = greylag.json("run", "--only", "things", "--partition-bytes", "200000")
    assert report["resumed"] == ["things"]
    assert report["flows"][0]["records_read"] == 20_000
    assert len(stored(greylag, "things")) == 20_000


def _records_loaded(command: Command) -> int:
    """By `greylag status`, from another process, while the run goes on."""
    ended = command("status", "--json", expect=None)
    return (
        sum(flow["records_read"] for flow in json.loads(ended.stdout)["flows"])
        if ended.returncode == 0
        else 0
    )


def test_a_record_that_could_not_be_decoded_is_shown_as_it_stands(greylag: Command) -> None:
    greylag.write(
        PROJECT.replace("{kind: memory, path: source.sqlite, family: bson}", "{kind: json, path: .}").replace(
            "{_id}", "{n}"
        )
    )
    (greylag.folder / "things.jsonl").write_text('{"n": 1}\n{"n": 2, "n": 3, "é": 1.50}\n', encoding="utf-8")
    (greylag.folder / "others.jsonl").write_text('{"n": 1}\n')
    greylag("run", expect=10)
    shown = greylag("quarantine", "show", "things", "1").stdout
    assert "occurs twice" in shown
    assert '{"n": 2, "n": 3, "é": 1.50}' in shown
