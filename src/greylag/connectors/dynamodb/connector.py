"""What the entry point names: options in, a target out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from greylag.connectors.dynamodb.options import DynamoDBOptions
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from greylag.core.ports import Connector, Fence, Source, Target

KIND = "dynamodb"


@dataclass(frozen=True, slots=True)
class DynamoDBConnector:
    """See `ports.Connector`."""

    name: str
    options: DynamoDBOptions

    @property
    def kind(self) -> str:
        """Always "dynamodb"."""
        return KIND

    def source(self) -> Source:
        """Raises ConfigurationError: this version only writes to DynamoDB."""
        raise ConfigurationError(
            f"connection {self.name}: DynamoDB as a source is not in this version",
            advice="Use it in `to:`; sources are of kind json and mongodb.",
        )

    def target(self) -> Target:
        """See `ports.Connector.target`."""
        from greylag.connectors.dynamodb.target import DynamoDBTarget

        return DynamoDBTarget(self.name, self.options)

    def fence(self) -> Fence:
        """See `ports.Fenceable`."""
        from greylag.connectors.dynamodb.fence import DynamoDBFence

        return DynamoDBFence(self.name, self.options)


class DynamoDBConnectorType:
    """See `ports.ConnectorType`."""

    kind = KIND
    options = DynamoDBOptions

    def open(self, name: str, options: DynamoDBOptions, root: Path) -> Connector:  # noqa: ARG002 - no path in it
        """See `ports.ConnectorType.open`."""
        return DynamoDBConnector(name, options)
