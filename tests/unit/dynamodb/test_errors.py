"""What the SDK raises, as Greylag's errors."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from greylag.connectors.dynamodb.errors import from_sdk
from greylag.errors import ConnectorError, SchemaError, TransientError


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "400", TransientError),  # an answer whose body was cut off on its way
        (400, "ResourceNotFoundException", SchemaError),
        (400, "ThrottlingException", TransientError),
        (400, "ValidationException", ConnectorError),
        (500, "InternalServerError", TransientError),
    ],
)
def test_whether_it_passes(status: int, code: str, expected: type[Exception]) -> None:
    told = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    found = from_sdk(ClientError(told, "DescribeTable"), "describing table t", "us-east-1")
    assert type(found) is expected
    assert "describing table t" in str(found)
