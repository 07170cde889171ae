"""How a dataset is made beside its records: the options of a collection and its indexes, as its server says them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from greylag.core.inventory import Index


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """An index for people, and in its server's own words: extended JSON, ready for any JSON writer."""

    index: Index
    definition: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Structure:
    """`form` says whose words `options` and the definitions are ("mongodb"); those of one form fit each other."""

    form: str
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[IndexDefinition, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """What a target's server is: "mongodb" or "documentdb", its version as "5.0", whether it is an elastic cluster."""

    name: str
    version: str
    elastic: bool = False

    def __str__(self) -> str:
        name = "DocumentDB" if self.name == "documentdb" else "MongoDB"
        return f"{name} {self.version}{', elastic' if self.elastic else ''}"
