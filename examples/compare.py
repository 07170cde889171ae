"""Says whether the examples' tables hold what the sources hold, with boto3 and pymongo alone.

No line of Greylag has a part in it. Holds one table in memory: it is a check of the examples, not a tool.
Where a value's type has no counterpart in DynamoDB it states the form that docs/values.md promises.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import boto3
from boto3.dynamodb.types import Binary as Bytes
from boto3.dynamodb.types import TypeDeserializer
from bson import Binary, Code, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp, json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HINTS = "_greylag"  # the one attribute that is Greylag's own


class Differs(Exception):  # noqa: N818
    """A record that its item does not hold."""


def forum(data: Path, endpoint: str) -> int:
    """Compare the forum's three files with their tables; how many items hold their record. Raises Differs."""
    expected = json.loads((data / "expected.json").read_text(encoding="utf-8"))
    compared = 0
    for name, key in (("users", "userId"), ("threads", "threadId"), ("posts", "postId")):
        text = (data / name / "db.json").read_text(encoding="utf-8")
        records = json.loads(text, parse_float=Decimal)[name]
        left_out = {each["row"] for each in expected[name]["quarantined"]}
        items = {item[key]: item for item in scan(endpoint, f"forum-{name}")}
        for row, record in enumerate(records):
            if row in left_out:
                continue
            derived = forum_keys(name, record, row)
            compare(f"{name}, row {row}", {**record, **derived}, items.pop(derived[key], None))
            compared += 1
        nothing_left(name, items)
    return compared


def forum_keys(name: str, record: dict[str, Any], row: int) -> dict[str, Any]:
    """The attributes that keys and indexes add to a record."""
    if name == "users":
        return {"userId": str(record["id"])}
    if name == "threads":
        return {"threadId": record["id"]}
    author = {"userId": record["user"]} if record.get("user") else {}
    return {"postId": Decimal(row), "threadId": record["thread"], **author}


def shop(url: str, expected: Path, endpoint: str) -> int:
    """Compare the shop's collections with their one table; how many items hold theirs. Raises Differs."""
    left_out = json.loads(expected.read_text(encoding="utf-8"))
    items = {item["PK"]: item for item in scan(endpoint, "shop")}
    compared = 0
    options: CodecOptions[dict[str, Any]] = CodecOptions(
        tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
    )
    with MongoClient[dict[str, Any]](url) as client:
        for name in ("categories", "users", "products", "orders"):
            skip = [each["id"] for each in left_out[name]["quarantined"]]
            for document in client["shop"].get_collection(name, codec_options=options).find():
                if json.loads(json_util.dumps(document["_id"])) in skip:
                    continue
                wanted = {**shop_keys(name, document), "id": plain(document.pop("_id"))}
                if name == "products" and "images" in document:
                    document["images"] = [cdn(image) for image in document["images"]]
                wanted |= {field: plain(value) for field, value in document.items()}
                compare(f"{name}, {wanted['PK']}", wanted, items.pop(wanted["PK"], None))
                compared += 1
    nothing_left("shop", items)
    return compared


def shop_keys(name: str, document: dict[str, Any]) -> dict[str, str]:
    """The attributes of the single-table design, as the shop's application expects them."""
    kind = {"categories": "CATEGORY", "users": "USER", "products": "PRODUCT", "orders": "ORDER"}[name]
    own = f"{kind}#{text(document['_id'])}"
    if name == "categories":
        index = {"GSI1PK": "TYPE#category", "GSI1SK": f"CATEGORY#{document['name']}"}
    elif name == "users":
        index = {"GSI1SK": own}
        if document.get("email"):
            index["GSI1PK"] = f"EMAIL#{document['email']}"
    elif name == "products":
        fields = (("GSI1PK", "CATEGORY", "category"), ("GSI1SK", "PRODUCT", "nameEn"))
        index = {to: f"{word}#{document[field]}" for to, word, field in fields if document.get(field)}
    else:
        fields = (("GSI1PK", "USER", "user"), ("GSI1SK", "ORDER", "createdAt"))
        index = {to: f"{word}#{plain(document[field])}" for to, word, field in fields if field in document}
    return {"PK": own, "SK": own, "entityType": kind, **index}


def cdn(image: str) -> str:
    """The address of an image after the move."""
    uploads = "/uploads/"
    return f"https://cdn.example.com{image}" if image.startswith(uploads) else image


def text(key: Any) -> str:
    """An `_id` as it stands in a key."""
    if isinstance(key, Binary):
        return str(UUID(bytes=bytes(key)))
    return str(key)


def plain(value: Any) -> Any:
    """A BSON value as boto3 should give it back."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, ObjectId):
        return str(value)
    if isinstance(value, datetime):
        return f"{value.isoformat(timespec='milliseconds')[:-6]}Z"
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, DatetimeMS):
        return int(value)
    if isinstance(value, Regex | Timestamp | Code | MinKey | MaxKey):
        return json.loads(json_util.dumps(value))
    return value


def compare(where: str, wanted: dict[str, Any], item: dict[str, Any] | None) -> None:
    """Raises Differs unless `item` has exactly what is wanted, the hints aside."""
    if item is None:
        raise Differs(f"{where}: there is no item")
    for name in wanted.keys() | item.keys():
        if name == HINTS:
            continue
        if name not in wanted or name not in item or not same(wanted[name], item[name]):
            raise Differs(f"{where}: {name} is {item.get(name)!r:.200}, not {wanted.get(name)!r:.200}")


def same(one: Any, other: Any) -> bool:
    """Whether two values are alike, numbers by value, true and 1 apart."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def nothing_left(where: str, items: dict[Any, Any]) -> None:
    """Raises Differs for items that no record stands behind."""
    if items:
        raise Differs(f"{where}: {len(items)} items without a record, such as {next(iter(items))!r}")


def scan(endpoint: str, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table."""
    read = TypeDeserializer().deserialize
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    try:
        for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: unwrapped(read(value)) for name, value in item.items()}
    finally:
        client.close()


def unwrapped(value: Any) -> Any:
    """boto3's own class for binary values as bytes."""
    if isinstance(value, Bytes):
        return bytes(value.value)
    if isinstance(value, dict):
        return {name: unwrapped(each) for name, each in value.items()}
    if isinstance(value, list):
        return [unwrapped(each) for each in value]
    return value
