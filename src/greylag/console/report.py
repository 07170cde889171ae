"""A report of sections: as text for a terminal of 100 columns, or as Markdown."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows below a heading; columns numbered in `right` are flush right, those in `whole` are never broken."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    whole: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """A title, a table where there is one, and lines below it."""

    title: str
    grid: Grid | None = None
    lines: tuple[str, ...] = ()


def as_text(sections: Sequence[Section], *, width: int = WIDTH) -> str:
    """For a terminal."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, color_system=None, force_terminal=False, markup=False, emoji=False
    )
    for place, section in enumerate(sections):
        if place:
            console.print()
        console.print(Text(section.title))
        if section.grid is not None:
            console.print(_table(section.grid))
        for line in section.lines:
            console.print(Padding(Text(line), (0, 0, 0, 2)))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _table(grid: Grid) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    for place, name in enumerate(grid.heading):
        table.add_column(
            Text(name),
            justify="right" if place in grid.right else "left",
            no_wrap=place in grid.right or place in grid.whole,
            overflow="fold",
        )
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def as_markdown(sections: Sequence[Section]) -> str:
    """GitHub's Markdown: the first section's title is the document's."""
    parts = []
    for place, section in enumerate(sections):
        parts.append(f"{'#' if not place else '##'} {_cell(section.title)}")
        if section.grid is not None:
            rule = tuple(
                "---:" if each in section.grid.right else "---" for each in range(len(section.grid.heading))
            )
            rows = (
                tuple(map(_cell, section.grid.heading)),
                rule,
                *(tuple(map(_cell, row)) for row in section.grid.rows),
            )
            parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
        parts += (
            ["\n".join(f"- {_cell(line.removeprefix('- '))}" for line in section.lines)]
            if section.lines
            else []
        )
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    """`text` on one line, in which Markdown finds nothing to render but code."""
    for character in "\\|<>*[]":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
