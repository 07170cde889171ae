"""moto's server, which stands in for the AWS services that have no local server."""

from __future__ import annotations

import importlib.util
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from greylag.lab.packages import Package, Registry
from greylag.lab.ports import free_ports
from greylag.lab.server import AWS_ENVIRONMENT, Address, Site, answers

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOTO = Package(
    name="moto[server]",
    registry=Registry.ENVIRONMENT,
    brings="moto's server (the extra `local` of greylag)",
    licence="Apache-2.0",
)


class Moto:
    """Runs in this Python environment, from the extra `local`."""

    name = "moto"
    title = "moto"
    stop_signal = signal.SIGTERM

    def missing(self) -> tuple[Package, ...]:
        """moto and Flask, which its own extra `server` adds."""
        has_all = all(importlib.util.find_spec(name) is not None for name in ("moto", "flask", "flask_cors"))
        return () if has_all else (_MOTO,)

    def start(self, site: Site) -> Address:
        """Returns when it answers."""
        [port] = free_ports(1)
        arguments = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        site.launch("moto", arguments, port=port)
        site.wait_until(lambda: answers(port, "/moto-api/data.json", wanted=range(200, 300)))
        return Address({"MOTO_ENDPOINT": f"http://127.0.0.1:{port}", **AWS_ENVIRONMENT})


@contextmanager
def serve() -> Iterator[str]:
    """moto's server for the length of a `with`: gives its endpoint's URL. It ends when we do, even if killed.

    Raises:
        ResourceError: the extra `local` is not installed, or the server does not start.
    """
    from greylag.lab.lab import temporary_lab

    with temporary_lab(["moto"]) as environment:
        yield environment["MOTO_ENDPOINT"]
