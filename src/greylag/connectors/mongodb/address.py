"""Where a MongoDB is, read from its url without showing what is secret in it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import unquote

from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    import pymongo
    from pydantic import SecretStr
    from pymongo.server_description import ServerDescription

DOCUMENTDB_CA: Final = (
    "global-bundle.pem, from https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
)
_FORM = "Write mongodb://user:password@host:27017/database, with % escapes for : / ? # [ ] @ in the password."
_PROPERTIES = re.compile("authMechanismProperties=([^&]*)", re.IGNORECASE)
_Address: TypeAlias = "tuple[str, int | None]"
_TIMEOUTS = {
    "serverSelectionTimeoutMS": 5_000,
    "connectTimeoutMS": 10_000,
    "socketTimeoutMS": 120_000,
}
"""How long each single attempt may take, where the url does not say; `patience_seconds` bounds them all."""


@dataclass(frozen=True, slots=True)
class Address:
    """A database of the servers in `hosts` ("a:27017,b:27017"). Only `url` is secret, and stays out of repr."""

    hosts: str
    database: str
    url: SecretStr = field(repr=False)
    ca_file: str | None = None

    @classmethod
    def parse(cls, connection: str, url: SecretStr, database: str | None, ca_file: str | None = None) -> Self:
        """With `ca_file` the connection is encrypted, and that CA alone is trusted. Raises ConfigurationError for a url
        that is none, or where neither it nor `database` names one.
        """
        import pymongo.errors
        from pymongo.uri_parser import parse_uri

        text = url.get_secret_value()
        scheme, found, rest = text.partition("://")
        if not found or scheme not in {"mongodb", "mongodb+srv"}:
            raise ConfigurationError(
                f"the url of connection {connection!r} does not begin with mongodb:// or mongodb+srv://",
                advice=_FORM,
            )
        if scheme == "mongodb":  # a +srv address can be parsed with the name server's help only
            try:
                parse_uri(text, warn=False)
            except (pymongo.errors.PyMongoError, ValueError) as error:
                raise _no_address(connection, error, text) from None
        hosts, _, path = rest.rpartition("@")[2].partition("/")
        named = unquote(path.partition("?")[0]) or None
        if database is None and named is None:
            raise ConfigurationError(
                f"connection {connection!r} names no database",
                advice="Add `database:` to it, or put /database behind the host in its url.",
            )
        return cls(hosts.partition("?")[0], database or named or "", url, ca_file)

    def client(self, connection: str, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        """pymongo's client for the url, with further options. It keeps to one of several servers that would do. Raises
        ConfigurationError for a url that is none.
        """
        import pymongo.errors

        text = self.url.get_secret_value()
        given = {"server_selector": OneServer(), **self.client_options(), **options}
        try:
            return pymongo.MongoClient(text, **given)
        except (pymongo.errors.ConfigurationError, ValueError) as error:
            raise _no_address(connection, error, text) from None

    def client_options(self) -> dict[str, Any]:
        """What pymongo's client gets beside the url, which always wins."""
        text = self.url.get_secret_value().lower()
        timeouts = {name: value for name, value in _TIMEOUTS.items() if f"{name.lower()}=" not in text}
        options: dict[str, Any] = dict(timeouts)
        if "appname=" not in text:
            options["appname"] = "greylag"
        if self.ca_file is not None:
            options |= {"tls": True, "tlsCAFile": self.ca_file}
        return options


class OneServer:
    """Of the servers that would do, the one that was chosen first: a cursor lives on the server that opened it."""

    def __init__(self) -> None:
        self._chosen: dict[_Address, None] = {}

    def __call__(self, servers: list[ServerDescription]) -> list[ServerDescription]:
        """See MongoClient's `server_selector`."""
        if not servers:
            return servers
        by_address = {each.address: each for each in servers}
        for known in [*self._chosen]:
            if known in by_address:
                return [by_address[known]]
        found = random.choice(servers)  # noqa: S311 - any will do
        self._chosen[found.address] = None
        return [found]


def _no_address(connection: str, error: Exception, url: str) -> ConfigurationError:
    """To be raised from None: the parser's own message may quote the password."""
    return ConfigurationError(
        f"the url of connection {connection!r} is not a MongoDB address{_reason(error, url)}", advice=_FORM
    )


def _reason(error: Exception, url: str) -> str:
    """The parser's reason, unless it repeats any part of the credentials."""
    text = str(error)
    secrets = url.partition("://")[2].rpartition("@")[0].replace("/", ":").replace("@", ":").split(":")
    for each in _PROPERTIES.findall(url):  # which may hold a session's token
        secrets += re.split("[:,]", unquote(each))
    return "" if any(each and each in text for each in secrets) else f": {text}"
