"""Every item of every type out and in again, read with the bare driver; other names, regions, places, files."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from greylag.connectors.json.connector import JsonConnector
from greylag.errors import ConfigurationError, SchemaError, SourceDataError, StateError, VerificationFailed
from greylag.recovery.jsonfiles import JsonStore
from tests.command import Command
from tests.integration.recovery.conftest import ITEMS, Recovery
from tests.integration.recovery.items import YAML, assert_holds, client_of, fill, make_table, read

if TYPE_CHECKING:
    from pathlib import Path

SMALL = ("--part-bytes", "40000", "--processes", "2")


def test_a_table_of_every_type_into_a_new_one(greylag: Command, table: str, dynamodb_endpoint: str) -> None:
    told = greylag.json("backup", "--to", "backups", *SMALL)
    assert [(each["name"], each["records"]) for each in told["tables"]] == [(f"dynamo.{table}", ITEMS)]
    assert told["tables"][0]["consistency"]["kind"] == "scan"
    into = f"{table}-copy"
    restored = greylag.json("restore", "backups", "--into", f"dynamo.{into}", "--verify")
    assert restored["tables"][0] | {"content_bytes": 0} == {
        "name": f"dynamo.{table}",
        "into": f"dynamo.{into}",
        "records": ITEMS,
        "content_bytes": 0,
        "made": True,
        "verified": True,
    }
    assert_holds(dynamodb_endpoint, into, ITEMS)
    client = client_of(dynamodb_endpoint)
    old, new = (client.describe_table(TableName=each)["Table"] for each in (table, into))
    assert old["KeySchema"] == new["KeySchema"]
    assert by_name(old["AttributeDefinitions"]) == by_name(new["AttributeDefinitions"])
    [index] = new["GlobalSecondaryIndexes"]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]}


def by_name(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda each: each["AttributeName"])


def test_an_s3_prefix(
    recovery: Recovery,
    table: str,
    dynamodb_endpoint: str,
    s3_endpoint: str,
    table_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = f"{table_prefix}backups"
    client: Any = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=bucket)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    place = f"s3://{bucket}/nightly/"
    told = recovery.backup(place)
    keys = [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert f"nightly/{told.id}/manifest.json" in keys
    recovery.restore(place, into=f"dynamo.{table}-copy", verify=True)
    assert_holds(dynamodb_endpoint, f"{table}-copy", ITEMS)
    client.delete_object(Bucket=bucket, Key=next(key for key in keys if key.endswith(".gz")))
    with pytest.raises(SourceDataError, match="is missing"):
        recovery.restore(place + told.id, into=f"dynamo.{table}-more")
    client.close()


def test_restoring_over_items_is_refused_unless_said(
    recovery: Recovery, table: str, dynamodb_endpoint: str
) -> None:
    recovery.backup()
    with pytest.raises(ConfigurationError, match="is not empty"):
        recovery.restore()
    client = client_of(dynamodb_endpoint)
    client.delete_item(TableName=table, Key={"PK": {"S": "USER#3\u00e9"}, "SK": {"N": "3"}})
    client.update_item(
        TableName=table,
        Key={"PK": {"S": "USER#4\u00e9"}, "SK": {"N": "4"}},
        UpdateExpression="SET yes = :no",
        ExpressionAttributeValues={":no": {"S": "changed"}},
    )
    recovery.restore(overwrite=True)
    assert_holds(dynamodb_endpoint, table, ITEMS)
    client.put_item(TableName=table, Item={"PK": {"S": "more"}, "SK": {"N": "-1"}})
    with pytest.raises(VerificationFailed, match=f"holds {ITEMS + 1} records, the backup {ITEMS}"):
        recovery.restore(overwrite=True, verify=True)


def test_a_dry_run_writes_nothing(recovery: Recovery, table: str, dynamodb_endpoint: str) -> None:
    recovery.backup(dry_run=True)
    assert not (recovery.folder / "backups").exists()
    recovery.backup()
    told = recovery.restore(into=f"dynamo.{table}-copy", dry_run=True)
    assert told.dry_run
    assert told.tables[0].made
    assert f"{table}-copy" not in client_of(dynamodb_endpoint).list_tables()["TableNames"]


def test_a_target_with_another_key_is_refused(recovery: Recovery, table: str, dynamodb_endpoint: str) -> None:
    client_of(dynamodb_endpoint).create_table(
        TableName=f"{table}-other",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    recovery.backup()
    with pytest.raises(SchemaError, match="its key is PK, that of the backup PK, SK"):
        recovery.restore(into=f"dynamo.{table}-other")
    with pytest.raises(SchemaError, match="dynamodb-json"):
        recovery.restore(into="files")


def test_files_come_back_byte_for_byte(recovery: Recovery) -> None:
    data = recovery.folder / "data"
    odd = b'{"a": [1, 1.0, 1e400, 19.90, {"k": 1, "k": 2}], "b": [\n]}  \n\xff'
    (data / "nested").mkdir()
    (data / "nested" / "db.json").write_bytes(odd)
    (data / "empty.jsonl").write_bytes(b"")
    (data / "many.jsonl").write_bytes(b"".join(b'{"n": %d}\n' % each for each in range(20_000)))
    before = {path: path.read_bytes() for path in data.rglob("*.json*")}
    told = recovery.backup("backups", "files", part_bytes=10_000)
    names = ["empty.jsonl", "many.jsonl", "nested/db.json", "one.json"]
    assert [each.name for each in told.tables] == [f"files.{each}" for each in names]
    with pytest.raises(ConfigurationError, match="is not empty"):
        recovery.restore()
    for path in before:
        path.unlink()
    recovery.restore()
    assert {path: path.read_bytes() for path in data.rglob("*.json*")} == before
    assert not list(data.rglob("*.restoring"))


def test_a_file_that_changes_meanwhile_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(b"[1, 2, 3]" * 10)
    store = JsonStore(JsonConnector("files", tmp_path))
    [piece] = store.pieces("one.json", processes=1)
    chunks = store.read(piece, None, chunk_bytes=10)
    next(chunks)
    path.write_bytes(b"[4, 5, 6]" * 10)
    os.utime(path, ns=(1, 1))
    with pytest.raises(SourceDataError, match="has changed"):
        next(chunks)


def test_a_killed_backup_goes_on(
    greylag: Command, recovery: Recovery, table: str, dynamodb_endpoint: str
) -> None:
    """Killed once parts are durable. Until it has gone on it is no backup, and stands in the way of another."""
    backup = ("backup", "--to", "backups", *SMALL)
    kill_after_some_lines(greylag, backup, "backup-*.jsonl", '"part"', "--read-bytes", "100000")
    [unfinished] = (greylag.folder / "backups").iterdir()
    assert not (unfinished / "manifest.json").exists()
    with pytest.raises(ConfigurationError, match="no finished backup"):
        recovery.restore()
    with pytest.raises(StateError, match="is of other tables"):
        recovery.backup("backups", "files")
    told = recovery.backup()
    assert told.resumed
    assert told.tables[0].records == ITEMS
    recovery.restore(into=f"dynamo.{table}-copy", verify=True)
    assert_holds(dynamodb_endpoint, f"{table}-copy", ITEMS)


def test_a_killed_backup_is_discarded(greylag: Command, recovery: Recovery) -> None:
    backup = ("backup", "--to", "backups", *SMALL)
    kill_after_some_lines(greylag, backup, "backup-*.jsonl", '"part"', "--read-bytes", "100000")
    told = recovery.backup("backups", "files", restart=True)
    assert not told.resumed
    assert [each.name for each in (greylag.folder / "backups").iterdir()] == [told.id]


def test_a_killed_restore_goes_on(
    greylag: Command, recovery: Recovery, table: str, dynamodb_endpoint: str
) -> None:
    recovery.backup(part_bytes=10_000)
    into = f"dynamo.{table}-copy"
    restore = ("restore", "backups", "--into", into, "--processes", "2")
    kill_after_some_lines(greylag, restore, "restore-*.jsonl", '"part"', "--write-units", "150")
    assert len({number for number, _ in read(dynamodb_endpoint, f"{table}-copy")}) < ITEMS
    told = recovery.restore(into=into, verify=True)
    assert told.resumed
    assert_holds(dynamodb_endpoint, f"{table}-copy", ITEMS)


def kill_after_some_lines(
    greylag: Command, command: tuple[str, ...], journal: str, mark: str, *slow: str
) -> None:
    """Kill the command once its journal has two lines with `mark`."""
    process = greylag.start(*command, *slow)
    try:
        for _ in range(6000):
            found = [path.read_text() for path in greylag.folder.glob(f".greylag/recovery/{journal}")]
            if found and found[0].count(mark) >= 2:
                break
            assert process.poll() is None, process.communicate()
            try:
                process.wait(0.01)
            except Exception:  # noqa: BLE001 - still at work
                continue
        else:
            pytest.fail("no part was written in a minute")
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.long
def test_200_000_items_of_every_type(tmp_path: Path, dynamodb_endpoint: str, table_prefix: str) -> None:
    """The table is deleted in between: DynamoDB Local holds everything in memory."""
    count = 200_000
    table = f"{table_prefix}many"
    make_table(dynamodb_endpoint, table)
    fill(dynamodb_endpoint, table, count)
    greylag = Command(tmp_path, seconds=3600)  # DynamoDB Local takes some hundreds a second on a busy machine
    greylag.write(YAML.format(endpoint=dynamodb_endpoint, table=table))
    (tmp_path / "data").mkdir()
    greylag("backup", f"dynamo.{table}", "--to", "backups")
    client_of(dynamodb_endpoint).delete_table(TableName=table)
    greylag("restore", "backups")
    assert_holds(dynamodb_endpoint, table, count)
