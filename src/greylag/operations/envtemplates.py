"""Templates of `.env` files: where a service finds MongoDB today and DocumentDB tomorrow. No secret in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greylag.connectors.mongodb.connector import MongoConnector
from greylag.core.nearest import did_you_mean
from greylag.engine.disk import writing
from greylag.errors import ConfigurationError
from greylag.operations.assess.documentdb.address import PLACEHOLDERS, address_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from greylag.config import Project
    from greylag.operations.assess.documentdb.release import Release

DEVELOPMENT: Final = "development"
PRODUCTION: Final = "production"
CA_FILE: Final = "/etc/ssl/certs/global-bundle.pem"
LOCAL: Final = "mongodb://127.0.0.1:27017"
_BUNDLE: Final = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


@dataclass(frozen=True, slots=True)
class EnvTemplates:
    """What was asked: services (all that use MongoDB for none), the folder, the variable that programs read, and the
    DocumentDB that production uses.
    """

    services: tuple[str, ...]
    folder: Path
    variable: str
    release: Release


@dataclass(frozen=True, slots=True)
class Written:
    """The files that were written, and those that were there and stayed as they are."""

    written: tuple[str, ...]
    kept: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented form."""
        return {"written": list(self.written), "kept": list(self.kept)}


def write_templates(project: Project, options: EnvTemplates) -> Written:
    """Write two files a service. Nothing is written over. Raises ConfigurationError for a service that is not there or
    that uses no MongoDB, and for a name that no variable can have.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", options.variable, re.ASCII):
        raise ConfigurationError(
            f"{options.variable!r} cannot be the name of a variable", advice="Use letters, digits and _."
        )
    databases = {name: _databases(project, name) for name in project.services}
    for name in options.services:
        if name not in databases:
            raise ConfigurationError(
                f"there is no service {name!r}{did_you_mean(name, databases)}",
                advice=f"Services: {', '.join(databases) or 'none'}.",
            )
    chosen = options.services or tuple(name for name in databases if databases[name])
    without = [name for name in chosen if not databases[name]]
    if without or not chosen:
        raise ConfigurationError(
            f"{', '.join(without) or 'no service'} has no flow from MongoDB",
            advice="`greylag env` writes the addresses of MongoDB and DocumentDB alone.",
        )
    written: list[str] = []
    kept: list[str] = []
    with writing(options.folder):
        options.folder.mkdir(parents=True, exist_ok=True)
        for name in chosen:
            for environment in (DEVELOPMENT, PRODUCTION):
                file = options.folder / f"{name}.{environment}.env.example"
                text = _text(name, environment, databases[name], options)
                try:
                    with file.open("x", encoding="utf-8") as opened:
                        opened.write(text)
                except FileExistsError:
                    kept.append(str(file))
                else:
                    written.append(str(file))
    return Written(tuple(written), tuple(kept))


def _databases(project: Project, service: str) -> tuple[str, ...]:
    """The MongoDB databases that the service's flows read, in the order of the file."""
    found: dict[str, None] = {}
    for flow in project.flows:
        connection = project.connections[flow.source.connection]
        if flow.service == service and connection.kind == "mongodb":
            assert isinstance(connection.connector, MongoConnector)
            found[connection.connector.address.database] = None
    return tuple(found)


def _text(service: str, environment: str, databases: Sequence[str], options: EnvTemplates) -> str:
    production = environment == PRODUCTION
    lines = [
        f"# {service}, {environment}: "
        + (f"{options.release}." if production else "MongoDB on this machine or in docker-compose.dev.yml."),
        "# Copy this file without .example, fill it in, and keep the copy out of version control.",
    ]
    if production:
        user, password, host = PLACEHOLDERS
        lines += [
            "",
            "# From the secrets of the cluster, at the start of the process; escape : / ? # [ ] @ as %3A and so on.",
            f"{user}=",
            f"{password}=",
            "# The cluster's endpoint, without a port.",
            f"{host}=",
            "",
        ]
        if not options.release.elastic:
            lines.append(f"# {CA_FILE} is {_BUNDLE}")
        lines.append("# Where ${…} is not filled in by what reads this file, write the values here.")
    else:
        lines.append("")
    for database in databases:
        address = (
            address_for(options.release, database, ca_file=CA_FILE)
            if production
            else f"{LOCAL}/{database}?directConnection=true"
        )
        lines.append(f"{_variable(database, databases, options.variable)}={address}")
    return "\n".join(lines) + "\n"


def _variable(database: str, databases: Sequence[str], variable: str) -> str:
    """The variable of one database; with its name before it where there are several."""
    if len(databases) == 1:
        return variable
    return re.sub(r"\W", "_", f"{database}_{variable}", flags=re.ASCII).upper()
