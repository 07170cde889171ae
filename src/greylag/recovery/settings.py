"""What a DynamoDB table is beside its items: read whole, to be stored in a manifest, held against a plan, put back.

PITR and backups of AWS restore into a new table that has none of: autoscaling, alarms, tags, streams, time to live,
point-in-time recovery, deletion protection.
Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_beforeyoubegin.html
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.errors import AuthenticationError, SourceDataError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.connectors.dynamodb.session import Session

_POLL_SECONDS: Final = 0.2
_UNSUPPORTED: Final = frozenset(
    {
        "InvalidAction",
        "NotImplemented",
        "UnknownOperation",
        "UnknownOperationException",
        "InternalFailure",
        "501",
    }
)
_ALARM: Final = (
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
)
"""What PutMetricAlarm takes of what DescribeAlarms tells.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""


@dataclass(frozen=True, slots=True)
class TableSettings:
    """A table as it stands. `create` is what CreateTable takes, without the name. None in the rest: it could not be
    asked, and `unasked` says why by the name of the setting.
    """

    name: str
    arn: str
    identity: str
    status: str
    items: int
    bytes: int
    create: Mapping[str, Any]
    index_status: Mapping[str, str] = field(default_factory=dict)
    stream: str | None = None
    deletion_protection: bool = False
    encryption: str = "AWS_OWNED"
    replicas: Mapping[str, str] = field(default_factory=dict)
    ttl: str | None = None
    recovery: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    autoscaling: tuple[Mapping[str, Any], ...] | None = None
    alarms: tuple[Mapping[str, Any], ...] | None = None
    unasked: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As a manifest stores it."""
        return {
            "create": dict(self.create),
            "stream": self.stream,
            "deletion_protection": self.deletion_protection,
            "replicas": sorted(self.replicas),
            "ttl": self.ttl,
            "recovery": None
            if self.recovery is None
            else {"enabled": self.recovery["enabled"], "days": self.recovery["days"]},
            "tags": None if self.tags is None else dict(self.tags),
            "autoscaling": None if self.autoscaling is None else [dict(each) for each in self.autoscaling],
            "alarms": None if self.alarms is None else [dict(each) for each in self.alarms],
            "unasked": dict(self.unasked),
        }


def keys_of(settings: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The key of the settings' table, partition key first, and the types of all key attributes."""
    create = settings["create"]
    key = sorted(create["KeySchema"], key=lambda each: each["KeyType"] != "HASH")
    types = {each["AttributeName"]: each["AttributeType"] for each in create["AttributeDefinitions"]}
    return tuple(each["AttributeName"] for each in key), types


