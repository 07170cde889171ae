"""A report as blocks, rendered as plain text for a terminal or as Markdown for a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from greylag.console.lines import table

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the document's own."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """Points; an element of several lines stays one point."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, the first a heading; columns numbered in `right` are flush right."""

    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()


Block: TypeAlias = "Heading | Text | Bullets | Table"

_ACTIVE = re.compile(r"([\\`*_\[\]<>#|])")


def as_text(blocks: Sequence[Block]) -> str:
    """For a terminal."""
    return "\n\n".join(_text(each) for each in blocks)


def as_markdown(blocks: Sequence[Block]) -> str:
    """For a file; what the data says is shown as it is and marks nothing up."""
    return "\n\n".join(_markdown(each) for each in blocks) + "\n"


def _text(block: Block) -> str:
    if isinstance(block, Heading):
        return block.text if block.level > 2 else f"{block.text}\n{'-' * len(block.text)}"
    if isinstance(block, Table):
        return table([tuple(map(_printable, row)) for row in block.rows], right=block.right)
    if isinstance(block, Bullets):
        return "\n".join(
            "- " + "\n  ".join(_printable(line) for line in each.split("\n")) for each in block.items
        )
    return _printable(block.text)


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_escaped(block.text)}"
    if isinstance(block, Table):
        lines = ["| " + " | ".join(map(_escaped, row)) + " |" for row in block.rows]
        marks = ["---:" if column in block.right else "---" for column in range(len(block.rows[0]))]
        lines.insert(1, "|" + "|".join(marks) + "|")
        return "\n".join(lines)
    if isinstance(block, Bullets):
        return "\n".join(
            "- " + "\n  ".join(_escaped(line) for line in each.split("\n")) for each in block.items
        )
    return _escaped(block.text)


def _printable(text: str) -> str:
    """What a field is named or holds must not steer a terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _escaped(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", _printable(text))
