"""The MongoDB databases that settings lead to, and what those that answer hold. Only reads."""

from __future__ import annotations

import re
import socket
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr

from greylag.connectors.mongodb.databases import databases
from greylag.connectors.registry import connector_type
from greylag.core.findings import Finding, Severity
from greylag.errors import GreylagError
from greylag.operations.init import stores
from greylag.operations.init.sample import Sample, take
from greylag.operations.init.settings import MongoAddress, Setting, database_named, mongo_address

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from greylag.config.environment import Variables
    from greylag.operations.init.compose import ComposeService

MAX_COLLECTIONS: Final = 100
DEFAULT_VARIABLE: Final = "MONGODB_URI"
OWN: Final = "GREYLAG_"
"""What the name of a variable begins with that holds an address for Greylag, beside the application's own."""

PORT: Final = 27017
_LOCAL: Final = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection, of which some records were read."""

    name: str
    sample: Sample

    @property
    def short(self) -> str:
        """What people call it."""
        return self.name


@dataclass(frozen=True, slots=True)
class Database:
    """One database. `variable` holds its address and has the value `default` where `default` is not empty.

    `named`: something says its name, else it is a guess. `outside` tells what an address means on this machine that
    only containers understand. `failure` says why it was not looked at; empty where it was. `services` are the compose
    services that use it.
    """

    name: str
    variable: str
    default: str
    settings: tuple[Setting, ...]
    named: bool = True
    credentials: bool = False
    outside: str = ""
    failure: str = ""
    collections: tuple[Collection, ...] = ()
    services: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For `--json`: no address."""
        return {
            "database": self.name,
            "variable": self.variable,
            "reached": not self.failure,
            "failure": self.failure or None,
            "collections": [
                {
                    "collection": each.name,
                    "records_read": each.sample.profile.records_read,
                    "records": each.sample.profile.records_total,
                    "fields": [found.path for found in each.sample.profile.fields],
                    "indexes": [index.name for index in each.sample.indexes],
                }
                for each in self.collections
            ],
        }


@dataclass
class _Server:
    """One address, the variables that hold it, and the databases that settings want of it."""

    variables: list[str]
    written: MongoAddress | None
    url: str = field(default="", repr=False)
    set_as: str = ""
    wanted: dict[str, list[Setting]] = field(default_factory=dict)
    unnamed: list[Setting] = field(default_factory=list)

    @property
    def variable(self) -> str:
        """The variable that is set, or else the first that is meant to be."""
        return self.set_as or self.variables[0]

    @property
    def address(self) -> MongoAddress | None:
        """What it is now, if that can be told."""
        return mongo_address(self.url) or self.written


def find(
    settings: Sequence[Setting],
    compose: Sequence[ComposeService],
    variables: Variables,
    *,
    in_file: Mapping[str, str],
    project: str,
    connect: bool,
) -> tuple[tuple[Database, ...], tuple[Finding, ...]]:
    """The databases that `settings` name. `in_file`: what .env beside greylag.yaml sets."""
    found: list[Database] = []
    for server in _servers([each for each in settings if each.kind == stores.MONGODB], variables, in_file):
        found += _databases(server, compose, in_file=in_file, project=project, connect=connect)
    findings = [_not_reached(each) for each in found if each.failure and connect]
    return tuple(found), tuple(findings)


def _servers(settings: Iterable[Setting], variables: Variables, in_file: Mapping[str, str]) -> list[_Server]:
    """One for each address there is: two variables of one address count once, one of two addresses twice."""
    servers: list[_Server] = []
    # Those that say an address come first: the others belong to one of theirs.
    for setting in sorted(settings, key=lambda each: mongo_address(each.value) is None):
        written = mongo_address(setting.value)
        name = setting.variable or DEFAULT_VARIABLE
        server = _server_of(setting, written, servers)
        if server is None:
            if any(name in each.variables for each in servers):
                name = re.sub(r"\W", "_", setting.service, flags=re.ASCII).upper() + "_" + name
            server = _Server([name], written, setting.value)
            servers.append(server)
        elif _same(server.written, written) and name not in server.variables:
            server.variables.append(name)
        database = setting.database
        if written is not None and _same(server.written, written):
            database = written.database or database
        (server.wanted.setdefault(database, []) if database else server.unnamed).append(setting)
    for each in servers:
        names = [*(f"{OWN}{name}" for name in each.variables), *each.variables]
        each.set_as = next((name for name in names if variables.get(name)), "")
        each.url = variables.get(each.set_as) or each.url
        database = (each.address.database if each.address else None) or database_named(in_file) or ""
        if database and not each.wanted:
            each.wanted[database], each.unnamed = each.unnamed, []
    return _with_address(servers)


def _server_of(setting: Setting, written: MongoAddress | None, servers: list[_Server]) -> _Server | None:
    """The server that `setting` means. One variable with several addresses means several servers only between the
    services of a compose file: anywhere else it is an example, a default, or another environment's.
    """
    name = setting.variable or DEFAULT_VARIABLE
    if written is not None:
        same = next((each for each in servers if _same(each.written, written)), None)
        if same is not None or setting.service:
            return same
    return next((each for each in servers if name in each.variables), None)


def _same(one: MongoAddress | None, other: MongoAddress | None) -> bool:
    return (
        one is not None
        and other is not None
        and (one.hosts, one.credentials) == (other.hosts, other.credentials)
    )


