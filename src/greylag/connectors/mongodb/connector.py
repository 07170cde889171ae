"""`kind: mongodb` in greylag.yaml: its options, and the connection they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from greylag.connectors.mongodb.address import DOCUMENTDB_CA, Address
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.ports import ConnectorType, Fence, Source, Target


class MongoOptions(BaseModel):
    """A database of a MongoDB server, replica set or sharded cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["mongodb"]
    url: SecretStr = Field(
        description="mongodb://user:password@host:27017/database?options, or mongodb+srv://…; keep it in ${VAR}."
    )
    database: str | None = Field(
        default=None, min_length=1, description="The database, where the url does not name it."
    )
    read_bytes_per_second: int | None = Field(
        default=None, gt=0, description="Read no faster than this, all worker processes together."
    )
    patience_seconds: float = Field(
        default=300, ge=0, description="How long the server may be away before a run gives up."
    )
    application_user: str | None = Field(
        default=None,
        min_length=1,
        description="The user the application signs in as, NAME or NAME@DATABASE (admin); `fence` makes it read-only.",
    )
    ca_file: str | None = Field(
        default=None,
        min_length=1,
        description="The file of the CA that signed the server's certificate; turns TLS on.",
    )
    create_tables: bool = Field(default=False, description="Whether missing collections are created.")
    connections: int = Field(
        default=4, ge=1, le=64, description="Connections by which each worker writes to a collection."
    )
    write_units_per_second: float | None = Field(
        default=None,
        gt=0,
        description="What all workers together may write to a collection: a unit is a document of up to 1 KB, "
        "larger ones are one for each KB begun.",
    )
    change_stream_retention_hours: float = Field(
        default=3,
        gt=0,
        le=168,
        description="How long DocumentDB keeps changes: what change_stream_log_retention_duration says, in hours.",
    )
    late_write_seconds: float = Field(
        default=60,
        ge=0,
        description="How long a write whose sender was killed may still take effect: later changes wait for it.",
    )
    # The server gives a command up after 30 s (`writer.COMMAND_SECONDS`); the rest is for bytes still on their way.


@dataclass(frozen=True, slots=True)
class MongoConnector:
    """One connection of kind mongodb."""

    name: str
    address: Address
    read_bytes_per_second: float | None = None
    patience_seconds: float = 300
    create_tables: bool = False
    connections: int = 4
    late_write_seconds: float = 60
    kind: str = "mongodb"
    application_user: str | None = None
    change_stream_retention_hours: float = 3

    def source(self) -> Source:
        """The database; connects when it is first asked for something."""
        from greylag.connectors.mongodb.source import MongoSource

        return MongoSource(
            self.name,
            self.address,
            bytes_per_second=self.read_bytes_per_second,
            patience_seconds=self.patience_seconds,
            retention_seconds=self.change_stream_retention_hours * 3600,
        )

    def target(self) -> Target:
        """The database; connects when it is first asked for something."""
        from greylag.connectors.mongodb.target import MongoTarget

        return MongoTarget(self)

    def fence(self) -> Fence:
        """See `ports.Fenceable`."""
        from greylag.connectors.mongodb.fence import MongoFence

        return MongoFence(self.name, self.address, self.application_user)


class MongoConnectorType:
    """What the registry finds under `mongodb`."""

    kind: str = "mongodb"
    options: type[Any] = MongoOptions
    own_key: str = "_id"

    def open(self, name: str, options: MongoOptions, root: Path) -> MongoConnector:
        """The connection; touches no network. Raises ConfigurationError for a url that cannot be one."""
        ca_file = None
        if options.ca_file is not None:
            path = root / options.ca_file
            if not path.is_file():
                raise ConfigurationError(
                    f"connection {name!r}: there is no file {options.ca_file}",
                    advice=f"Amazon DocumentDB's is {DOCUMENTDB_CA}",
                )
            ca_file = str(path.absolute())
        address = Address.parse(name, options.url, options.database, ca_file)
        return MongoConnector(
            name,
            address,
            options.read_bytes_per_second,
            options.patience_seconds,
            options.create_tables,
            options.connections,
            options.late_write_seconds,
            application_user=options.application_user,
            change_stream_retention_hours=options.change_stream_retention_hours,
        )


connector: ConnectorType = MongoConnectorType()
