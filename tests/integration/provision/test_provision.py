"""`greylag provision` and `deprovision` on DynamoDB Local, an S3 server that checks signatures, and moto's SQS."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.integration.provision.project import THINGS

if TYPE_CHECKING:
    from tests.command import Command
    from tests.integration.provision.project import Servers


def _actions(report: Any) -> set[str]:
    return {each["action"] for each in report["steps"]}


def _removals(report: Any) -> dict[str, str]:
    return {each["name"]: each["action"] for each in report["things"]}


def _record(greylag: Command) -> Any:
    return json.loads((greylag.folder / ".greylag" / "provisioned.json").read_text())["entries"]


def test_twice_in_a_row_changes_nothing(greylag: Command, servers: Servers, name: str) -> None:
    first = greylag.json("provision", "--yes")
    assert _actions(first) == {"make"}
    made = servers.state(name)
    assert len(made) == THINGS
    again = greylag.json("provision", "--yes")
    assert _actions(again) == {"keep"}
    assert servers.state(name) == made
    # Nobody need be asked where nothing changes.
    assert "nothing was changed" in greylag("provision").stdout


def test_what_is_made_is_what_greylag_yaml_says(greylag: Command, servers: Servers, name: str) -> None:
    report = greylag.json("provision", "--yes")
    made = servers.state(name)
    products, spare = made[f"table {name}-products"], made[f"table {name}-spare"]
    assert products["AttributeDefinitions"] == [
        {"AttributeName": "id", "AttributeType": "N"},
        {"AttributeName": "price", "AttributeType": "N"},
    ]
    assert products["indexes"] == ["ByPrice"]
    assert products["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert spare["ttl"] == "expires"
    cache = made[f"table {name}-dev-catalogue-cache"]
    assert (cache["KeySchema"], cache["ttl"]) == ([{"AttributeName": "key", "KeyType": "HASH"}], "expires")
    bucket = made[f"bucket {name}-dev-catalogue-assets-000000000000"]
    assert bucket["versioning"] == "Enabled"
    tags = {each["Key"]: each["Value"] for each in bucket["tags"]}
    assert (tags["greylag:project"], tags["owner"]) == (name, "platform")
    assert {each["ID"] for each in bucket["lifecycle"]} == {
        "old-versions",
        "unfinished-uploads",
        "expire tmp/",
    }
    queue = made[f"queue {name}-dev-catalogue"]
    dead = made[f"queue {name}-dev-catalogue-dead-letters"]
    assert queue["VisibilityTimeout"] == "180"
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dead["QueueArn"]
    assert made[f"queue {name}-dev-orders.fifo"]["FifoQueue"] == "true"
    # What these servers do not have is told.
    lacking = {each["name"]: each["not_supported"] for each in report["steps"]}
    assert lacking[f"{name}-dev-catalogue-assets-000000000000"] == ["Block Public Access"]


def test_objects_can_be_written_to_an_encrypted_bucket(greylag: Command, servers: Servers, name: str) -> None:
    greylag("provision", "--yes", "--only", "catalogue")
    s3, bucket = servers.client("s3"), f"{name}-dev-catalogue-assets-000000000000"
    s3.put_object(Bucket=bucket, Key="a", Body=b"text")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"text"
    s3.close()
    greylag("deprovision", "--yes", "--delete-data")


def test_run_and_verify_on_provisioned_tables(greylag: Command, name: str) -> None:
    greylag("provision", "--yes")
    greylag("run")
    assert "2 items verified" in greylag("verify").stdout
    kept = _removals(greylag.json("deprovision", "--yes"))
    assert kept.pop(f"{name}-products") == "keep"
    assert set(kept.values()) == {"remove"}
    assert [each["name"] for each in _record(greylag)] == [f"{name}-products"]
    assert "2 items verified" in greylag("verify").stdout
    assert greylag.json("provision", "--yes")["steps"][0]["action"] == "keep"
    assert set(_removals(greylag.json("deprovision", "--yes", "--delete-data")).values()) == {"remove"}


def test_dry_runs_write_nothing(greylag: Command, servers: Servers, name: str) -> None:
    assert _actions(greylag.json("provision", "--dry-run")) == {"make"}
    assert not servers.state(name)
    assert not (greylag.folder / ".greylag").exists()
    greylag("provision", "--yes")
    before, record = servers.state(name), _record(greylag)
    assert set(_removals(greylag.json("deprovision", "--dry-run", "--delete-data")).values()) == {"remove"}
    assert (servers.state(name), _record(greylag)) == (before, record)


def test_what_was_there_before_is_never_removed(greylag: Command, servers: Servers, name: str) -> None:
    dynamodb, s3, sqs = (servers.client(each) for each in ("dynamodb", "s3", "sqs"))
    dynamodb.create_table(
        TableName=f"{name}-spare",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
    )
    s3.create_bucket(Bucket=f"{name}-dev-catalogue-assets-000000000000")
    sqs.create_queue(QueueName=f"{name}-dev-orders.fifo", Attributes={"FifoQueue": "true"})
    steps = {each["name"]: each["action"] for each in greylag.json("provision", "--yes")["steps"]}
    before = {each for each, action in steps.items() if action == "leave"}
    assert before == {
        f"{name}-spare",
        f"{name}-dev-catalogue-assets-000000000000",
        f"{name}-dev-orders.fifo",
    }
    assert "Status" not in s3.get_bucket_versioning(Bucket=f"{name}-dev-catalogue-assets-000000000000")
    assert not before & set(_removals(greylag.json("deprovision", "--yes", "--delete-data")))
    left = [each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith(name)]
    assert left == [f"{name}-dev-catalogue-assets-000000000000"]
    assert dynamodb.describe_table(TableName=f"{name}-spare")["Table"]["TableStatus"] == "ACTIVE"
    assert sqs.get_queue_url(QueueName=f"{name}-dev-orders.fifo")
    s3.delete_bucket(Bucket=f"{name}-dev-catalogue-assets-000000000000")
    for client in (dynamodb, s3, sqs):
        client.close()


def test_what_someone_else_made_anew_is_left(greylag: Command, servers: Servers, name: str) -> None:
    greylag("provision", "--yes")
    dynamodb, s3, sqs = (servers.client(each) for each in ("dynamodb", "s3", "sqs"))
    bucket, queue = f"{name}-dev-catalogue-assets-000000000000", f"{name}-dev-catalogue"
    dynamodb.delete_table(TableName=f"{name}-spare")
    dynamodb.create_table(
        TableName=f"{name}-spare",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
    )
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "someone"}]})
    sqs.untag_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], TagKeys=["greylag:creation"])
    removals = _removals(greylag.json("deprovision", "--yes", "--delete-data"))
    assert {each for each, action in removals.items() if action == "leave"} == {
        f"{name}-spare",
        bucket,
        queue,
    }
    assert sorted(servers.client("dynamodb").list_tables()["TableNames"]).count(f"{name}-spare") == 1
    assert sqs.get_queue_url(QueueName=queue)
    s3.delete_bucket(Bucket=bucket)
    for client in (dynamodb, s3, sqs):
        client.close()


def test_what_holds_data_stays(greylag: Command, servers: Servers, name: str) -> None:
    greylag("provision", "--yes")
    bucket, queue, cache = (
        f"{name}-dev-catalogue-assets-000000000000",
        f"{name}-dev-catalogue",
        f"{name}-dev-catalogue-cache",
    )
    dynamodb, s3, sqs = (servers.client(each) for each in ("dynamodb", "s3", "sqs"))
    dynamodb.put_item(TableName=cache, Item={"key": {"S": "a"}})
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="a")  # its version is still there
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody="work")
    for client in (dynamodb, s3, sqs):
        client.close()
    removals = _removals(greylag.json("deprovision", "--yes", "--keep-data"))
    assert {each for each, action in removals.items() if action == "keep"} == {bucket, queue, cache}
    left = {each.partition(" ")[2] for each in servers.state(name)}
    assert left == {bucket, queue, cache}
    greylag("deprovision", "--yes", "--delete-data")
    assert not servers.state(name)
    assert _record(greylag) == []


def test_a_change_of_greylag_yaml_is_carried_over(greylag: Command, servers: Servers, name: str) -> None:
    greylag("provision", "--yes")
    text = (greylag.folder / "greylag.yaml").read_text()
    greylag.write(text.replace("visibility: 3m", "visibility: 4m"))
    steps = greylag.json("provision", "--yes")["steps"]
    changed = {each["name"]: each["details"] for each in steps if each["action"] == "change"}
    assert changed == {
        f"{name}-dev-catalogue": ["VisibilityTimeout"],
        f"{name}-dev-catalogue-dead-letters": ["VisibilityTimeout"],
    }
    assert servers.state(name)[f"queue {name}-dev-catalogue"]["VisibilityTimeout"] == "240"


def test_only_names_services_and_flows(greylag: Command, servers: Servers, name: str) -> None:
    assert len(greylag.json("provision", "--yes", "--only", "orders")["steps"]) == 2
    assert len(greylag.json("provision", "--yes", "--only", "products")["steps"]) == 1
    assert set(_removals(greylag.json("deprovision", "--yes", "--only", "products"))) == {f"{name}-products"}
    assert len(servers.state(name)) == 2
    assert "no service or flow" in greylag("deprovision", "--only", "order", expect=3).stderr


def test_nothing_is_made_where_nobody_can_be_asked(greylag: Command, servers: Servers, name: str) -> None:
    told = greylag("provision", expect=3)
    assert "--yes" in told.stderr
    assert f"{name}-products" in told.stderr
    assert not servers.state(name)
    greylag("provision", "--yes", "--only", "orders")
    assert "--yes" in greylag("deprovision", expect=3).stderr
    assert len(servers.state(name)) == 2


def test_the_terminal_is_asked(greylag: Command, servers: Servers, name: str) -> None:
    for arguments, typed, code, there in (
        (["provision"], "n", 3, False),
        (["provision"], "y", 0, True),
        (["deprovision", "--delete-data"], "y", 3, True),
        (["deprovision", "--delete-data"], name, 0, False),
        (["provision"], "y", 0, True),
        (["deprovision"], "y", 0, False),
    ):
        done = _typing(greylag, typed, *arguments, "--only", "orders")
        assert done.returncode == code, done.stderr
        assert f"{name}-dev-orders.fifo" in done.stderr
        assert bool(servers.state(name)) == there


def _typing(greylag: Command, typed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command on a terminal on which this is typed."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed}\n".encode())
    try:
        return subprocess.run(
            [sys.executable, "-c", "from greylag.cli import main; main()", *arguments],
            cwd=greylag.folder,
            env={**os.environ, **greylag.environment},
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_table_that_differs_stops_before_anything_is_made(
    greylag: Command, servers: Servers, name: str
) -> None:
    dynamodb = servers.client("dynamodb")
    dynamodb.create_table(
        TableName=f"{name}-spare",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "other", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "other", "KeyType": "HASH"}],
    )
    dynamodb.close()
    assert "its key is other" in greylag("provision", "--yes", expect=6).stderr
    assert list(servers.state(name)) == [f"table {name}-spare"]


def test_wrong_credentials_are_told_and_not_shown(greylag: Command) -> None:
    greylag.environment |= {"AWS_ACCESS_KEY_ID": "AKIANOBODY", "AWS_SECRET_ACCESS_KEY": "hidden-secret"}
    told = greylag("provision", "--yes", "--only", "catalogue", expect=5)
    assert "hidden-secret" not in told.stdout + told.stderr
