"""Redis, with nothing written to disk."""

from __future__ import annotations

import shutil
import signal
import socket

from greylag.lab.packages import Package, Registry
from greylag.lab.ports import free_ports
from greylag.lab.server import Address, Site

_REDIS = Package(
    name="redis-server", registry=Registry.DEBIAN, brings="Redis", licence="BSD-3-Clause (7.2 and before)"
)


class Redis:
    """redis-server from PATH."""

    name = "redis"
    title = "Redis"
    stop_signal = signal.SIGTERM

    def missing(self) -> tuple[Package, ...]:
        """redis-server."""
        return () if shutil.which("redis-server") else (_REDIS,)

    def start(self, site: Site) -> Address:
        """Returns when it answers."""
        [port] = free_ports(1)
        arguments = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(site.folder)]
        arguments += ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"]
        site.launch("redis", arguments, port=port)
        site.wait_until(lambda: _pings(port))
        return Address({"REDIS_URL": f"redis://127.0.0.1:{port}/0"})


def _pings(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith(b"+PONG")
