"""The rates that the connections of greylag.yaml state (law 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greylag.engine.connections import Rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from greylag.config import Project
    from greylag.engine.route import Route


def stated(project: Project, routes: Sequence[Route]) -> Rates:
    """What all workers together may read and write where a connection states a limit (law 10)."""
    tables = {str(each.flow.table.ref): each.flow.table.ref.connection for each in routes}
    sources = {each.flow.source.connection for each in routes}
    return Rates(
        {table: project.write_units_per_second(name) for table, name in tables.items()},
        {name: project.read_bytes_per_second(name) for name in sources},
    )


def rates(project: Project, routes: Sequence[Route], processes: int) -> Rates:
    """What each of `processes` workers may read and write where a connection states a limit."""
    return stated(project, routes).divided(processes)
