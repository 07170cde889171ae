"""One set of real servers for a whole test session, started when the first test asks for one.

The workers of pytest-xdist share it: whichever asks first starts a server, and the lab's own lock and state
file make the others find it. The servers end with the session; a watcher process sees to that when pytest
is killed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from greylag.errors import GreylagError
from greylag.lab import Lab
from greylag.lab.server import AWS_ENVIRONMENT

_Servers = Callable[[str], dict[str, str]]
_folder = pytest.StashKey[Path]()
_session = pytest.StashKey[int]()

# What a developer's shell may hold that would lead a test away from the servers on this machine.
_REMOVED = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "DYNAMODB_ENDPOINT",
    "MONGODB_URI",
)


def pytest_configure(config: pytest.Config) -> None:
    """The first process makes the folder that all workers share."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_folder] = Path(worker["lab_folder"])
        config.stash[_session] = worker["lab_session"]
    else:
        config.stash[_folder] = Path(tempfile.mkdtemp(prefix="greylag-tests-"))
        config.stash[_session] = os.getpid()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a worker of pytest-xdist where the servers are, and with which process they end."""
    node.workerinput["lab_folder"] = str(node.config.stash[_folder])
    node.workerinput["lab_session"] = node.config.stash[_session]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the servers when the whole session ends, not when one of its workers does."""
    if not hasattr(config, "workerinput") and _folder in config.stash:
        Lab(config.stash[_folder]).down()
        shutil.rmtree(config.stash[_folder], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _local_environment() -> Iterator[None]:
    """Dummy credentials, and no proxy between a test and this machine."""
    with pytest.MonkeyPatch.context() as environment:
        for name in _REMOVED:
            environment.delenv(name, raising=False)
        for name, value in AWS_ENVIRONMENT.items():
            environment.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            environment.setenv(name, "127.0.0.1,localhost")
        yield


@pytest.fixture(scope="session")
def _servers(request: pytest.FixtureRequest) -> _Servers:
    config = request.config

    def up(server: str) -> dict[str, str]:
        try:
            [running] = Lab(config.stash[_folder]).up([server], until=config.stash[_session])
        except GreylagError as error:
            pytest.fail(f"No server for this test. {error}", pytrace=False)
        return running.environment

    return up


@pytest.fixture(scope="session")
def mongodb_url(_servers: _Servers) -> str:
    """A mongod replica set of one member."""
    return _servers("mongod")["MONGODB_URI"]


@pytest.fixture(scope="session")
def documentdb_url(mongodb_url: str) -> Iterator[str]:
    """The same mongod behind a proxy by which it passes for Amazon DocumentDB 5.0."""
    from tests.documentdb.proxy import DocumentDB

    made = DocumentDB(mongodb_url)
    yield made.url
    made.close()


@pytest.fixture(scope="session")
def mongodb_users_url(_servers: _Servers) -> str:
    """A mongod that asks who one is; signed in as the user that may do everything."""
    return _servers("mongod-users")["MONGODB_USERS_URI"]


@pytest.fixture
def database(mongodb_url: str) -> Iterator[str]:
    """The name of a MongoDB database that only this test has; dropped afterwards."""
    from pymongo import MongoClient

    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def dynamodb_endpoint(_servers: _Servers) -> str:
    """DynamoDB Local. All tests share its tables: name them with `table_prefix`."""
    return _servers("dynamodb")["DYNAMODB_ENDPOINT"]


@pytest.fixture
def table_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """What the names of this test's tables begin with. Those in DynamoDB Local are deleted afterwards."""
    prefix = f"test-{uuid.uuid4().hex[:12]}-"
    endpoint = (
        request.getfixturevalue("dynamodb_endpoint") if "dynamodb_endpoint" in request.fixturenames else None
    )
    yield prefix
    if endpoint is not None:
        _delete_tables(endpoint, prefix)


@pytest.fixture(scope="session")
def moto_endpoint(_servers: _Servers) -> str:
    """moto's server. All tests share its state: name what you make with `table_prefix`."""
    return _servers("moto")["MOTO_ENDPOINT"]


@pytest.fixture(scope="session")
def s3_endpoint(_servers: _Servers) -> str:
    """An S3 server that checks signatures. All tests share its buckets: name them with `table_prefix`."""
    return _servers("s3")["S3_ENDPOINT"]


def _delete_tables(endpoint: str, prefix: str) -> None:
    import boto3

    client = boto3.client("dynamodb", endpoint_url=endpoint)
    try:
        for page in client.get_paginator("list_tables").paginate():
            for name in page["TableNames"]:
                if name.startswith(prefix):
                    client.delete_table(TableName=name)
    finally:
        client.close()
