"""A fence around a MongoDB: the application's user keeps the right to read, and nothing else."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from pymongo.errors import OperationFailure

from greylag.connectors.mongodb.errors import translated
from greylag.connectors.mongodb.roles import equivalent, reading_privileges
from greylag.core.canonical import milliseconds
from greylag.errors import AuthenticationError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pymongo
    from pymongo.synchronous.database import Database

    from greylag.connectors.mongodb.address import Address

_MADE: Final = "greylag_fence_"
_EXISTS: Final = 51002
_NO_ROLE: Final = 31
_MAJORITY: Final = {"w": "majority", "wtimeout": 60_000}


class MongoFence:
    """See `ports.Fence`. A thing is a user, as NAME@DATABASE. The server takes a user's roles away at once, also from
    connections that are open; a statement that runs by then may end.
    """

    def __init__(self, name: str, address: Address, user: str | None) -> None:
        self._name = name
        self._address = address
        self._user = user
        self._opened: pymongo.MongoClient[dict[str, Any]] | None = None

    def things(self, datasets: Sequence[str], who: str | None) -> Sequence[str]:  # noqa: ARG002 - roles are the user's
        """See `ports.Fence.things`: the application's user, one for all datasets."""
        named = who or self._user
        if named is None:
            raise ConfigurationError(
                f"connection {self._name}: which user does the application sign in as?",
                advice="Write `application_user: NAME@DATABASE` in the connection, or give --user.",
            )
        user, _, database = named.rpartition("@") if "@" in named else (named, "", "")
        thing = f"{user}@{database or 'admin'}"
        with self._translated("ask who it is"):
            told = self._admin().command("connectionStatus")["authInfo"]
        own = [f"{each['user']}@{each['db']}" for each in told["authenticatedUsers"]]
        if not own:
            raise ConfigurationError(
                f"connection {self._name}: the server asks nobody to sign in here, so it can refuse nobody",
                advice="Turn on access control (`security.authorization`), give the application a user of its own, and "
                "Greylag another; or stop the application, and state `--frozen` where something asks for a fence.",
            )
        if thing in own:
            raise ConfigurationError(
                f"connection {self._name}: {thing} is the user that Greylag itself signs in as",
                advice="Give Greylag a user of its own: a fence must not hold who has to lift it.",
            )
        return (thing,)

    def look(self, thing: str) -> Mapping[str, Any]:
        """See `ports.Fence.look`: the user's roles, those it will have instead, and the roles made for that."""
        name, database = _parts(thing)
        instead: list[dict[str, str]] = []
        made: list[dict[str, Any]] = []
        roles = self._roles(thing)
        for role in roles:
            plain = equivalent(role)
            if plain is None:
                mine = {"role": f"{_MADE}{name}_{role['role']}", "db": role["db"]}
                made.append({**mine, "privileges": reading_privileges(self._privileges(role))})
                plain = [mine]
            instead += [each for each in plain if each not in instead]
        return {"user": name, "db": database, "roles": roles, "instead": instead, "made": made}

    def impose(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """See `ports.Fence.impose`."""
        with self._changing():
            for role in before["made"]:
                self._make(role)
            self._give(before, before["instead"])
        if _sorted(self._roles(thing)) != _sorted(before["instead"]):
            raise ConfigurationError(
                f"connection {self._name}: user {thing} has other roles than it was just given",
                advice="Somebody else changes them. Run the same command again.",
            )
        roles = f"{_listed(before['instead'])} instead of {_listed(before['roles'])}"
        return (f"user {thing} has the roles {roles}: it can read, and write nothing",)

    def lift(self, thing: str, before: Mapping[str, Any]) -> Sequence[str]:
        """See `ports.Fence.lift`."""
        with self._changing():
            self._give(before, before["roles"])
            for role in before["made"]:
                self._drop(role)
        return (f"user {thing} has its roles {_listed(before['roles'])} again",)

    def clock_ms(self) -> int:
        """See `ports.Fence.clock_ms`."""
        with self._translated("ask its time"):
            told = self._admin().command("hello")
        return milliseconds(told["localTime"].replace(tzinfo=UTC))

    def close(self) -> None:
        """See `ports.Fence.close`."""
        if self._opened is not None:
            self._opened.close()

    def _roles(self, thing: str) -> list[dict[str, str]]:
        name, database = _parts(thing)
        with self._translated(f"look at user {thing}"):
            told = self._admin().command("usersInfo", {"user": name, "db": database})["users"]
        if not told:
            raise ConfigurationError(
                f"connection {self._name}: there is no user {thing}",
                advice="Name the database that the user was created in too: NAME@DATABASE.",
            )
        return [{"role": str(each["role"]), "db": str(each["db"])} for each in told[0]["roles"]]

    def _privileges(self, role: Mapping[str, str]) -> list[dict[str, Any]]:
        with self._translated(f"look at role {role['role']}"):
            told = self._admin().command("rolesInfo", dict(role), showPrivileges=True)["roles"]
        return list(told[0].get("inheritedPrivileges", ())) if told else []

    def _make(self, role: Mapping[str, Any]) -> None:
        database = self._database(role["db"])
        content: dict[str, Any] = {
            "privileges": list(role["privileges"]),
            "roles": [],
            "writeConcern": _MAJORITY,
        }
        try:
            database.command("createRole", role["role"], **content)
        except OperationFailure as error:
            if error.code != _EXISTS:
                raise
            database.command("updateRole", role["role"], **content)

    def _drop(self, role: Mapping[str, Any]) -> None:
        try:
            self._database(role["db"]).command("dropRole", role["role"], writeConcern=_MAJORITY)
        except OperationFailure as error:
            if error.code != _NO_ROLE:
                raise

    def _give(self, before: Mapping[str, Any], roles: Sequence[Mapping[str, str]]) -> None:
        self._database(before["db"]).command(
            "updateUser", before["user"], roles=[dict(each) for each in roles], writeConcern=_MAJORITY
        )

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with self._translated("change the roles of the application's user"):
                yield
        except AuthenticationError as error:
            raise AuthenticationError(
                error.message,
                advice="Greylag's user needs the role `userAdmin` on the database of the application's user (and on "
                "those of its roles) to fence it.",
            ) from error

    def _translated(self, operation: str) -> AbstractContextManager[None]:
        return translated(self._name, self._address.hosts, operation)

    def _admin(self) -> Database[dict[str, Any]]:
        return self._database("admin")

    def _database(self, name: str) -> Database[dict[str, Any]]:
        if self._opened is None:
            self._opened = self._address.client(self._name)
        return self._opened[name]


def _parts(thing: str) -> tuple[str, str]:
    name, _, database = thing.rpartition("@")
    return name, database


def _sorted(roles: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    return sorted((each["role"], each["db"]) for each in roles)


def _listed(roles: Sequence[Mapping[str, str]]) -> str:
    """In one order: the server keeps roles as a set."""
    return ", ".join(f"{role}@{db}" for role, db in _sorted(roles)) or "none"
