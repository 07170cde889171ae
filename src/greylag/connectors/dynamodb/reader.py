"""Reads items back, consistently: parallel scans for verification, single items, and deletes for repair."""

from __future__ import annotations

import asyncio
import itertools
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from greylag.connectors.dynamodb import limits
from greylag.connectors.dynamodb.codec import wire_key
from greylag.connectors.dynamodb.errors import Fault
from greylag.connectors.dynamodb.keys import key_bytes
from greylag.connectors.dynamodb.markers import is_marker
from greylag.connectors.dynamodb.numbers import normal
from greylag.connectors.dynamodb.service import Tally
from greylag.core.records import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from greylag.connectors.dynamodb.service import Service
    from greylag.connectors.dynamodb.wire import Connection
    from greylag.core.ports import TableInfo
    from greylag.core.values import Document

_UNUSUAL: Final = re.compile(
    rb'"N":"(?!(?:0|-?(?:[1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9]))")',
)
"""In what orjson wrote: a number that the real service would have written otherwise. It begins with literal text: so
`re` finds it several times faster than it would find one of two things.
"""
_SET: Final = b'S":['
"""There in each of "SS", "NS" and "BS"."""


class ScanPage(NamedTuple):
    """One answer to a Scan: items in DynamoDB JSON, the key after which the next page begins (None: this was the last
    one), and what DynamoDB charged (0 where it does not tell).
    """

    items: list[dict[str, Any]]
    last: dict[str, Any] | None
    units: float


