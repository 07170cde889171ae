"""Signing in as an AWS identity, as far as a server without AWS shows it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from greylag.connectors.mongodb import connector
from greylag.connectors.mongodb.connector import MongoConnector
from greylag.errors import ConfigurationError

EXTERNAL = "?authSource=%24external&authMechanism=MONGODB-AWS"
TOKEN = "&authMechanismProperties=AWS_SESSION_TOKEN:t0ken"


def opened(url: str) -> MongoConnector:
    options = connector.options(kind="mongodb", url=url, database="shop", patience_seconds=0)
    found = connector.open("docdb", options, Path())
    assert isinstance(found, MongoConnector)
    return found


@pytest.mark.parametrize(
    ("credentials", "more", "user"), [("AKIA:s3cr3t%2F@", TOKEN, "AKIA"), ("", "", None)], ids=["key", "role"]
)
def test_the_driver_is_asked_for_it(credentials: str, more: str, user: str | None) -> None:
    made = opened(f"mongodb://{credentials}127.0.0.1:1/{EXTERNAL}{more}")
    assert "s3cr3t" not in repr(made)
    assert "t0ken" not in repr(made)
    client = made.address.client("docdb", connect=False)
    asked = client.options.pool_options._credentials
    client.close()
    assert asked is not None
    assert (asked.mechanism, asked.source, asked.username) == ("MONGODB-AWS", "$external", user)
    assert asked.password == (None if user is None else "s3cr3t/")


def test_without_its_package(mongodb_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo_auth_aws", None)
    hosts = mongodb_url.partition("://")[2].partition("/")[0]
    made = opened(f"mongodb://AKIA:s3cr3t@{hosts}/{EXTERNAL}{TOKEN}")
    for open_end in (made.source, made.target):
        end = open_end()
        with pytest.raises(ConfigurationError, match="package that is not installed") as failure:
            end.check()
        end.close()
        assert "pip install 'greylag[iam]'" in str(failure.value.advice)
        assert "s3cr3t" not in str(failure.value)
        assert "t0ken" not in str(failure.value)


@pytest.mark.parametrize("properties", ["AWS_SESSION_TOKEN:t0k,en", "AWS_SESSION_TOKENt0ken", "T0KEN:t0ken"])
def test_a_token_is_in_no_message(properties: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        opened(f"mongodb://127.0.0.1:1/{EXTERNAL}&authMechanismProperties={properties}")
    for part in ("t0k", "en:", "T0KEN", "'en'"):
        assert part not in str(failure.value)
