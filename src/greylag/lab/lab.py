"""The servers of one project: starting them, telling what runs, ending exactly what was started."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from greylag.errors import ConfigurationError, ResourceError
from greylag.lab import state as states
from greylag.lab.dynamodb_local import DynamoDBLocal
from greylag.lab.mongod import Mongod, MongodWithUsers
from greylag.lab.moto import Moto
from greylag.lab.postgres import Postgres
from greylag.lab.processes import Process, is_running, launch, stop
from greylag.lab.redis import Redis
from greylag.lab.s3 import S3
from greylag.lab.server import Server, Site
from greylag.lab.state import Running, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVERS: dict[str, Server] = {
    server.name: server
    for server in (Mongod(), MongodWithUsers(), DynamoDBLocal(), Moto(), Postgres(), Redis(), S3())
}
DEFAULT = ("mongod", "dynamodb", "moto")


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """One server as it stands now. `ended`: it was started, and a process of it is gone."""

    server: str
    title: str
    state: Literal["running", "ended", "not started", "not installed"]
    processes: tuple[Process, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


class Lab:
    """The servers under `<root>/.greylag/lab`. Their data lives from `up` to `down`, and their logs with it.

    `up` and `down` of several processes at once wait for each other.
    """

    def __init__(self, root: Path) -> None:
        self.folder = root.resolve() / ".greylag" / "lab"
        # Beside the folder and not in it: `down` deletes the folder.
        self._lock = self.folder.with_suffix(".lock")

    def up(
        self, names: Sequence[str] = DEFAULT, *, members: int | None = None, until: int | None = None
    ) -> tuple[Running, ...]:
        """Starts those of the servers named that do not run; returns all named, in order, once they serve.

        A server of which a process has ended is started anew, empty. `members` is the size of the replica set
        (1 unless said; None takes the one that runs as it is). With `until`, a process id, the lab goes down
        by itself when that process ends, however it ends.

        Raises:
            ConfigurationError: an unknown name, or a replica set of another size runs.
            ResourceError: a server is not installed, or did not start; those before it keep running.
        """
        chosen = [find_server(name) for name in dict.fromkeys(names)]
        with states.exclusive(self._lock):
            self.folder.mkdir(parents=True, exist_ok=True)
            started = self._load()
            absent = [server for server in chosen if server.name not in started.servers and server.missing()]
            if absent:
                listed = ", ".join(server.title for server in absent)
                names_absent = " ".join(server.name for server in absent)
                raise ResourceError(
                    f"Not installed: {listed}.", advice=f"Run: greylag lab install {names_absent}"
                )
            if until is not None:
                self._watch(until)
            try:
                for server in chosen:
                    self._start_unless_running(server, members)
            finally:
                running = self._load().servers
                self._write_environment(running)
            return tuple(running[server.name] for server in chosen)

    def down(self) -> tuple[str, ...]:
        """Ends every process that `up` started, deletes their data, and returns the names of the servers.

        A process that merely has the pid of one that was started is left alone.
        """
        if not self.folder.exists():
            return ()
        with states.exclusive(self._lock):
            state = self._load()
            for running in state.servers.values():
                self._end(running)
            if state.watcher is not None and state.watcher.pid != os.getpid():
                stop(state.watcher)
            shutil.rmtree(self.folder, ignore_errors=True)
        return tuple(state.servers)

    def status(self) -> tuple[ServerStatus, ...]:
        """Every server the lab knows, started or not. Starts and changes nothing."""
        servers = self._load().servers
        return tuple(_status(server, servers.get(name)) for name, server in SERVERS.items())

    def environment(self) -> dict[str, str]:
        """The `.env` lines of all servers that were started."""
        return _merged(self._load().servers)

    def _load(self) -> State:
        return states.load(self.folder)

    def _start_unless_running(self, server: Server, members: int | None) -> None:
        known = self._load().servers.get(server.name)
        if known is not None and known.environment and all(map(is_running, known.processes)):
            if server.name == "mongod" and members not in {None, known.members}:
                raise ConfigurationError(
                    f"A replica set of {known.members} runs; `--members {members}` would be another.",
                    advice="Run `greylag lab down` first; it deletes the servers' data.",
                )
            return
        if known is not None:
            self._end(known)
        folder = self.folder / server.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._remember(Running(server.name, members=members or 1))
        try:
            address = server.start(self._site(server, folder, members or 1))
        except BaseException:
            # The log stays for whoever wants to know why.
            self._end(self._load().servers[server.name])
            raise
        begun = self._load().servers[server.name]
        self._remember(replace(begun, environment=address.environment, notes=address.notes))

    def _site(self, server: Server, folder: Path, members: int) -> Site:
        def remember(process: Process) -> None:
            begun = self._load().servers[server.name]
            self._remember(replace(begun, processes=(*begun.processes, process)))

        def remember_folder(path: Path) -> None:
            begun = self._load().servers[server.name]
            self._remember(replace(begun, folders=(*begun.folders, str(path))))

        return Site(folder, members, remember, remember_folder)

    def _remember(self, running: Running) -> None:
        state = self._load()
        states.save(self.folder, replace(state, servers={**state.servers, running.server: running}))

    def _end(self, running: Running) -> None:
        stop(*running.processes, how=SERVERS[running.server].stop_signal)
        for path in running.folders:
            shutil.rmtree(path, ignore_errors=True)
        state = self._load()
        kept = {name: other for name, other in state.servers.items() if name != running.server}
        states.save(self.folder, replace(state, servers=kept))

    def _watch(self, pid: int) -> None:
        state = self._load()
        if state.watcher is not None and is_running(state.watcher):
            return
        root = self.folder.parent.parent
        watcher = launch(
            "watcher",
            [sys.executable, "-m", "greylag.lab.watch", str(root), str(pid)],
            port=0,
            log=self.folder / "watcher.log",
        )
        states.save(self.folder, replace(state, watcher=watcher))

    def _write_environment(self, running: dict[str, Running]) -> None:
        lines = [f"{key}={value}\n" for key, value in _merged(running).items()]
        (self.folder / ".env").write_text("".join(lines))


@contextmanager
def temporary_lab(names: Sequence[str] = DEFAULT, *, members: int = 1) -> Iterator[dict[str, str]]:
    """A lab in a temporary folder for the length of a `with`, which gives its `.env` lines.

    It goes down at the end of the `with`, and also when this process is killed.
    """
    with tempfile.TemporaryDirectory(prefix="greylag-lab-") as folder:
        lab = Lab(Path(folder))
        try:
            lab.up(names, members=members, until=os.getpid())
            yield lab.environment()
        finally:
            lab.down()


def find_server(name: str) -> Server:
    """The server of that name.

    Raises:
        ConfigurationError: there is none; the message lists those there are.
    """
    if name not in SERVERS:
        raise ConfigurationError(f"The lab has no server {name!r}.", advice=f"It has: {', '.join(SERVERS)}.")
    return SERVERS[name]


def _status(server: Server, running: Running | None) -> ServerStatus:
    if running is None:
        state: Literal["not started", "not installed"] = (
            "not installed" if server.missing() else "not started"
        )
        return ServerStatus(server.name, server.title, state)
    alive = running.environment and all(map(is_running, running.processes))
    return ServerStatus(
        server.name,
        server.title,
        "running" if alive else "ended",
        running.processes,
        tuple(running.environment.items()),
    )


def _merged(servers: dict[str, Running]) -> dict[str, str]:
    return {
        key: value for name in SERVERS if name in servers for key, value in servers[name].environment.items()
    }
