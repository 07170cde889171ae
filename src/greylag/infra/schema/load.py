"""The reduced schema of the AWS provider, read once per process.

`aws.json.xz` holds, for each resource and data source, the number of its block. A block maps names to a text:

    string  number  bool  any  list(string)  map(list(string))  object(12)   an argument of that type; 12 is a block
    1 and a number      a block that stands once
    * and a number      a block that may repeat
    ! before it         required
    = before it         exported only, never written
"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).with_name("aws.json.xz")


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument or exported attribute. `type` is as Terraform writes it, `object(N)` for the block numbered N."""

    type: str
    required: bool = False
    written: bool = True


@dataclass(frozen=True, slots=True)
class Nested:
    """A nested block, and whether it may stand more than once."""

    block: Block
    repeats: bool
    required: bool = False


@dataclass(frozen=True)
class Block:
    """What may stand in a block, and what it exports."""

    schema: Schema = field(repr=False)
    entries: Mapping[str, str]

    @cached_property
    def arguments(self) -> Mapping[str, Argument]:
        """Arguments and exported attributes by name."""
        return {
            name: Argument(text.lstrip("!="), required=text[0] == "!", written=text[0] != "=")
            for name, text in self.entries.items()
            if text.lstrip("!")[0] not in "1*"
        }

    @cached_property
    def nested(self) -> Mapping[str, Nested]:
        """Nested blocks by name."""
        return {
            name: Nested(self.schema.block(text.lstrip("!")[1:]), text.lstrip("!")[0] == "*", text[0] == "!")
            for name, text in self.entries.items()
            if text.lstrip("!")[0] in "1*"
        }


class Schema:
    """Every resource and data source of one version of the provider."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.source: str = document["source"]
        self.provider_version: str = document["provider_version"]
        self.date: str = document["date"]
        self._numbers: Mapping[str, Mapping[str, int]] = {
            kind: document[kind] for kind in ("resources", "data", "ephemeral")
        }
        self._provider: int = document["provider"]
        self._blocks: list[Mapping[str, str]] = document["blocks"]

    def names(self, kind: str) -> tuple[str, ...]:
        """Every name of a kind: "resources", "data" or "ephemeral"."""
        return tuple(self._numbers[kind])

    def of(self, kind: str, name: str) -> Block | None:
        """What may stand in the resource or data source `name`; None where the provider has none."""
        number = self._numbers[kind].get(name)
        return None if number is None else self.block(str(number))

    @cached_property
    def provider(self) -> Block:
        """What may stand in `provider "aws"`."""
        return self.block(str(self._provider))

    def block(self, number: str) -> Block:
        """The block of a number; one that nests itself deeper than the schema follows (`any`) is empty."""
        return Block(self, {} if number == "any" else self._blocks[int(number)])


@cache
def aws_schema() -> Schema:
    """The schema that this version of Greylag carries."""
    return Schema(json.loads(lzma.decompress(FILE.read_bytes())))
