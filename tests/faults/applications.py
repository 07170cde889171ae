"""The stores that the ledger's application writes: MongoDB, DynamoDB, and a JSON file, each by its own driver alone."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

import boto3
import pymongo.errors
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from pymongo import MongoClient

from greylag.connectors.json.fence import LOCK
from tests.faults.ledger import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.ledger import State

_NOT_AUTHORIZED: Final = 13
_DUPLICATE: Final = 11000


class Collection:
    """`things` of a database. What a broken connection or an election leaves open is written again until it is
    acknowledged.
    """

    def __init__(self, url: str, database: str) -> None:
        self._client = MongoClient[dict[str, Any]](url, retryWrites=True)
        self.things = self._client[database]["things"]

    def insert(self, state: State) -> None:
        def act() -> None:
            try:
                self.things.insert_one(state)
            except pymongo.errors.DuplicateKeyError:
                if self.things.find_one({"_id": state["_id"]}) != state:
                    raise

        self._insist(act)

    def replace(self, before: State, state: State) -> None:
        self._insist(lambda: self.things.replace_one({"_id": before["_id"]}, state))

    def update(self, before: State, change: State) -> None:
        self._insist(lambda: self.things.update_one({"_id": before["_id"]}, {"$set": change}))

    def delete(self, before: State) -> None:
        self._insist(lambda: self.things.delete_one({"_id": before["_id"]}))

    def read(self) -> list[State]:
        return list(self.things.find())

    def close(self) -> None:
        self._client.close()

    def _insist(self, act: Callable[[], object]) -> None:
        while True:
            try:
                act()
            except pymongo.errors.AutoReconnect:
                continue
            except pymongo.errors.OperationFailure as error:
                if error.code == _NOT_AUTHORIZED:
                    raise Refused from error
                raise
            return


class Table:
    """Items of a table, as an application that knows the mapping writes them: `pk` is of `kind` and `_id`."""

    def __init__(self, endpoint: str, table: str) -> None:
        self._client = boto3.client(
            "dynamodb",
            endpoint_url=endpoint,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 9}),
        )
        self._table = table
        self._write = TypeSerializer().serialize
        self._read = TypeDeserializer().deserialize

    def insert(self, state: State) -> None:
        self._client.put_item(TableName=self._table, Item=self._item(state))

    def replace(self, before: State, state: State) -> None:
        self._move(before, state)

    def update(self, before: State, change: State) -> None:
        if "kind" in change:
            self._move(before, {**before, **change})
            return
        names = {f"#{number}": name for number, name in enumerate(change)}
        self._client.update_item(
            TableName=self._table,
            Key=self._key(before),
            UpdateExpression="SET " + ", ".join(f"{each} = :{each[1:]}" for each in names),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={
                f":{each[1:]}": self._write(change[name]) for each, name in names.items()
            },
        )

    def delete(self, before: State) -> None:
        self._client.delete_item(TableName=self._table, Key=self._key(before))

    def read(self) -> list[State]:
        found = []
        for page in self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
            for item in page["Items"]:
                state = {
                    name: value if isinstance(value, str) else int(value)
                    for name, wire in item.items()
                    if not name.startswith("__")
                    for value in [self._read(wire)]
                }
                assert item["pk"] == self._key(state)["pk"]
                found.append({name: value for name, value in state.items() if name not in {"pk", "is"}})
        return found

    def close(self) -> None:
        self._client.close()

    def _move(self, before: State, state: State) -> None:
        if self._key(before) == self._key(state):
            self.insert(state)
            return
        gone: Any = {"Delete": {"TableName": self._table, "Key": self._key(before)}}
        new: Any = {"Put": {"TableName": self._table, "Item": self._item(state)}}
        self._client.transact_write_items(TransactItems=[gone, new])

    def _key(self, state: State) -> dict[str, Any]:
        return {"pk": self._write(f"{state['kind']}#{state['_id']}")}

    def _item(self, state: State) -> dict[str, Any]:
        return {
            **self._key(state),
            "is": {"S": "moved"},
            **{name: self._write(each) for name, each in state.items()},
        }


class File:
    """`things` in a JSON file, written anew with each write: in place, by another file put in its place, with a part of
    it written first. It stops at a fence's lock.
    """

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._chance = random.Random(seed)
        self._states: dict[int, State] = {}

    def insert(self, state: State) -> None:
        self._put(state)

    def replace(self, before: State, state: State) -> None:
        self._put(state)

    def update(self, before: State, change: State) -> None:
        self._put({**before, **change})

    def delete(self, before: State) -> None:
        states = {number: each for number, each in self._states.items() if number != before["_id"]}
        self._save(states)

    def read(self) -> list[State]:
        found: list[State] = json.loads(self._path.read_text())["things"]
        return found

    def close(self) -> None:
        """Nothing is open."""

    def _put(self, state: State) -> None:
        self._save({**self._states, state["_id"]: state})

    def _save(self, states: dict[int, State]) -> None:
        if (self._path.parent / LOCK).exists():
            raise Refused
        listed = list(states.values())
        self._chance.shuffle(listed)
        content = json.dumps({"other": [1], "things": listed})
        way = self._chance.randrange(3)
        if way == 0:
            self._path.write_text(content)
        elif way == 1:
            beside = self._path.with_suffix(".new")
            beside.write_text(content)
            beside.replace(self._path)
        else:
            with self._path.open("w") as file:
                for start in range(0, len(content), 2000):
                    file.write(content[start : start + 2000])
                    file.flush()
        self._states = states
