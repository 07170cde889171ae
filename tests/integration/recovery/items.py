"""Items of every type DynamoDB has, made and read with the bare driver alone."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator

YAML = """
project: shop
connections:
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}"}}
  files: {{kind: json, path: data}}
tables:
  {table}: {{in: dynamo, key: [PK, SK], indexes: {{ByKind: [kind, when]}}}}
services:
  shop: {{flows: {{one: {{from: files.one, to: dynamo.{table}, attributes: {{PK: "{{id:S}}", SK: "{{id:N}}",
    kind: "{{kind:S}}", when: "{{when:N}}"}}}}}}}}
"""


def client_of(endpoint: str, region: str = "us-east-1") -> Any:
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name=region)


def make_table(endpoint: str, name: str, *, index: dict[str, Any] | None = None, **more: Any) -> None:
    client = client_of(endpoint)
    client.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "N"},
            {"AttributeName": "kind", "AttributeType": "S"},
            {"AttributeName": "when", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ByKind",
                "KeySchema": [
                    {"AttributeName": "kind", "KeyType": "HASH"},
                    {"AttributeName": "when", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]},
                **(index or {}),
            }
        ],
        **{"BillingMode": "PAY_PER_REQUEST", **more},
    )
    client.get_waiter("table_exists").wait(TableName=name)
    client.close()


def item(number: int) -> dict[str, Any]:
    """Item `number`: the same each time it is asked for."""
    chance = random.Random(number)
    found: dict[str, Any] = {
        "PK": {"S": f"USER#{number % 977}\u00e9"},
        "SK": {"N": str(number)},
        "text": {"S": chance.choice(["", 'a\nb\\"\u2028', "\u0000", "\U0001f9a2" * 3, "plain " * 9])},
        "digits": {
            "N": chance.choice(
                ["0", "-1", "12345678901234567890123456789012345678", "0.1", "9.9E+125", "1E-130"]
            )
        },
        "bytes": {"B": chance.randbytes(chance.randrange(40))},
        "yes": {"BOOL": number % 2 == 0},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "x"}, {"N": "1.50"}, {"L": []}, {"M": {}}, {"NULL": True}]},
        "map": {"M": {"z": {"N": "3"}, "a": {"B": b"\x00\xff"}, "n\u00e4": {"S": ""}}},
        "texts": {"SS": ["b", "a", f"{number}"]},
        "numbers": {"NS": ["10", "9", "-0.5"]},
        "binaries": {"BS": [b"\xff", b"\x00", b"ab"]},
    }
    if number % 3:
        found |= {"kind": {"S": f"kind-{number % 7}"}, "when": {"N": str(number % 1000)}}
    return found


def fill(endpoint: str, table: str, count: int) -> None:
    """Items 0 to `count`, with boto3."""
    client = client_of(endpoint)

    def put(start: int) -> None:
        requests = [{"PutRequest": {"Item": item(each)}} for each in range(start, min(count, start + 25))]
        left: Any = {table: requests}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(0, count, 25)))
    client.close()


def read(endpoint: str, table: str, region: str = "us-east-1") -> Iterator[tuple[int, dict[str, Any]]]:
    """Every item by its number, with sets in order: DynamoDB keeps none."""
    client = client_of(endpoint, region)
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for each in page["Items"]:
            for name, kind in (("texts", "SS"), ("numbers", "NS"), ("binaries", "BS")):
                each[name] = {kind: sorted(each[name][kind])}
            yield int(each["SK"]["N"]), each
    client.close()


def assert_holds(endpoint: str, table: str, count: int, region: str = "us-east-1") -> None:
    """The table holds just the items 0 to `count`, each of them exactly."""
    seen = set()
    for number, found in read(endpoint, table, region):
        assert _normal(found) == _normal(item(number)), number
        seen.add(number)
    assert seen == set(range(count))


def _normal(value: Any) -> Any:
    """Numbers by value, sets in order."""
    from decimal import Decimal

    if isinstance(value, dict):
        return {
            name: Decimal(each)
            if name == "N" and isinstance(each, str)
            else sorted(map(Decimal, each))
            if name == "NS"
            else sorted(each)
            if name in {"SS", "BS"}
            else _normal(each)
            for name, each in value.items()
        }
    return [_normal(each) for each in value] if isinstance(value, list) else value
