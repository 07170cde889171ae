"""The shop's project for the corpus: examples/shop with its products alone, and the types of what the corpus adds."""

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
_TYPES = {"updatedAt": "date", "variants[].price": "decimal128"}
"""What `greylag plan` proposes for them."""
_INSERTED_TOGETHER = 5000


def write_project(folder: Path, dataset: str = "products") -> None:
    """A folder as a user has it. `dataset` is the collection that the flow reads."""
    yaml = YAML()
    project: dict[str, Any] = yaml.load(EXAMPLE / "greylag.yaml")
    flow = project["services"]["catalogue"]["flows"]["products"]
    flow["from"] = f"mongo.{dataset}"
    flow["types"] |= _TYPES
    project["services"] = {"catalogue": {"flows": {"products": flow}}}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "greylag.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(project, file)
    shutil.copy(EXAMPLE / "mapping.py", folder)


def fill(url: str, count: int, dataset: str = "products") -> None:
    """A collection of `count` documents, nothing else of it left."""
    with MongoClient[RawBSONDocument](url, document_class=RawBSONDocument) as client:
        collection = client["shop"][dataset]
        collection.drop()
        batch: list[RawBSONDocument] = []
        for raw in corpus.documents("details", count):
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
