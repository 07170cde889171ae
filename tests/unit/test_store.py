"""Checkpoints: what is saved is what a second opening finds."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from greylag.core.progress import FlowProgress, Snapshot
from greylag.core.records import Partition
from greylag.errors import StateError
from greylag.state.store import Counts, Identity, Store

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = Identity("default", "digest", "source", "table-id")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def begun(path: Path) -> Store:
    store = Store(path)
    store.begin("users", IDENTITY, now=1.0, records_estimate=10)
    for ordinal in range(2):
        store.add_partition("users", Partition("users.json", ordinal, {"from": ordinal}, 5, 100))
    return store


def test_a_checkpoint_is_found_by_the_next_process(path: Path) -> None:
    with begun(path) as store:
        store.checkpoint(
            "users",
            1,
            cursor="c7",
            counts=Counts(records_read=7, items_written=6, records_quarantined=1, bytes_read=70),
            quarantine_bytes=33,
            seconds=0.5,
        )
    with Store(path) as store:
        assert [cursor for _, cursor in store.partitions("users")] == [None, "c7"]
        state = store.flow("users")
        assert state is not None
        assert (state.identity, state.stage, state.planned, state.quarantine_bytes) == (
            IDENTITY,
            "loading",
            False,
            33,
        )
        (progress,) = store.progress()
        assert (progress.records_read, progress.items_written, progress.records_quarantined) == (7, 6, 1)
        assert (progress.records_estimate, progress.partitions_planned, progress.planning) == (10, 2, True)


def test_counts_of_checkpoints_add_up(path: Path) -> None:
    with begun(path) as store:
        for cursor in ("a", "b"):
            store.checkpoint(
                "users", 0, cursor=cursor, counts=Counts(records_read=3), quarantine_bytes=0, seconds=1
            )
        assert store.progress()[0].records_read == 6
        assert store.partitions("users")[0][1] == "b"


def test_a_flow_is_loaded_only_when_planned_and_every_partition_is_done(path: Path) -> None:
    with begun(path) as store:
        store.partition_done("users", 0)
        store.planned("users")
        store.complete("users", now=2.0)
        assert store.flows()[0].stage == "loading"
        store.partition_done("users", 1)
        store.complete("users", now=3.0)
        store.complete("users", now=4.0)
        assert (store.flows()[0].stage, store.flows()[0].loaded_at) == ("loaded", 3.0)


def test_an_unplanned_flow_is_never_loaded(path: Path) -> None:
    with begun(path) as store:
        for ordinal in range(2):
            store.partition_done("users", ordinal)
        store.complete("users", now=2.0)
        assert store.flows()[0].stage == "loading"


def test_begin_forgets_what_was_there(path: Path) -> None:
    with begun(path) as store:
        store.begin("users", IDENTITY, now=2.0, records_estimate=None)
        assert store.partitions("users") == []
        assert store.progress()[0].records_read == 0


def test_retried_records_leave_the_count_of_quarantined_ones(path: Path) -> None:
    with begun(path) as store:
        store.checkpoint(
            "users",
            0,
            cursor="a",
            counts=Counts(records_read=3, records_quarantined=3),
            quarantine_bytes=9,
            seconds=1,
        )
        store.commit_retry("users", quarantine_bytes=3, retried=2, items=4)
        (progress,) = store.progress()
        assert (progress.records_quarantined, progress.items_written) == (1, 4)
        assert store.flows()[0].retrying
        store.retry_settled("users")
        assert not store.flows()[0].retrying


def test_a_snapshot_can_be_read_while_the_writer_is_open(path: Path) -> None:
    with begun(path) as store:
        store.save_snapshot(
            Snapshot("run", (FlowProgress("users", "loading"),), 1.5, records_per_second=10.0)
        )
        with Store(path, read_only=True) as reader:
            assert reader.noted("snapshot")["records_per_second"] == 10.0


def test_no_state_is_told_as_such(path: Path) -> None:
    with pytest.raises(StateError, match="there is no state"):
        Store(path, read_only=True)


def test_a_damaged_file_is_told_with_the_way_on(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(StateError, match="damaged") as caught:
        Store(path)
    assert "--restart" in caught.value.advice


def test_another_format_is_refused(path: Path) -> None:
    begun(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    db.close()
    with pytest.raises(StateError, match="another version"):
        Store(path)
