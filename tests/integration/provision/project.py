"""A project that needs one of everything, on servers of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from pathlib import Path

YAML = """
project: {name}
connections:
  files: {{kind: json, path: data}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "${{DYNAMODB_ENDPOINT:-}}"}}
tables:
  {name}-spare: {{in: dynamo, key: [PK, SK], key_types: {{PK: S, SK: N}}, ttl: expires}}
services:
  catalogue:
    flows:
      products:
        from: files.products
        to: dynamo.{name}-products
        key: {{id: "{{id}}"}}
        indexes: {{ByPrice: {{price: "{{price}}"}}}}
    cache: dynamodb
    assets: {{lifecycle: {{expire_after: {{tmp/: 7d}}}}, cors: ["https://shop.example.com"]}}
    queue: {{visibility: 3m}}
{fifo}infrastructure: {{region: us-east-1, tags: {{owner: platform}}}}
"""
FIFO = "  orders:\n    queue: {fifo: true}\n"
THINGS = 8


@dataclass(frozen=True)
class Servers:
    """The three servers, and what a process needs to reach them."""

    dynamodb: str
    s3: str
    sqs: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DYNAMODB_ENDPOINT": self.dynamodb,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "AWS_ENDPOINT_URL_SQS": self.sqs,
        }

    def client(self, service: str) -> Any:
        endpoint = {"dynamodb": self.dynamodb, "s3": self.s3, "sqs": self.sqs}[service]
        return boto3.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]

    def state(self, name: str) -> dict[str, Any]:
        """Everything whose name begins with `name`, as the services tell it."""
        tables, s3, sqs = (self.client(each) for each in ("dynamodb", "s3", "sqs"))
        try:
            found: dict[str, Any] = {}
            for page in tables.get_paginator("list_tables").paginate():
                for table in page["TableNames"]:
                    if table.startswith(name):
                        found[f"table {table}"] = _table(tables, table)
            for bucket in s3.list_buckets()["Buckets"]:
                if bucket["Name"].startswith(name):
                    found[f"bucket {bucket['Name']}"] = _bucket(s3, bucket["Name"], bucket["CreationDate"])
            for url in sqs.list_queues(QueueNamePrefix=name).get("QueueUrls", ()):
                told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                told.pop("LastModifiedTimestamp")
                tags = sqs.list_queue_tags(QueueUrl=url)["Tags"]
                found[f"queue {url.rpartition('/')[2]}"] = {**told, "tags": tags}
        finally:
            for client in (tables, s3, sqs):
                client.close()
        return found

    def clean(self, name: str) -> None:
        """Remove everything whose name begins with `name`, whoever made it."""
        tables, s3, sqs = (self.client(each) for each in ("dynamodb", "s3", "sqs"))
        for key in self.state(name):
            kind, _, each = key.partition(" ")
            if kind == "table":
                tables.delete_table(TableName=each)
            elif kind == "bucket":
                s3.delete_bucket(Bucket=each)
            else:
                sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=each)["QueueUrl"])
        for client in (tables, s3, sqs):
            client.close()


def _table(client: Any, name: str) -> dict[str, Any]:
    told = client.describe_table(TableName=name)["Table"]
    kept = ("KeySchema", "AttributeDefinitions", "CreationDateTime", "StreamSpecification")
    ttl = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    indexes = sorted(each["IndexName"] for each in told.get("GlobalSecondaryIndexes", ()))
    return {**{key: told.get(key) for key in kept}, "ttl": ttl.get("AttributeName"), "indexes": indexes}


def _bucket(client: Any, name: str, made: Any) -> dict[str, Any]:
    return {
        "made": made,
        "tags": client.get_bucket_tagging(Bucket=name)["TagSet"],
        "versioning": client.get_bucket_versioning(Bucket=name).get("Status"),
        "encryption": client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"],
        "cors": client.get_bucket_cors(Bucket=name)["CORSRules"],
        "lifecycle": client.get_bucket_lifecycle_configuration(Bucket=name)["Rules"],
    }


def write(folder: Path, name: str, *, fifo: str = FIFO) -> None:
    """The project and its records; without `fifo` a project with two things less."""
    (folder / "greylag.yaml").write_text(YAML.format(name=name, fifo=fifo))
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "products.json").write_text('[{"id": 1, "price": 5}, {"id": 2, "price": 7}]')
