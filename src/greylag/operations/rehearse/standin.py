"""The project with servers of this machine in the place of its targets, and where asked an excerpt of its sources."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greylag.errors import ConfigurationError
from greylag.operations.rehearse.excerpt import ExcerptType

if TYPE_CHECKING:
    from greylag.config import Connection, Project


def with_stand_ins(project: Project, endpoint: str, *, records: int | None) -> Project:
    """`project` writing to `endpoint` instead of AWS. Sources are the project's, of
    each dataset about `records` (None: all). Raises ConfigurationError where a target has no stand-in.
    """
    sources = {flow.source.connection for flow in project.flows}
    targets = {flow.table.ref.connection for flow in project.flows}
    connections = dict(project.connections)
    for name in targets:
        connections[name] = _target(connections[name], endpoint)
    for name in sources:
        if name in targets:
            raise ConfigurationError(
                f"connection {name} is read and written: a rehearsal must not write where the project reads",
                advice="Declare the source and the target as two connections.",
            )
        if records is not None:
            connections[name] = replace(connections[name], type=ExcerptType(connections[name].type, records))
    return replace(project, connections=connections)


def _target(connection: Connection, endpoint: str) -> Connection:
    if connection.kind == "dynamodb":
        changed: dict[str, Any] = {
            "endpoint_url": endpoint,
            "region": connection.options.region or "us-east-1",
            "profile": None,
            "create_tables": True,
            "write_units_per_second": None,
        }
        return replace(connection, options=connection.options.model_copy(update=changed))
    raise ConfigurationError(
        f"connection {connection.name}: there is no stand-in on this machine for kind {connection.kind}",
        advice="Targets of kind dynamodb can be rehearsed.",
    )
