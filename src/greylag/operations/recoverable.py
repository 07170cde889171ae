"""What backup, restore, inspect and drill share: connections, the tables that are meant, and where notes are kept."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from greylag.config import EVERY
from greylag.connectors.dynamodb.connector import DynamoDBConnector
from greylag.core.flows import DatasetRef
from greylag.core.nearest import did_you_mean
from greylag.errors import ConfigurationError
from greylag.recovery.journal import Journal
from greylag.recovery.places import Folder
from greylag.recovery.stores import store_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.core.ports import Connector
    from greylag.recovery.format import TableBackup
    from greylag.recovery.places import Place


def connectors(project: Project, *, region: str | None = None) -> dict[str, Connector]:
    """Every connection of the project; those of DynamoDB in `region`, where one is given."""
    return {name: _in_region(project.connector(name), region) for name in project.connections}


def _in_region(connector: Connector, region: str | None) -> Connector:
    if region is None or not isinstance(connector, DynamoDBConnector):
        return connector
    return replace(connector, options=connector.options.model_copy(update={"region": region}))


def chosen(project: Project, names: Sequence[str], opened: Mapping[str, Connector]) -> tuple[DatasetRef, ...]:
    """The tables that `names` mean, each once: a connection (all it has), connection.dataset, a service or a flow (what
    it writes). None: every table that a flow writes.

    Raises ConfigurationError for a name that is nothing, and where nothing is left.
    """
    found: dict[DatasetRef, None] = {}
    for name in names or ("",):
        connection, _, dataset = name.partition(".")
        if name and connection in opened and (dataset or connection not in _words(project)):
            found |= dict.fromkeys(_of_connection(connection, dataset, opened))
        elif not name or name in _words(project):
            found |= dict.fromkeys(_written(project, name, opened))
        else:
            known = sorted({*opened, *_words(project), *map(str, project.tables)})
            raise ConfigurationError(
                f"there is no connection, table, service or flow {name!r}{did_you_mean(name, known)}",
                advice="Name a CONNECTION, a CONNECTION.TABLE, a service or a flow.",
            )
    if not found:
        raise ConfigurationError(
            f"{', '.join(names) or 'greylag.yaml'} has no table", advice="Name a CONNECTION.TABLE."
        )
    return tuple(found)


def targets(
    tables: Sequence[TableBackup], into: str, ends: Mapping[str, Connector]
) -> tuple[DatasetRef, ...]:
    """Where each table goes. Raises ConfigurationError for a connection that is not there, and for two into one."""
    connection, _, dataset = into.partition(".")
    if dataset and len(tables) != 1:
        raise ConfigurationError(
            f"--into {into} names one table, the backup has {len(tables)}",
            advice="Choose one with --table, or name a connection alone: tables keep their names.",
        )
    found = tuple(
        DatasetRef(connection or table.name.partition(".")[0], dataset or table.dataset) for table in tables
    )
    for ref in found:
        if ref.connection not in ends:
            raise ConfigurationError(
                f"greylag.yaml has no connection {ref.connection!r}",
                advice=f"--into CONNECTION says where else to. Connections: {', '.join(ends)}.",
            )
    twice = [str(ref) for ref, times in Counter(found).items() if times > 1]
    if twice:
        raise ConfigurationError(
            f"two tables of the backup would go into {twice[0]}", advice="Choose with --table."
        )
    return found


def _words(project: Project) -> set[str]:
    return {*project.services, *(flow.name for flow in project.flows)}


def _of_connection(connection: str, dataset: str, opened: Mapping[str, Connector]) -> list[DatasetRef]:
    with closing(store_of(opened[connection])) as store:
        if dataset:
            return [DatasetRef(connection, store.resolve(dataset))]
        return [DatasetRef(connection, each) for each in store.datasets()]


def _written(project: Project, name: str, opened: Mapping[str, Connector]) -> list[DatasetRef]:
    def datasets_of(connection: str) -> Sequence[str]:
        with closing(opened[connection].source()) as source:
            return source.datasets()

    flows = project.flows
    if any(flow.source.dataset == EVERY for flow in flows):
        flows = project.expand(datasets_of)
    refs = [flow.table.ref for flow in project.select([name] if name else [], flows)]
    return refs if name else [*refs, *(ref for ref in project.tables if ref.dataset != EVERY)]


def journals(project: Project) -> Path:
    """The folder of what backups and restores have done so far."""
    return project.state_folder / "recovery"


def history(project: Project) -> Journal:
    """Every backup that was finished from here: its place, id, tables and time."""
    return Journal(journals(project) / "backups.jsonl")


def shown_place(place: Place) -> str:
    """The place as one text, the same however it was written."""
    return str(place.path.resolve()) if isinstance(place, Folder) else str(place)
