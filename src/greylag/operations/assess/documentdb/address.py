"""The address by which an application reaches DocumentDB: what drivers have to be told, by release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greylag.operations.assess.documentdb.tables import supported, tables

if TYPE_CHECKING:
    from greylag.operations.assess.documentdb.release import Release

CA_BUNDLE: Final = "global-bundle.pem"
"""Amazon's certificates, from https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

Source: https://docs.aws.amazon.com/documentdb/latest/developerguide/connect_programmatically.html
"""

PLACEHOLDERS: Final = ("DOCUMENTDB_USER", "DOCUMENTDB_PASSWORD", "DOCUMENTDB_HOST")


def options_for(release: Release, *, ca_file: str = CA_BUNDLE) -> dict[str, str]:
    """The options of an address. An elastic cluster is no replica set; its certificate is one that systems trust."""
    options = {"tls": "true"}
    if not release.elastic:
        options |= {"tlsCAFile": ca_file, "replicaSet": "rs0", "readPreference": "secondaryPreferred"}
    if not supported(tables().sets["retryable_writes"]["releases"], release):
        options["retryWrites"] = "false"
    return options


def address_for(release: Release, database: str = "", *, ca_file: str = CA_BUNDLE) -> str:
    """The whole address, with names of variables where secrets and hosts stand."""
    user, password, host = (f"${{{name}}}" for name in PLACEHOLDERS)
    query = "&".join(f"{name}={value}" for name, value in options_for(release, ca_file=ca_file).items())
    return f"mongodb://{user}:{password}@{host}:27017/{database}?{query}"
