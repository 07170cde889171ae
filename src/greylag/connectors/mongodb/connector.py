"""`kind: mongodb` in greylag.yaml: its options, and the connection they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from greylag.connectors.mongodb.address import Address
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.ports import ConnectorType, Source


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


@dataclass(frozen=True, slots=True)
class MongoConnector:
    """One connection of kind mongodb."""

    name: str
    address: Address
    read_bytes_per_second: float | None = None
    patience_seconds: float = 300
    kind: str = "mongodb"

    def source(self) -> Source:
        """The database; connects when it is first asked for something."""
        from greylag.connectors.mongodb.source import MongoSource

        return MongoSource(
            self.name,
            self.address,
            bytes_per_second=self.read_bytes_per_second,
            patience_seconds=self.patience_seconds,
        )

    def target(self) -> NoReturn:
        """Raises ConfigurationError: in this version MongoDB is read only."""
        raise ConfigurationError(
            f"connection {self.name!r} is of kind mongodb, which is a source only: "
            "MongoDB as a target is not in this version",
            advice="Let the flow's `to:` name a connection of another kind.",
        )


class MongoConnectorType:
    """What the registry finds under `mongodb`."""

    kind: str = "mongodb"
    options: type[Any] = MongoOptions

    def open(self, name: str, options: MongoOptions, root: Path) -> MongoConnector:  # noqa: ARG002 - no paths here
        """The connection; touches no network. Raises ConfigurationError for a url that cannot be one."""
        address = Address.parse(name, options.url, options.database)
        return MongoConnector(name, address, options.read_bytes_per_second, options.patience_seconds)


connector: ConnectorType = MongoConnectorType()
