"""Which databases a server holds, for when nothing says which one is meant."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from greylag.connectors.mongodb.address import Address
from greylag.connectors.mongodb.errors import translated

if TYPE_CHECKING:
    from pydantic import SecretStr

_SYSTEM = frozenset({"admin", "config", "local"})


def databases(connection: str, url: SecretStr) -> tuple[str, ...]:
    """The names of the databases at `url` that the user may see, but for the server's own. One attempt, no wait."""
    address = Address.parse(connection, url, "admin")
    with (
        closing(address.client(connection)) as client,
        translated(connection, address.hosts, "list the databases"),
    ):
        names = [each["name"] for each in client.list_databases(nameOnly=True, authorizedDatabases=True)]
    return tuple(sorted(name for name in names if name not in _SYSTEM))
