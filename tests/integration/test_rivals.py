"""Flows of one dataset, of which one may be carried back: `plan` says so, and the others rest meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from tests.command import Command
from tests.integration.test_drain import drained, followed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = """
project: rivals
connections:
  old: {{kind: mongodb, url: "{url}", database: {database}, late_write_seconds: 0.2}}
  new: {{kind: mongodb, url: "{url}", database: {database}_new, create_tables: true, late_write_seconds: 0.2}}
services:
  s:
    flows:
      one: {{from: old.things, to: new.one{one}}}
      two: {{from: old.things, to: new.two{two}}}
  t:
    flows:
      others: {{from: old.others, to: new.others}}
"""


class Shop:
    """The project, loaded."""

    def __init__(self, folder: Path, client: MongoClient[dict[str, Any]], url: str, database: str) -> None:
        self.greylag = Command(folder)
        self.names = {"url": url, "database": database}
        self.old, self.new = client[database], client[f"{database}_new"]
        self.old.things.insert_many([{"_id": n, "kind": "ab"[n % 2]} for n in range(6)])
        self.old.others.insert_one({"_id": 1})

    def write(self, one: str = "", two: str = "") -> None:
        self.greylag.write(PROJECT.format(**self.names, one=one, two=two))

    def things(self) -> dict[int, str]:
        return {each["_id"]: each["kind"] for each in self.old.things.find()}


@pytest.fixture
def shop(tmp_path: Path, mongodb_url: str, database: str) -> Iterator[Shop]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        made = Shop(tmp_path, client, mongodb_url, database)
        yield made
        client.drop_database(f"{database}_new")


@pytest.mark.long
def test_one_is_carried_back_and_the_other_rests(shop: Shop) -> None:
    greylag = shop.greylag
    shop.write()
    flows = greylag.json("plan", expect=None)["flows"]
    assert [[each["kind"] for each in flow["not_reversible"]] for flow in flows] == [
        ["shared-records"],
        ["shared-records"],
        [],
    ]
    with followed(greylag):
        drained(greylag)
    refused = greylag("follow", "--reverse", "s", "--once", "--frozen", expect=3).stderr
    assert "flow one cannot be carried back: the records of old.things are those of flow two too" in refused
    assert "follow --reverse FLOW" in refused
    assert greylag.json("follow", "--reverse", "one", "--once", "--frozen")["changes"] == 0
    assert "flow one" in greylag("follow", "--reverse", "two", "--once", "--frozen", expect=7).stderr
    for verb in (("repair", "--only", "two"), ("run", "--follow", "--only", "two")):
        assert "of the same records, is carried back" in greylag(*verb, expect=7).stderr
    shop.new.one.update_one({"_id": 0}, {"$set": {"kind": "c"}})
    assert greylag.json("follow", "--reverse", "one", "--once")["changes"] == 1
    assert shop.things()[0] == "c"
    with followed(greylag):
        shop.old.others.insert_one({"_id": 2})
        drained(greylag)
        assert shop.new.others.count_documents({}) == 2
    assert (shop.new.two.find_one({"_id": 0}) or {})["kind"] == "a", "nothing echoes"
    greylag("follow", "--reverse", "one", "--end")


@pytest.mark.long
def test_flows_that_where_keeps_apart_are_both_carried_back(shop: Shop) -> None:
    greylag = shop.greylag
    shop.write(one=", where: {kind: a}", two=", where: {kind: {ne: a}}")
    greylag("run", "--only", "s")
    assert greylag.json("follow", "--reverse", "s", "--once", "--frozen")["changes"] == 0
    one, two = shop.new.one, shop.new.two
    two.insert_one({"_id": 0, "kind": "b"})  # 0 moves from one flow to the other
    one.delete_one({"_id": 0})
    two.delete_one({"_id": 1})
    one.update_one({"_id": 2}, {"$set": {"kind": "c"}})  # and 2 is now where a load would not put it
    assert greylag.json("follow", "--reverse", "s", "--once")["stale"] == 0
    expected = {0: "b", 2: "c", 3: "b", 4: "a", 5: "b"}
    assert shop.things() == expected
    shop.old.things.delete_one({"_id": 4})
    shop.old.things.insert_one({"_id": 7, "kind": "b"})
    compared = greylag.json("follow", "--reverse", "s", "--once", "--compare")["compared"]
    assert compared == {"put": 1, "deleted": 1}
    assert shop.things() == expected
