"""Items of every type DynamoDB has: written as plain requests, read with the bare driver alone."""

from __future__ import annotations

import base64
import http.client
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import orjson
from botocore.config import Config

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
    patient = Config(read_timeout=600)  # DynamoDB Local may take minutes for a page on a busy machine
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name=region, config=patient)


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


_HEADERS = {
    "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=greylag/20261101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


def fill(endpoint: str, table: str, count: int) -> None:
    """Items 0 to `count`, as requests that DynamoDB Local takes unsigned: boto3 spends longer on each than it does."""

    def put(starts: range) -> None:
        connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)
        for start in starts:
            left: Any = {
                table: [{"PutRequest": {"Item": item(each)}} for each in range(start, min(count, start + 25))]
            }
            while left:
                connection.request(
                    "POST", "/", orjson.dumps({"RequestItems": left}, default=_base64), _HEADERS
                )
                answer = connection.getresponse()
                told = orjson.loads(answer.read())
                assert answer.status == 200, told
                left = told["UnprocessedItems"]
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put, [range(first, min(count, first + 1000), 25) for first in range(0, count, 1000)]))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def read(endpoint: str, table: str, region: str = "us-east-1") -> Iterator[tuple[int, dict[str, Any]]]:
    """Every item by its number."""
    client = client_of(endpoint, region)
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for each in page["Items"]:
            yield int(each["SK"]["N"]), each
    client.close()


def assert_holds(endpoint: str, table: str, count: int, region: str = "us-east-1") -> None:
    """The table holds just the items 0 to `count`, each of them exactly."""
    seen = set()
    for number, found in read(endpoint, table, region):
        assert _normal(found) == _normal(item(number)), number
        seen.add(number)
    assert seen == set(range(count))


def _normal(item: dict[str, Any]) -> dict[str, Any]:
    """Attributes with numbers by value, and sets in order: DynamoDB keeps none."""
    return {name: _value(each) for name, each in item.items()}


def _value(value: dict[str, Any]) -> Any:
    [(kind, content)] = value.items()
    if kind == "N":
        return kind, Decimal(content)
    if kind == "NS":
        return kind, sorted(map(Decimal, content))
    if kind in {"SS", "BS"}:
        return kind, sorted(content)
    if kind == "L":
        return kind, list(map(_value, content))
    if kind == "M":
        return kind, _normal(content)
    return kind, content