class Reader:
    """One event loop, driven while a caller waits, and connections that are kept."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop = asyncio.new_event_loop()
        self._idle: list[Connection] = []

    def close(self) -> None:
        """Let go of connections."""
        if not self._loop.is_closed():
            for each in self._idle:
                each.close()
            self._loop.run_until_complete(asyncio.sleep(0))  # lets the sockets close
            self._loop.close()

    def scan(self, table: TableInfo, segment: int, segments: int) -> Iterator[Sequence[Stored]]:
        """Every item of the segment but markers; DynamoDB prepares the next page while the caller works on one."""
        with closing(self.pages(table.name, segment, segments)) as pages:
            for page in pages:
                key = table.key
                found = [_stored(item, key) for item in page.items if not is_marker(item, key)]
                if found:
                    with self._service.stalls:
                        yield found

    def pages(
        self,
        table: str,
        segment: int,
        segments: int,
        *,
        after: dict[str, Any] | None = None,
        most_items: Callable[[], int | None] = lambda: None,
    ) -> Generator[ScanPage]:
        """The answers to the scan of a segment, from the key `after` on, consistently read. `most_items` is asked for
        each page how many items DynamoDB may look at; None: as many as fit into 1 MB.
        """
        request: dict[str, Any] = {
            "TableName": table,
            "ConsistentRead": True,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if segments > 1:
            request |= {"Segment": segment, "TotalSegments": segments}
        doing = f"reading table {table}"
        connection = self._connection()

        def asked(key: dict[str, Any] | None) -> asyncio.Task[dict[str, Any]]:
            more: dict[str, Any] = {} if key is None else {"ExclusiveStartKey": key}
            most = most_items()
            return self._start(connection, "Scan", request | more | ({"Limit": most} if most else {}), doing)

        task: asyncio.Task[dict[str, Any]] | None = asked(after)
        try:
            while task is not None:
                answer = self._loop.run_until_complete(task)
                last = answer.get("LastEvaluatedKey")
                task = asked(last) if last else None
                units = float((answer.get("ConsumedCapacity") or {}).get("CapacityUnits") or 0.0)
                with self._service.stalls:
                    yield ScanPage(answer["Items"], last, units)
        finally:
            if task is not None:
                task.cancel()
                self._loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
                connection.close()
            self._idle.append(connection)

    def fetch(self, table: TableInfo, keys: Iterable[Document]) -> Iterator[Stored]:
        """Those of the items that exist."""
        unique = {orjson.dumps(wire_key(key), option=orjson.OPT_SORT_KEYS): None for key in keys}
        for group in _groups(unique, limits.BATCH_GET_KEYS):
            asked: Any = {"Keys": [orjson.loads(key) for key in group], "ConsistentRead": True}
            request = {"RequestItems": {table.name: asked}}
            answers = self._until_done(
                "BatchGetItem", request, "UnprocessedKeys", f"reading table {table.name}"
            )
            for answer in answers:
                for item in answer.get("Responses", {}).get(table.name, []):
                    yield _stored(item, table.key)

    def delete(self, table: TableInfo, keys: Iterable[Document]) -> int:
        """How many keys were asked for; deleting what does not exist succeeds."""
        count = 0
        unique = {orjson.dumps(wire_key(key), option=orjson.OPT_SORT_KEYS): None for key in keys}
        for group in _groups(unique, limits.BATCH_WRITE_ITEMS):
            request = {
                "RequestItems": {table.name: [{"DeleteRequest": {"Key": orjson.loads(key)}} for key in group]}
            }
            doing = f"deleting from table {table.name}"
            for _ in self._until_done("BatchWriteItem", request, "UnprocessedItems", doing):
                pass
            count += len(group)
        return count

    def _until_done(
        self, operation: str, request: dict[str, Any], rest: str, doing: str
    ) -> Iterator[dict[str, Any]]:
        """The answers to a batch request, asked again for what stays unprocessed."""
        connection = self._connection()
        asked = request["RequestItems"]
        attempt = 0
        try:
            while asked:
                answer = self._loop.run_until_complete(
                    self._start(connection, operation, {"RequestItems": asked}, doing, progress=False)
                )
                left = answer.get(rest)
                if left:
                    if _count(left) == _count(asked):
                        reason = f"{doing} at {self._service.endpoint}: DynamoDB leaves all of it unprocessed"
                        seconds = self._service.patience.failed(reason, attempt)
                        attempt += 1
                    else:
                        self._service.patience.succeeded()
                        attempt, seconds = 0, self._service.patience.delay(0)
                    self._loop.run_until_complete(asyncio.sleep(seconds))
                else:
                    self._service.patience.succeeded()
                asked = left
                with self._service.stalls:
                    yield answer
        finally:
            self._idle.append(connection)

    def _connection(self) -> Connection:
        return self._idle.pop() if self._idle else self._service.connection()

    def _start(
        self,
        connection: Connection,
        operation: str,
        request: dict[str, Any],
        doing: str,
        *,
        progress: bool = True,
    ) -> asyncio.Task[dict[str, Any]]:
        """The request on its way: sent before this returns where the connection is open."""
        task = self._loop.create_task(
            self._call(connection, operation, orjson.dumps(request), doing, progress)
        )
        self._loop.run_until_complete(asyncio.sleep(0))
        return task

    async def _call(
        self, connection: Connection, operation: str, body: bytes, doing: str, progress: bool
    ) -> dict[str, Any]:
        try:
            answer = await self._service.call(connection, operation, body, doing, Tally())
        except Fault as fault:
            raise fault.error(doing, self._service.region) from None
        if progress:
            self._service.patience.succeeded()
        return answer


def _count(asked: dict[str, Any]) -> int:
    """Keys or requests in what a batch request asks for."""
    return sum(len(each["Keys"] if isinstance(each, dict) else each) for each in asked.values())


def canonical_body(item: dict[str, Any]) -> bytes:
    """An item of an answer as JSON: attributes sorted by name, numbers as the real service writes them, sets sorted.
    Equal for equal items.
    """
    return canonical_bodies([item])[0]


def canonical_bodies(items: Sequence[dict[str, Any]]) -> list[bytes]:
    """`canonical_body` of each: looked through together, since almost no page has anything to mend."""
    dumps, sort = orjson.dumps, orjson.OPT_SORT_KEYS
    bodies = [dumps(item, None, sort) for item in items]
    together = b"\n".join(bodies)
    if _UNUSUAL.search(together) or _SET in together:
        return [
            dumps({name: _normal(value) for name, value in item.items()}, None, sort)
            if _UNUSUAL.search(body) or _SET in body
            else body
            for item, body in zip(items, bodies, strict=True)
        ]
    return bodies


def _stored(item: dict[str, Any], key: Sequence[str]) -> Stored:
    return Stored(key_bytes(item, key), canonical_body(item))


def _normal(value: dict[str, Any]) -> dict[str, Any]:
    """`value` with its numbers as the real service writes them, sets in order."""
    [(kind, content)] = value.items()
    if kind == "N":
        return {kind: normal(content)}
    if kind == "NS":
        return {kind: sorted(map(normal, content))}
    if kind in {"SS", "BS"}:
        return {kind: sorted(content)}
    if kind == "L":
        return {kind: [_normal(each) for each in content]}
    if kind == "M":
        return {kind: {name: _normal(each) for name, each in content.items()}}
    return value


def _groups(keys: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    iterator = iter(keys)
    while group := list(itertools.islice(iterator, size)):
        yield group
