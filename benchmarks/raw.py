"""The ceiling: requests made and signed beforehand, sent as fast as the server answers, nothing else done."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchmarks.apart import Stopwatch
from benchmarks.engine import encoded, signer

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 16
_HEAD = b'{"RequestItems":{"shop":['
_PUT = b'{"PutRequest":{"Item":%b}}'


class _Connection(asyncio.Protocol):
    """Sends the next request when the answer to the last has come."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._done = done
        self._answer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r")[0])
        if len(body) < length:
            return
        assert head.startswith(b"HTTP/1.1 200"), self._answer
        assert b'"UnprocessedItems":{}' in body, body
        self._answer = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._done.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)


def prebuilt(endpoint: str, file: str, count: int) -> dict[str, float]:
    """Every request is made before the clock starts."""
    items = encoded(endpoint, file, "orders", count)
    sign = signer(endpoint)
    requests = []
    while some := list(islice(items, 25)):
        body = _HEAD + b",".join([_PUT % each for each in some]) + b']},"ReturnConsumedCapacity":"TOTAL"}'
        requests.append(sign(body))

    async def send() -> None:
        loop = asyncio.get_running_loop()
        host, port = endpoint.removeprefix("http://").split(":")
        waiting = iter(requests)
        ends = [loop.create_future() for _ in range(CONNECTIONS)]
        for end in ends:
            await loop.create_connection(partial(_Connection, waiting, end), host, int(port))
        await asyncio.gather(*ends)

    with Stopwatch() as watch:
        asyncio.run(send())
    return watch.of(count)
