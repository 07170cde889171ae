"""What the SDK raises, and what it takes for an answer, as Greylag's errors."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from greylag.connectors.dynamodb import connector
from greylag.connectors.dynamodb.errors import from_sdk
from greylag.errors import ConnectorError, SchemaError, TransientError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "ResourceNotFoundException", SchemaError),
        (400, "ThrottlingException", TransientError),
        (400, "ValidationException", ConnectorError),
        (500, "InternalServerError", TransientError),
    ],
)
def test_whether_it_passes(status: int, code: str, expected: type[Exception]) -> None:
    told: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    found = from_sdk(ClientError(told, "DescribeTable"), "describing table t", "us-east-1")
    assert type(found) is expected
    assert "describing table t" in str(found)


@pytest.mark.parametrize(
    "cut",
    [
        '200 OK\r\nContent-Length: 99\r\n\r\n{"Table',
        '400 Bad Request\r\nContent-Length: 99\r\n\r\n{"Table',
        "200 OK\r\nContent-Length: 9",
        "200 OK\r\nContent-Length: ",
        "200 OK\r\nContent-Le",
        "200 OK\r\n",
        '200 OK\r\n\r\n{"Table',
    ],
)
def test_an_answer_that_is_cut_off_is_none(tmp_path: Path, cut: str) -> None:
    """The SDK would say that the table is described by nothing, or that it was refused for good."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client:
                while b"TableName" not in client.recv(1 << 16):
                    pass  # closed over what was not read, it would be reset
                client.sendall(f"HTTP/1.1 {cut}".encode())

        threading.Thread(target=answer).start()
        given: Any = {
            "kind": "dynamodb",
            "region": "r",
            "endpoint_url": f"http://127.0.0.1:{server.getsockname()[1]}",
        }
        target = connector.open("new", connector.options(**given), tmp_path).target()
        with pytest.raises(TransientError, match="describing table t: the answer was cut off"):
            target.describe("t")
        target.close()
