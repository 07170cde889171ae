"""Free ports on the loopback interface."""

from __future__ import annotations

import random
import socket

from greylag.errors import ResourceError

# Above 32767 Linux hands ports out to clients: a client that polls such a port before its server listens can
# be given that very port as its own and so connect to itself.
_LOWEST, _HIGHEST = 15_000, 32_767


def free_ports(count: int, *, offset: int = 0) -> list[int]:
    """So many different ports below 32768 on which nothing listens now, on any interface.

    With an `offset`, each port plus that number is free and below 32768 too.
    """
    ports: set[int] = set()
    # At random, and not the lowest free ones: two labs that start together should not meet.
    for _ in range(500):
        if len(ports) == count:
            return list(ports)
        port = random.randint(_LOWEST, _HIGHEST - offset)  # noqa: S311
        if _is_free(port) and _is_free(port + offset):
            ports.add(port)
    raise ResourceError(f"No {count} free ports between {_LOWEST} and {_HIGHEST} were found.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
