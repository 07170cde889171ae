"""A place that names a store: where it stands, by which variable, and what of the address is no secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greylag.operations.init import stores

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS = re.compile(
    r"mongodb(?P<srv>\+srv)?://(?:(?P<credentials>[^@/?#\s]*)@)?(?P<hosts>[A-Za-z0-9_.-]+(?::\d{1,5})?"
    r"(?:,[A-Za-z0-9_.-]+(?::\d{1,5})?)*)(?:/(?P<database>[A-Za-z0-9_-]{0,63}))?(?:\?(?P<options>[^@\s]*))?"
)
_IS_ADDRESS = re.compile(r"(?:URI|URL|DSN|CONN(?:ECTION)?(?:_?STR(?:ING)?)?|MONGO(?:DB)?)$", re.IGNORECASE)
_IS_DATABASE = re.compile(r"(?:DATABASE|DB|DBNAME|DB_?NAME|DATABASE_?NAME)$", re.IGNORECASE)
_DATABASE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_SYSTEM = frozenset({"admin", "local", "config"})


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file in the folder; 0 where the whole file is meant."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class MongoAddress:
    """A MongoDB address taken apart. Only `hosts` and `database` may be shown."""

    hosts: str
    database: str | None
    credentials: str | None = field(repr=False)
    srv: bool = False
    options: str = field(default="", repr=False)


def mongo_address(text: str) -> MongoAddress | None:
    """The parts of a whole address; None for what is none, or where a part of a secret could pass for a host."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        return None
    database = match["database"] or None
    return MongoAddress(
        match["hosts"],
        None if database in _SYSTEM else database,
        match["credentials"],
        match["srv"] is not None,
        match["options"] or "",
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """Something that names a store of `kind`. `how` says in a few words what it is and holds no value.

    `service` is the compose service it belongs to (empty: none). `variable` is the environment variable that holds
    the address, `value` what the file itself says it is: that may be secret, is in no repr, and is never shown.
    `database` is the one that stands beside the address in another variable.
    """

    kind: str
    place: Place
    how: str
    service: str = ""
    variable: str = ""
    value: str = field(default="", repr=False)
    database: str = ""

    def as_json(self) -> dict[str, Any]:
        """For `--json`: no value."""
        return {
            "kind": self.kind,
            "file": self.place.file,
            "line": self.place.line or None,
            "what": self.how,
            "service": self.service or None,
            "variable": self.variable or None,
        }


def of_variable(
    name: str, value: str, place: Place, *, service: str = "", variable: str = ""
) -> Setting | None:
    """The setting that `name: value` is, if it is one. `variable`: what is to be set to change it, if not `name`."""
    kind = stores.of_variable(name, value)
    if kind is None:
        return None
    holds_address = "://" in value or (_IS_ADDRESS.search(name) is not None and not is_database(name))
    return Setting(
        kind,
        place,
        f"variable {name}",
        service,
        (variable or name) if holds_address else "",
        value if holds_address else "",
    )


def is_database(name: str) -> bool:
    """Whether a variable of MongoDB's holds a database's name."""
    return (
        re.search("MONGO", name, re.IGNORECASE) is not None
        and _IS_DATABASE.search(name) is not None
        and re.fullmatch("MONGO_?DB", name, re.IGNORECASE) is None
    ) or name.upper() in {"DB_NAME", "DATABASE_NAME", "DBNAME"}


def database_named(variables: Mapping[str, str]) -> str | None:
    """The database that `variables` name beside the address."""
    for name, value in variables.items():
        if is_database(name) and _DATABASE_NAME.fullmatch(value) and value not in _SYSTEM:
            return value
    return None
