"""A mongod that speaks TLS alone, standing alone: what goes wrong is told at once, what is right works."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from pymongo import MongoClient

from greylag.connectors.mongodb import connector
from greylag.core.flows import DatasetRef, FlowSpec, TableSpec
from greylag.core.records import Item
from greylag.errors import ConfigurationError, ConnectorError, TransientError
from greylag.lab.mongod import _options_for, _program
from greylag.lab.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from greylag.core.ports import Target


class Encrypted:
    """Where it listens, and the folder of the certificates."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        [self.port] = free_ports(1)

    def target(self, ca_file: str | None = "ca.pem", host: str = "127.0.0.1", options: str = "") -> Target:
        given: dict[str, Any] = {
            "kind": "mongodb",
            "url": f"mongodb://{host}:{self.port}/?directConnection=true&serverSelectionTimeoutMS=3000{options}",
            "database": "shop",
            "create_tables": True,
            "patience_seconds": 0 if ca_file != "ca.pem" or host != "127.0.0.1" else 60,
        }
        if ca_file is not None:
            given["ca_file"] = ca_file
        return connector.open("docdb", connector.options(**given), self.folder).target()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    found = Encrypted(tmp_path_factory.mktemp("tls"))
    ca, other = trustme.CA(), trustme.CA()
    ca.cert_pem.write_to_path(str(found.folder / "ca.pem"))
    other.cert_pem.write_to_path(str(found.folder / "other.pem"))
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(found.folder / "server.pem"))
    program, environment = _program(found.folder)
    (found.folder / "data").mkdir()
    process = subprocess.Popen(
        [
            *(program, "--dbpath", str(found.folder / "data"), "--port", str(found.port)),
            *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(found.folder / "server.pem")),
            *("--tlsCAFile", str(found.folder / "ca.pem"), "--tlsAllowConnectionsWithoutCertificates"),
            *_options_for(program, environment),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        with MongoClient[Any](
            "127.0.0.1",
            found.port,
            tlsCAFile=str(found.folder / "ca.pem"),
            tls=True,
            serverSelectionTimeoutMS=60_000,
        ) as client:
            client.admin.command("ping")
        yield found
    finally:
        process.kill()
        process.wait()


def test_documents_are_written_and_read_back(encrypted: Encrypted) -> None:
    spec = TableSpec(DatasetRef("docdb", "things"), ("_id",), any_type=True)
    with closing(encrypted.target(options="&compressors=zlib")) as target:
        table = target.prepare(spec)
        codec = target.codec(FlowSpec("f", "s", DatasetRef("mongo", "things"), spec), table, "bson")
        items = [codec.encode(Item({"_id": number, "text": "x" * 100})) for number in range(2500)]
        with closing(target.writer(table)) as writer:
            done = list(writer.write([items[:1000], items[1000:2000], items[2000:]]))
        assert [each.items for each in done] == [1000, 1000, 500]
        stored = [
            each for part in target.segments("things", count=3) for some in target.scan(part) for each in some
        ]
        assert {each.body for each in stored} == {each.body for each in items}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"ca_file": "other.pem"}, "CA"),
        ({"host": "localhost"}, "another host"),
        ({"ca_file": None, "options": "&tls=true"}, "CA"),
    ],
)
def test_certificates_that_do_not_fit_are_told_at_once(
    encrypted: Encrypted, given: dict[str, Any], told: str
) -> None:
    with (
        closing(encrypted.target(**given)) as target,
        pytest.raises(ConfigurationError, match=told) as raised,
    ):
        target.check()
    assert "ca_file" in raised.value.advice or "url" in raised.value.advice


def test_a_client_that_does_not_encrypt_is_turned_away(encrypted: Encrypted) -> None:
    with (
        closing(encrypted.target(ca_file=None)) as target,
        pytest.raises(ConnectorError, match="docdb") as raised,
    ):
        target.check()
    assert "TLS" in raised.value.advice


def test_a_ca_file_that_is_not_there_is_named(encrypted: Encrypted) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem"):
        encrypted.target(ca_file="nowhere.pem")


def test_a_server_that_speaks_no_tls(encrypted: Encrypted, mongodb_url: str) -> None:
    hosts = mongodb_url.partition("://")[2].partition("/")[0]
    options = connector.options(
        kind="mongodb",
        url=f"mongodb://{hosts}/?directConnection=true&serverSelectionTimeoutMS=3000",
        database="shop",
        ca_file="ca.pem",
        patience_seconds=0,
    )
    target = connector.open("docdb", options, encrypted.folder).target()
    with closing(target), pytest.raises(TransientError, match="SSL handshake") as raised:
        target.check()  # it hangs up, as a server does that is on its way down
    assert "TLS options" in raised.value.advice
