"""What a user would write without Greylag: the shop's documents into its table with boto3, three ways.

Each makes of a document the item that examples/shop/greylag.yaml describes, as carefully as the usual scripts do:
types that boto3 does not know become strings or decimals, and no hints are kept of what they were.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import bson
from boto3.dynamodb.types import TypeSerializer
from bson import Decimal128, ObjectId
from pymongo import MongoClient

from benchmarks import corpus
from benchmarks.apart import Stopwatch
from benchmarks.shop import TABLE
from examples.shop.mapping import to_cdn

if TYPE_CHECKING:
    from collections.abc import Iterable


def _plain(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def order(found: dict[str, Any]) -> dict[str, Any]:
    """The item of an order."""
    document = _plain(found)
    key = f"ORDER#{document['_id']}"
    return {
        "PK": key,
        "SK": key,
        "GSI1PK": f"USER#{document['user']}",
        "GSI1SK": f"ORDER#{document['createdAt']}",
        "entityType": "ORDER",
        "id": document.pop("_id"),
        **document,
    }


def product(found: dict[str, Any]) -> dict[str, Any]:
    """The item of a product."""
    document = _plain(to_cdn(found))
    key = f"PRODUCT#{document['_id']}"
    return {
        "PK": key,
        "SK": key,
        "GSI1PK": f"CATEGORY#{document['category']}",
        "GSI1SK": f"PRODUCT#{document['nameEn']}",
        "entityType": "PRODUCT",
        "id": document.pop("_id"),
        **document,
    }


ITEMS = {"orders": order, "products": product, "texts": product}


def _documents(file: str, mongodb: str, count: int) -> Iterable[dict[str, Any]]:
    """The first documents of a file of BSON, or of the shop's collection of orders."""
    if file:
        return map(bson.decode, corpus.read_bson(Path(file), count))
    return MongoClient[dict[str, Any]](mongodb)["shop"]["orders"].find().limit(count)


def batch_writer(
    endpoint: str, count: int, kind: str = "orders", file: str = "", mongodb: str = ""
) -> dict[str, float]:
    """`Table.batch_writer`, which boto3's documentation shows first."""
    item_of = ITEMS[kind]
    found = _documents(file, mongodb, count)
    table = boto3.resource("dynamodb", endpoint_url=endpoint).Table(TABLE)
    with Stopwatch() as watch, table.batch_writer() as writer:
        for document in found:
            writer.put_item(Item=item_of(document))
    return watch.of(count)


def batch_write_item(
    endpoint: str, count: int, kind: str = "orders", file: str = "", mongodb: str = ""
) -> dict[str, float]:
    """botocore's `batch_write_item`, 25 at a time, what stays unprocessed sent again."""
    item_of = ITEMS[kind]
    found = _documents(file, mongodb, count)
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    waiting = iter(found)
    serialise = TypeSerializer().serialize
    with Stopwatch() as watch:
        while some := list(islice(waiting, 25)):
            requests: Any = [
                {"PutRequest": {"Item": {name: serialise(each) for name, each in item_of(document).items()}}}
                for document in some
            ]
            while requests:
                answer = client.batch_write_item(RequestItems={TABLE: requests})
                requests = answer["UnprocessedItems"].get(TABLE)
    return watch.of(count)


def put_item(
    endpoint: str, count: int, kind: str = "orders", file: str = "", mongodb: str = ""
) -> dict[str, float]:
    """One item at a time: the loop of most migration scripts."""
    table = boto3.resource("dynamodb", endpoint_url=endpoint).Table(TABLE)
    item_of = ITEMS[kind]
    found = _documents(file, mongodb, count)
    with Stopwatch() as watch:
        for document in found:
            table.put_item(Item=item_of(document))
    return watch.of(count)
