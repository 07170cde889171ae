"""`greylag fence`: the store itself refuses, and what was there before comes back."""

from __future__ import annotations

import json
import os
import stat
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from greylag.config import load
from greylag.connectors.json.fence import LOCK, JsonFence
from greylag.operations import fence as operation
from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MONGO = """
project: shop
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}, application_user: "{user}@{database}"}}
  there: {{kind: memory, path: target}}
services:
  sales: {{flows: {{orders: {{from: mongo.orders, to: there.orders, key: {{id: "{{_id}}"}}}}}}}}
  people: {{flows: {{users: {{from: mongo.users, to: there.users, key: {{id: "{{_id}}"}}}}}}}}
"""

FILES = """
project: forum
connections:
  files: {kind: json, path: data}
  there: {kind: memory, path: target}
services:
  users: {flows: {users: {from: files.users, to: there.users, key: {id: "{id}"}}}}
  posts: {flows: {posts: {from: files.posts, to: there.posts, key: {id: "{id}"}}}}
"""

TABLES = """
project: shop
connections:
  here: {{kind: memory, path: data}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}"}}
services:
  sales: {{flows: {{orders: {{from: here.orders, to: dynamo.{table}, key: {{id: "{{id}}"}}}}}}}}
"""


@pytest.fixture
def application(mongodb_users_url: str) -> Iterator[tuple[Any, Any, str]]:
    """The administrator's database, the application's own connection to it, and the application's user."""
    name, user = f"test_{uuid.uuid4().hex[:12]}", f"app{uuid.uuid4().hex[:8]}"
    hosts = mongodb_users_url.rpartition("@")[2].partition("/")[0]
    with MongoClient[dict[str, Any]](mongodb_users_url) as admin:
        database = admin[name]
        database.command(
            "createRole",
            f"own_{user}",
            privileges=[
                {"resource": {"db": name, "collection": "own"}, "actions": ["find", "insert", "remove"]}
            ],
            roles=[],
        )
        roles = [{"role": "readWrite", "db": name}, {"role": f"own_{user}", "db": name}]
        database.command("createUser", user, pwd="secret", roles=roles, customData={"team": "sales"})
        database.orders.insert_one({"_id": "a"})
        url = f"mongodb://{user}:secret@{hosts}/?replicaSet=rs0&authSource={name}"
        with MongoClient[dict[str, Any]](url) as mine:
            yield database, mine[name], user
        database.command("dropUser", user)
        database.command("dropRole", f"own_{user}")
        admin.drop_database(name)


@pytest.fixture
def mongo(tmp_path: Path, application: tuple[Any, Any, str], mongodb_users_url: str) -> Command:
    database, _, user = application
    command = Command(tmp_path)
    command.write(MONGO.format(url=mongodb_users_url, database=database.name, user=user))
    return command


def users(database: Any, user: str) -> list[dict[str, Any]]:
    """What the server knows of the user; it keeps roles as a set and tells them in any order."""
    known: list[dict[str, Any]] = database.command("usersInfo", user)["users"]
    for each in known:
        each["roles"].sort(key=lambda role: role["role"])
    return known


def test_mongodb_refuses_the_application(
    mongo: Command, application: tuple[Any, Any, str], mongodb_users_url: str
) -> None:
    database, mine, user = application
    before = users(database, user)
    mine.orders.insert_one({"_id": "b"})
    told = mongo("fence", "sales")
    made, old = f"greylag_fence_{user}_own_{user}@{database.name}", f"own_{user}@{database.name}"
    db = database.name
    assert f"{made}, read@{db} instead of {old}, readWrite@{db}: " in told.stdout
    assert "sales: fenced" in told.stdout
    assert "people may be held too" in told.stderr
    writes: list[Callable[[], object]] = [
        lambda: mine.orders.insert_one({"_id": "c"}),
        lambda: mine.own.insert_one({"_id": "c"}),
        lambda: mine.orders.delete_many({}),
        mine.orders.drop,
        lambda: mine.command("grantRolesToUser", user, roles=["readWrite"]),
    ]
    for write in writes:
        with pytest.raises(OperationFailure, match="not authorized"):
            write()
    assert {each["_id"] for each in mine.orders.find()} == {"a", "b"}
    assert list(mine.own.find()) == []

    mongo("fence", "sales")
    mongo("fence", "people")
    assert "stays fenced for people" in mongo("fence", "sales", "--release").stdout
    with pytest.raises(OperationFailure, match="not authorized"):
        mine.orders.insert_one({"_id": "c"})
    assert mongo.json("fence", "people", "--release")["state"] == "released"
    assert users(database, user) == before
    assert [each["role"] for each in database.command("rolesInfo", 1)["roles"]] == [f"own_{user}"]
    mine.orders.insert_one({"_id": "c"})
    assert mongo.json("fence", "people", "--release")["state"] == "not fenced"


