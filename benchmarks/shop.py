"""The shop's project for the corpus: one flow of examples/shop."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import boto3
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from ruamel.yaml import YAML

from benchmarks import corpus, machine

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "shop"
EXAMPLE = machine.ROOT / "examples" / "shop"
COLLECTIONS = {"orders": "orders", "products": "products", "texts": "products"}
_TYPES = {"products": {"updatedAt": "date", "variants[].price": "decimal128"}}
"""What `greylag plan` proposes for the fields that are not in examples/shop."""
_INSERTED_TOGETHER = 5000


def write_project(folder: Path, kind: str = "orders") -> None:
    """A folder as a user has it: of examples/shop the flow that carries documents of this kind (see `corpus`)."""
    yaml = YAML()
    project: dict[str, Any] = yaml.load(EXAMPLE / "greylag.yaml")
    flows = {
        name: flow for service in project["services"].values() for name, flow in service["flows"].items()
    }
    name = COLLECTIONS[kind]
    flow = flows[name]
    flow["types"] |= _TYPES.get(kind, {})
    project["services"] = {name: {"flows": {name: flow}}}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "greylag.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(project, file)
    shutil.copy(EXAMPLE / "mapping.py", folder)


def fill(url: str, count: int) -> None:
    """`count` orders, and nothing that was there before."""
    with MongoClient[RawBSONDocument](url, document_class=RawBSONDocument) as client:
        collection = client["shop"]["orders"]
        collection.drop()
        batch: list[RawBSONDocument] = []
        for raw in corpus.documents("orders", count):
            batch.append(RawBSONDocument(raw))
            if len(batch) == _INSERTED_TOGETHER:
                collection.insert_many(batch)
                batch = []
        if batch:
            collection.insert_many(batch)


def empty_table(endpoint: str) -> None:
    """The shop's table, new and empty."""
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    try:
        if TABLE in client.list_tables()["TableNames"]:
            client.delete_table(TableName=TABLE)
            client.get_waiter("table_not_exists").wait(TableName=TABLE)
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK", "GSI1PK", "GSI1SK")
            ],
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "GSI1",
                    "KeySchema": [
                        {"AttributeName": "GSI1PK", "KeyType": "HASH"},
                        {"AttributeName": "GSI1SK", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        client.get_waiter("table_exists").wait(TableName=TABLE)
    finally:
        client.close()


def items_in(endpoint: str) -> int:
    """How many items the table has, counted one by one."""
    client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
    try:
        pages = client.get_paginator("scan").paginate(TableName=TABLE, Select="COUNT")
        return sum(page["Count"] for page in pages)
    finally:
        client.close()
