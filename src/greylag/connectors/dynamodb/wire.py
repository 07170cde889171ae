"""HTTP/1.1 to one endpoint, one request at a time on each kept connection. An asyncio Protocol, nothing more."""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_MOST_HEADER_BYTES: Final = 64 * 1024
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 30.0


class Broken(Exception):  # noqa: N818
    """The connection failed; whether a request that was `sent` was carried out is unknown."""

    def __init__(self, reason: str, *, sent: bool = True) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests go. `host` is the Host header: with the port where it is not the scheme's own."""

    scheme: str
    name: str
    port: int
    host: str
    path: str

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """The endpoint of an http(s) address. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
            raise ValueError("not an address like http://127.0.0.1:8000")
        usual = 443 if parts.scheme == "https" else 80
        port = parts.port or usual
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(
            parts.scheme, parts.hostname, port, name if port == usual else f"{name}:{port}", parts.path or "/"
        )

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response; its body has the checksum the service told, if it told one."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    def date(self) -> float | None:
        """The service's clock, seconds since 1970."""
        parsed = parsedate_tz(self.headers.get(b"date", b"").decode("latin-1"))
        return None if parsed is None else float(mktime_tz(parsed))


class Stalls:
    """How long the event loop has been stopped while its owner did other work: no answer could arrive then.

    A sync generator drives the loop, so timeouts must not count that time.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._since = 0.0

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.monotonic() - self._since

    def now(self) -> float:
        """Monotonic seconds in which the loop could run."""
        return time.monotonic() - self.seconds


class Connection:
    """A connection that opens when first used and again after it broke."""

    def __init__(self, endpoint: Endpoint, tls: ssl.SSLContext | None, stalls: Stalls) -> None:
        self._endpoint = endpoint
        self._tls = tls
        self._stalls = stalls
        self._protocol: _Protocol | None = None

    async def send(self, request: bytes) -> Answer:
        """The answer to `request`. Raises Broken; the next call opens a new connection."""
        protocol = self._protocol
        if protocol is None or protocol.closed:
            self.close()  # the server ends it after its answer, and may take its time
            protocol = self._protocol = await self._open()
        try:
            return await protocol.exchange(request)
        except BaseException:
            self.close()
            raise

    async def _open(self) -> _Protocol:
        loop = asyncio.get_running_loop()
        at = self._endpoint
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, protocol = await loop.create_connection(
                    lambda: _Protocol(loop, self._stalls),
                    at.name,
                    at.port,
                    ssl=self._tls,
                    server_hostname=at.name if self._tls else None,
                )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            raise Broken(f"cannot connect to {at}: {str(error) or 'no answer'}", sent=False) from error
        return protocol

    def close(self) -> None:
        """Let go of the socket at once."""
        if self._protocol is not None:
            self._protocol.abort()
            self._protocol = None


class _Protocol(asyncio.Protocol):
    """Parses answers from whatever pieces they arrive in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stalls: Stalls) -> None:
        self._loop = loop
        self._stalls = stalls
        self._transport: Any = None
        self._buffer = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self._head: tuple[int, dict[bytes, bytes]] | None = None
        self._length: int | None = None
        self._take: Callable[[], bytes | None] = self._take_length
        self._chunks: list[bytes] = []
        self.closed = False

    async def exchange(self, request: bytes) -> Answer:
        """Send, and wait for the answer."""
        self._waiting = self._loop.create_future()
        began = self._stalls.now()
        timer = self._loop.call_later(ANSWER_SECONDS, self._late, began)
        self._transport.write(request)
        try:
            return await self._waiting
        finally:
            timer.cancel()
            self._waiting = None

    def _late(self, began: float) -> None:
        """The timer: counts only the time in which an answer could have been read."""
        left = ANSWER_SECONDS - (self._stalls.now() - began)
        if left > 0.001:
            self._loop.call_later(left, self._late_of, self._waiting, began)
        else:
            self._fail(f"no answer within {ANSWER_SECONDS:.0f} s")

    def _late_of(self, waiting: asyncio.Future[Answer] | None, began: float) -> None:
        if waiting is not None and waiting is self._waiting:
            self._late(began)

    def abort(self) -> None:
        """Close without waiting for anything."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol. An answer without a length ends with its connection."""
        self.closed = True
        if self._head is not None and self._take == self._take_rest:
            self._finish(bytes(self._buffer))
        else:
            self._fail(f"the connection was closed before an answer came{f' ({exc})' if exc else ''}")

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        try:
            if self._head is None and not self._read_head():
                return
            body = self._take()
        except (ValueError, IndexError):
            self._fail("what came is not HTTP")
            return
        if body is not None:
            self._finish(body)

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MOST_HEADER_BYTES:
                raise ValueError
            return False
        first, *lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        version, status = first.split(b" ", 2)[:2]
        if not version.startswith(b"HTTP/1."):
            raise ValueError
        headers = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        self._head = int(status), headers
        if headers.get(b"connection", b"").lower() == b"close" or version == b"HTTP/1.0":
            self.closed = True  # no further request on this connection
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            self._take = self._take_chunks
        elif b"content-length" in headers:
            self._length = int(headers[b"content-length"])
            self._take = self._take_length
        else:
            self._take = self._take_rest
        return True

    def _take_length(self) -> bytes | None:
        assert self._length is not None
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _take_rest(self) -> bytes | None:
        return None

    def _take_chunks(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n")) >= 0:
            size = int(self._buffer[:end].split(b";")[0], 16)
            if not size:
                last = self._buffer.find(b"\r\n\r\n", end)
                if last < 0:
                    return None
                del self._buffer[: last + 4]
                body, self._chunks = b"".join(self._chunks), []
                return body
            if len(self._buffer) < end + 2 + size + 2:
                return None
            self._chunks.append(bytes(self._buffer[end + 2 : end + 2 + size]))
            del self._buffer[: end + 2 + size + 2]
        return None

    def _finish(self, body: bytes) -> None:
        assert self._head is not None
        status, headers = self._head
        self._head = None
        told = headers.get(b"x-amz-crc32")
        if told is not None and int(told) != zlib.crc32(body):
            self._fail("the answer's checksum is wrong")
        elif self._waiting is None or self._waiting.done():
            self.abort()  # an answer nobody asked for: this connection cannot be trusted
        else:
            self._waiting.set_result(Answer(status, headers, body))

    def _fail(self, reason: str) -> None:
        self.abort()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Broken(reason))