def test_whom_mongodb_cannot_hold(
    mongo: Command, tmp_path: Path, mongodb_url: str, application: tuple[Any, Any, str]
) -> None:
    assert "Greylag itself" in mongo("fence", "sales", "--user", "greylag", expect=3).stderr
    assert "there is no user nobody@admin" in mongo("fence", "sales", "--user", "nobody", expect=3).stderr
    mongo.write(MONGO.format(url=mongodb_url, database="any", user="app"))
    assert "asks nobody to sign in" in mongo("fence", "sales", expect=3).stderr
    assert operation.fenced(tmp_path / ".greylag").things == []


@pytest.fixture
def files(tmp_path: Path) -> Command:
    (tmp_path / "data").mkdir(mode=0o755)
    for name, mode in (("users", 0o664), ("posts", 0o600)):
        path = tmp_path / "data" / f"{name}.json"
        path.write_text('[{"id": 1}]')
        path.chmod(mode)
    command = Command(tmp_path)
    command.write(FILES)
    return command


def test_a_certificate_behind_a_fence(files: Command, tmp_path: Path) -> None:
    files("fence", "users")
    files("run", "--only", "users")
    files("verify", "--only", "users", "--certificate", "proof.json")
    document = json.loads((tmp_path / "proof.json").read_text())
    assert document["kind"] == "certificate"
    assert document["standstill"] == {"frozen": None, "fenced": ["users"], "drained": ["users"]}
    files("fence", "users", "--release")
    files("fence", "users")
    files("verify", "--only", "users", "--certificate", "proof.json")
    assert json.loads((tmp_path / "proof.json").read_text())["because"] == [
        "users is not drained; nor was the source declared frozen"
    ]


def modes(folder: Path) -> dict[str, int]:
    return {each.name: stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.iterdir())}


def test_json_files_are_read_only_and_say_so(files: Command, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = modes(folder)
    files("fence", "users")
    assert modes(folder) == {**before, "data": 0o555, "users.json": 0o444, LOCK: modes(folder)[LOCK]}
    assert json.loads((folder / LOCK).read_text())["fenced_by"] == "greylag"
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            (folder / "users.json").write_text("[]")
    files("fence", "posts")
    files("fence", "users", "--release")
    assert modes(folder)["users.json"] == 0o664
    assert modes(folder)["data"] == 0o555
    files("fence", "posts", "--release")
    assert modes(folder) == before


def test_a_fence_that_was_killed_half_way(
    files: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step in turn; then it is put up whole, or released."""
    folder = tmp_path / "data"
    before = modes(folder)
    impose = JsonFence.impose
    for finish in ("fence", "release"):
        for step in (0, 1):
            left = [step]

            def stops(self: JsonFence, thing: str, was: Mapping[str, Any], left: list[int] = left) -> Any:
                if not left[0]:
                    raise KeyboardInterrupt
                left[0] -= 1
                return impose(self, thing, was)

            with monkeypatch.context() as patched:
                patched.setattr(JsonFence, "impose", stops)
                with pytest.raises(KeyboardInterrupt):
                    operation.fence(load(tmp_path / "greylag.yaml"), "users")
            assert operation.fenced(tmp_path / ".greylag").fenced() == ()
            if finish == "fence":
                assert files.json("fence", "users")["state"] == "fenced"
                state = operation.fenced(tmp_path / ".greylag")
                assert state.fenced() == ("users",)
                assert state.late_after_ms("files", {"users"}) is not None
                assert modes(folder)["users.json"] == 0o444
            files("fence", "users", "--release")
            assert modes(folder) == before
            assert operation.fenced(tmp_path / ".greylag").late_after_ms("files", {"users"}) is None


def test_dynamodb_has_a_policy(
    tmp_path: Path, moto_endpoint: str, dynamodb_endpoint: str, table_prefix: str
) -> None:
    """moto keeps resource policies and enforces none, so what is tested is that ours is there and goes again."""
    table = f"{table_prefix}orders"
    client = boto3.client("dynamodb", endpoint_url=moto_endpoint, region_name="us-east-1")
    described = client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    arn = described["TableDescription"]["TableArn"]
    command = Command(tmp_path)
    command.write(TABLES.format(endpoint=moto_endpoint, table=table))
    command("fence", "sales", "--side", "target")
    [denial] = json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])["Statement"]
    assert (denial["Effect"], denial["Resource"]) == ("Deny", arn)
    assert "dynamodb:PutItem" in denial["Action"]
    assert denial["Condition"]["StringNotLike"]["aws:userid"]
    command("fence", "sales", "--release")
    with pytest.raises(client.exceptions.PolicyNotFoundException):
        client.get_resource_policy(ResourceArn=arn)

    own = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "Mine", "Effect": "Deny"}]})
    client.put_resource_policy(ResourceArn=arn, Policy=own)
    command("fence", "sales", "--side", "target")
    statements = json.loads(client.get_resource_policy(ResourceArn=arn)["Policy"])["Statement"]
    assert [each["Sid"] for each in statements] == ["Mine", "GreylagFence"]
    command("fence", "sales", "--release")
    assert client.get_resource_policy(ResourceArn=arn)["Policy"] == own
    client.delete_table(TableName=table)
    client.close()
    command.write(TABLES.format(endpoint=dynamodb_endpoint, table=table))
    command("fence", "sales", "--side", "target", expect=6)
