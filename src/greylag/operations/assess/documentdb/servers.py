"""What a MongoDB server tells beside its collections: views, sharding, users, what programs used of it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from greylag.connectors.mongodb.census import Surveyor
from greylag.console.units import duration, plural
from greylag.core.findings import Finding, Severity
from greylag.operations.assess.documentdb.tables import since, tables
from greylag.operations.assess.documentdb.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from greylag.connectors.mongodb.address import Address
    from greylag.connectors.mongodb.census import Census, User
    from greylag.operations.assess.documentdb.release import Release

_OUTSIDE: Final = "$external"
_SERVERS_OWN: Final = frozenset({"$unset"})
"""Stages that a server counts when it lists users, for whoever asked."""

_MAY_NOT = "Give the user the role clusterMonitor (and userAdminAnyDatabase for users), and assess again."


def server_findings(
    connection: str, address: Address, release: Release, *, known: bool = False
) -> Iterator[Finding]:
    """What the server at `address` tells; where it is `known` from another connection, of the database alone. Raises a
    connector's errors where it cannot be asked at all.
    """
    with closing(Surveyor(connection, address)) as surveyor:
        census = surveyor.census()
        yield from _made_otherwise(census, connection, release)
        yield from _sharding(census, connection, release)
        if not known:
            yield from _users(census, connection, release)
            yield from _counters(census, connection, release)
        profiled = Usage()
        for where, command in surveyor.profiled():
            profiled.add(command, where)
        yield from profiled.findings(release, seen=f"the profiler of {connection}")


def _made_otherwise(census: Census, connection: str, release: Release) -> Iterator[Finding]:
    """Views and time series, which are no dataset, and the names of databases."""
    for each in census.collections:
        name = f"{connection}.{each.name}"
        if each.kind == "view":
            has = tables().takes("collections", "view", release)
            yield Finding(
                Severity.WARNING,
                "view",
                name,
                f"a view of {each.options.get('viewOn', 'another collection')}, which is not carried",
                "Make it at the target by hand: DocumentDB 8.0 has views."
                if has
                else f"{since(tables().sets['collections']['view'])} Run its pipeline from the application, or keep "
                "its result in a collection with $out.",
            )
        elif each.kind == "timeseries":
            yield Finding(
                Severity.BLOCKER,
                "time-series",
                name,
                "a time series, which DocumentDB does not have and Greylag does not carry",
                "Copy its measurements to an ordinary collection with $out, index the time there, and carry that.",
            )
        if len(f"{census.database}.{each.name}") > tables().limit("namespace_characters", release):
            yield Finding(
                Severity.BLOCKER,
                "long-name",
                name,
                f"database and collection have {len(census.database) + len(each.name) + 1} characters in their names; "
                f"DocumentDB takes {tables().limit('namespace_characters', release)}",
                "Give the collection a shorter name in the flow's `to:`, or the database in the connection.",
            )
    if len(census.database) > tables().limit("database_characters", release):
        yield Finding(
            Severity.BLOCKER,
            "long-name",
            connection,
            f"the database's name has {len(census.database)} characters; DocumentDB takes "
            f"{tables().limit('database_characters', release)}",
            "Name a shorter one under `database:` of the target's connection.",
        )


def _sharding(census: Census, connection: str, release: Release) -> Iterator[Finding]:
    for collection, keys in sorted(census.sharded.items()):
        name = f"{connection}.{collection}"
        shown = ", ".join(keys)
        if not release.elastic:
            yield Finding(
                Severity.WARNING,
                "sharded-collection",
                name,
                f"sharded by {shown}; an instance-based cluster keeps it whole, up to 32 TiB",
                "One instance takes all writes: size it for them, or use an elastic cluster.",
            )
        elif len(keys) > 1 or "(hashed)" not in shown:
            yield Finding(
                Severity.WARNING,
                "sharded-collection",
                name,
                f"sharded by {shown}; an elastic cluster shards by the hash of one field alone",
                "Choose the field that most queries name, and shard the collection by it before the load.",
            )


def _users(census: Census, connection: str, release: Release) -> Iterator[Finding]:
    if census.users is None:
        yield Finding(
            Severity.NOTE,
            "users-not-seen",
            connection,
            "users and roles could not be read",
            _MAY_NOT,
        )
        return
    for user in census.users:
        yield from _user(user)
    custom = census.roles or ()
    for role in custom:
        if release.elastic:
            yield Finding(
                Severity.BLOCKER,
                "role",
                f"{role.database}.{role.name}",
                "a role of your own: an elastic cluster has built-in roles alone",
                "Give its users the built-in role that comes nearest.",
            )
        else:
            yield Finding(
                Severity.NOTE,
                "role",
                f"{role.database}.{role.name}",
                "a role of your own",
                "Make it again with createRole in the database admin, without actions that DocumentDB does not know.",
            )
    for what, found, limit in (("user", census.users, "users"), ("role", custom, "roles")):
        if len(found) > tables().limit(limit, release):
            yield Finding(
                Severity.BLOCKER,
                "too-many-users",
                connection,
                f"{plural(len(found), what)}; a cluster has {tables().limit(limit, release):,}",
                "Join users that may do the same.",
            )


def _user(user: User) -> Iterator[Finding]:
    name = f"{user.database}.{user.name}"
    if user.database == _OUTSIDE:
        yield Finding(
            Severity.BLOCKER,
            "user",
            name,
            "signs in with a certificate, LDAP or Kerberos, which DocumentDB does not have",
            "Make a user with a password, or let the application sign in by IAM (instances of 5.0 and later).",
        )
        return
    unknown = [role for role, _ in user.roles if role not in tables().roles]
    roles = ", ".join(f"{role} on {database}" for role, database in user.roles) or "no role"
    yield Finding(
        Severity.WARNING if unknown else Severity.NOTE,
        "user",
        name,
        f"a user with {roles}" + (f"; not built into DocumentDB: {', '.join(unknown)}" if unknown else ""),
        "Make the user again in the database admin, with a new password: passwords cannot be carried."
        + ("" if user.database == "admin" else f" authSource={user.database} has to go from its address."),
    )


def _counters(census: Census, connection: str, release: Release) -> Iterator[Finding]:
    if census.stages is None:
        message = "serverStatus could not be read: what programs used is not known from it"
        yield Finding(Severity.NOTE, "counters-not-seen", connection, message, _MAY_NOT)
        return
    used = Usage()
    for name, times in census.stages.items():
        if name not in _SERVERS_OWN:
            used.operator(name, "stages" if name in tables().as_stage else "", "", times)
    for name, times in census.expressions.items():
        used.operator(name, "", "", times)
    for name, times in census.accumulators.items():
        used.operator(name, "accumulators" if name in tables().as_accumulator else "", "", times)
    for name, times in census.commands.items():
        used.command(name, times)
    yield from used.findings(
        release, seen=f"the counters of {connection}, up for {duration(census.uptime_seconds)}"
    )