class Settings:
    """Reads the settings of one connection's tables, and makes tables of them. boto3's own clients."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.region = session.region
        self.client: Any = session.client()
        self.patience_seconds = session.options.patience_seconds

    @cached_property
    def autoscaling(self) -> Any | None:
        """Application Auto Scaling; None where DynamoDB is an emulator and this would be AWS."""
        return self._beside("application-autoscaling")

    @cached_property
    def cloudwatch(self) -> Any | None:
        """CloudWatch, likewise."""
        return self._beside("cloudwatch")

    def close(self) -> None:
        """Let go of connections."""
        for name in ("autoscaling", "cloudwatch"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                client.close()
        self.client.close()

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        with self.asking("listing tables"):
            pages = self.client.get_paginator("list_tables").paginate()
            return sorted(name for page in pages for name in page["TableNames"])

    def is_empty(self, table: str) -> bool:
        """Whether a scan finds nothing."""
        page: dict[str, Any] = {}
        while True:
            with self.asking(f"reading table {table}"):
                told = self.client.scan(TableName=table, Limit=1, ConsistentRead=True, **page)
            if told["Items"] or not told.get("LastEvaluatedKey"):
                return not told["Items"]
            page = {"ExclusiveStartKey": told["LastEvaluatedKey"]}

    def described(self, table: str) -> dict[str, Any] | None:
        """What DescribeTable tells, None where there is none."""
        with self.asking(f"describing table {table}"):
            try:
                found: dict[str, Any] = self.client.describe_table(TableName=table)["Table"]
            except self.client.exceptions.ResourceNotFoundException:
                return None
        return found

    def read(self, table: str) -> TableSettings | None:
        """Everything about the table, None where there is none."""
        told = self.described(table)
        if told is None:
            return None
        unasked: dict[str, str] = {}
        made = told.get("CreationDateTime")
        arn = told["TableArn"]
        return TableSettings(
            name=table,
            arn=arn,
            identity=told.get("TableId") or f"{arn}@{made.timestamp() if made else ''}",
            status=told["TableStatus"],
            items=int(told.get("ItemCount", 0)),
            bytes=int(told.get("TableSizeBytes", 0)),
            create=_create(told),
            index_status={
                each["IndexName"]: each.get("IndexStatus", "ACTIVE")
                for each in told.get("GlobalSecondaryIndexes", ())
            },
            stream=told.get("StreamSpecification", {}).get("StreamViewType"),
            deletion_protection=bool(told.get("DeletionProtectionEnabled", False)),
            encryption=told.get("SSEDescription", {}).get("SSEType", "AWS_OWNED"),
            replicas={
                each["RegionName"]: each.get("ReplicaStatus", "")
                for each in told.get("Replicas", ())
                if each["RegionName"] != self.region
            },
            ttl=self._ttl(table),
            recovery=self._optional("recovery", unasked, lambda: self._recovery(table)),
            tags=self._optional("tags", unasked, lambda: self._tags(arn)),
            autoscaling=self._optional("autoscaling", unasked, lambda: self._scaling(table)),
            alarms=self._optional("alarms", unasked, lambda: self._alarms(table)),
            unasked=unasked,
        )

    def create(self, table: str, settings: Mapping[str, Any]) -> None:
        """Make the table, and wait until it can be written. What `rewire` puts back is left out."""
        if "create" not in settings:
            raise SourceDataError(f"the backup does not say how table {table} is made")
        create = dict(settings["create"])
        key = create.get("SSESpecification", {}).get("KMSMasterKeyId", "")
        if (
            key.startswith("arn:") and key.split(":")[3] != self.region
        ):  # a key is one region's: here, AWS's own
            create["SSESpecification"] = {"Enabled": True, "SSEType": "KMS"}
        # An interrupted restore may have asked for it.
        there = self.client.exceptions.ResourceInUseException
        with self.asking(f"creating table {table}"), suppress(there):
            self.client.create_table(TableName=table, **create)
        self.wait_until(table, _is_active, "does not become active")

    def delete(self, table: str) -> None:
        """Delete the table and wait until it is gone. No error where there is none."""
        with self.asking(f"deleting table {table}"):
            try:
                self.client.delete_table(TableName=table)
            except self.client.exceptions.ResourceNotFoundException:
                return
        self.wait_until(table, lambda told: told is None, "is still being deleted")

    def wait_until(self, table: str, wanted: Callable[[dict[str, Any] | None], bool], otherwise: str) -> None:
        """Until the table is as `wanted`. Raises TransientError after the connection's patience."""
        until = time.monotonic() + self.patience_seconds
        while not wanted(self.described(table)):
            if time.monotonic() > until:
                raise TransientError(f"table {table} {otherwise}", advice="Run again later.")
            time.sleep(_POLL_SECONDS)

    @contextmanager
    def asking(self, doing: str) -> Iterator[None]:
        """Turns what boto3 raises inside into Greylag's errors."""
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise from_sdk(error, doing, self.region) from None

    def _optional(self, name: str, unasked: dict[str, str], ask: Callable[[], Any]) -> Any:
        """What `ask` finds; None, with the reason in `unasked`, where this server does not tell or may not be asked."""
        try:
            with self.asking(f"asking for {name}"):
                try:
                    return ask()
                except _NotAsked as reason:
                    unasked[name] = str(reason)
                except ClientError as error:
                    told = error.response.get("Error", {})
                    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
                    if str(told.get("Code")) not in _UNSUPPORTED and status != 501:
                        raise
                    unasked[name] = "this server does not know it"
        except AuthenticationError as error:
            unasked[name] = f"not permitted ({error.message})"
        return None

    def _ttl(self, table: str) -> str | None:
        with self.asking(f"describing the time to live of table {table}"):
            told = self.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        found: str | None = (
            told.get("AttributeName") if told["TimeToLiveStatus"].startswith("ENABL") else None
        )
        return found

    def _recovery(self, table: str) -> dict[str, Any]:
        told = self.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        found = told.get("PointInTimeRecoveryDescription", {})
        latest = found.get("LatestRestorableDateTime")
        earliest = found.get("EarliestRestorableDateTime")
        return {
            "enabled": found.get("PointInTimeRecoveryStatus") == "ENABLED",
            "days": found.get("RecoveryPeriodInDays"),
            "earliest": earliest and earliest.timestamp(),
            "latest": latest and latest.timestamp(),
        }

    def _tags(self, arn: str) -> dict[str, str]:
        found: dict[str, str] = {}
        page: dict[str, Any] = {}
        while True:
            told = self.client.list_tags_of_resource(ResourceArn=arn, **page)
            found |= {
                each["Key"]: each["Value"]
                for each in told.get("Tags", ())
                if not each["Key"].startswith("aws:")
            }
            if not told.get("NextToken"):
                return found
            page = {"NextToken": told["NextToken"]}

    def _scaling(self, table: str) -> tuple[dict[str, Any], ...]:
        client = _or_not_asked(self.autoscaling)
        asked = {"ServiceNamespace": "dynamodb"}
        policies = [
            each
            for page in client.get_paginator("describe_scaling_policies").paginate(**asked)
            for each in page["ScalingPolicies"]
        ]
        found = []
        for page in client.get_paginator("describe_scalable_targets").paginate(**asked):
            for target in page["ScalableTargets"]:
                resource = target["ResourceId"]
                if resource.split("/")[:2] != ["table", table]:
                    continue
                found.append(
                    {
                        "resource": "/".join(resource.split("/")[2:]),
                        "dimension": target["ScalableDimension"],
                        "min": target["MinCapacity"],
                        "max": target["MaxCapacity"],
                        "policies": [
                            {
                                "name": each["PolicyName"],
                                "target_tracking": each["TargetTrackingScalingPolicyConfiguration"],
                            }
                            for each in policies
                            if each["ResourceId"] == resource
                            and each["ScalableDimension"] == target["ScalableDimension"]
                            and "TargetTrackingScalingPolicyConfiguration" in each
                        ],
                    }
                )
        return tuple(found)

    def _alarms(self, table: str) -> tuple[dict[str, Any], ...]:
        client = _or_not_asked(self.cloudwatch)
        wanted = {"Name": "TableName", "Value": table}
        return tuple(
            {name: alarm[name] for name in _ALARM if alarm.get(name) not in (None, [])}
            for page in client.get_paginator("describe_alarms").paginate()
            for alarm in page["MetricAlarms"]
            # Those of autoscaling come and go with its policies.
            if wanted in alarm.get("Dimensions", ()) and not alarm["AlarmName"].startswith("TargetTracking-")
        )

    def _beside(self, service: str) -> Any | None:
        client = self._session.beside(service)
        if _is_aws(client.meta.endpoint_url) and not _is_aws(self.client.meta.endpoint_url):
            client.close()
            return None
        return client


