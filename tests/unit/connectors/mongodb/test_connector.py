"""Options, addresses, and what errors may say."""

from __future__ import annotations

import pickle
from pathlib import Path

import pymongo.errors as driver
import pytest
from pydantic import ValidationError

from greylag.connectors.mongodb import connector
from greylag.connectors.mongodb.connector import MongoConnector
from greylag.connectors.mongodb.errors import translated
from greylag.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectorError,
    GreylagError,
    SchemaError,
    TransientError,
)

SECRET = "s3cr3t"


def connect(**options: object) -> MongoConnector:
    opened = connector.open("mongo", connector.options(kind="mongodb", **options), Path())
    assert isinstance(opened, MongoConnector)
    return opened


@pytest.mark.parametrize(
    ("url", "database", "expected"),
    [
        (f"mongodb://u:{SECRET}@a:1,b:2/shop?replicaSet=r", None, ("a:1,b:2", "shop")),
        (f"mongodb://u:{SECRET}@a:1,b:2/admin?replicaSet=r", "shop", ("a:1,b:2", "shop")),
        ("mongodb://a/?ssl=false", "shop", ("a", "shop")),
        (f"mongodb+srv://u:{SECRET}@c.example.net/caf%C3%A9", None, ("c.example.net", "café")),
    ],
)
def test_address(url: str, database: str | None, expected: tuple[str, str]) -> None:
    opened = connect(url=url, database=database)
    assert (opened.address.hosts, opened.address.database) == expected
    assert SECRET not in repr(opened)
    assert pickle.loads(pickle.dumps(opened)) == opened


@pytest.mark.parametrize(
    "url",
    [
        f"postgres://u:{SECRET}@a/shop",
        f"mongodb://u:{SECRET}@/shop",
        f"mongodb://u:{SECRET}@x@a/shop",
        f"mongodb://u:{SECRET}/y@a/shop",
        f"mongodb://u:x@{SECRET}@a:1/shop?",
        f"mongodb://u:{SECRET}@a:port/shop",
        f"mongodb://u:{SECRET}@a:1/",
        "",
    ],
)
def test_a_bad_url_teaches_and_keeps_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        connect(url=url)
    assert failure.value.advice
    assert SECRET not in str(failure.value)
    assert "mongo" in failure.value.message


def test_a_bad_srv_url_teaches_and_keeps_the_password() -> None:
    """It is read when the connection is made, since only the name server tells its hosts."""
    address = connect(url=f"mongodb+srv://u:{SECRET}/y@a/shop", database="shop").address
    with pytest.raises(ConfigurationError) as failure:
        address.client("shop")
    assert failure.value.advice
    assert SECRET not in str(failure.value)
    assert failure.value.__suppress_context__


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValidationError):
        connect(url="mongodb://a/b", databse="x")


def test_a_url_decides_its_own_timeouts() -> None:
    ours = connect(url="mongodb://a/b").address.client_options()
    theirs = connect(url="mongodb://a/b?serverselectiontimeoutms=1").address.client_options()
    assert ours.keys() - theirs.keys() == {"serverSelectionTimeoutMS"}


@pytest.mark.parametrize(
    ("raised", "expected", "says"),
    [
        (driver.AutoReconnect("connection closed"), TransientError, "connection closed"),
        (driver.ServerSelectionTimeoutError("a:1: refused, Timeout: 5s"), TransientError, "a:1: refused"),
        (driver.CursorNotFound("cursor id 1 not found", 43), TransientError, "not found"),
        (driver.OperationFailure("interrupted", 11600), TransientError, "interrupted"),
        (driver.OperationFailure("Authentication failed.", 18), AuthenticationError, "credentials"),
        (
            driver.OperationFailure("not authorized on shop to execute command { find: 1 }", 13),
            AuthenticationError,
            "privilege for 'find'",
        ),
        (driver.OperationFailure("no such collection", 26), SchemaError, "no such"),
        (driver.OperationFailure("what", 2), ConnectorError, "what"),
        (driver.ConfigurationError("what"), ConfigurationError, "what"),
    ],
)
def test_errors_of_the_driver(raised: Exception, expected: type[GreylagError], says: str) -> None:
    with pytest.raises(GreylagError) as failure, translated("mongo", "a:1", "read orders"):
        raise raised
    assert type(failure.value) is expected
    assert says in failure.value.message
    assert "mongo (a:1)" in failure.value.message
