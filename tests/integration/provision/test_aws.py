"""As it is on AWS itself: moto answers in this process at AWS's own addresses, with all calls and TLS."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from greylag.config import load
from greylag.errors import ConnectorError
from greylag.operations.provision import deprovision, provision
from tests.integration.provision.project import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.config import Project

ACCOUNT = "123456789012"
BUCKET = f"shop-dev-catalogue-assets-{ACCOUNT}"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        real = BaseClient._make_api_call  # type: ignore[attr-defined]

        def tagging(self: Any, operation: str, parameters: Any) -> Any:
            """S3 gives a bucket its tags when it makes it; moto passes over them."""
            answer = real(self, operation, parameters)
            tags = parameters.get("CreateBucketConfiguration", {}).get("Tags")
            if operation == "CreateBucket" and tags:
                real(self, "PutBucketTagging", {"Bucket": parameters["Bucket"], "Tagging": {"TagSet": tags}})
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", tagging)
        yield


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write(tmp_path, "shop")
    return load(tmp_path / "greylag.yaml")


def _nothing(_: object) -> None:
    pass


def _client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]


def test_everything_is_set_and_billed(project: Project) -> None:
    report = provision(project, ask=_nothing, say=_nothing)
    assert all(each.billed for each in report.steps)
    s3, sqs = _client("s3"), _client("sqs")
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(blocked.values()) == {True}
    [statement] = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    url = sqs.get_queue_url(QueueName="shop-dev-orders.fifo")["QueueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(policy)["Statement"][0]["Sid"] == "TlsOnly"
    tables = _client("dynamodb")
    arn = tables.describe_table(TableName="shop-products")["Table"]["TableArn"]
    tags = {each["Key"]: each["Value"] for each in tables.list_tags_of_resource(ResourceArn=arn)["Tags"]}
    assert tags["greylag:project"] == "shop"


def test_a_policy_keeps_what_others_put_into_it(project: Project) -> None:
    provision(project, ask=_nothing, say=_nothing)
    s3 = _client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    other = {"Sid": "Other", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({**policy, "Statement": [other]}))
    steps = {each.name: each for each in provision(project, ask=_nothing, say=_nothing).steps}
    assert (steps[BUCKET].action, steps[BUCKET].details) == ("change", ("TLS-only policy",))
    after = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert [each["Sid"] for each in after] == ["Other", "TlsOnly"]


def test_a_table_without_our_tag_is_left(project: Project) -> None:
    provision(project, ask=_nothing, say=_nothing)
    tables = _client("dynamodb")
    arn = tables.describe_table(TableName="shop-products")["Table"]["TableArn"]
    tables.untag_resource(ResourceArn=arn, TagKeys=["greylag:creation"])
    report = deprovision(project, delete_data=True, ask=_nothing, say=_nothing)
    assert {each.action for each in report.departures} == {"remove", "leave"}
    assert tables.list_tables()["TableNames"] == ["shop-products"]


class _Taken(BaseHTTPRequestHandler):
    """S3 as it answers for a bucket of another account: moto lets every account in."""

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def do_GET(self) -> None:
        body = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


def test_a_bucket_of_another_account_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Taken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    try:
        with pytest.raises(ConnectorError, match="another account's"):
            provision(project, ask=_nothing, say=_nothing)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert _client("dynamodb").list_tables()["TableNames"] == []
