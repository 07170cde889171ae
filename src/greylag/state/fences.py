"""Which services are fenced, what was done for it, and how things stood before: `fences.json` of a state folder.

Written whole and durable before anything of the kind happens, so that a fence that was killed half way can be put
up or lifted afterwards. `run --restart` leaves it alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.engine.disk import write_whole
from greylag.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FORMAT = 1


@dataclass(slots=True)
class FencedThing:
    """A user, a table or a file of `connection`: how it stood `before`, and for which services it is fenced."""

    connection: str
    thing: str
    before: dict[str, Any]
    services: list[str] = field(default_factory=list)


@dataclass(slots=True)
class FencedService:
    """`state` is "fencing", "fenced" or "releasing". `since_ms`: from when on the store refuses writes, milliseconds
    since 1970 by the clock of each connection's store; empty until "fenced".
    """

    service: str
    side: str
    state: str = "fencing"
    since_ms: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Fences:
    """All fences of a state folder."""

    services: list[FencedService] = field(default_factory=list)
    things: list[FencedThing] = field(default_factory=list)

    def service(self, name: str) -> FencedService | None:
        """The fence of a service, whole or half way."""
        return next((each for each in self.services if each.service == name), None)

    def thing(self, connection: str, name: str) -> FencedThing | None:
        """What was done to a thing."""
        return next(
            (each for each in self.things if (each.connection, each.thing) == (connection, name)), None
        )

    def fenced(self) -> tuple[str, ...]:
        """The services whose old store refuses their writes."""
        return tuple(sorted(each.service for each in self.services if each.state == "fenced"))

    def late_after_ms(self, connection: str, services: Collection[str]) -> int | None:
        """Writes to what these services have at `connection`, their source, after this moment of its store's clock
        should have been refused: they are late, to be reported and quarantined. None where one is not fenced.
        """
        found = [
            each.since_ms[connection]
            for each in self.services
            if each.service in services
            and each.side == "source"
            and each.state == "fenced"
            and connection in each.since_ms
        ]
        return max(found) if len(found) == len(services) else None


class Watch:
    """Called, it gives the datasets of a connection whose writes are late, and after which moment; the file is read
    again when it has changed.
    """

    def __init__(self, folder: Path, connection: str, services: Mapping[str, Collection[str]]) -> None:
        """`services` are those of each dataset."""
        self._folder = folder
        self._connection = connection
        self._services = services
        self._seen: tuple[int, int, int] | None = None
        self._found: dict[str, int] = {}

    def __call__(self) -> Mapping[str, int]:
        """The moments, milliseconds since 1970, by dataset."""
        try:
            stat = file_of(self._folder).stat()
        except FileNotFoundError:
            return {}
        seen = stat.st_ino, stat.st_mtime_ns, stat.st_size
        if seen != self._seen:
            fences = load(self._folder)
            after = {
                dataset: fences.late_after_ms(self._connection, services)
                for dataset, services in self._services.items()
            }
            self._found = {dataset: moment for dataset, moment in after.items() if moment is not None}
            self._seen = seen
        return self._found


def load(folder: Path) -> Fences:
    """None are put up where there is no file. Raises StateError where it is damaged."""
    path = file_of(folder)
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        return Fences(
            [FencedService(**each) for each in told["services"]],
            [FencedThing(**each) for each in told["things"]],
        )
    except FileNotFoundError:
        return Fences()
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{path} cannot be read: {error}",
            advice="It says what `greylag fence` did: mend it, do not delete it.",
        ) from error


def save(fences: Fences, folder: Path) -> None:
    """Durably, whole or not at all. Raises ResourceError."""
    told = {"format": FORMAT, **asdict(fences)}
    write_whole(file_of(folder), json.dumps(told, indent=1).encode("ascii") + b"\n")


def file_of(folder: Path) -> Path:
    """Where they stand."""
    return folder / "fences.json"
