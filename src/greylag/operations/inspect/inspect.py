"""Looks at every table that is meant. Only reads."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.connector import DynamoDBConnector
from greylag.connectors.dynamodb.session import Session
from greylag.core.findings import by_severity
from greylag.errors import SchemaError
from greylag.operations.inspect.findings import Wanted, findings_of
from greylag.operations.inspect.report import BackupSeen, Inspected, Inspection, ReplicaSeen
from greylag.operations.recoverable import chosen, connectors, history
from greylag.operations.rewire import wanted_of
from greylag.recovery.format import moment_of
from greylag.recovery.settings import Settings
from greylag.recovery.stores import store_of

if TYPE_CHECKING:
    from greylag.config import Project
    from greylag.core.flows import DatasetRef
    from greylag.core.ports import Connector
    from greylag.recovery.settings import TableSettings

BACKUP_AGE_SECONDS: Final = 7 * 86_400.0
_LAG_MINUTES: Final = 15


@dataclass(frozen=True, slots=True)
class InspectOptions:
    """What `greylag inspect` was asked. An older newest backup than `backup_age_seconds` is a finding."""

    names: tuple[str, ...] = ()
    region: str | None = None
    backup_age_seconds: float = BACKUP_AGE_SECONDS


def inspect(project: Project, options: InspectOptions) -> Inspection:
    """The tables of the project, or those that are named."""
    ends = connectors(project, region=options.region)
    refs = chosen(project, options.names, ends)
    backups = _backups(project)
    found = []
    for ref in refs:
        looked = _look(ref, ends[ref.connection])
        looked = replace(looked, backups=(*looked.backups, *backups.get(str(ref), ())))
        wanted = Wanted(
            project.tables.get(ref), wanted_of(project, ref), project.environment, options.backup_age_seconds
        )
        found.append(replace(looked, findings=by_severity(findings_of(looked, wanted))))
    return Inspection(project.name, project.environment, tuple(found))


def _look(ref: DatasetRef, connector: Connector) -> Inspected:
    if isinstance(connector, DynamoDBConnector):
        with closing(Settings(Session(connector.name, connector.options))) as settings:
            return _table(ref, settings)
    with closing(store_of(connector)) as store:
        try:
            found = store.describe(ref.dataset)
        except SchemaError:
            return Inspected(str(ref), connector.kind, "", exists=False)
        indexes = {each["name"]: tuple(each["key"]) for each in found.settings.get("indexes", ())}
        return Inspected(
            str(ref),
            connector.kind,
            "",
            exists=True,
            records=found.estimated_records,
            bytes=found.estimated_bytes,
            indexes=indexes,
        )


def _table(ref: DatasetRef, settings: Settings) -> Inspected:
    found = settings.read(ref.dataset)
    if found is None:
        return Inspected(str(ref), "dynamodb", settings.region, exists=False)
    create = found.create
    return Inspected(
        str(ref),
        "dynamodb",
        settings.region,
        exists=True,
        records=found.items,
        bytes=found.bytes,
        settings=found,
        indexes={
            each["IndexName"]: tuple(
                key["AttributeName"]
                for key in sorted(each["KeySchema"], key=lambda key: key["KeyType"] != "HASH")
            )
            for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
            for each in create.get(name, ())
        },
        replicas=tuple(
            ReplicaSeen(region, status, _lag(settings, found, region))
            for region, status in found.replicas.items()
        ),
        backups=_aws_backups(settings, ref.dataset),
    )


def _lag(settings: Settings, table: TableSettings, region: str) -> float | None:
    """What CloudWatch tells of the last minutes.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html#ReplicationLatency
    """
    client = settings.cloudwatch
    if client is None:
        return None
    until = datetime.now(UTC)
    try:
        told = client.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName="ReplicationLatency",
            Dimensions=[
                {"Name": "TableName", "Value": table.name},
                {"Name": "ReceivingRegion", "Value": region},
            ],
            StartTime=until - timedelta(minutes=_LAG_MINUTES),
            EndTime=until,
            Period=60 * _LAG_MINUTES,
            Statistics=["Average"],
        )
    except (BotoCoreError, ClientError):
        return None
    points = [each["Average"] for each in told.get("Datapoints", ())]
    return points[-1] / 1000 if points else None


def _aws_backups(settings: Settings, table: str) -> tuple[BackupSeen, ...]:
    """Those of DynamoDB itself and of AWS Backup; none where the server or a permission is missing."""
    try:
        told = settings.client.list_backups(TableName=table, BackupType="ALL").get("BackupSummaries", ())
    except (BotoCoreError, ClientError):
        return ()
    now = time.time()
    return tuple(
        BackupSeen("AWS", each["BackupName"], max(0.0, now - each["BackupCreationDateTime"].timestamp()))
        for each in told
        if each.get("BackupStatus") == "AVAILABLE"
    )


def _backups(project: Project) -> dict[str, list[BackupSeen]]:
    """The newest of Greylag's own at each place, by table, as this machine remembers them."""
    now = datetime.now(UTC)
    newest: dict[tuple[str, str], Any] = {}
    for line in history(project).lines():
        for table in line["tables"]:
            newest[table, line["place"].rpartition("/")[0]] = line
    found: dict[str, list[BackupSeen]] = {}
    for (table, _), line in newest.items():
        age = (now - moment_of(line["finished_at"])).total_seconds()
        found.setdefault(table, []).append(BackupSeen(line["place"], line["id"], max(0.0, age)))
    return found
