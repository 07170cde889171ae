"""Records that map to one key are found before they overwrite each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.memory import MemorySource, put
from greylag.core.flows import SplitSpec
from greylag.core.records import Encoded, Refused
from greylag.engine import collisions
from greylag.engine.colliding import CollidingKeys
from greylag.engine.collisions import doubtful, find_collisions
from greylag.engine.lane import Lane
from greylag.errors import SourceDataError
from tests.inline import Inline
from tests.routes import route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from greylag.core.values import Document
    from greylag.engine.route import Route


def colliding(routes: Sequence[Route], folder: Path) -> dict[str, list[Any]]:
    """The ids of each flow's records that may not be written, as a lane sees them."""
    found = find_collisions(routes, Inline(), folder)
    refused: dict[str, list[Any]] = {}
    for each in routes:
        lane = Lane(each.with_colliding(found.path))
        for page in records(lane):
            for record in page:
                try:
                    lane.encode(record)
                except Refused:
                    refused.setdefault(each.name, []).append(record.id)
        lane.close()
    return refused


def records(lane: Lane) -> Iterator[Any]:
    for partition in lane.source.partitions(lane.route.dataset.dataset, partition_bytes=10**6):
        for page in lane.source.read(partition, None, page_bytes=10**6):
            yield page.records


def test_two_records_of_one_key_in_one_flow(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": 1}, {"id": 2}, {"id": 1, "name": "second"}, {"id": "1"}, {"other": True}])
    users = route(path, "users", {"pk": "{id}"})
    assert doubtful([users]) == [users]
    assert colliding([users], tmp_path / "work") == {"users": [0, 2, 4]}  # 4 has no key at all


def test_across_flows_of_one_table(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": "a"}, {"id": "b"}])
    put(path, "posts", [{"id": "b"}, {"id": "c"}])
    routes = [route(path, name, {"pk": "{id}"}) for name in ("users", "posts")]
    assert colliding(routes, tmp_path / "work") == {"users": [1], "posts": [0]}
    found = CollidingKeys(tmp_path / "work" / "colliding.keys")
    key = Lane(routes[0]).codec.encode(Lane(routes[0]).items(record({"id": "b"}))[0]).key
    assert found.reason(key, "users", 1) == "maps to the same key as record 0 of flow posts"
    assert found.reason(key, "posts", 0) == "maps to the same key as record 1 of flow users"
    found.close()


def record(fields: Document) -> Any:
    from greylag.core.records import Record

    return Record(0, fields)


def test_two_items_of_one_record(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(
        path,
        "orders",
        [{"id": "x", "lines": [{"n": 1}, {"n": 1}]}, {"id": "y", "lines": [{"n": 1}, {"n": 2}]}],
    )
    split = SplitSpec("lines", {"pk": "LINE#{@parent.id}#{n}"})
    orders = route(path, "orders", {"pk": "ORDER#{id}"}, split=(split,))
    assert colliding([orders], tmp_path / "work") == {"orders": [0]}
    lane = Lane(orders.with_colliding(tmp_path / "work" / "colliding.keys"))
    with pytest.raises(Refused, match="two of its items map to the same key"):
        lane.encode(next(iter(records(lane)))[0])


def test_provably_distinct_keys_need_no_pass(tmp_path: Path) -> None:
    path = tmp_path / "data"
    put(path, "users", [{"id": 1}])
    put(path, "posts", [{"id": 1}])
    assert (
        doubtful([route(path, "users", {"pk": "U#{@row}"}), route(path, "posts", {"pk": "P#{@row}"})]) == []
    )
    assert (
        len(doubtful([route(path, "users", {"pk": "{@row}"}), route(path, "posts", {"pk": "{@row}"})])) == 2
    )


def test_an_interrupted_pass_goes_on_and_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collisions, "PARTITION_BYTES", 100)
    path = tmp_path / "data"
    put(path, "users", [{"id": number % 40} for number in range(60)])
    users = route(path, "users", {"pk": "{id}"})
    tasks: list[int] = []

    class Dying(Inline):
        def run(self, work: Any, given: Iterable[Any]) -> Iterator[Any]:
            def some() -> Iterator[Any]:
                for task in given:
                    if len(tasks) == stop:
                        worker = work.open()  # half a partition is spilled, and its end never told
                        worker.run(task, lambda _: None)
                        raise KeyboardInterrupt
                    tasks.append(task[1].ordinal)
                    yield task

            return super().run(work, some())

    stop = 2
    with pytest.raises(KeyboardInterrupt):
        find_collisions([users], Dying(), tmp_path / "work")
    stop = -1
    found = find_collisions([users], Dying(), tmp_path / "work")
    assert found.keys == 20
    assert len(tasks) == len(set(tasks))  # what was done was not done again
    assert colliding([users], tmp_path / "other") == colliding([users], tmp_path / "work")

    tasks.clear()
    assert find_collisions([users], Dying(), tmp_path / "work") == found
    assert tasks == []
    put(path, "users", [{"id": 1}, {"id": 2}])
    users = route(path, "users", {"pk": "{id}"})
    assert find_collisions([users], Dying(), tmp_path / "work").keys == 0


def test_no_file_is_an_empty_set(tmp_path: Path) -> None:
    empty = CollidingKeys(None)
    assert b"key" not in empty
    assert len(empty) == 0
    assert Encoded(b"key", b"", 0).key not in CollidingKeys(tmp_path / "missing.keys")


def test_a_pass_over_a_damaged_file_is_done_again_and_forgets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collisions, "PARTITION_BYTES", 50)
    path = tmp_path / "data"
    put(path, "users", [{"id": number % 20} for number in range(40)])
    users = route(path, "users", {"pk": "{id}"})
    original = MemorySource.read

    def damaged(self: MemorySource, partition: Any, cursor: str | None, *, page_bytes: int) -> Iterator[Any]:
        yield from original(self, partition, cursor, page_bytes=page_bytes)
        if partition.ordinal == 3:
            raise SourceDataError("the file ends too early")

    monkeypatch.setattr(MemorySource, "read", damaged)
    for _ in range(3):
        assert find_collisions([users], Inline(), tmp_path / "work").keys == 20
