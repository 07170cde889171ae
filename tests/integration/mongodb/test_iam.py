"""Signing in as an AWS identity: to a server that knows the secrets, where DocumentDB has STS look at the signature."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from pymongo import MongoClient

from greylag.connectors.mongodb import connector
from greylag.connectors.mongodb.connector import MongoConnector
from greylag.core.records import Encoded, NativePage
from greylag.errors import AuthenticationError, ConfigurationError
from tests.contract.subjects import mongodb_target
from tests.documentdb.identities import Identity
from tests.documentdb.proxy import DocumentDB

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTERNAL = "?authSource=%24external&authMechanism=MONGODB-AWS"
TOKEN = "&authMechanismProperties=AWS_SESSION_TOKEN:t0ken"


def opened(url: str) -> MongoConnector:
    options = connector.options(kind="mongodb", url=url, database="shop", patience_seconds=0)
    found = connector.open("docdb", options, Path())
    assert isinstance(found, MongoConnector)
    return found


USER = Identity("AKIAUSER", "s3cr3t/+of=the@user")
ROLE = Identity("ASIAROLE", "s3cr3t/+of=the@role", "t0ken/+of==the/session")
VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture
def cluster(mongodb_url: str) -> Iterator[DocumentDB]:
    made = DocumentDB(mongodb_url, identities=[USER, ROLE])
    yield made
    made.close()


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment in which no credentials are."""
    for name in (*VARIABLES, "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def address(cluster: DocumentDB, identity: Identity | None = None) -> str:
    user = f"{identity.key}:{quote(identity.secret, safe='')}@" if identity else ""
    more = ""
    if identity and identity.token:
        more = f"&authMechanismProperties=AWS_SESSION_TOKEN:{quote(identity.token, safe='')}"
    return f"mongodb://{user}127.0.0.1:{cluster.port}/{EXTERNAL}&replicaSet=rs0{more}"


def assert_it_says_no_secret(text: str) -> None:
    for each in (USER, ROLE):
        assert each.secret not in text
        assert quote(each.secret, safe="") not in text
        assert each.token is None or each.token not in text


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("identity", [USER, ROLE], ids=["key", "session"])
@pytest.mark.parametrize("where", ["environment", "url"])
def test_signed_in(
    cluster: DocumentDB,
    database: str,
    mongodb_url: str,
    monkeypatch: pytest.MonkeyPatch,
    identity: Identity,
    where: str,
) -> None:
    url = address(cluster, identity if where == "url" else None)
    if where == "environment":
        for name, value in zip(VARIABLES, (identity.key, identity.secret, identity.token), strict=True):
            if value is not None:
                monkeypatch.setenv(name, value)
    subject = mongodb_target(url, database)
    with closing(subject.connector.target()) as target:
        table = target.prepare(subject.spec("things"))
        document = bytes.fromhex("0e000000105f69640007000000 00".replace(" ", ""))
        with closing(target.writer(table)) as writer:
            assert [each.items for each in writer.write([[Encoded(b"k", document, len(document))]])] == [1]
    with closing(subject.connector.source()) as source:
        source.check()
        [partition] = source.partitions("things", partition_bytes=1 << 20)
        [page] = source.read(partition, None, page_bytes=1 << 20)
        assert isinstance(page, NativePage)
        assert list(page.documents) == [document]
    with MongoClient[Any](mongodb_url) as client:
        assert client[database].things.find_one() == {"_id": 7}


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    "wrong",
    [
        Identity(USER.key, USER.secret + "x"),
        Identity("AKIANOBODY", USER.secret),
        Identity(ROLE.key, ROLE.secret, "an older token"),
        Identity(ROLE.key, ROLE.secret),
    ],
    ids=["secret", "key", "token", "no token"],
)
def test_an_identity_that_is_none(
    cluster: DocumentDB, monkeypatch: pytest.MonkeyPatch, wrong: Identity
) -> None:
    for name, value in zip(VARIABLES, (wrong.key, wrong.secret, wrong.token), strict=True):
        if value is not None:
            monkeypatch.setenv(name, value)
    made = opened(address(cluster))
    for open_end in (made.source, made.target):
        with closing(open_end()) as end, pytest.raises(AuthenticationError) as failure:
            end.check()
        assert "user of $external by its ARN" in str(failure.value.advice)
        assert_it_says_no_secret(f"{failure.value} {failure.value.advice}")
        assert wrong.secret not in str(failure.value)


@pytest.mark.usefixtures("nobody")
def test_without_credentials(cluster: DocumentDB) -> None:
    made = opened(address(cluster))
    for open_end in (made.source, made.target):
        with (
            closing(open_end()) as end,
            pytest.raises(AuthenticationError, match="neither the url") as failure,
        ):
            end.check()
        assert "AWS_SESSION_TOKEN" in str(failure.value.advice)


def test_a_server_that_does_not_know_it(mongodb_url: str) -> None:
    hosts = mongodb_url.partition("://")[2].partition("/")[0]
    made = opened(f"mongodb://AKIAUSER:{quote(USER.secret, safe='')}@{hosts}/{EXTERNAL}")
    with closing(made.source()) as source, pytest.raises(AuthenticationError, match="MONGODB-AWS") as failure:
        source.check()
    assert_it_says_no_secret(str(failure.value))


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
