"""What a server tells of itself and of a database beside the collections that are carried: views, users, what was used.

Only reads. What the user may not see is None, never an error: an assessment says so and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pymongo.errors

from greylag.connectors.mongodb.inventory import plain
from greylag.connectors.mongodb.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from greylag.connectors.mongodb.address import Address

PROFILED: Final = 100_000
"""As many of the profiler's latest entries are read at most."""

_SYSTEM: Final = frozenset({"admin", "config", "local"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A collection, view or time series, with the options it was made with, JSON-ready."""

    name: str
    kind: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A user, or a role that somebody made: the roles it has as (role, database)."""

    name: str
    database: str
    roles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Census:
    """`sharded` gives the key of each sharded collection; `stages`, `expressions` and `commands` how often the server
    met each since it started, by `uptime_seconds`; `other_databases` what else it holds.
    """

    server: str
    database: str
    collections: tuple[Listed, ...]
    other_databases: tuple[str, ...] | None
    sharded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    users: tuple[User, ...] | None = None
    roles: tuple[User, ...] | None = None
    stages: Mapping[str, int] | None = None
    expressions: Mapping[str, int] = field(default_factory=dict)
    accumulators: Mapping[str, int] = field(default_factory=dict)
    commands: Mapping[str, int] = field(default_factory=dict)
    uptime_seconds: float = 0


class Surveyor:
    """Asks the server at `address`. Close it."""

    def __init__(self, name: str, address: Address) -> None:
        self._server = Server(name, address)

    def census(self) -> Census:
        """What it tells. Raises as a source does where it cannot be asked at all."""
        with self._server.translated("ask the server what it holds"):
            database = self._server.database
            listed = tuple(
                Listed(each["name"], each.get("type", "collection"), plain(each.get("options", {})))
                for each in database.list_collections()
                if not each["name"].startswith("system.")
            )
            status = self._asked("serverStatus", 1) or {}
            metrics = status.get("metrics", {})
            counted = metrics.get("operatorCounters", {})
            return Census(
                server=str(self._server.about),
                database=database.name,
                collections=listed,
                other_databases=self._others(),
                sharded=self._sharded(),
                users=_people(self._asked("usersInfo", {"forAllDBs": True}), "users", "user"),
                roles=self._roles(),
                stages=_counts(metrics.get("aggStageCounters")) if status else None,
                expressions=_summed(counted, "expressions", "match", "windowAccumulators"),
                accumulators=_counts(counted.get("groupAccumulators")),
                commands={
                    name: int(each.get("total", 0))
                    for name, each in metrics.get("commands", {}).items()
                    if isinstance(each, dict) and each.get("total")
                },
                uptime_seconds=float(status.get("uptime", 0)),
            )

    def profiled(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The commands of the profiler's collection with their namespaces, the latest first; none without it."""
        collection = self._server.database["system.profile"]
        wanted = {"ns": 1, "command": 1, "originatingCommand": 1, "op": 1}
        try:
            for each in collection.find({}, wanted).sort("$natural", -1).limit(PROFILED):
                command = each.get("originatingCommand") or each.get("command")
                if isinstance(command, dict):
                    # An update's entry is one of its statements, without a name before it.
                    yield each.get("ns", ""), command
        except pymongo.errors.OperationFailure:
            return

    def close(self) -> None:
        """Let go of connections."""
        self._server.close()

    def _asked(self, command: str, value: Any, *, of: str = "admin") -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = self._server.client[of].command(command, value)
        except pymongo.errors.OperationFailure:
            return None
        return answer

    def _others(self) -> tuple[str, ...] | None:
        try:
            names = self._server.client.list_database_names()
        except pymongo.errors.OperationFailure:
            return None
        return tuple(each for each in names if each not in {*_SYSTEM, self._server.database.name})

    def _sharded(self) -> dict[str, tuple[str, ...]]:
        if not self._server.about.sharded:
            return {}
        prefix = f"{self._server.database.name}."
        try:
            found = list(self._server.client.get_database("config")["collections"].find({}, {"key": 1}))
        except pymongo.errors.OperationFailure:
            return {}
        return {
            str(each["_id"]).removeprefix(prefix): tuple(
                f"{path} ({kind})" for path, kind in each.get("key", {}).items()
            )
            for each in found
            if str(each["_id"]).startswith(prefix)
        }

    def _roles(self) -> tuple[User, ...] | None:
        """Those of the database and of `admin`; the server lists the roles of one database at a time."""
        found = [
            _people(self._asked("rolesInfo", 1, of=each), "roles", "role")
            for each in ("admin", self._server.database.name)
        ]
        if all(each is None for each in found):
            return None
        return tuple(role for each in found for role in each or ())


def _people(told: Mapping[str, Any] | None, key: str, name: str) -> tuple[User, ...] | None:
    if told is None:
        return None
    return tuple(
        User(each[name], each["db"], tuple((role["role"], role["db"]) for role in each.get("roles", [])))
        for each in told.get(key, [])
    )


def _counts(told: Any) -> dict[str, int]:
    return {name: int(count) for name, count in (told or {}).items() if isinstance(count, int) and count}


def _summed(told: Mapping[str, Any], *sections: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in sections:
        for name, count in _counts(told.get(each)).items():
            found[name] = found.get(name, 0) + count
    return found
