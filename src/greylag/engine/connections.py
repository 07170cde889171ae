"""The connections of one process: opened when first needed, one for each end, however many flows share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.ports import Source, Target, Writer
    from greylag.engine.route import Route


@dataclass(frozen=True, slots=True)
class Rates:
    """Write units a second by table, source bytes a second by connection, of one process or of all together. What is
    missing or None has no limit.
    """

    write_units: Mapping[str, float | None] = field(default_factory=dict)
    read_bytes: Mapping[str, float | None] = field(default_factory=dict)

    def divided(self, processes: int) -> Rates:
        """The share of each of `processes`."""
        return Rates(_shares(self.write_units, processes), _shares(self.read_bytes, processes))


def _shares(rates: Mapping[str, float | None], processes: int) -> dict[str, float | None]:
    return {name: None if rate is None else rate / processes for name, rate in rates.items()}


OPEN_WRITERS = 4
"""Each holds connections of its own: a process that carries hundreds of tables would run out of file descriptors."""


class Connections:
    """Sources and targets by connection, writers of the tables last written. `limit` may be called from another
    thread; a writer is used by no two tasks at a time.
    """

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._targets: dict[str, Target] = {}
        self._writers: dict[str, Writer] = {}
        self._rates = Rates()

    def source(self, route: Route) -> Source:
        """The source `route` reads from."""
        name = route.flow.source.connection
        if name not in self._sources:
            self._sources[name] = route.source.source()
            self._sources[name].limit(self._rates.read_bytes.get(name))
        return self._sources[name]

    def target(self, route: Route) -> Target:
        """The target `route` writes to."""
        name = route.flow.table.ref.connection
        if name not in self._targets:
            self._targets[name] = route.target.target()
        return self._targets[name]

    def writer(self, route: Route) -> Writer:
        """The writer of the route's table."""
        table = str(route.flow.table.ref)
        if table in self._writers:
            self._writers[table] = self._writers.pop(table)  # the last one used stands last
        else:
            while len(self._writers) >= OPEN_WRITERS:
                self._writers.pop(next(iter(self._writers))).close()
            self._writers[table] = self.target(route).writer(route.table)
            self._writers[table].limit(self._rates.write_units.get(table))
        return self._writers[table]

    def limit(self, rates: Rates) -> None:
        """Keep to `rates` from now on."""
        self._rates = rates
        for table, writer in list(self._writers.items()):
            writer.limit(rates.write_units.get(table))
        for connection, source in list(self._sources.items()):
            source.limit(rates.read_bytes.get(connection))

    def close(self) -> None:
        """Close all of them."""
        for writer in self._writers.values():
            writer.close()
        for target in self._targets.values():
            target.close()
        for source in self._sources.values():
            source.close()
        self._writers, self._targets, self._sources = {}, {}, {}
