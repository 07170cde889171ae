"""`greylag verify --certificate` and `greylag certificate check`, and a checker written from the specification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from pymongo import MongoClient

from greylag.connectors import memory
from tests.command import Command
from tests.integration.certificate_checker import add_up, owned, root_of, said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.values import Document

MEMORY = """
project: shop
connections:
  here: {kind: memory, path: data}
  there: {kind: memory, path: target}
tables: {all: {in: there, key: [pk]}}
services:
  people:
    flows:
      users:
        from: here.users
        to: there.all
        attributes: {pk: "USER#{id}"}
        drop: [secret]
  sales:
    flows:
      orders:
        from: here.orders
        to: there.all
        attributes: {pk: "ORDER#{id}"}
        where: {open: true}
"""

DYNAMODB = """
project: shop
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}", create_tables: true}}
services:
  sales:
    flows:
      orders:
        from: mongo.orders
        to: dynamo.{table}
        attributes: {{PK: "ORDER#{{_id}}", entityType: ORDER}}
        rename: {{_id: id}}
      users:
        from: mongo.users
        to: dynamo.{table}
        attributes: {{PK: "USER#{{_id}}", entityType: USER}}
        rename: {{_id: id}}
tables: {{{table}: {{in: dynamo, key: [PK]}}}}
"""


@pytest.fixture
def greylag(tmp_path: Path) -> Command:
    users: list[Document] = [
        {"id": number // 2 if number < 4 else number, "secret": number} for number in range(60)
    ]
    memory.put(tmp_path / "data", "users", users)
    memory.put(tmp_path / "data", "orders", [{"id": number, "open": number % 3 > 0} for number in range(60)])
    command = Command(tmp_path)
    command.write(MEMORY)
    command("run", expect=10)
    return command


def test_what_a_certificate_says(greylag: Command, tmp_path: Path) -> None:
    told = greylag("verify", "--certificate", "proof.json", "--frozen").stdout
    document = json.loads((tmp_path / "proof.json").read_text())
    assert f"A certificate, root digest {document['root']}" in told
    assert document["root"] == root_of(document)
    assert document["standstill"] == {"frozen": "declared by the user", "fenced": [], "drained": []}
    flows = {each["flow"]: each for each in document["flows"]}
    assert flows["users"]["quarantined"] == 4
    assert flows["users"]["dropped"] == ["secret"]
    assert flows["orders"]["filtered"] == 20
    for name, items in (("users", 56), ("orders", 40)):
        assert flows[name]["source"] == flows[name]["target"]
        assert (
            flows[name]["source"]["items"]
            == items
            == sum(r["source"]["items"] for r in flows[name]["ranges"])
        )
    assert greylag.json("certificate", "check", "proof.json")["items"] == {"source": 96, "target": 96}


def test_what_is_no_certificate_says_why(greylag: Command, tmp_path: Path) -> None:
    greylag("verify", "--certificate", "proof.json")
    document = json.loads((tmp_path / "proof.json").read_text())
    assert document["kind"] == "progress report"
    [why] = document["because"]
    assert "people is not fenced; people is not drained; sales is not fenced" in why
    assert "nor was the source declared frozen" in why
    memory.change(tmp_path / "data", "orders", 1, {"id": 1, "open": True, "new": 1})
    greylag("verify", "--certificate", "proof.json", "--frozen", expect=11)
    document = json.loads((tmp_path / "proof.json").read_text())
    assert document["because"] == ["1 item at the target not as the source says"]
    [apart] = [
        each for flow in document["flows"] for each in flow["ranges"] if each["source"] != each["target"]
    ]
    assert apart["source"]["items"] == apart["target"]["items"]


def test_either_side_alone(greylag: Command, tmp_path: Path) -> None:
    greylag("verify", "--certificate", "proof.json", "--frozen")
    (tmp_path / "data").rename(tmp_path / "gone")
    assert greylag.json("certificate", "check", "proof.json", "--side", "target")["apart"] == []
    (tmp_path / "gone").rename(tmp_path / "data")
    (tmp_path / "target").rename(tmp_path / "gone")
    assert greylag.json("certificate", "check", "proof.json", "--side", "source")["apart"] == []
    memory.change(tmp_path / "data", "users", 10, None)
    [apart] = greylag.json("certificate", "check", "proof.json", "--side", "source", expect=11)["apart"]
    assert (apart["flow"], apart["side"]) == ("users", "source")
    assert apart["certified"]["items"] == apart["found"]["items"] + 1


def test_repairs_are_counted(greylag: Command, tmp_path: Path) -> None:
    memory.change(tmp_path / "data", "orders", 1, {"id": 1, "open": True, "new": 1})
    memory.change(tmp_path / "data", "orders", 2, {"id": 2, "open": True, "new": 1})
    greylag("repair")
    greylag("verify", "--certificate", "proof.json", "--frozen")
    document = json.loads((tmp_path / "proof.json").read_text())
    assert {each["flow"]: each["repaired"] for each in document["flows"]} == {"users": 0, "orders": 2}


def test_what_cannot_be_checked(greylag: Command, tmp_path: Path) -> None:
    greylag("verify", "--certificate", "proof.json", "--frozen")
    text = (tmp_path / "proof.json").read_text()
    (tmp_path / "proof.json").write_text(text.replace('"items": 1', '"items": 2', 1))
    assert "was changed after it was made" in greylag("certificate", "check", "proof.json", expect=11).stderr
    (tmp_path / "proof.json").write_text("{}")
    assert "no certificate" in greylag("certificate", "check", "proof.json", expect=3).stderr
    (tmp_path / "proof.json").write_text(text)
    greylag.write(MEMORY.replace("[secret]", "[secret, other]"))
    assert "not the one that was certified" in greylag("certificate", "check", "proof.json", expect=7).stderr
    assert "needs every record" in greylag("verify", "--certificate", "p", "--sample", "5", expect=2).stderr


@pytest.fixture
def shop(mongodb_url: str, database: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        yield client[database]


def test_a_checker_written_from_the_page(
    tmp_path: Path, shop: Any, mongodb_url: str, dynamodb_endpoint: str, table_prefix: str
) -> None:
    """Nothing of Greylag's adds up here: boto3 and pymongo read, the page says what is added."""
    shop.orders.insert_many(
        [
            {"_id": f"o{number}", "n": number, "text": 'é "\\\n\x01 \u2028', "in": {"b": [1.5], "a": None}}
            for number in range(50)
        ]
    )
    shop.users.insert_many([{"_id": number, "name": f"u{number}"} for number in range(30)])
    table = f"{table_prefix}shop"
    greylag = Command(tmp_path)
    greylag.write(
        DYNAMODB.format(url=mongodb_url, database=shop.name, endpoint=dynamodb_endpoint, table=table)
    )
    greylag("run")
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")
    client.put_item(TableName=table, Item={"PK": {"S": "OTHER#1"}, "entityType": {"S": "OTHER"}})
    greylag("verify", "--certificate", "proof.json", "--frozen")
    document = json.loads((tmp_path / "proof.json").read_text())
    assert document["root"] == root_of(document)
    assert document["kind"] == "certificate"
    [described] = document["tables"]
    assert described["unowned"] == 1
    items: list[Any] = [
        item
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        for item in page["Items"]
    ]
    client.close()
    for flow in document["flows"]:
        mine = [item for item in items if owned(item, flow["owns"])]
        assert add_up(mine, described) == said(flow, "target")

    orders, _ = sorted(document["flows"], key=lambda each: each["flow"])
    made = [
        {
            "PK": {"S": f"ORDER#{order['_id']}"},
            "entityType": {"S": "ORDER"},
            "id": {"S": order["_id"]},
            "n": {"N": str(order["n"])},
            "text": {"S": order["text"]},
            "in": {"M": {"b": {"L": [{"N": "1.5"}]}, "a": {"NULL": True}}},
        }
        for order in shop.orders.find()
    ]
    assert add_up(made, described) == said(orders, "source")
