"""What a lab has started, in a file, so that another command can tell and end it."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from greylag.errors import StateError
from greylag.lab.processes import Process  # noqa: TC001  (the decoder looks the types up)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Running:
    """One server: its processes, the `.env` lines that lead to it, what its user should know, its folders."""

    server: str
    members: int = 1
    processes: tuple[Process, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """All servers of one lab, by name, and the process that ends them with another one, if there is one."""

    servers: dict[str, Running] = field(default_factory=dict)
    watcher: Process | None = None


def load(folder: Path) -> State:
    """The saved state; an empty one when nothing was started."""
    path = folder / "state.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return State()
    except msgspec.MsgspecError as error:
        raise StateError(
            f"{path} cannot be read: {error}.",
            advice="End the servers by hand (their logs are beside it), then delete the folder.",
        ) from error


def save(folder: Path, state: State) -> None:
    """Replaces the state in one step: a reader sees the old one or the new one."""
    path = folder / "state.json"
    written = path.with_suffix(".new")
    written.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=1))
    written.replace(path)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Waits until no other process is inside, on the same file. The lock dies with its holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
