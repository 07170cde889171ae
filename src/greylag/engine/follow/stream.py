"""A stream: all that is followed of one source connection, and where its files stand in the state folder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from greylag.core.change import Followed
from greylag.core.ports import Followable
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from greylag.core.ports import ChangeFeed, Source
    from greylag.engine.route import Route


@dataclass(frozen=True, slots=True)
class Stream:
    """The flows of one source connection, in the state folder `folder`. Picklable."""

    name: str
    routes: tuple[Route, ...]
    folder: Path

    @property
    def spool(self) -> Path:
        """The spool's folder."""
        return self.folder / "spool" / quote(self.name, safe="")

    @property
    def applied(self) -> Path:
        """What its apply keeps (see `applied`)."""
        return self.folder / "apply" / f"{quote(self.name, safe='')}.sqlite"

    @property
    def claims(self) -> Path:
        """What the load's workers note for its apply (see `claims`)."""
        return self.folder / "apply" / f"{quote(self.name, safe='')}.claims"

    @property
    def changed(self) -> Path:
        """What its apply notes for who verifies meanwhile (see `changed`)."""
        return self.folder / "apply" / f"{quote(self.name, safe='')}.changed"

    @property
    def scratch(self) -> Path:
        """The feed's own folder."""
        return self.folder / "spool" / f"{quote(self.name, safe='')}.scratch"

    def followed(self) -> list[Followed]:
        """Its datasets, each with what tells its records apart."""
        found: dict[str, list[Route]] = defaultdict(list)
        for route in self.routes:
            found[route.dataset.dataset].append(route)
        return [_followed(dataset, routes) for dataset, routes in sorted(found.items())]

    def feed(self, source: Source) -> ChangeFeed:
        """Its changes, read over `source`. Raises ConfigurationError where that keeps none."""
        if not isinstance(source, Followable):
            raise ConfigurationError(
                f"connection {self.name} keeps no changes that could be followed",
                advice="Freeze its writes and load it: `greylag run` without --follow.",
            )
        return source.feed(self.followed(), self.scratch)


def streams(routes: Iterable[Route], folder: Path) -> list[Stream]:
    """The streams of these routes, by the names of their connections. Raises ConfigurationError where flows of two
    streams could write one key: which of them came last, no stream tells.
    """
    found: dict[str, list[Route]] = defaultdict(list)
    contested: dict[str, str] = {}
    for route in routes:
        connection, table = route.flow.source.connection, str(route.flow.table.ref)
        found[connection].append(route)
        if route.colliding is not None and contested.setdefault(table, connection) != connection:
            raise ConfigurationError(
                f"flows of {contested[table]} and {connection} could write the same keys of table {table}",
                advice="Begin their key templates differently (USER#, ORDER#): then they can be followed together.",
            )
    return [Stream(name, tuple(group), folder) for name, group in sorted(found.items())]


def _followed(dataset: str, routes: list[Route]) -> Followed:
    mappings = [route.mapping() for route in routes]
    seen = {path for mapping in mappings for path in mapping.seen_by_keys}
    return Followed(
        dataset,
        tuple(sorted(path for path in seen if path not in {("@row",), ("@digest",)})),
        rows=("@row",) in seen,
        digests=("@digest",) in seen or any(route.flow.python is not None for route in routes),
    )
