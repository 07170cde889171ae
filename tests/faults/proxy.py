"""A TCP proxy on loopback that does to connections what networks and busy services do, for tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import struct
import threading
import time
from typing import Any, Final

FAULTS: Final = ("delay", "reset", "truncate", "lose answers", "half open", "late")
OF_DYNAMODB: Final = (*FAULTS, "throttle", "unprocessed", "half processed", "internal error")
LATE_SECONDS: Final = 0.25
GIVEN_UP_SECONDS: Final = 0.8
"""What a busy machine kept from being late in time is not sent on at all: nothing lands later than this."""


class Proxy:
    """Forwards to `host:port` what connects to `self.port`. `fault` names what is done to connections meanwhile, None:
    nothing. Each piece of data meets the fault with the chance `share`; `met` counts how often each was met.

    In both directions: "delay" waits; "reset" breaks the connection; "truncate" forwards the half and breaks it; "half
    open" is silent until the fault ends, then breaks it. Of requests: "lose answers" breaks the connection once the
    server has answered; "late" breaks the client's end at once, and the server gets the request some time afterwards.
    Of requests to DynamoDB: "throttle" and "internal error" answer in its place, "unprocessed" says that none of a
    batch was written, "half processed" has one half written and says so.
    """

    def __init__(self, host: str, port: int, *, seed: int = 0) -> None:
        self.fault: str | None = None
        self.share = 0.1
        self.met: dict[str, int] = {}
        self._there = host, port
        self._chance = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No new connections; those there are end with their clients."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                continue
            try:
                server = socket.create_connection(self._there)
            except OSError:
                _break(client)
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, asks in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, asks), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                fault = self.fault
                if fault is not None and self._chance.random() < self.share:
                    if not self._strike(fault, data, source, sink, asks=asks):
                        break
                else:
                    sink.sendall(data)
        for end in (source, sink):
            _break(end)

    def _strike(
        self, fault: str, data: bytes, source: socket.socket, sink: socket.socket, *, asks: bool
    ) -> bool:
        """Whether the connection goes on."""
        if fault in OF_DYNAMODB and fault not in FAULTS:
            return self._answer(fault, data, source, sink, asks=asks)
        if (fault == "lose answers" and asks) or (fault == "late" and not asks):
            sink.sendall(data)
            return True
        self._meet(fault)
        if fault == "delay":
            time.sleep(self._chance.uniform(0.01, LATE_SECONDS))
            sink.sendall(data)
            return True
        if fault == "truncate":
            sink.sendall(data[: len(data) // 2])
        elif fault == "half open":
            while self.fault == "half open" and not self._closed:
                time.sleep(0.01)
        elif fault == "late":
            came = time.monotonic()
            _break(source)
            time.sleep(LATE_SECONDS)
            if time.monotonic() - came < GIVEN_UP_SECONDS:
                sink.sendall(data)
                with contextlib.suppress(OSError):
                    sink.settimeout(LATE_SECONDS)
                    sink.recv(1)
        return False

    def _meet(self, fault: str) -> None:
        self.met[fault] = self.met.get(fault, 0) + 1

    def _answer(
        self, fault: str, data: bytes, source: socket.socket, sink: socket.socket, *, asks: bool
    ) -> bool:
        request = _Request.of(data, source) if asks and data.startswith(b"POST ") else None
        answer = None if request is None else self._instead(fault, request)
        if request is None or answer is None:
            sink.sendall(data if request is None else request.raw)
            return True
        self._meet(fault)
        status, content = answer
        body = json.dumps(content).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        source.sendall(head.encode() + body)
        return True

    def _instead(self, fault: str, request: _Request) -> tuple[str, dict[str, Any]] | None:
        if fault == "throttle":
            kind = self._chance.choice(("ProvisionedThroughputExceededException", "ThrottlingException"))
            return "400 Bad Request", {
                "__type": f"com.amazonaws.dynamodb.v20120810#{kind}",
                "message": "slower",
            }
        if fault == "internal error":
            kind = "com.amazonaws.dynamodb.v20120810#InternalServerError"
            return "500 Internal Server Error", {"__type": kind, "message": "it"}
        if request.operation != "BatchWriteItem":
            return None
        wanted = request.body["RequestItems"]
        if fault == "unprocessed":
            return "200 OK", {"UnprocessedItems": wanted}
        halves = {table: len(each) // 2 for table, each in wanted.items()}
        done = {table: each[: halves[table]] for table, each in wanted.items() if halves[table]}
        left = {table: each[halves[table] :] for table, each in wanted.items()}
        if done and request.send(*self._there, {**request.body, "RequestItems": done}) != 200:
            return None
        return "200 OK", {"UnprocessedItems": left}


class _Request:
    """A whole HTTP request."""

    def __init__(self, raw: bytes, head: bytes, body: bytes) -> None:
        self.raw = raw
        lines = head.decode("latin-1").split("\r\n")
        self.headers = {
            name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines[1:])
        }
        self.operation = self.headers.get("x-amz-target", "").rpartition(".")[2]
        self.body: dict[str, Any] = json.loads(body)

    @classmethod
    def of(cls, data: bytes, source: socket.socket) -> _Request:
        """The request that begins with `data`; reads what is missing of it."""
        while b"\r\n\r\n" not in data:
            data += _more(source)
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            int(each.partition(b":")[2])
            for each in head.split(b"\r\n")
            if each.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            more = _more(source)
            data, body = data + more, body + more
        return cls(data, head, body)

    def send(self, host: str, port: int, body: dict[str, Any]) -> int:
        """Send it with another body; the answer's status."""
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            headers = {
                name: each for name, each in self.headers.items() if name not in {"content-length", "host"}
            }
            connection.request("POST", "/", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


def _more(source: socket.socket) -> bytes:
    data = source.recv(1 << 16)
    if not data:
        raise ConnectionResetError
    return data


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
