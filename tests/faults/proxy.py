"""A TCP proxy on loopback that does to connections what networks do, for tests."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from typing import Final

FAULTS: Final = ("delay", "reset", "truncate", "lose answers", "half open", "late")
_LATE_SECONDS: Final = 0.7


class Proxy:
    """Forwards to `host:port` what connects to `self.port`. `fault` names what is done to connections meanwhile, None:
    nothing. Each piece of data meets the fault with the chance `share`.

    "delay" waits; "reset" breaks the connection; "truncate" forwards the half and breaks it; "lose answers" breaks it
    when the server has answered; "half open" is silent until the fault ends, then breaks it; "late" breaks the client's
    end at once, and the server gets the request some time afterwards.
    """

    def __init__(self, host: str, port: int, *, seed: int = 0) -> None:
        self.fault: str | None = None
        self.share = 0.1
        self.met = 0
        self._there = host, port
        self._chance = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No new connections; those there are end with their clients."""
        self._closed = True
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._there)
            except OSError:
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
                    self.met += 1
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
        if fault == "delay":
            time.sleep(self._chance.uniform(0.01, 0.2))
            sink.sendall(data)
            return True
        if fault == "truncate":
            sink.sendall(data[: len(data) // 2])
        elif fault == "lose answers" and asks:
            sink.sendall(data)
            return True
        elif fault == "half open":
            while self.fault == "half open" and not self._closed:
                time.sleep(0.01)
        elif fault == "late" and asks:
            _break(source)
            time.sleep(_LATE_SECONDS)
            sink.sendall(data)
            with contextlib.suppress(OSError):
                sink.settimeout(_LATE_SECONDS)
                sink.recv(1)
        return False


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()
