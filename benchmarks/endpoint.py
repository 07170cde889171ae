"""A DynamoDB endpoint that answers at once and keeps nothing: what is left is the client's own work.

    python -m benchmarks.endpoint

prints its address and serves until its standard input ends. Signatures are not checked. BatchWriteItem and PutItem
succeed; every table is active, with the shop's key and index, or with the one key `pk` if its name does not begin
with "shop". `GET /counts` tells how many items came, and when the first did; `POST /counts` begins anew.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

BATCH_WRITE = b"DynamoDB_20120810.BatchWriteItem"
_COUNTED = b'{"PutRequest"'


class Counts:
    """What came since the last reset."""

    def __init__(self) -> None:
        self.items = 0
        self.requests = 0
        self.first_at: float | None = None

    def add(self, items: int) -> None:
        """A request with so many items."""
        if self.first_at is None:
            self.first_at = time.time()
        self.items += items
        self.requests += 1

    def as_json(self) -> bytes:
        """For `GET /counts`; `first_at` is in seconds since 1970."""
        return json.dumps(self.__dict__).encode()


class Protocol(asyncio.Protocol):
    """One connection. Requests may arrive in pieces, one after the other."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._pieces: list[bytes] = []
        self._missing = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._pieces.append(data)
        if len(data) < self._missing:
            self._missing -= len(data)
            return
        request = b"".join(self._pieces) if len(self._pieces) > 1 else data
        end = request.find(b"\r\n\r\n")
        if end < 0:
            self._pieces = [request]
            return
        head = request[:end].lower()
        place = head.find(b"\r\ncontent-length:")
        length = int(head[place + 17 : (head + b"\r").index(b"\r", place + 2)]) if place >= 0 else 0
        missing = end + 4 + length - len(request)
        if missing > 0:
            self._pieces, self._missing = [request], missing
            if b"\r\nexpect: 100-continue" in head:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        self._pieces, self._missing = [], 0
        self._transport.write(self._answer(request[:end], request[end + 4 :]))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if BATCH_WRITE in head:
            self._counts.add(body.count(_COUNTED) or body.count(b'"PutRequest"'))
            return _BATCH_WRITTEN if b"ReturnConsumedCapacity" in body[-48:] else _BATCH_WRITTEN_PLAIN
        if head.startswith(b"GET /counts"):
            return _http(self._counts.as_json())
        if head.startswith(b"POST /counts"):
            self._counts.__init__()  # type: ignore[misc]
            return _http(b"{}")
        operation = head.split(b"DynamoDB_20120810.", 1)[-1].split(b"\r", 1)[0]
        if operation == b"PutItem":
            self._counts.add(1)
        return _http(_other(operation.decode(), body))


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


_BATCH_WRITTEN = _http(
    b'{"ConsumedCapacity":[{"CapacityUnits":50.0,"TableName":"shop"}],"UnprocessedItems":{}}'
)
_BATCH_WRITTEN_PLAIN = _http(b'{"UnprocessedItems":{}}')


def _other(operation: str, body: bytes) -> bytes:
    if operation == "DescribeTable":
        name = json.loads(body)["TableName"]
        return json.dumps({"Table": _table(name)}).encode()
    if operation == "DescribeTimeToLive":
        return b'{"TimeToLiveDescription":{"TimeToLiveStatus":"DISABLED"}}'
    if operation == "ListTables":
        return b'{"TableNames":["shop"]}'
    return b"{}"


def _table(name: str) -> dict[str, Any]:
    single = name.startswith("shop")
    key = ["PK", "SK"] if single else ["pk"]
    index = ["GSI1PK", "GSI1SK"] if single else []
    table: dict[str, Any] = {
        "TableName": name,
        "TableStatus": "ACTIVE",
        "TableId": f"00000000-0000-0000-0000-{name.encode().hex():.12}",
        "TableArn": f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}",
        "CreationDateTime": 1.7e9,
        "ItemCount": 0,
        "KeySchema": _schema(key),
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in [*key, *index]],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    }
    if index:
        table["GlobalSecondaryIndexes"] = [
            {
                "IndexName": "GSI1",
                "IndexStatus": "ACTIVE",
                "KeySchema": _schema(index),
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
    return table


def _schema(names: list[str]) -> list[dict[str, str]]:
    kinds = ("HASH", "RANGE")
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, kinds, strict=False)]


async def serve() -> None:
    """Until standard input ends."""
    counts = Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(counts), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
