"""A report as blocks, rendered as plain text for a terminal or as Markdown for a file."""

from __future__ import annotations

import io
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text as Cell

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
    """Rows, the first a heading; columns numbered in `right` are flush right, and neither they nor those in `whole` are
    ever broken.
    """

    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()


Block: TypeAlias = "Heading | Text | Bullets | Table"

WIDTH = 100
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
        return _columns(block)
    if isinstance(block, Bullets):
        return "\n".join(_wrapped(each, "- ") for each in block.items)
    return _wrapped(block.text)


def _wrapped(text: str, mark: str = "") -> str:
    """Lines no longer than the width, but for words that are longer; those after the first stand below the mark."""
    lines = [
        line
        for each in text.split("\n")
        for line in textwrap.wrap(
            _printable(each), WIDTH - len(mark), break_long_words=False, break_on_hyphens=False
        )
        or [""]
    ]
    return mark + f"\n{' ' * len(mark)}".join(lines)


def _columns(table: Table) -> str:
    """Cells that are too long for the width go on in the next line."""
    heading, *rows = table.rows
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(heading):
        grid.add_column(
            Cell(_printable(name)),
            justify="right" if place in table.right else "left",
            no_wrap=place in table.right or place in table.whole,
            overflow="fold",
        )
    for row in rows:
        grid.add_row(*(Cell("\n".join(map(_printable, cell.split("\n")))) for cell in row))
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False).print(grid)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_escaped(block.text)}"
    if isinstance(block, Table):
        lines = [
            "| " + " | ".join(_escaped(cell.replace("\n", " ")) for cell in row) + " |" for row in block.rows
        ]
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
