"""Verification and repair against DynamoDB, where types live in hints and templates have none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from greylag.connectors import memory
from greylag.core.values import Decimal128, Int64, ObjectId
from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.values import Document

PROJECT = """
project: shop
connections:
  here: {{kind: memory, path: data, family: bson}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}", create_tables: true}}
services:
  sales:
    flows:
      orders:
        from: here.orders
        to: dynamo.{table}
        key: {{PK: "ORDER#{{_id}}"}}
        attributes: {{when: "{{at}}", total: "{{price}}", entityType: ORDER}}
        rename: {{_id: id}}
        split: {{lines: {{attributes: {{PK: "LINE#{{@parent._id}}#{{@index}}", entityType: LINE}}}}}}
"""
IDS = [ObjectId(number.to_bytes(12, "big")) for number in range(40)]
ORDERS: list[Document] = [
    {
        "_id": IDS[number],
        "n": number,
        "large": Int64(number),
        "price": Decimal128(f"{number}.50"),
        "at": datetime(2024, 1, 1, 12, number % 60, tzinfo=UTC),
        "lines": [{"sku": f"s{number}", "count": 1.0}],
    }
    for number in range(40)
]


@pytest.fixture
def table(dynamodb_endpoint: str, table_prefix: str) -> Iterator[Any]:
    """The table as boto3 sees it; it exists once a run has made it."""
    resource = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")
    yield resource
    resource.close()


@pytest.fixture
def greylag(tmp_path: Path, dynamodb_endpoint: str, table_prefix: str) -> Command:
    memory.put(tmp_path / "data", "orders", ORDERS, family="bson")
    command = Command(tmp_path)
    command.write(PROJECT.format(endpoint=dynamodb_endpoint, table=f"{table_prefix}orders"))
    command("run")
    return command


def test_differences_name_what_differs_and_nothing_else(
    greylag: Command, tmp_path: Path, table: Any, table_prefix: str
) -> None:
    assert greylag.json("verify")["flows"][0]["verified"] == 80
    assert greylag.json("verify", "--sample", "40")["flows"][0]["verified"] == 80

    name = f"{table_prefix}orders"
    key = {"PK": {"S": f"ORDER#{IDS[5]}"}}
    item = table.get_item(TableName=name, Key=key)["Item"]
    table.put_item(TableName=name, Item={**item, "n": {"N": "6"}, "tags": {"SS": ["a"]}, "more": {"S": "x"}})
    key = {"PK": {"S": f"ORDER#{IDS[6]}"}}
    item = table.get_item(TableName=name, Key=key)["Item"]
    table.put_item(TableName=name, Item={**item, "n": {"N": "7"}})
    table.delete_item(TableName=name, Key={"PK": {"S": f"LINE#{IDS[7]}#0"}})
    table.put_item(TableName=name, Item={"PK": {"S": "ORDER#ghost"}, "entityType": {"S": "ORDER"}})
    table.put_item(TableName=name, Item={"PK": {"S": "SESSION#1"}})
    found = greylag.json("verify", expect=11)
    (flow,) = found["flows"]
    assert {each: flow[each] for each in ("verified", "missing", "different", "extra")} == {
        "verified": 77,
        "missing": 1,
        "different": 2,
        "extra": 1,
    }
    assert found["tables"][0]["examples"] == [{"PK": "SESSION#1"}]
    lines = [
        json.loads(line)
        for line in (tmp_path / ".greylag/verify/last/mismatches.jsonl").read_text().splitlines()
    ]
    different = {each["id"]["$oid"]: each["differences"] for each in lines if each["kind"] == "different"}
    assert different[str(IDS[6])] == [{"path": "n", "source": 6, "target": 7}]
    (unreadable,) = different[str(IDS[5])]
    assert "unreadable" in unreadable

    done = greylag.json("repair", "--delete-extra")
    assert done["remaining"] == 0
    (mended,) = done["flows"]
    assert (mended["missing"], mended["different"], mended["deleted"]) == (1, 2, 1)
    assert table.get_item(TableName=name, Key={"PK": {"S": "SESSION#1"}})["Item"]
    assert greylag.json("verify")["flows"][0]["verified"] == 80