def _with_address(servers: list[_Server]) -> list[_Server]:
    """Those whose address is known, with the settings of the others; the first where none is."""
    known = [each for each in servers if each.url]
    for each in servers if known else ():
        if not each.url:
            known[0].unnamed += [*each.unnamed, *(one for some in each.wanted.values() for one in some)]
    return known or servers[:1]


def _databases(
    server: _Server,
    compose: Sequence[ComposeService],
    *,
    in_file: Mapping[str, str],
    project: str,
    connect: bool,
) -> list[Database]:
    variable, default, outside = server.variable, "", ""
    published = _published(server.address, compose)
    if published is not None and not _resolves(server.address):
        local = f"mongodb://127.0.0.1:{published}/?directConnection=true"
        default = local
        if server.set_as:
            variable = f"{OWN}{variable}"
            outside = f"{server.variable} names a host that only containers know"
        url = _moved(server.address, published) if server.address else ""
    else:
        url = server.url
        if variable not in in_file:
            default = _default(server.written or server.address, compose)
    wanted = dict(server.wanted)
    failure = "nothing was asked of it (--no-connect)" if not connect else ""
    if not url and not failure:
        failure = f"no address: {server.variable} is set in no file"
    named = bool(wanted)
    if not wanted and not failure:
        try:
            wanted = {each: [] for each in databases("mongo", SecretStr(url))}
            named = bool(wanted)
            failure = "" if wanted else "it holds no database"
        except GreylagError as error:
            failure = _safe(error, url)
    wanted = wanted or {re.sub(r"[^A-Za-z0-9_-]", "_", project)[:60]: []}
    credentials = server.address is not None and server.address.credentials is not None
    found = []
    for name, settings in wanted.items():
        collections: tuple[Collection, ...] = ()
        why = failure
        if not why:
            try:
                collections = tuple(_collections(name, url))
                why = "" if collections else "it holds no collection"
            except GreylagError as error:
                why = failure = _safe(error, url)
        places = (*settings, *server.unnamed)
        users = [each.service for each in settings or server.unnamed if each.service]
        found.append(
            Database(
                name,
                variable,
                default,
                places,
                named=named,
                credentials=credentials,
                outside=outside,
                failure=why,
                collections=collections,
                services=tuple(dict.fromkeys(users)),
            )
        )
    return found


def _collections(database: str, url: str) -> Iterable[Collection]:
    kind = connector_type(stores.MONGODB)
    options = kind.options(kind=stores.MONGODB, url=url, database=database, patience_seconds=0)
    connector = kind.open("mongo", options, Path())
    with closing(connector.source()) as source:
        names = source.datasets()
    for name in names[:MAX_COLLECTIONS]:
        yield Collection(name, take(connector, name))


def _published(address: MongoAddress | None, compose: Sequence[ComposeService]) -> int | None:
    """The port of this machine that leads to the container `address` names; 0 where none is published."""
    if address is None:
        return None
    host, _, port = address.hosts.partition(",")[0].partition(":")
    services = [each for each in compose if each.name == host]
    if not services:
        return None
    wanted = int(port or PORT)
    return next((each.ports[wanted] for each in services if wanted in each.ports), PORT)


def _resolves(address: MongoAddress | None) -> bool:
    assert address is not None
    host, _, port = address.hosts.partition(",")[0].partition(":")
    try:
        socket.getaddrinfo(host, int(port or PORT), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, OverflowError):  # the last two: no host's name, no port
        return False
    return True


def _moved(address: MongoAddress, port: int) -> str:
    """`address` as this machine reaches it: one member, alone, at a published port."""
    options = [
        each
        for each in address.options.split("&")
        if each and not re.match("(?i)replicaset=|directconn", each)
    ]
    credentials = f"{address.credentials}@" if address.credentials is not None else ""
    query = "&".join([*options, "directConnection=true"])
    return f"mongodb://{credentials}127.0.0.1:{port}/{address.database or ''}?{query}"


def _default(address: MongoAddress | None, compose: Sequence[ComposeService]) -> str:
    """An address without any secret, for while the variable is not set."""
    if address is None or address.srv:
        ports = [
            port
            for each in compose
            if each.store == stores.MONGODB
            for port in [each.ports.get(PORT)]
            if port
        ]
        return f"mongodb://127.0.0.1:{ports[0] if ports else PORT}"
    hosts = [each.partition(":")[0] for each in address.hosts.split(",")]
    known = all(each in _LOCAL or "." in each for each in hosts)
    return f"mongodb://{address.hosts}" if known else f"mongodb://127.0.0.1:{PORT}"


def _safe(error: GreylagError, url: str) -> str:
    """The error in one line, free of everything secret in `url`."""
    message = error.message.partition("\n")[0]
    address = mongo_address(url)
    secret = (address.credentials or "") if address else url.partition("://")[2]
    parts = [each for each in (url, secret, *secret.split(":")) if each]
    return "its address cannot be used" if any(each in message for each in parts) else message


def _not_reached(database: Database) -> Finding:
    return Finding(
        Severity.WARNING,
        "not-reached",
        database.name,
        f"MongoDB database {database.name}: {database.failure}",
        f"Set {database.variable} in .env or the environment to an address that this machine reaches, move greylag.yaml"
        " away and run `greylag init` again: it then proposes keys and indexes for every collection.",
    )
