from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from greylag.config import Project, load
from greylag.connectors import registry
from greylag.errors import ConfigurationError, SchemaError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from greylag.core.ports import Connector, Source, Target

Load = "Callable[..., Project]"


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MongoOptions(_Options):
    kind: Literal["mongodb"]
    url: str = Field(description="Where the server is.")
    database: str = Field(description="The database.")
    batch: int = Field(100, description="Documents at once.")
    tls: bool | None = Field(None, description="Whether the connection is encrypted.")

    @field_validator("url")
    @classmethod
    def _scheme(cls, url: str) -> str:
        if not url.startswith("mongodb"):
            raise ValueError(f"{url!r} does not begin with mongodb://")
        return url


class JsonOptions(_Options):
    kind: Literal["json"]
    path: str = Field(description="A folder or a file.")


class DynamoOptions(_Options):
    kind: Literal["dynamodb"]
    region: str = Field(description="The AWS region.")
    endpoint_url: str | None = Field(None, description="Another server than AWS.")
    create_tables: bool = Field(False, description="Whether missing tables are created.")
    write_units_per_second: float | None = Field(None, description="The write budget.")


class FakeEnd:
    def __init__(self, connector: FakeConnector) -> None:
        self.connector = connector

    def check(self) -> None:
        url = getattr(self.connector.options, "url", "")
        if "away" in url:
            raise TransientError(f"{url} did not answer", advice="Is it running?")

    def describe(self, dataset: str) -> None:
        if dataset == "missing":
            raise SchemaError("there is no 'missing'", advice="It has: products.")

    def close(self) -> None:
        self.connector.opened.append("closed")


class FakeConnector:
    def __init__(self, kind: str, options: Any) -> None:
        self.kind = kind
        self.options = options
        self.opened: list[str] = []

    def source(self) -> Source:
        self.opened.append("source")
        return FakeEnd(self)  # type: ignore[return-value]

    def target(self) -> Target:
        self.opened.append("target")
        if self.kind == "json":
            raise ConfigurationError("kind json is a source only")
        return FakeEnd(self)  # type: ignore[return-value]


class FakeType:
    def __init__(self, kind: str, options: type[BaseModel]) -> None:
        self.kind = kind
        self.options = options

    def open(self, name: str, options: Any, root: Path) -> Connector:
        if getattr(options, "database", None) == "refused":
            raise ConfigurationError("the database cannot be 'refused'")
        return FakeConnector(self.kind, options)


class FakeEntryPoint:
    def __init__(self, loaded: FakeType | None) -> None:
        self.value = "third.party:connector"
        self._loaded = loaded

    def load(self) -> FakeType:
        if self._loaded is None:
            raise ModuleNotFoundError("No module named 'driver'", name="driver")
        return self._loaded


@pytest.fixture(autouse=True)
def _connectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = {
        "json": FakeEntryPoint(FakeType("json", JsonOptions)),
        "mongodb": FakeEntryPoint(FakeType("mongodb", MongoOptions)),
        "dynamodb": FakeEntryPoint(FakeType("dynamodb", DynamoOptions)),
        "third": FakeEntryPoint(None),
    }
    monkeypatch.setattr(registry, "_installed", lambda: found)
    registry.connector_type.cache_clear()
    yield
    registry.connector_type.cache_clear()


@pytest.fixture
def design() -> str:
    """The example of DESIGN.md, as it stands there."""
    return Path(__file__).with_name("design.yaml").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Project]:
    """Loads a text as greylag.yaml."""

    def read(text: str, environment: str | None = None, environ: Mapping[str, str] | None = None) -> Project:
        file = tmp_path / "greylag.yaml"
        file.write_text(text, encoding="utf-8")
        return load(file, environment, {} if environ is None else environ)

    return read
