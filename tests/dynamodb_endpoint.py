"""A DynamoDB endpoint that misbehaves as a test scripts it: DynamoDB Local and moto never throttle or go away."""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections import deque
from typing import TYPE_CHECKING, Any, Self

import orjson

from greylag.connectors.dynamodb.keys import key_bytes

if TYPE_CHECKING:
    from types import TracebackType

Step = tuple[Any, ...]


class ScriptedEndpoint:
    """Serves BatchWriteItem for one table with the key PK. Each request takes the next step of `script`; then all
    succeed.

    Steps: ("error", status, code, message[, headers]), ("unprocessed", count), ("reset",) before the request is
    carried out, ("carry out and reset",), ("stall",) forever, ("when told",), ("chunked",), ("close",),
    ("wrong checksum",), ("in pieces",), ("not http",).
    An item whose PK is in `poison` makes its request fail validation.
    """

    def __init__(self, *script: Step) -> None:
        self.script = deque(script)
        self.poison: set[str] = set()
        self.items: dict[bytes, dict[str, Any]] = {}
        self.requests: list[list[str]] = []
        self.heads: list[dict[str, str]] = []
        self.connections = 0
        self.throttle_all = False
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def tell(self, seconds: float) -> None:
        """Requests that wait to be told are answered so many seconds from now."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, self._told.set)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._told = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for each in self._writers:
            each.transport.abort()
        tasks = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
                request = orjson.loads(await reader.readexactly(int(headers["content-length"])))
                self.heads.append(headers)
                if not await self._answer(writer, request):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter, request: dict[str, Any]) -> bool:
        [(table, puts)] = request["RequestItems"].items()
        items = [put["PutRequest"]["Item"] for put in puts]
        self.requests.append([item["PK"]["S"] for item in items])
        step = self.script.popleft() if self.script else ("ok",)
        if self.throttle_all:
            step = ("error", 400, "ThrottlingException", "slower")
        if step[0] == "error":
            content = {"__type": f"com.amazonaws.dynamodb.v20120810#{step[2]}", "message": step[3]}
            writer.write(_http(step[1], orjson.dumps(content), *step[4:]))
            return True
        if step[0] == "reset":
            return False
        if step[0] == "when told":
            await self._told.wait()
        if step[0] == "stall":
            await self._stop.wait()
            return False
        if step[0] == "not http":
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            return True
        if any(item["PK"]["S"] in self.poison for item in items):
            told = {"__type": "com.amazon.coral.validate#ValidationException", "message": "one item is wrong"}
            writer.write(_http(400, orjson.dumps(told)))
            return True
        left = puts[: step[1]] if step[0] == "unprocessed" else []
        for item in items[len(left) :]:
            self.items[key_bytes(item, ["PK"])] = item
        if step[0] == "carry out and reset":
            return False
        answer = {
            "UnprocessedItems": {table: left} if left else {},
            "ConsumedCapacity": [{"TableName": table, "CapacityUnits": 2.0 * (len(items) - len(left))}],
        }
        await self._write(writer, orjson.dumps(answer), step[0])
        return bool(step[0] != "close")

    async def _write(self, writer: asyncio.StreamWriter, body: bytes, how: str) -> None:
        if how == "chunked":
            chunks = [body[:7], body[7:9], body[9:]]
            pieces = b"".join(b"%x;x=y\r\n%b\r\n" % (len(each), each) for each in chunks)
            writer.write(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\nA: b\r\n\r\n"
            )
        elif how == "close":
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
            writer.close()
        elif how == "wrong checksum":
            writer.write(_http(200, body, ("X-Amz-Crc32", "1")))
        elif how == "in pieces":
            for byte in _http(200, body, ("X-Amz-Crc32", str(zlib.crc32(body)))):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
        else:
            writer.write(_http(200, body, ("X-Amz-Crc32", str(zlib.crc32(body)))))


def _http(status: int, body: bytes, *headers: tuple[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body
