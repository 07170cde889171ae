"""Verification finds every difference, and nothing but differences."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors import memory
from greylag.connectors.memory import change, put
from greylag.core.extended_json import to_extended
from greylag.core.flows import SplitSpec
from greylag.core.values import Int64, ObjectId
from greylag.engine import join, verify
from greylag.engine.lane import Lane
from greylag.engine.sample import sample
from greylag.engine.verify import Verify
from tests.inline import Inline
from tests.routes import route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.core.values import Document
    from greylag.engine.route import Route
    from greylag.engine.verification import FlowVerification, Verification


def load(*routes: Route) -> None:
    """Write what the source holds, as a full load does; no look at shared keys."""
    for each in routes:
        lane = Lane(each)
        for partition in lane.source.partitions(each.dataset.dataset, partition_bytes=10**6):
            for page in lane.source.read(partition, None, page_bytes=10**6):
                batches = [carried for _, carried in lane.carry(page) if isinstance(carried, list)]
                list(lane.writer.write(batches))
        lane.close()


def tamper(path: Path, query: str, *values: object) -> None:
    import sqlite3

    db = sqlite3.connect(path)
    with db:
        db.execute(query, values)
    db.close()


def place_item(path: Path, key: str, item: Document) -> None:
    """Put an item straight into the target, as someone else would."""
    from greylag.core.canonical import canonical
    from greylag.core.extended_json import dumps

    tamper(
        path,
        "INSERT OR REPLACE INTO items (in_table, key, body) VALUES (1, ?, ?)",
        canonical([key]),
        dumps(item).encode(),
    )


def verified(folder: Path, routes: Sequence[Route], only: Sequence[str] = ()) -> Verification:
    chosen = [each for each in routes if not only or each.name in only]
    return Verify(chosen, routes, executor=Inline(), folder=folder / "verify", observe=lambda _: None).run()


def mismatches(found: Verification) -> list[dict[str, Any]]:
    with Path(found.mismatches_file).open(encoding="utf-8") as file:
        return sorted((json.loads(line) for line in file), key=lambda each: json.dumps(each["key"]))


def flow(found: Verification, name: str = "users") -> FlowVerification:
    return next(each for each in found.flows if each.flow == name)


USERS: list[Document] = [
    {"id": f"u{number}", "age": number, "price": Decimal("1.50"), "tags": ["a", {"b": None}]}
    for number in range(50)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    put(tmp_path / "data", "users", USERS)
    return tmp_path / "data"


@pytest.fixture
def users(path: Path) -> Route:
    made = route(path, "users", {"pk": "U#{id}", "kind": "USER"})
    load(made)
    return made


def test_equal_sides(tmp_path: Path, users: Route) -> None:
    found = verified(tmp_path, [users])
    assert flow(found) == type(flow(found))("users", records=50, verified=50)
    assert found.tables[0].items == 50
    assert found.mismatches == 0
    assert mismatches(found) == []
    assert [each.name for each in (tmp_path / "verify").iterdir() if each.name.startswith("spill")] == []


def test_missing_different_extra_and_unowned(tmp_path: Path, path: Path, users: Route) -> None:
    tamper(path, "DELETE FROM items WHERE CAST(body AS TEXT) LIKE '%U#u7\"%'")
    item = memory.items(path, "table")[0]
    changed = {**item, "age": Int64(item["age"]), "new": 1}  # type: ignore[arg-type]
    del changed["tags"]
    place_item(path, str(item["pk"]), changed)
    place_item(path, "U#ghost", {"pk": "U#ghost", "kind": "USER"})
    place_item(path, "other", {"pk": "other", "kind": "SESSION"})
    found = verified(tmp_path, [users])
    assert flow(found) == type(flow(found))("users", records=50, verified=48, missing=1, different=1, extra=1)
    assert (found.tables[0].unowned, found.tables[0].examples) == (1, ({"pk": "other"},))
    told = {each["kind"]: each for each in mismatches(found)}
    assert told["missing"]["id"] == 7
    assert told["missing"]["key"] == {"pk": "U#u7"}
    assert told["extra"]["key"] == {"pk": "U#ghost"}
    assert "id" not in told["extra"]
    assert told["different"]["differences"] == [
        {"path": "age", "source": item["age"], "target": {"$numberLong": str(item["age"])}},
        {"path": "tags", "source": ["a", {"b": None}]},
        {"path": "new", "target": 1},
    ]


def test_same_content_in_another_body_is_no_mismatch(tmp_path: Path, path: Path, users: Route) -> None:
    tamper(path, "UPDATE items SET body = CAST(replace(CAST(body AS TEXT), ',', ', ') AS BLOB)")
    assert flow(verified(tmp_path, [users])).verified == 50


def test_a_candidate_that_is_mended_before_the_second_look(
    tmp_path: Path, path: Path, users: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    tamper(path, "DELETE FROM items WHERE CAST(body AS TEXT) LIKE '%U#u7\"%'")
    place_item(path, "U#ghost", {"pk": "U#ghost", "kind": "USER"})
    change(path, "users", 9, {"id": "u9", "age": 1000})
    change(path, "users", 11, {"id": "moved"})
    original = Verify._candidate_chunks

    def settle_first(self: Verify) -> Any:
        assert self._candidates == 5  # missing u7 and moved, different u9, extra ghost and the old u11
        change(path, "users", 9, USERS[9])
        change(path, "users", 11, None)
        load(users)
        tamper(
            path,
            "DELETE FROM items WHERE CAST(body AS TEXT) LIKE '%ghost%' OR CAST(body AS TEXT) LIKE '%U#u11\"%'",
        )
        return original(self)

    monkeypatch.setattr(Verify, "_candidate_chunks", settle_first)
    found = flow(verified(tmp_path, [users]))
    assert found == type(found)("users", records=50, verified=49, changed=3)


def test_refused_filtered_and_undecodable_records_are_not_expected(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": "a"}, {"no": "id"}, b"{broken", {"id": "b", "skip": True}, {"id": "c"}])
    users = route(path, "users", {"pk": "{id}"}, where={"skip": {"exists": False}})
    load(users)
    found = flow(verified(tmp_path, [users]))
    assert found == type(found)("users", records=5, filtered=1, quarantined=2, verified=2)


def test_records_that_share_a_key_are_quarantined_and_what_stands_there_is_contested(tmp_path: Path) -> None:
    path = tmp_path / "data"
    lines = SplitSpec("lines", {"pk": "L#{@parent.id}#{n}"})
    put(
        path,
        "users",
        [
            {"id": "a"},
            {"id": "a", "second": True},
            {"id": "b", "lines": [{"n": 1}, {"n": 1}, {"n": 2}, {"n": 2}]},
            {"id": "c", "lines": [{"n": 1}]},
        ],
    )
    users = route(path, "users", {"pk": "U#{id}"}, split=(lines,))
    load(route(path, "users", {"pk": "U#{id}"}, where={"id": "c"}, split=(lines,)))
    place_item(path, "U#a", {"pk": "U#a"})
    found = verified(tmp_path, [users])
    # b's own item is missing, but b as a whole stands in quarantine
    assert flow(found) == type(flow(found))("users", records=4, quarantined=3, verified=2, contested=1)
    assert [(each["kind"], each["key"]) for each in mismatches(found)] == [("contested", {"pk": "U#a"})]


def test_only_one_flow_of_a_shared_table(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": "1"}, {"id": "2"}])
    put(path, "posts", [{"id": "2"}, {"id": "3"}])
    routes = [
        route(path, "users", {"pk": "{id}", "kind": "USER"}),
        route(path, "posts", {"pk": "{id}", "kind": "POST"}),
    ]
    place_item(path, "1", {"pk": "1", "id": "1", "kind": "USER"})
    place_item(path, "3", {"pk": "3", "id": "wrong", "kind": "POST"})
    found = verified(tmp_path, routes, only=["users"])
    assert [each.flow for each in found.flows] == ["users"]
    assert flow(found) == type(flow(found))("users", records=2, quarantined=1, verified=1)
    assert found.mismatches == 0
    assert found.tables[0].unowned == 0
    both = verified(tmp_path, routes)
    assert flow(both, "posts") == type(flow(both))("posts", records=2, quarantined=1, different=1)


def test_equal_keys_in_two_tables_are_two_items(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": "1"}, {"id": "2"}])
    put(path, "posts", [{"id": "2"}, {"id": "3"}])
    routes = [
        route(path, "users", {"pk": "{id}"}, table_name="users"),
        route(path, "posts", {"pk": "{id}"}, table_name="posts"),
    ]
    load(*routes)
    found = verified(tmp_path, routes)
    assert flow(found) == type(flow(found))("users", records=2, verified=2)
    assert flow(found, "posts") == type(flow(found))("posts", records=2, verified=2)
    tamper(path, "DELETE FROM items WHERE in_table = 1")
    found = verified(tmp_path, routes)
    assert flow(found) == type(flow(found))("users", records=2, missing=2)
    assert flow(found, "posts") == type(flow(found))("posts", records=2, verified=2)


def test_an_item_someone_else_owns_at_our_key_is_different(tmp_path: Path, path: Path, users: Route) -> None:
    place_item(path, "U#u3", {"pk": "U#u3", "kind": "SESSION"})
    found = verified(tmp_path, [users])
    assert flow(found).different == 1
    assert found.tables[0].unowned == 1


def test_bson_ids(tmp_path: Path) -> None:
    path = tmp_path / "data"
    ids: list[Any] = [1, Int64(1), 1.5, "1", ObjectId(bytes(12)), {"a": 1}]
    put(path, "users", [{"_id": each, "n": place} for place, each in enumerate(ids)], family="bson")
    users = route(path, "users", {"pk": "{n}"}, family="bson")
    load(users)
    tamper(path, "DELETE FROM items")
    found = verified(tmp_path, [users])
    assert flow(found).missing == 6
    assert {json.dumps(each["id"]) for each in mismatches(found)} == {
        json.dumps(to_extended(each)) for each in ids
    }


def test_an_interruption_leaves_nothing_large_behind(
    tmp_path: Path, users: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        assert (tmp_path / "verify" / "spill").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(join.JoinWork, "open", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verified(tmp_path, [users])
    assert [each.name for each in (tmp_path / "verify").iterdir()] == ["mismatches.jsonl"]
    monkeypatch.undo()
    assert flow(verified(tmp_path, [users])).verified == 50


def test_more_candidates_than_a_chunk(
    tmp_path: Path, path: Path, users: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "CHUNK_LINES", 3)
    monkeypatch.setattr(join, "_MANY", 1)
    tamper(path, "DELETE FROM items")
    found = verified(tmp_path, [users])
    assert flow(found).missing == 50
    assert len(mismatches(found)) == 50


def test_a_sample_compares_that_many_and_says_what_it_did_not_look_for(
    tmp_path: Path, path: Path, users: Route
) -> None:
    def sampled(count: int) -> Verification:
        return sample(
            [users], count, executor=Inline(), folder=tmp_path / "sample", observe=lambda _: None, seed=1
        )

    found = sampled(20)
    assert flow(found) == type(flow(found))("users", records=20, verified=20)
    assert found.as_json()["not_looked_for"] == ["extra", "contested", "unowned", "shared keys"]
    tamper(path, "UPDATE items SET body = CAST(replace(CAST(body AS TEXT), '1.50', '1.5') AS BLOB)")
    found = sampled(1000)
    assert flow(found) == type(flow(found))("users", records=50, different=50)
    assert mismatches(found)[0]["differences"] == [
        {"path": "price", "source": {"$number": "1.50"}, "target": {"$number": "1.5"}}
    ]


def test_items_of_a_flow_that_is_not_checked_are_nobodys_extra(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": "1"}])
    put(path, "posts", [{"id": "1"}])
    routes = [route(path, "users", {"pk": "U#{@row}"}), route(path, "posts", {"pk": "P#{@row}"})]
    load(*routes)
    place_item(path, "P#ghost", {"pk": "P#ghost"})
    found = verified(tmp_path, routes, only=["users"])
    assert flow(found) == type(flow(found))("users", records=1, verified=1)
    assert mismatches(found) == []
    assert found.tables[0].unowned == 0
    assert flow(verified(tmp_path, routes), "posts").extra == 1
