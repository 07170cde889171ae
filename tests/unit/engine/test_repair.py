"""Repair mends exactly what differs, deletes only when told to, and never touches what it does not own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.connectors import memory
from greylag.connectors.memory import change, put
from greylag.engine.repair import FlowRepair, Repair, repair
from tests.inline import Inline
from tests.routes import route
from tests.unit.engine.test_verify import load, place_item, tamper, verified

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.values import Document
    from greylag.engine.route import Route


def mended(folder: Path, users: Route, *, delete_extra: bool = False) -> Repair:
    return repair(
        [users],
        executor=Inline(),
        folder=folder / "verify",
        state=folder,
        observe=lambda _: None,
        delete_extra=delete_extra,
    )


def damaged(tmp_path: Path) -> tuple[Path, Route]:
    """One missing, one different, one extra, one unowned, one unowned at a key of ours, one key shared."""
    path = tmp_path / "data"
    records: list[Document] = [{"id": f"u{number}", "age": number} for number in range(10)]
    put(path, "users", [*records, {"id": "x"}, {"id": "x"}])
    users = route(path, "users", {"pk": "U#{id}", "kind": "USER"})
    load(users)
    tamper(path, "DELETE FROM items WHERE CAST(body AS TEXT) LIKE '%U#u7\"%'")
    place_item(path, "U#u2", {"pk": "U#u2", "kind": "USER", "id": "u2", "age": -1})
    place_item(path, "U#ghost", {"pk": "U#ghost", "kind": "USER"})
    place_item(path, "other", {"pk": "other", "kind": "SESSION"})
    place_item(path, "U#u3", {"pk": "U#u3", "kind": "SESSION"})
    return path, users


def test_missing_and_different_are_written_and_nothing_else(tmp_path: Path) -> None:
    path, users = damaged(tmp_path)
    before = {str(item["pk"]): item for item in memory.items(path, "table")}
    assert verified(tmp_path, [users]).mismatches == 5
    done = mended(tmp_path, users)
    assert done.flows == (
        FlowRepair(
            "users",
            missing=1,
            different=1,
            not_owned=1,
            remaining={"different": 1, "extra": 1, "contested": 1},
        ),
    )
    after = {str(item["pk"]): item for item in memory.items(path, "table")}
    assert after.pop("U#u7") == {"pk": "U#u7", "kind": "USER", "id": "u7", "age": 7}
    assert after.pop("U#u2") == {"pk": "U#u2", "kind": "USER", "id": "u2", "age": 2}
    del before["U#u2"]
    assert after == before


def test_extra_items_go_only_when_told(tmp_path: Path) -> None:
    path, users = damaged(tmp_path)
    verified(tmp_path, [users])
    done = mended(tmp_path, users, delete_extra=True)
    assert done.flows[0].deleted == 1
    assert done.flows[0].remaining == {"different": 1, "contested": 1}
    keys = {item["pk"] for item in memory.items(path, "table")}
    assert "U#ghost" not in keys
    assert {"U#x", "other"} <= keys


def test_what_changed_since_the_verification_is_looked_at_again(tmp_path: Path) -> None:
    path, users = damaged(tmp_path)
    verified(tmp_path, [users])
    change(path, "users", 7, None)  # no longer missing: its record is gone
    change(path, "users", 2, {"id": "u2", "age": 22})  # the newer state is what must be written
    place_item(path, "U#ghost", {"pk": "U#ghost", "kind": "SESSION"})  # no longer ours to delete
    done = mended(tmp_path, users, delete_extra=True)
    assert done.flows == (
        FlowRepair("users", different=1, not_owned=1, settled=1, remaining={"different": 1, "contested": 1}),
    )
    items = {str(item["pk"]): item for item in memory.items(path, "table")}
    assert items["U#u2"]["age"] == 22
    assert "U#ghost" in items
    assert "U#u7" not in items
