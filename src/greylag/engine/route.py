"""One flow, ready to be carried: all that is decided once, before any process opens a connection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greylag.core.mapping import compile_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from greylag.core.flows import FlowSpec
    from greylag.core.mapping import Mapping
    from greylag.core.ports import Connector, DatasetInfo, TableInfo


@dataclass(frozen=True, slots=True)
class Route:
    """A flow, the connectors of its ends, and what they said of its dataset and table. Picklable, no connection.

    `functions` finds what `python:` names. `colliding` is the file of its table's keys that more than one record
    maps to; None where every key is provably one record's.
    """

    flow: FlowSpec
    source: Connector
    target: Connector
    dataset: DatasetInfo
    table: TableInfo
    functions: Callable[[str], Callable[..., Any]] | None = None
    colliding: Path | None = None

    @property
    def name(self) -> str:
        """The flow's name."""
        return self.flow.name

    def mapping(self) -> Mapping:
        """The flow's compiled mapping. Raises MappingError."""
        return compile_mapping(
            self.flow,
            unique_id=self.dataset.unique_id,
            unique_value=self.dataset.unique_value,
            load=self.functions,
        )

    def with_colliding(self, path: Path) -> Route:
        """This route with the file that `collisions.find_collisions` gave."""
        return replace(self, colliding=path)


def by_table(routes: Iterable[Route]) -> dict[str, list[Route]]:
    """The routes of each table, in their order."""
    found: dict[str, list[Route]] = {}
    for route in routes:
        found.setdefault(str(route.flow.table.ref), []).append(route)
    return found
