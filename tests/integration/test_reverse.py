"""What an application writes at DynamoDB, by boto3 alone, carried back to MongoDB and to JSON files."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from bson import Decimal128, Int64, ObjectId
from pymongo import MongoClient

from tests.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOP = """
project: shop
connections:
  mongo: {{kind: mongodb, url: "{url}", database: {database}}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{endpoint}", create_tables: true}}
tables:
  {prefix}shop: {{in: dynamo, key: [PK, SK], indexes: {{GSI1: [GSI1PK]}}}}
services:
  catalogue:
    flows:
      products:
        from: mongo.products
        to: dynamo.{prefix}shop
        attributes: {{PK: "PRODUCT#{{_id}}", SK: "PRODUCT#{{_id}}", GSI1PK: "CATEGORY#{{category}}",
                     entityType: PRODUCT}}
        rename: {{_id: id}}
        types: {{_id: objectId, price: decimal128, createdAt: date, count: int}}
        {products}
      users:
        from: mongo.users
        to: dynamo.{prefix}shop
        attributes: {{PK: "USER#{{_id}}", SK: "USER", entityType: USER}}
        rename: {{_id: id}}
"""
WHEN = datetime(2024, 1, 31, 10, tzinfo=UTC)


class Shop:
    """The shop, loaded, and both of its stores."""

    def __init__(self, folder: Path, url: str, database: str, endpoint: str, prefix: str) -> None:
        self.greylag = Command(folder)
        self.settings = {"url": url, "database": database, "endpoint": endpoint, "prefix": prefix}
        self.table = f"{prefix}shop"
        self.client = boto3.client("dynamodb", endpoint_url=endpoint, region_name="us-east-1")
        self.mongo = MongoClient[dict[str, Any]](url, tz_aware=True)
        self.database = self.mongo[database]
        self.write()

    def write(self, products: str = "") -> None:
        self.greylag.write(SHOP.format(**self.settings, products=products))

    def product(self, number: int, **more: Any) -> dict[str, Any]:
        return {"_id": ObjectId(f"{number:024x}"), "name": f"product {number}", **more}

    def put(self, number: int, *, kind: str = "PRODUCT", **attributes: Any) -> None:
        """As the application would: plain DynamoDB JSON, no hints."""
        name = f"{number:024x}"
        key = {"PK": {"S": f"PRODUCT#{name}"}, "SK": {"S": f"PRODUCT#{name}"}}
        item = {**key, "entityType": {"S": kind}, "id": {"S": name}, **attributes}
        self.client.put_item(TableName=self.table, Item=item)

    def key(self, number: int) -> dict[str, Any]:
        return {name: {"S": f"PRODUCT#{number:024x}"} for name in ("PK", "SK")}

    def products(self) -> dict[int, dict[str, Any]]:
        return {int(str(each["_id"]), 16): each for each in self.database.products.find()}

    def back(self, *more: str, expect: int = 0) -> Any:
        return self.greylag.json("follow", "--reverse", "--once", "--frozen", *more, expect=expect)


@pytest.fixture
def shop(
    tmp_path: Path, mongodb_url: str, database: str, dynamodb_endpoint: str, table_prefix: str
) -> Iterator[Shop]:
    made = Shop(tmp_path, mongodb_url, database, dynamodb_endpoint, table_prefix)
    with made.mongo:
        _load(made)
        yield made


def _load(made: Shop) -> None:
    made.database.products.insert_many(
        [
            made.product(1, price=Decimal128("1.50"), count=5, createdAt=WHEN, category="tea"),
            made.product(2, price=Int64(2), odd=2.0, category="tea"),
            made.product(3, tags=["a", {"b": Int64(1)}]),
        ]
    )
    made.database.users.insert_many([{"_id": n, "name": f"user {n}"} for n in range(3)])
    made.greylag("run")


def test_what_the_application_writes_comes_back_with_its_types(shop: Shop) -> None:
    before = shop.products()
    assert shop.back()["changes"] == 0
    assert shop.products() == before  # nothing echoes
    shop.client.update_item(
        TableName=shop.table,
        Key=shop.key(1),
        UpdateExpression="SET #n = :name, price = :price, stock = :stock",
        ExpressionAttributeNames={"#n": "name"},
        ExpressionAttributeValues={":name": {"S": "Tea"}, ":price": {"N": "2.5"}, ":stock": {"N": "7"}},
    )
    shop.put(2, name={"S": "replaced"}, category={"S": "pots"}, GSI1PK={"S": "CATEGORY#pots"})
    shop.client.delete_item(TableName=shop.table, Key=shop.key(3))
    shop.put(4, price={"N": "9"}, createdAt={"S": "2024-01-31T10:00:00.000Z"}, big={"N": "5000000000"})
    shop.put(4, price={"N": "10"}, createdAt={"S": "2024-01-31T10:00:00.000Z"}, big={"N": "5000000000"})
    shop.put(5, name={"S": "passing"})
    shop.client.delete_item(TableName=shop.table, Key=shop.key(5))
    report = shop.back()
    assert (report["changes"], report["stale"]) == (7, 0)
    found = shop.products()
    assert found == {
        1: {**before[1], "name": "Tea", "price": Decimal128("2.50"), "stock": 7},
        2: {"_id": before[2]["_id"], "name": "replaced", "category": "pots"},
        4: {
            "_id": ObjectId(f"{4:024x}"),
            "price": Decimal128("10"),
            "createdAt": WHEN,
            "big": Int64(5000000000),
        },
    }
    assert [type(found[1][name]) for name in ("price", "count", "stock")] == [Decimal128, int, int]
    assert type(found[4]["big"]) is Int64
    assert shop.database.users.count_documents({}) == 3
    assert shop.greylag.json("verify")["flows"]


def test_what_cannot_be_carried_back_is_said_and_the_rest_goes_on(shop: Shop) -> None:
    shop.back()
    shop.client.update_item(
        TableName=shop.table,
        Key=shop.key(1),
        UpdateExpression="SET category = :pots",
        ExpressionAttributeValues={":pots": {"S": "pots"}},
    )
    shop.put(9, name={"S": "owned by none"}, kind="OTHER")
    shop.client.put_item(TableName=shop.table, Item={"PK": {"S": "x"}, "SK": {"S": "y"}})
    shop.put(4, name={"S": "new"})
    report = shop.back(expect=10)
    assert report["stale"] == 1
    [refused] = report["refused"]
    assert "`GSI1PK`" in refused["reason"]
    assert shop.products()[1]["category"] == "tea"
    assert 9 not in shop.products()
    assert shop.products()[4]["name"] == "new"
    shop.client.update_item(
        TableName=shop.table,
        Key=shop.key(1),
        UpdateExpression="SET GSI1PK = :pots",
        ExpressionAttributeValues={":pots": {"S": "CATEGORY#pots"}},
    )
    assert shop.back()["stale"] == 0
    assert shop.products()[1]["category"] == "pots"


def test_a_lost_position_is_found_again_by_comparing(shop: Shop) -> None:
    shop.database.products.insert_one(shop.product(50, id="two writers: never loaded"))
    shop.put(6, name={"S": "before reverse"})
    shop.client.delete_item(TableName=shop.table, Key=shop.key(2))
    shop.back()
    shop.client.update_table(TableName=shop.table, StreamSpecification={"StreamEnabled": False})
    shop.put(7, name={"S": "while it was off"})
    shop.client.delete_item(TableName=shop.table, Key=shop.key(3))
    shop.client.update_item(
        TableName=shop.table,
        Key=shop.key(1),
        UpdateExpression="SET #n = :name",
        ExpressionAttributeNames={"#n": "name"},
        ExpressionAttributeValues={":name": {"S": "Tea"}},
    )
    view: Any = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    shop.client.update_table(TableName=shop.table, StreamSpecification=view)
    done = shop.greylag("follow", "--reverse", "--once", expect=13)
    assert "--compare" in done.stderr
    report = shop.back("--compare")
    assert report["compared"]["put"] == 3
    found = shop.products()
    assert found.keys() == {1, 6, 7, 50}
    assert found[1]["name"] == "Tea"
    shop.put(8, name={"S": "after"})
    shop.client.delete_item(TableName=shop.table, Key=shop.key(7))
    assert shop.back()["changes"] == 2
    assert 8 in shop.products()
    assert 7 not in shop.products()


def test_from_mongodb_to_mongodb(tmp_path: Path, mongodb_url: str, database: str) -> None:
    greylag = Command(tmp_path)
    greylag.write(
        f"""
project: shop
connections:
  old: {{kind: mongodb, url: "{mongodb_url}", database: {database}}}
  new: {{kind: mongodb, url: "{mongodb_url}", database: {database}-new, create_tables: true}}
services:
  users:
    flows:
      users: {{from: old.users, to: new.users}}
      things: {{from: old.things, to: new.things, rename: {{name: title}}}}
"""
    )
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        old, new = client[database], client[f"{database}-new"]
        old.users.insert_many([{"_id": n, "b": 1.0, "a": Int64(n)} for n in range(5)])
        old.things.insert_many([{"_id": f"t{n}", "name": "thing"} for n in range(3)])
        try:
            greylag("run")
            assert greylag.json("follow", "--reverse", "--once", "--frozen")["changes"] == 0
            new.users.update_one({"_id": 1}, {"$set": {"a": Decimal128("1.0")}})
            new.users.delete_one({"_id": 2})
            new.users.replace_one({"_id": 9}, {"x": None}, upsert=True)
            new.things.update_one({"_id": "t0"}, {"$set": {"title": "changed"}})
            new.things.delete_one({"_id": "t1"})
            assert greylag.json("follow", "--reverse", "--once")["changes"] == 5
            assert list(old.users.find(sort=[("_id", 1)])) == list(new.users.find(sort=[("_id", 1)]))
            found = old.users.find_one({"_id": 1}) or {}
            assert list(found.items()) == [
                ("_id", 1),
                ("b", 1.0),
                ("a", Decimal128("1.0")),
            ]
            assert list(old.things.find(sort=[("_id", 1)])) == [
                {"_id": "t0", "name": "changed"},
                {"_id": "t2", "name": "thing"},
            ]
        finally:
            client.drop_database(f"{database}-new")


@pytest.mark.long
def test_an_item_whose_key_moves_stays_one_record(
    tmp_path: Path, mongodb_url: str, database: str, dynamodb_endpoint: str, table_prefix: str
) -> None:
    table = f"{table_prefix}things"
    greylag = Command(tmp_path)
    greylag.write(
        f"""
project: moving
connections:
  old: {{kind: mongodb, url: "{mongodb_url}", database: {database}}}
  new: {{kind: dynamodb, region: us-east-1, endpoint_url: "{dynamodb_endpoint}", create_tables: true}}
services:
  s:
    flows:
      things: {{from: old.things, to: new.{table}, key: {{pk: "{{kind}}#{{_id}}"}}}}
"""
    )
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")

    def item(kind: str, number: int) -> dict[str, Any]:
        return {"pk": {"S": f"{kind}#{number}"}, "kind": {"S": kind}, "_id": {"N": str(number)}}

    def put(kind: str, number: int) -> Any:
        return {"Put": {"TableName": table, "Item": item(kind, number)}}

    def delete(kind: str, number: int) -> Any:
        return {"Delete": {"TableName": table, "Key": {"pk": {"S": f"{kind}#{number}"}}}}

    with MongoClient[dict[str, Any]](mongodb_url) as mongo:
        things = mongo[database].things
        things.insert_many([{"_id": number, "kind": "a"} for number in range(40)])
        greylag("run")
        greylag("follow", "--reverse", "--once", "--frozen")
        for number in range(40):  # more than a batch: what is written of one window has no order
            client.transact_write_items(TransactItems=[put("b", number), delete("a", number)])
        assert greylag.json("follow", "--reverse", "--once")["stale"] == 0
        assert list(things.find(sort=[("_id", 1)])) == [{"_id": n, "kind": "b"} for n in range(40)]
        client.put_item(TableName=table, Item=item("c", 0))
        assert greylag.json("follow", "--reverse", "--once", expect=10)["stale"] == 2
        assert things.find_one({"_id": 0}) == {"_id": 0, "kind": "b"}
        client.delete_item(TableName=table, Key={"pk": {"S": "b#0"}})
        assert greylag.json("follow", "--reverse", "--once")["stale"] == 0
        assert things.find_one({"_id": 0}) == {"_id": 0, "kind": "c"}


def test_a_mapping_that_cannot_be_inverted_is_refused(shop: Shop) -> None:
    shop.write("drop: [secret]")
    done = shop.greylag("follow", "--reverse", "--once", expect=3)
    assert "`secret` is dropped" in done.stderr
    report = shop.greylag.json("plan", "--offline", expect=None)
    assert "not-reversible" in json.dumps(report)


@pytest.mark.long
def test_killed_anywhere_it_goes_on(shop: Shop) -> None:
    shop.back()
    stop = threading.Event()
    written: dict[int, int] = {}

    def application() -> None:
        number = 100
        while not stop.is_set():
            shop.put(number % 40 + 100, n={"N": str(number)})
            written[number % 40 + 100] = number
            if number % 7 == 0:
                shop.client.delete_item(TableName=shop.table, Key=shop.key(number % 40 + 100))
                del written[number % 40 + 100]
            number += 1
            stop.wait(0.01)

    thread = threading.Thread(target=application)
    thread.start()
    try:
        for _ in range(2):
            process = shop.greylag.start("follow", "--reverse")
            deadline = time.monotonic() + 60
            before = _newest(shop)
            while _newest(shop) == before and process.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.communicate()
    finally:
        stop.set()
        thread.join()
    shop.back()
    assert {key: each["n"] for key, each in shop.products().items() if key >= 100} == written


def _newest(shop: Shop) -> int:
    return max((each.get("n", 0) for each in shop.products().values()), default=0)


def test_the_forum_gets_its_files_back(tmp_path: Path, dynamodb_endpoint: str, table_prefix: str) -> None:
    example = Path(__file__).parents[2] / "examples" / "forum"
    shutil.copytree(example / "data", tmp_path / "data")
    text = (example / "greylag.yaml").read_text().replace("dynamo.forum-", f"dynamo.{table_prefix}")
    greylag = Command(tmp_path, {"DYNAMODB_ENDPOINT": dynamodb_endpoint})
    greylag.write(text)
    greylag("run", expect=None)
    files = {name: tmp_path / "data" / name / "db.json" for name in ("users", "threads", "posts")}
    before = {name: path.read_bytes() for name, path in files.items()}
    greylag.json("follow", "--reverse", "--once", "--frozen")
    assert {name: path.read_bytes() for name, path in files.items()} == before
    old = {name: json.loads(text)[name] for name, text in before.items()}
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")
    users, posts = old["users"], old["posts"]
    first, second = users[0], users[1]
    client.update_item(
        TableName=f"{table_prefix}users",
        Key={"userId": {"S": str(first["id"])}},
        UpdateExpression="SET bio = :bio",
        ExpressionAttributeValues={":bio": {"S": "hello"}},
    )
    client.delete_item(TableName=f"{table_prefix}users", Key={"userId": {"S": str(second["id"])}})
    client.put_item(
        TableName=f"{table_prefix}users",
        Item={"userId": {"S": "new"}, "id": {"S": "new"}, "email": {"S": "new@example.com"}},
    )
    thread = {"S": posts[3]["thread"]}
    client.delete_item(TableName=f"{table_prefix}posts", Key={"postId": {"N": "3"}, "threadId": thread})
    row = len(posts)
    user = {"S": posts[0]["user"]}
    client.put_item(
        TableName=f"{table_prefix}posts",
        Item={"postId": {"N": str(row)}, "threadId": thread, "thread": thread, "user": user, "userId": user},
    )
    report = greylag.json("follow", "--reverse", "--once")
    assert (report["changes"], report["stale"]) == (5, 0)
    now = {name: json.loads(path.read_bytes())[name] for name, path in files.items()}
    assert now["users"] == [
        {**first, "bio": "hello"},
        *users[2:],
        {"id": "new", "email": "new@example.com"},
    ]
    assert now["posts"] == [*posts[:3], *posts[4:], {"thread": thread["S"], "user": user["S"]}]
    assert files["threads"].read_bytes() == before["threads"]


def test_items_of_a_split_come_back_into_their_arrays(
    tmp_path: Path, mongodb_url: str, database: str, dynamodb_endpoint: str, table_prefix: str
) -> None:
    greylag = Command(tmp_path)
    greylag.write(
        f"""
project: shop
connections:
  mongo: {{kind: mongodb, url: "{mongodb_url}", database: {database}}}
  dynamo: {{kind: dynamodb, region: us-east-1, endpoint_url: "{dynamodb_endpoint}", create_tables: true}}
tables:
  {table_prefix}shop: {{in: dynamo, key: [PK, SK]}}
services:
  s:
    flows:
      orders:
        from: mongo.orders
        to: dynamo.{table_prefix}shop
        attributes: {{PK: "ORDER#{{_id}}", SK: ORDER, type: ORDER}}
        types: {{_id: int, total: decimal128}}
        split:
          lines:
            attributes: {{PK: "ORDER#{{@parent._id}}", SK: "LINE#{{@index|pad:3}}", type: LINE}}
            types: {{price: decimal128}}
"""
    )
    table = f"{table_prefix}shop"
    client = boto3.client("dynamodb", endpoint_url=dynamodb_endpoint, region_name="us-east-1")

    def line(order: int, place: int, price: str) -> dict[str, Any]:
        key = {"PK": {"S": f"ORDER#{order}"}, "SK": {"S": f"LINE#{place:03}"}}
        return {**key, "type": {"S": "LINE"}, "price": {"N": price}}

    def own(order: int) -> dict[str, Any]:
        return {"PK": {"S": f"ORDER#{order}"}, "SK": {"S": "ORDER"}}

    def lines(*prices: str) -> list[dict[str, Any]]:
        return [{"price": Decimal128(each)} for each in prices]

    with MongoClient[dict[str, Any]](mongodb_url) as mongo:
        orders = mongo[database]["orders"]
        orders.insert_many([{"_id": n, "total": Decimal128("3"), "lines": lines("1", "2")} for n in range(4)])
        greylag("run")
        before = list(orders.find(sort=[("_id", 1)]))
        assert greylag.json("follow", "--reverse", "--once", "--frozen")["changes"] == 0
        assert list(orders.find(sort=[("_id", 1)])) == before, "nothing echoes"
        client.put_item(TableName=table, Item=line(0, 2, "5.5"))
        client.delete_item(TableName=table, Key={name: line(1, 0, "1")[name] for name in ("PK", "SK")})
        for each in (
            own(2),
            *({name: line(2, place, "1")[name] for name in ("PK", "SK")} for place in (0, 1)),
        ):
            client.delete_item(TableName=table, Key=each)
        client.put_item(TableName=table, Item=line(9, 0, "7"))
        client.put_item(
            TableName=table,
            Item={**own(9), "type": {"S": "ORDER"}, "_id": {"N": "9"}, "total": {"N": "7"}},
        )
        assert greylag.json("follow", "--reverse", "--once")["stale"] == 0
        assert {each["_id"]: each["lines"] for each in orders.find()} == {
            0: lines("1", "2", "5.5"),
            1: lines("2"),
            3: lines("1", "2"),
            9: lines("7"),
        }
        orders.delete_one({"_id": 3})
        orders.update_one({"_id": 0}, {"$pop": {"lines": 1}})
        assert greylag.json("follow", "--reverse", "--once", "--compare")["compared"]["put"] == 2
        assert orders.count_documents({}) == 4
