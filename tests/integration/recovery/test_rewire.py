"""What a table has beside its items, seen and put back. moto answers: DynamoDB Local has no alarms and no PITR."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from greylag.config import load
from greylag.core.findings import Severity
from greylag.operations.inspect import InspectOptions, inspect
from greylag.operations.rewire import rewire_backup, rewire_from_project
from tests.command import Command
from tests.integration.recovery.conftest import Recovery
from tests.integration.recovery.items import assert_holds, fill, make_table

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.config import Project

YAML = """
project: shop
connections:
  dynamo: {{kind: dynamodb, region: us-east-1}}
  files: {{kind: json, path: data}}
tables:
  {table}: {{in: dynamo, key: [PK, SK], indexes: {{ByKind: [kind, when]}}, ttl: expires}}
services:
  shop: {{flows: {{one: {{from: files.one, to: dynamo.{table}, attributes: {{PK: "{{id:S}}", SK: "{{id:N}}"}}}}}}}}
infrastructure: {{region: us-east-1, tags: {{team: shop}}, replicas: [eu-west-1]}}
environments: {{prod: {{}}}}
"""


@pytest.fixture
def table(moto_endpoint: str, table_prefix: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    name = f"{table_prefix}items"
    throughput = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    make_table(
        moto_endpoint,
        name,
        BillingMode="PROVISIONED",
        ProvisionedThroughput=throughput,
        index={"ProvisionedThroughput": throughput},
    )
    return name


@pytest.fixture
def project(tmp_path: Path, table: str) -> Project:
    (tmp_path / "greylag.yaml").write_text(YAML.format(table=table))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.json").write_text('[{"id": 1}]')
    return load(tmp_path / "greylag.yaml", environ={})


def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]


def wire(table: str) -> None:
    """Everything that a restored table loses."""
    dynamodb, scaling, cloudwatch = map(client, ("dynamodb", "application-autoscaling", "cloudwatch"))
    arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    dynamodb.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    dynamodb.update_table(
        TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    )
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "ada"}])
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
    for resource, dimension in (
        (f"table/{table}", "dynamodb:table:WriteCapacityUnits"),
        (f"table/{table}", "dynamodb:table:ReadCapacityUnits"),
        (f"table/{table}/index/ByKind", "dynamodb:index:WriteCapacityUnits"),
    ):
        asked = {"ServiceNamespace": "dynamodb", "ResourceId": resource, "ScalableDimension": dimension}
        scaling.register_scalable_target(**asked, MinCapacity=5, MaxCapacity=500)
        scaling.put_scaling_policy(
            **asked,
            PolicyName=f"{table}-scaling",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 70.0,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": f"DynamoDB{dimension.rpartition(':')[2].replace('Units', 'Utilization')}"
                },
            },
        )
    for name in (f"{table}-throttles", "shared-name-errors"):
        cloudwatch.put_metric_alarm(
            AlarmName=name if table in name else f"{name}-{table[5:17]}",
            Namespace="AWS/DynamoDB",
            MetricName="ReadThrottleEvents",
            Dimensions=[{"Name": "TableName", "Value": table}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=5,
            Threshold=1.0,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            AlarmActions=["arn:aws:sns:us-east-1:123456789012:shop"],
        )


def settings(project: Project, name: str) -> dict[str, Any]:
    [table] = inspect(project, InspectOptions((f"dynamo.{name}",))).tables
    assert table.settings is not None
    found = table.settings.as_json()
    assert not found.pop("unasked")
    return found


def test_a_restored_table_gets_back_what_it_had(project: Project, table: str, table_prefix: str) -> None:
    wire(table)
    before = settings(project, table)
    recovery = Recovery(project.root)
    place = recovery.backup("backups", f"dynamo.{table}").place
    copy = f"{table}-copy"
    recovery.restore(into=f"dynamo.{copy}")
    bare = settings(project, copy)
    assert (bare["ttl"], bare["stream"], bare["tags"], bare["autoscaling"]) == (None, None, {}, [])
    [would] = [
        each for each in rewire(project, place, copy, dry_run=True) if each.setting == "deletion protection"
    ]
    assert would.outcome == "would be done"
    assert not settings(project, copy)["deletion_protection"]
    changes = rewire(project, place, copy)
    assert {each.outcome for each in changes} == {"done"}
    after = settings(project, copy)
    alarms, old_alarms = after.pop("alarms"), before.pop("alarms")
    assert after == before
    assert len(alarms) == len(old_alarms) == 2
    assert {each["Dimensions"][0]["Value"] for each in alarms} == {copy}
    assert not {each["AlarmName"] for each in alarms} & {each["AlarmName"] for each in old_alarms}
    assert settings(project, table)["alarms"] == old_alarms
    assert rewire(project, place, copy) == ()


def rewire(project: Project, place: str, copy: str, *, dry_run: bool = False) -> Any:
    return rewire_backup(
        project, str(project.root / place), (), into=f"dynamo.{copy}", region=None, dry_run=dry_run
    )


def test_a_table_gets_what_greylag_yaml_says(project: Project, table: str) -> None:
    changes = rewire_from_project(project, (f"dynamo.{table}",), into="", region=None, dry_run=False)
    assert {each.setting for each in changes} == {
        "time to live", "stream", "point-in-time recovery", "tags", "replica in eu-west-1",
    }  # fmt: skip
    found = settings(project, table)
    assert found["ttl"] == "expires"
    assert found["tags"] == {"team": "shop", "project": "shop", "environment": "dev"}
    assert found["recovery"]["enabled"]


def test_into_another_region(project: Project, table: str, moto_endpoint: str) -> None:
    """moto keeps regions apart; DynamoDB Local has one for all."""
    fill(moto_endpoint, table, 30)
    recovery = Recovery(project.root)
    recovery.backup("backups", f"dynamo.{table}")
    recovery.restore(into=f"dynamo.{table}-far", region="eu-west-1", verify=True)
    assert_holds(moto_endpoint, f"{table}-far", 30, "eu-west-1")
    assert f"{table}-far" not in client("dynamodb").list_tables()["TableNames"]


def kinds(project: Project, table: str) -> dict[str, Severity]:
    found = inspect(project, InspectOptions((f"dynamo.{table}",)))
    return {each.kind: each.severity for each in found.findings}


def test_inspect_finds_what_is_missing(project: Project, table: str) -> None:
    found = kinds(project, table)
    assert found == {
        "ttl-differs": Severity.WARNING,
        "no-point-in-time-recovery": Severity.WARNING,
        "no-backup": Severity.WARNING,
        "no-autoscaling": Severity.WARNING,
        "missing-replica": Severity.WARNING,
        "no-deletion-protection": Severity.NOTE,
        "encrypted-by-aws": Severity.NOTE,
        "tags-differ": Severity.NOTE,
        "no-stream": Severity.NOTE,
        "no-alarms": Severity.NOTE,
    }
    assert kinds(replace(project, environment="prod"), table)["no-alarms"] is Severity.WARNING
    wire(table)
    Recovery(project.root).backup("backups", f"dynamo.{table}")
    assert set(kinds(project, table)) == {"missing-replica", "encrypted-by-aws", "tags-differ"}
    aged = inspect(project, InspectOptions((f"dynamo.{table}",), backup_age_seconds=0.0))
    assert "old-backup" in {each.kind for each in aged.findings}


def test_inspect_against_the_plan(project: Project, table: str) -> None:
    text = (project.root / "greylag.yaml").read_text()
    (project.root / "greylag.yaml").write_text(
        text.replace("indexes: {ByKind: [kind, when]}", "indexes: {ByWhen: [when]}")
    )
    other = load(project.root / "greylag.yaml", environ={})
    found = kinds(other, table)
    assert found["differs"] is Severity.BLOCKER
    assert found["extra-index"] is Severity.NOTE
    command = Command(project.root)
    told = command("inspect", expect=12)
    assert "it has no index ByWhen (when)" in told.stdout
    assert "12" not in told.stderr
    command("inspect", "--fail-on", "never", "--markdown", "inspection.md")
    assert "| key | PK (S), SK (N) |" in (project.root / "inspection.md").read_text()
    far = command.json("inspect", "--region", "eu-west-1", expect=12)
    assert far["tables"][0]["findings"][0]["kind"] == "missing-table"
