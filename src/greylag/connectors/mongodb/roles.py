"""What a role leaves to read with: the read-only equivalent of each role of an application's user. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EQUIVALENTS: Final[dict[str, tuple[str, ...]]] = {
    "read": ("read",),
    "readWrite": ("read",),
    "dbOwner": ("read",),
    "dbAdmin": (),
    "userAdmin": (),
    "readAnyDatabase": ("readAnyDatabase",),
    "readWriteAnyDatabase": ("readAnyDatabase",),
    "dbAdminAnyDatabase": (),
    "userAdminAnyDatabase": (),
    "clusterMonitor": ("clusterMonitor",),
    "clusterManager": ("clusterMonitor",),
    "clusterAdmin": ("clusterMonitor",),
    "hostManager": (),
    "enableSharding": (),
    "backup": (),
    "restore": (),
    "root": ("readAnyDatabase", "clusterMonitor"),
    "__system": ("readAnyDatabase", "clusterMonitor"),
    "directShardOperations": (),
}
"""Roles that come with the server. One that could give rights back (userAdmin) or drop collections leaves nothing.

Source: https://www.mongodb.com/docs/manual/reference/built-in-roles/
"""

READING: Final = frozenset(
    {
        *("find", "listCollections", "listIndexes", "listSearchIndexes", "listDatabases", "changeStream"),
        *("collStats", "dbStats", "indexStats", "dbHash", "planCacheRead", "killCursors", "validate"),
        *(
            "serverStatus",
            "replSetGetStatus",
            "replSetGetConfig",
            "hostInfo",
            "inprog",
            "top",
            "connPoolStats",
        ),
    }
)
"""Actions that change nothing.

Source: https://www.mongodb.com/docs/manual/reference/privilege-actions/
"""


def equivalent(role: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """The roles to have instead of a role that came with the server; None for one that somebody made."""
    names = _EQUIVALENTS.get(role["role"])
    return None if names is None else [{"role": name, "db": role["db"]} for name in names]


def reading_privileges(privileges: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those of a made role's privileges that only read."""
    left = [
        {"resource": dict(each["resource"]), "actions": sorted(READING.intersection(each["actions"]))}
        for each in privileges
    ]
    return [each for each in left if each["actions"]]
