"""One server as a connection knows it: its client, opened when first used, and what kind of server answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import pymongo
import pymongo.errors
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from greylag.connectors.mongodb.errors import translated
from greylag.errors import ConnectorError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pymongo.synchronous.database import Database

    from greylag.connectors.mongodb.address import Address

_DOCUMENTDB_HOST: Final = re.compile(r"\.docdb(-elastic)?[.-]", re.IGNORECASE)
_NOT_AUTHORIZED: Final = 13
_RETRYABLE_SINCE: Final = (8, 0, 2)


@dataclass(frozen=True, slots=True)
class About:
    """What a server says of itself. `retryable`: it knows a write that is sent to it twice."""

    documentdb: bool
    version: tuple[int, ...]
    replicated: bool
    sharded: bool
    elastic: bool = False

    @property
    def topology(self) -> str:
        """In words."""
        return "sharded cluster" if self.sharded else "replica set" if self.replicated else "standalone"

    @property
    def retryable(self) -> bool:
        """Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/functional-differences.html"""
        return (self.replicated or self.sharded) and not (self.documentdb and self.version < _RETRYABLE_SINCE)

    def __str__(self) -> str:
        name = "Amazon DocumentDB" if self.documentdb else "MongoDB"
        return f"{name} {'.'.join(map(str, self.version))}"


class Server:
    """The database a connection names. Connects when it is first asked for something."""

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self.address = address

    @cached_property
    def client(self) -> pymongo.MongoClient[dict[str, Any]]:
        """Raises ConfigurationError for a url that is none."""
        return self.address.client(self.name)

    @cached_property
    def database(self) -> Database[dict[str, Any]]:
        """Reads from the primary, and nothing that a failover could take back."""
        return self.client.get_database(
            self.address.database,
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    @cached_property
    def about(self) -> About:
        """Asked once. Raises ConnectorError for a server that takes no writes."""
        with self.translated("ask the server what it is"):
            hello = self.client.admin.command("hello")
            if not (hello.get("isWritablePrimary") or hello.get("ismaster", False)):
                raise ConnectorError(
                    f"{self.name} ({self.address.hosts}): this server is not the primary of its replica set: it takes "
                    "no writes",
                    advice="Name the set in the url (replicaSet=…) and leave directConnection out: then the primary is "
                    "found.",
                )
            return about(self.client, self.address.hosts)

    def translated(self, operation: str) -> AbstractContextManager[None]:
        """Raises what pymongo raises inside as Greylag's errors."""
        return translated(self.name, self.address.hosts, operation)

    def close(self) -> None:
        """Let go of connections."""
        if "client" in self.__dict__:
            self.client.close()
        for name in ("client", "database"):
            self.__dict__.pop(name, None)


def about(client: pymongo.MongoClient[dict[str, Any]], hosts: str) -> About:
    """What the server that `client` speaks to says of itself. Raises as pymongo does."""
    hello = client.admin.command("hello")
    return About(
        documentdb=bool(_DOCUMENTDB_HOST.search(hosts)) or _lacks_options(client),
        version=tuple(client.server_info()["versionArray"][:3]),
        replicated="setName" in hello,
        sharded=hello.get("msg") == "isdbgrid",
        elastic="docdb-elastic" in hosts.lower(),
    )


def _lacks_options(client: pymongo.MongoClient[dict[str, Any]]) -> bool:
    """Every MongoDB knows how it was started, whether it tells this user or not; DocumentDB has no such command.

    Source: https://github.com/mongodb-js/devtools-shared/blob/main/packages/mongodb-build-info/src/index.ts
    """
    try:
        client.admin.command("getCmdLineOpts")
    except pymongo.errors.OperationFailure as error:
        return error.code != _NOT_AUTHORIZED and "not supported" in str(error).lower()
    return False
