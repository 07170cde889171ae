"""A recovery that is tried: restored, compared, measured, removed, logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from greylag.config import load
from greylag.errors import ConfigurationError, SchemaError, SourceDataError, VerificationFailed
from greylag.operations.drill import (
    DrillOptions,
    drill_backup,
    drill_point_in_time,
    drill_region,
    drills,
)
from greylag.recovery.journal import Journal
from tests.inline import Inline
from tests.integration.recovery.conftest import ITEMS, Recovery
from tests.integration.recovery.items import client_of, fill, item, make_table

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.config import Project
    from tests.command import Command


def scratch_tables(endpoint: str) -> set[str]:
    return {
        name for name in client_of(endpoint).list_tables()["TableNames"] if name.startswith("greylag-drill-")
    }


def test_the_newest_backup(greylag: Command, recovery: Recovery, table: str, dynamodb_endpoint: str) -> None:
    refused = greylag("drill", expect=3)
    assert "no backup was made" in refused.stderr
    recovery.backup()
    before = scratch_tables(dynamodb_endpoint)
    [told] = greylag.json("drill")["drills"]
    assert (told["table"], told["kind"], told["records"]) == (f"dynamo.{table}", "backup", ITEMS)
    assert told["verified"] is True
    assert 0 < told["rpo_seconds"] < 3600
    assert told["rto_seconds"] > 0
    assert scratch_tables(dynamodb_endpoint) <= before
    slow = greylag("drill", "--from", "backups", "--rto", "0.001", "--rpo", "3600", expect=12)
    assert f"dynamo.{table}: recovered in " in slow.stderr
    assert "--rto allows 0.001 s" in slow.stderr
    log = (recovery.folder / ".greylag" / "recovery" / "drills.jsonl").read_text().splitlines()
    assert [json.loads(line)["table"] for line in log] == [f"dynamo.{table}"] * 2
    shown = greylag("drill", "--log").stdout
    assert shown.count(f"dynamo.{table}") == 2
    assert shown.count(told["source"].rpartition("/")[2]) == 2


def test_what_a_killed_drill_left_is_removed(
    recovery: Recovery, table: str, table_prefix: str, dynamodb_endpoint: str
) -> None:
    recovery.backup()
    left = f"greylag-drill-{table_prefix}"
    make_table(dynamodb_endpoint, left)
    Journal(recovery.folder / ".greylag" / "recovery" / "scratch.jsonl").add(
        {"connection": "dynamo", "dataset": left}
    )
    drill_backup(recovery.project, DrillOptions(), executor=Inline(), observe=lambda _: None)
    assert left not in scratch_tables(dynamodb_endpoint)


def test_a_damaged_backup_fails_its_drill(recovery: Recovery, dynamodb_endpoint: str) -> None:
    place = recovery.folder / recovery.backup().place
    part = min(place.rglob("*.gz"))
    part.write_bytes(part.read_bytes()[:-1])
    before = scratch_tables(dynamodb_endpoint)
    with pytest.raises(SourceDataError, match="bytes"):
        drill_backup(recovery.project, DrillOptions(), executor=Inline(), observe=lambda _: None)
    assert scratch_tables(dynamodb_endpoint) <= before
    [failed] = drills(recovery.project)
    assert (failed.kind, failed.verified, failed.rto_seconds) == ("backup", False, None)


def test_the_second_region(recovery: Recovery, table: str, dynamodb_endpoint: str) -> None:
    """DynamoDB Local shares its tables among all regions: what is written here is there at once."""
    name = f"dynamo.{table}"
    [told] = drill_region(recovery.project, (name,), "eu-west-1", timeout_seconds=60)
    assert (told.kind, told.source) == ("region", "us-east-1 to eu-west-1")
    assert told.rpo_seconds is not None
    assert 0 <= told.rpo_seconds < 60
    assert client_of(dynamodb_endpoint).describe_table(TableName=table)["Table"]["ItemCount"] == ITEMS
    with pytest.raises(ConfigurationError, match="is at home in"):
        drill_region(recovery.project, (name,), "us-east-1", timeout_seconds=1)


MOTO = """
project: shop
connections: {{dynamo: {{kind: dynamodb, region: us-east-1}}, files: {{kind: json, path: data}}}}
services:
  shop: {{flows: {{one: {{from: files.one, to: dynamo.{table}, key: {{PK: "{{id:S}}", SK: "{{id:N}}"}}}}}}}}
"""


@pytest.fixture
def moto(tmp_path: Path, moto_endpoint: str, table_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A table of 20 items on moto, which knows point-in-time recovery and keeps regions apart."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    table = f"{table_prefix}items"
    make_table(moto_endpoint, table)
    fill(moto_endpoint, table, 20)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.json").write_text('[{"id": 1}]')
    (tmp_path / "greylag.yaml").write_text(MOTO.format(table=table))
    return load(tmp_path / "greylag.yaml", environ={})


def test_point_in_time(moto: Project, moto_endpoint: str, table_prefix: str) -> None:
    table = f"{table_prefix}items"
    with pytest.raises(SchemaError, match="has no point-in-time recovery"):
        drill_point_in_time(moto, DrillOptions())
    client: Any = client_of(moto_endpoint)
    client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    [told] = drill_point_in_time(moto, DrillOptions())
    assert (told.table, told.kind, told.records) == (f"dynamo.{table}", "point-in-time", 20)
    assert told.verified is True
    assert not scratch_tables(moto_endpoint)
    client.delete_item(TableName=table, Key={name: item(0)[name] for name in ("PK", "SK")})


def test_a_region_that_does_not_get_what_is_written(
    moto: Project, moto_endpoint: str, table_prefix: str
) -> None:
    table = f"{table_prefix}items"
    with pytest.raises(SchemaError, match="does not exist in eu-west-1"):
        drill_region(moto, (), "eu-west-1", timeout_seconds=1)
    far: Any = client_of(moto_endpoint, "eu-west-1")
    far.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(VerificationFailed, match="was not in eu-west-1"):
        drill_region(moto, (), "eu-west-1", timeout_seconds=0.3)
    [failed] = drills(moto)
    assert (failed.kind, failed.verified, failed.rpo_seconds) == ("region", False, None)
    assert "was not in eu-west-1" in failed.note
    assert client_of(moto_endpoint).scan(TableName=table)["Count"] == 20
