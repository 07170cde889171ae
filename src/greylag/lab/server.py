"""What every server of the lab can do, and what it is given to do it with."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from greylag.lab.processes import Process, launch, wait_until_ready

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from greylag.lab.packages import Package

# Credentials and region for servers that want some and check none (SeaweedFS checks, and is told these).
AWS_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    # Without this an SDK that finds no credentials asks the machine's metadata service, and waits for it.
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(slots=True)
class Site:
    """Where one server is started: its own empty folder, and a way to start processes that are remembered."""

    folder: Path
    members: int
    remember: Callable[[Process], None]
    remember_folder: Callable[[Path], None]
    processes: list[Process] = field(default_factory=list)

    def launch(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        port: int,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        user: str | None = None,
    ) -> Process:
        """Starts a process that `greylag lab down` will end, whatever becomes of us."""
        process = launch(
            name,
            arguments,
            port=port,
            log=self.folder / f"{name}.log",
            environment=environment,
            folder=folder,
            user=user,
        )
        self.processes.append(process)
        self.remember(process)
        return process

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Waits for the server to answer; see `wait_until_ready`."""
        wait_until_ready(ready, self.processes, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Address:
    """The `.env` lines that lead to a server, and what its user should know."""

    environment: dict[str, str]
    notes: tuple[str, ...] = ()


class Server(Protocol):
    """One kind of server. Implementations hold no state: what runs stands in the lab's state file."""

    @property
    def name(self) -> str:
        """As the command line calls it, and as its folder is called."""

    @property
    def title(self) -> str:
        """As its makers call it."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What asks it to end at once, without waiting for its clients. Its data is deleted afterwards."""

    def missing(self) -> tuple[Package, ...]:
        """What must be fetched before it can start; nothing when it can. Looks at files only."""

    def start(self, site: Site) -> Address:
        """Starts it and returns when it serves.

        Raises:
            ResourceError: it ended, or did not answer in time.
        """


def answers(port: int, path: str = "/", *, wanted: range = range(100, 600)) -> bool:
    """Whether an HTTP server on this port of the loopback interface answers with a wanted status.

    Proxies, certificates and credentials of the environment play no part.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in wanted
    except http.client.HTTPException:
        return False
    finally:
        connection.close()
