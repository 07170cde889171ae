"""Puts back what a restored table lacks: time to live, stream, point-in-time recovery, tags, deletion protection,
autoscaling, alarms. Each is looked at first and changed only where it differs; doing it again changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from greylag.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.recovery.settings import Settings, TableSettings


@dataclass(frozen=True, slots=True)
class Rewired:
    """One setting of a table: as it was, as it should be, and what became of it (done, would be done, or why not)."""

    table: str
    setting: str
    before: str
    wanted: str
    outcome: str

    def as_json(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


DONE = "done"
WOULD = "would be done"


def rewire(
    settings: Settings, table: str, wanted: Mapping[str, Any], *, named: str, dry_run: bool = False
) -> list[Rewired]:
    """Bring `table` to what `wanted` says, as `TableSettings.as_json` writes it; a key that is missing or None is left
    alone. `named` is the table that `wanted` was read from. Raises SchemaError where there is no such table.
    """
    now = settings.read(table)
    if now is None:
        raise SchemaError(f"there is no table {table} in {settings.region}", advice="Restore it first.")
    found = []
    for name, before, after, put in _differences(settings, now, wanted, named):
        outcome = WOULD
        if not dry_run:
            outcome = _outcome(settings, table, name, put)
        found.append(Rewired(table, name, _shown(before), _shown(after), outcome))
    regions = sorted(set(wanted.get("replicas") or ()) - set(now.replicas) - {settings.region})
    found += [
        Rewired(
            table,
            f"replica in {each}",
            "none",
            each,
            "left: a replica is a table of its own, and billed as one",
        )
        for each in regions
    ]
    return found


def _outcome(settings: Settings, table: str, name: str, put: Callable[[], None]) -> str:
    with settings.asking(f"putting back {name} of table {table}"):
        try:
            put()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code in {"UnknownOperationException", "UnknownOperation", "InvalidAction", "NotImplemented"}:
                return "not done: this server does not know it"
            raise
    settings.wait_until(
        table, lambda told: told is not None and told["TableStatus"] == "ACTIVE", "stays busy"
    )
    return DONE


def _differences(
    settings: Settings, now: TableSettings, wanted: Mapping[str, Any], named: str
) -> Iterator[tuple[str, Any, Any, Callable[[], None]]]:
    """Setting by setting: its name, what it is, what it should be, and what brings it there."""
    client, table = settings.client, now.name
    ttl = wanted.get("ttl")
    if ttl is not None and ttl != now.ttl:
        yield (
            "time to live",
            now.ttl,
            ttl,
            lambda: client.update_time_to_live(
                TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl}
            ),
        )
    stream = wanted.get("stream")
    if stream is not None and stream != now.stream:
        yield "stream", now.stream, stream, lambda: _stream(settings, now, stream)
    recovery = wanted.get("recovery")
    if recovery is not None and recovery["enabled"] and not (now.recovery or {}).get("enabled"):
        days = {"RecoveryPeriodInDays": recovery["days"]} if recovery.get("days") else {}
        yield (
            "point-in-time recovery",
            "off",
            "on",
            lambda: client.update_continuous_backups(
                TableName=table,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, **days},
            ),
        )
    tags = {
        name: each for name, each in (wanted.get("tags") or {}).items() if (now.tags or {}).get(name) != each
    }
    if tags:
        yield (
            "tags",
            now.tags or {},
            wanted["tags"],
            lambda: client.tag_resource(
                ResourceArn=now.arn, Tags=[{"Key": name, "Value": each} for name, each in tags.items()]
            ),
        )
    yield from _scaling(settings, now, wanted)
    yield from _alarms(settings, now, wanted, named)
    if wanted.get("deletion_protection") and not now.deletion_protection:
        yield (
            "deletion protection",
            "off",
            "on",
            lambda: client.update_table(TableName=table, DeletionProtectionEnabled=True),
        )


def _stream(settings: Settings, now: TableSettings, view: str) -> None:
    """A stream of another view is turned off first: DynamoDB changes none."""
    if now.stream is not None:
        settings.client.update_table(TableName=now.name, StreamSpecification={"StreamEnabled": False})
        settings.wait_until(
            now.name, lambda told: told is not None and told["TableStatus"] == "ACTIVE", "stays busy"
        )
    settings.client.update_table(
        TableName=now.name, StreamSpecification={"StreamEnabled": True, "StreamViewType": view}
    )


def _scaling(
    settings: Settings, now: TableSettings, wanted: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any, Callable[[], None]]]:
    there = {(each["resource"], each["dimension"]): each for each in now.autoscaling or ()}
    for each in wanted.get("autoscaling") or ():
        place = each["resource"], each["dimension"]
        if _plain(there.get(place)) == _plain(each):
            continue

        def put(each: Mapping[str, Any] = each) -> None:
            client = settings.autoscaling
            if client is None:
                raise SchemaError("autoscaling cannot be put back", advice="DynamoDB is an emulator here.")
            resource = "/".join(filter(None, ("table", now.name, each["resource"])))
            asked = {
                "ServiceNamespace": "dynamodb",
                "ResourceId": resource,
                "ScalableDimension": each["dimension"],
            }
            client.register_scalable_target(**asked, MinCapacity=each["min"], MaxCapacity=each["max"])
            for policy in each["policies"]:
                client.put_scaling_policy(
                    **asked,
                    PolicyName=policy["name"],
                    PolicyType="TargetTrackingScaling",
                    TargetTrackingScalingPolicyConfiguration=policy["target_tracking"],
                )

        where = f"{each['resource'] or 'table'}, {each['dimension'].rpartition(':')[2]}"
        before = there.get(place)
        yield (
            f"autoscaling of {where}",
            None if before is None else f"{before['min']} to {before['max']}",
            f"{each['min']} to {each['max']}",
            put,
        )


def _alarms(
    settings: Settings, now: TableSettings, wanted: Mapping[str, Any], named: str
) -> Iterator[tuple[str, Any, Any, Callable[[], None]]]:
    there = {each["AlarmName"]: each for each in now.alarms or ()}
    for each in wanted.get("alarms") or ():
        alarm = renamed_alarm(each, named, now.name)
        if _plain(there.get(alarm["AlarmName"])) == _plain(alarm):
            continue

        def put(alarm: Mapping[str, Any] = alarm) -> None:
            client = settings.cloudwatch
            if client is None:
                raise SchemaError("alarms cannot be put back", advice="DynamoDB is an emulator here.")
            client.put_metric_alarm(**alarm)

        yield f"alarm {alarm['AlarmName']}", None, alarm["MetricName"], put


def renamed_alarm(alarm: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """The alarm for table `new`. Its name is one in the whole account: where it does not hold the table's, that is
    added, or the old table's alarm would be written over.
    """
    found = dict(alarm)
    if old != new:
        name = alarm["AlarmName"]
        found["AlarmName"] = name.replace(old, new) if old in name else f"{name}-{new}"
    found["Dimensions"] = [
        {**each, "Value": new} if each["Name"] == "TableName" else each
        for each in alarm.get("Dimensions", ())
    ]
    return found


def _plain(document: Any) -> str:
    return json.dumps(document, sort_keys=True, default=str)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in sorted(value.items())) or "none"
    return str(value)
