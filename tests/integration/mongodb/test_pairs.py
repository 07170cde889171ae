"""Both sides read together, stretch by stretch: what is found is what the two passes over everything find."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greylag.connectors.mongodb import connector
from greylag.connectors.mongodb.bounds import as_sent
from greylag.connectors.mongodb.wire import encode_document
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.records import Stored
from greylag.core.values import Decimal128, Int64, ObjectId, Symbol
from greylag.engine import pairs, tasks, verify
from greylag.engine.lane import Lane
from greylag.engine.route import Route
from greylag.engine.verify import Verify
from tests.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.synchronous.database import Database

    from greylag.engine.verification import Verification
    from tests.documentdb.proxy import DocumentDB

OIDS = [ObjectId(number.to_bytes(12, "big")) for number in range(300)]
ANY = [
    *OIDS[:20],
    *(Int64(number) for number in range(20)),
    *(f"text {number}" for number in range(20)),
    *({"a": number} for number in range(20)),
    None,
    0.5,
    Decimal128("0.25"),
    Symbol("symbol"),
]


@pytest.fixture
def there(server: Database[dict[str, Any]]) -> Iterator[Database[dict[str, Any]]]:
    found = server.client[f"{server.name}_there"]
    yield found
    server.client.drop_database(found)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many stretches of a few documents, more of some than fit."""
    monkeypatch.setattr(tasks, "STRETCH_BYTES", 1000)
    monkeypatch.setattr(pairs, "HELD_BYTES", 600)


def fill(collection: Any, ids: list[Any], **more: Any) -> None:
    for each in ids:
        collection.insert_one(as_sent(encode_document({"_id": each, "text": "t" * 20, **more})))


def between(url: str, one: str, other: str) -> Route:
    def at(name: str, database: str) -> Any:
        given = connector.options(kind="mongodb", url=url, database=database, create_tables=True)
        return connector.open(name, given, Path())

    table = TableSpec(DatasetRef("there", "things"), ("_id",), any_type=True)
    flow = FlowSpec("things", "service", DatasetRef("here", "things"), table, {"_id": "{_id}"})
    source, target = at("here", one), at("there", other)
    with closing(source.source()) as reader, closing(target.target()) as writer:
        return Route(flow, source, target, reader.describe("things"), writer.prepare(table))


def verified(folder: Path, route: Route) -> Verification:
    return Verify([route], [route], executor=Inline(), folder=folder, observe=lambda _: None).run()


def told(found: Verification) -> tuple[Any, ...]:
    """Everything but times."""
    lines = sorted(Path(found.mismatches_file).read_text().splitlines())
    return found.flows, found.tables, found.ranges, lines


@pytest.mark.parametrize("ids", [OIDS, ANY], ids=["one type", "any type"])
@pytest.mark.usefixtures("small")
def test_together_or_one_after_the_other(
    ids: list[Any],
    server: Database[dict[str, Any]],
    there: Database[dict[str, Any]],
    mongodb_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(server.things, ids)
    fill(there.things, ids[:-1])  # missing: the last
    for number in (3, 30):
        there.things.update_one({"_id": OIDS[number] if ids is OIDS else number // 3}, {"$set": {"new": 1}})
    fill(there.things, [ObjectId(b"\xff" * 12), "zzz"])  # extra, one of another type
    route = between(mongodb_url, server.name, there.name)
    assert tasks.in_pairs([route], {0}) == {0}
    together = verified(tmp_path / "together", route)
    [flow] = together.flows
    assert (flow.records, flow.missing, flow.different, flow.extra) == (len(ids), 1, 2, 2)
    assert flow.verified == len(ids) - 3
    monkeypatch.setattr(verify, "in_pairs", lambda *_: frozenset())
    assert told(together) == told(verified(tmp_path / "apart", route))


def test_what_is_not_cut_alike_is_read_apart(
    server: Database[dict[str, Any]],
    there: Database[dict[str, Any]],
    mongodb_url: str,
    cluster: DocumentDB,
) -> None:
    fill(server.things, ANY)
    fill(there.things, ANY)
    assert tasks.in_pairs([between(mongodb_url, server.name, there.name)], {0}) == {0}
    assert tasks.in_pairs([between(cluster.url, server.name, there.name)], {0}) == set()
    there.things.drop()
    there.create_collection("things", collation={"locale": "en"})
    assert tasks.in_pairs([between(mongodb_url, server.name, there.name)], {0}) == set()


@pytest.mark.usefixtures("small")
def test_documentdb_and_ids_of_one_type(
    server: Database[dict[str, Any]], there: Database[dict[str, Any]], cluster: DocumentDB, tmp_path: Path
) -> None:
    fill(server.things, OIDS)
    fill(there.things, OIDS[1:])
    route = between(cluster.url, server.name, there.name)
    assert tasks.in_pairs([route], {0}) == {0}
    [flow] = verified(tmp_path / "verify", route).flows
    assert (flow.verified, flow.missing) == (len(OIDS) - 1, 1)


def test_items_without_room_are_given_back(
    server: Database[dict[str, Any]], there: Database[dict[str, Any]], mongodb_url: str
) -> None:
    server.create_collection("things")
    there.create_collection("things")
    meeting = pairs.Meeting(Lane(between(mongodb_url, server.name, there.name)), held_bytes=3)
    one, two, three = (Stored(b"%d" % number, b"%d%d" % (number, number)) for number in (1, 2, 3))
    assert meeting.hold([one, two]) == ()
    assert meeting.hold([three]) == [three]
    assert meeting.meet([(b"1", b"11"), (b"2", b"2"), (b"3", b"33")]) == [(b"2", b"2"), (b"3", b"33")]
    assert list(meeting.left()) == [[two]]
    assert meeting.met == 1
