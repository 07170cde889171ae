"""`greylag restore --rewire`: what a restored table lacks, from its backup's manifest or from greylag.yaml."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greylag.connectors.dynamodb.connector import DynamoDBConnector
from greylag.connectors.dynamodb.session import Session
from greylag.core.naming import DEFAULT_ENVIRONMENT
from greylag.errors import ConfigurationError
from greylag.operations.recoverable import chosen, connectors, targets
from greylag.recovery.backups import chosen as backed_up
from greylag.recovery.backups import opened
from greylag.recovery.places import place_of
from greylag.recovery.rewire import rewire
from greylag.recovery.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.config import Project
    from greylag.core.flows import DatasetRef
    from greylag.core.ports import Connector
    from greylag.recovery.rewire import Rewired

STREAM = "NEW_AND_OLD_IMAGES"
"""What the tables that Greylag makes have: following changes back to the old store needs it."""


def put_back(
    connector: Connector, table: str, wanted: Mapping[str, Any], *, named: str, dry_run: bool
) -> list[Rewired]:
    """Bring one table to what is `wanted`."""
    assert isinstance(connector, DynamoDBConnector)
    with closing(Settings(Session(connector.name, connector.options))) as settings:
        found = rewire(settings, table, wanted, named=named, dry_run=dry_run)
    return [replace(each, table=f"{connector.name}.{table}") for each in found]


def rewire_from_project(
    project: Project, names: tuple[str, ...], *, into: str, region: str | None, dry_run: bool
) -> tuple[Rewired, ...]:
    """What greylag.yaml says of the tables `names`, put onto them or, for one of them, onto the table `into`.

    It says the time to live, the stream, point-in-time recovery, deletion protection and tags: what
    `greylag infra render` gives a table. Raises ConfigurationError for names that mean no DynamoDB table.
    """
    ends = connectors(project, region=region)
    refs = [
        ref for ref in chosen(project, names, ends) if isinstance(ends[ref.connection], DynamoDBConnector)
    ]
    if not refs:
        raise ConfigurationError(
            "nothing to rewire: no DynamoDB table is named", advice="Name a CONNECTION.TABLE."
        )
    connection, _, table = into.partition(".")
    if into and (len(refs) != 1 or not table or connection not in ends):
        raise ConfigurationError(
            f"--into {into} does not fit {len(refs)} tables",
            advice="Name one table with --table, and CONNECTION.TABLE.",
        )
    found: list[Rewired] = []
    for ref in refs:
        end = ends[connection] if into else ends[ref.connection]
        found += put_back(
            end, table or ref.dataset, wanted_of(project, ref), named=ref.dataset, dry_run=dry_run
        )
    return tuple(found)


def rewire_backup(
    project: Project, place: str, names: tuple[str, ...], *, into: str, region: str | None, dry_run: bool
) -> tuple[Rewired, ...]:
    """What the manifest of a backup says of its tables, put onto them, or where `into` says."""
    ends = connectors(project, region=region)
    _, manifest = opened(place_of(place, root=project.root))
    tables = [each for each in backed_up(manifest, names) if each.kind == "dynamodb"]
    if not tables:
        raise ConfigurationError(
            "nothing to rewire: no DynamoDB table is named", advice="`--table` names one."
        )
    return tuple(
        change
        for table, ref in zip(tables, targets(tables, into, ends), strict=True)
        for change in put_back(
            ends[ref.connection], ref.dataset, table.settings, named=table.dataset, dry_run=dry_run
        )
    )


def wanted_of(project: Project, ref: DatasetRef) -> dict[str, Any]:
    """The settings that greylag.yaml means for a table, as `TableSettings.as_json` writes them."""
    spec = project.tables.get(ref)
    shared = project.infrastructure
    return {
        "ttl": None if spec is None else spec.ttl_attribute,
        "stream": STREAM,
        "recovery": {"enabled": True, "days": None},
        "deletion_protection": project.environment == "prod",
        "tags": {
            **(dict(shared.tags) if shared is not None else {}),
            "project": project.name,
            "environment": project.environment or DEFAULT_ENVIRONMENT,
        },
        "replicas": list(shared.replicas) if shared is not None else [],
    }