class _NotAsked(Exception):  # noqa: N818
    """There is nobody to ask."""


def _or_not_asked(client: Any | None) -> Any:
    if client is None:
        raise _NotAsked("DynamoDB is an emulator here, and this would be AWS itself")
    return client


def _is_aws(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _is_active(told: dict[str, Any] | None) -> bool:
    return (
        told is not None
        and told["TableStatus"] == "ACTIVE"
        and all(
            each.get("IndexStatus", "ACTIVE") == "ACTIVE" for each in told.get("GlobalSecondaryIndexes", ())
        )
    )


def _create(told: dict[str, Any]) -> dict[str, Any]:
    """What CreateTable takes, of what DescribeTable tells."""
    on_demand = told.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    create: dict[str, Any] = {
        "AttributeDefinitions": told["AttributeDefinitions"],
        "KeySchema": told["KeySchema"],
        "BillingMode": "PAY_PER_REQUEST" if on_demand else "PROVISIONED",
    }
    if not on_demand:
        create["ProvisionedThroughput"] = _throughput(told)
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if told.get(name):
            create[name] = [
                {
                    "IndexName": each["IndexName"],
                    "KeySchema": each["KeySchema"],
                    "Projection": each["Projection"],
                    **(
                        {"ProvisionedThroughput": _throughput(each)}
                        if not on_demand and name.startswith("Global")
                        else {}
                    ),
                }
                for each in told[name]
            ]
    if told.get("TableClassSummary", {}).get("TableClass"):
        create["TableClass"] = told["TableClassSummary"]["TableClass"]
    encryption = told.get("SSEDescription", {})
    if encryption.get("Status") == "ENABLED" and encryption.get("SSEType") == "KMS":
        create["SSESpecification"] = {
            "Enabled": True,
            "SSEType": "KMS",
            **(
                {"KMSMasterKeyId": encryption["KMSMasterKeyArn"]} if encryption.get("KMSMasterKeyArn") else {}
            ),
        }
    limits = {
        name: each
        for name, each in told.get("OnDemandThroughput", {}).items()
        if isinstance(each, int) and each > 0
    }
    if on_demand and limits:
        create["OnDemandThroughput"] = limits
    return create


def _throughput(told: dict[str, Any]) -> dict[str, int]:
    found = told.get("ProvisionedThroughput", {})
    return {name: max(1, int(found.get(name, 1))) for name in ("ReadCapacityUnits", "WriteCapacityUnits")}
