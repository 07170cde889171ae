"""`kind: json` in greylag.yaml: its options, and the connection they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field

from greylag.connectors.json.fence import JsonFence
from greylag.connectors.json.oldstore import JsonOldStore
from greylag.connectors.json.source import JsonSource
from greylag.errors import ConfigurationError

if TYPE_CHECKING:
    from greylag.core.ports import ConnectorType, Fence, OldStore, Source


class JsonOptions(BaseModel):
    """A folder of JSON files, or one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["json"]
    path: str = Field(
        min_length=1,
        description="A folder, or one .json or .jsonl file (.gz too); relative to greylag.yaml's folder.",
    )
    read_bytes_per_second: int | None = Field(
        default=None, gt=0, description="Read no faster than this, all worker processes together."
    )


@dataclass(frozen=True, slots=True)
class JsonConnector:
    """One connection of kind json. `path` is absolute."""

    name: str
    path: Path
    read_bytes_per_second: int | None = None
    kind: str = "json"
    scratch: Path | None = None

    def source(self) -> Source:
        """The files, opened as they are read."""
        return JsonSource(
            self.name, self.path, bytes_per_second=self.read_bytes_per_second, scratch=self.scratch
        )

    def as_followed(self, scratch: Path) -> JsonConnector:
        """See `ports.Snapshotted`."""
        return replace(self, scratch=scratch)

    def target(self) -> NoReturn:
        """Raises ConfigurationError: JSON files are read only."""
        raise ConfigurationError(
            f"connection {self.name!r} is of kind json, which is a source only",
            advice="Let the flow's `to:` name a connection of another kind.",
        )

    def old_store(self) -> OldStore:
        """See `ports.Returning`."""
        return JsonOldStore(self.path)

    def fence(self) -> Fence:
        """See `ports.Fenceable`."""
        return JsonFence(self.path)


class JsonConnectorType:
    """What the registry finds under `json`."""

    kind = "json"
    options: type[Any] = JsonOptions

    def open(self, name: str, options: JsonOptions, root: Path) -> JsonConnector:
        """The connection; touches no file."""
        path = Path(root, Path(options.path).expanduser()).absolute()
        return JsonConnector(name, path, options.read_bytes_per_second)


connector: ConnectorType = JsonConnectorType()
