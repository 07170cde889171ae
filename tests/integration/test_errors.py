"""Each way a run can fail for a reason outside Greylag: a message that teaches, its exit code, no traceback."""

from __future__ import annotations

import json
import os
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "s3cret-never-shown"
PROJECT = """
project: errors
connections:
  files: {{kind: json, path: data}}
  mongo: {{kind: mongodb, url: "${{MONGODB_URI}}", database: shop, patience_seconds: 2}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "${{DYNAMODB_ENDPOINT}}", create_tables: {create},
            patience_seconds: 2}}
services:
  s:
    flows:
      users:
        from: {source}
        to: dynamo.{table}
        key: {{id: "{{id:S}}"}}
"""


@pytest.fixture
def table(table_prefix: str) -> str:
    return f"{table_prefix}users"


@pytest.fixture
def greylag(tmp_path: Path, dynamodb_endpoint: str, table: str) -> Command:
    command = Command(
        tmp_path, {"DYNAMODB_ENDPOINT": dynamodb_endpoint, "MONGODB_URI": "mongodb://127.0.0.1:1"}
    )
    command.write(PROJECT.format(source="files.users", table=table, create="true"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "users.json").write_text(json.dumps([{"id": f"u{n}", "n": n} for n in range(20)]))
    return command


@pytest.fixture
def dynamodb(dynamodb_endpoint: str) -> Iterator[Any]:
    with closing(boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")) as client:
        yield client


def nobody_listens() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_malformed_yaml(greylag: Command) -> None:
    greylag.write("project: [")
    assert "greylag.yaml:" in greylag("run", expect=3).stderr


def test_no_greylag_yaml(greylag: Command) -> None:
    (greylag.folder / "greylag.yaml").unlink()
    assert "greylag.yaml" in greylag("run", expect=3).stderr


def test_a_missing_variable_is_named(greylag: Command) -> None:
    del greylag.environment["DYNAMODB_ENDPOINT"]
    assert "DYNAMODB_ENDPOINT" in greylag("run", expect=3).stderr


def test_a_bad_template_is_told_with_its_line(greylag: Command, table: str) -> None:
    greylag.write(
        PROJECT.format(source="files.users", table=table, create="true").replace("{id:S}", "{id:Q}")
    )
    error = greylag("run", expect=3).stderr
    assert "greylag.yaml:14" in error
    assert "Q" in error


def test_an_unreachable_target(greylag: Command) -> None:
    greylag.environment["DYNAMODB_ENDPOINT"] = f"http://{nobody_listens()}"
    error = greylag("run", expect=4).stderr
    assert greylag.environment["DYNAMODB_ENDPOINT"].removeprefix("http://") in error


def test_a_missing_table_that_may_not_be_created(greylag: Command, table: str) -> None:
    greylag.write(PROJECT.format(source="files.users", table=table, create="false"))
    error = greylag("run", expect=6).stderr
    assert table in error
    assert "create_tables" in error


def test_a_table_whose_keys_differ(greylag: Command, table: str, dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "userId", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "userId", "KeyType": "HASH"}],
    )
    error = greylag("run", expect=6).stderr
    assert "userId" in error
    assert "id" in error
    assert dynamodb.scan(TableName=table)["Count"] == 0


def test_a_table_made_anew_since_the_run_began(greylag: Command, table: str, dynamodb: Any) -> None:
    greylag("run")
    dynamodb.delete_table(TableName=table)
    error = greylag("run", expect=7).stderr
    assert f"dynamo.{table} is gone" in error
    assert "--restart" in error
    assert table not in dynamodb.list_tables()["TableNames"]


def test_a_dataset_that_does_not_exist_names_the_nearest(greylag: Command, table: str) -> None:
    greylag.write(PROJECT.format(source="files.usrs", table=table, create="true"))
    error = greylag("run", expect=6).stderr
    assert "users" in error


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[: len(text) // 2], "ends"),
        (lambda text: text.replace('"u10"', '"u10" "x"'), "byte"),
        (lambda text: text.replace('"u10"', "u10"), "byte"),
        (lambda text: text + "]", "byte"),
    ],
)
def test_damaged_json_is_told_with_its_byte_and_what_came_before_arrives(
    greylag: Command, table: str, dynamodb: Any, damage: Any, told: str
) -> None:
    path = greylag.folder / "data" / "users.json"
    path.write_text(damage(path.read_text()))
    error = greylag("run", "--page-bytes", "20", expect=6).stderr
    assert "users.json" in error
    assert told in error
    assert dynamodb.scan(TableName=table)["Count"] >= 9


def test_a_file_that_changed_since_the_run_began(greylag: Command) -> None:
    greylag("run")
    (greylag.folder / "data" / "users.json").write_text('[{"id": "other"}]')
    error = greylag("run", expect=7).stderr
    assert "--restart" in error
    greylag("run", "--restart")


def test_an_unreachable_mongod_and_its_password(greylag: Command, table: str) -> None:
    address = nobody_listens()
    greylag.environment["MONGODB_URI"] = f"mongodb://user:{SECRET}@{address}"
    greylag.write(PROJECT.format(source="mongo.users", table=table, create="true"))
    for arguments in (["run"], ["check", "--connect"], ["preview", "users"]):
        ended = greylag(*arguments, expect=4)
        assert address in ended.stderr + ended.stdout
        assert SECRET not in ended.stderr + ended.stdout


def test_a_collection_that_does_not_exist(
    greylag: Command, table: str, mongodb_url: str, database: str
) -> None:
    from pymongo import MongoClient

    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client[database].users.insert_one({"id": "a"})
    greylag.environment["MONGODB_URI"] = mongodb_url
    project = PROJECT.format(source="mongo.usres", table=table, create="true").replace("shop", database)
    greylag.write(project)
    assert "users" in greylag("run", expect=6).stderr
    greylag.write(project.replace("usres", "users"))
    greylag("run")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(greylag: Command) -> None:
    (greylag.folder / "data" / "users.json").chmod(0)
    assert "users.json" in greylag("run", expect=5).stderr
