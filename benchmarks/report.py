"""RESULTS.md: what was measured, beside what was asked for."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmarks.chart import number, svg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.figure import Figure, Target
    from benchmarks.kept import Measured


_INTRODUCTION = (
    "Written by `make bench`. Medians of interleaved runs; the spread is from the least run to the largest, as a share "
    "of the median. A line in a chart goes from the least run to the largest. Greylag's own runs are in blue."
)


def summary(figures: Sequence[Figure]) -> str:
    """One row a target."""
    rows = [
        (
            f"({each.letter})",
            target.what,
            _bound(target),
            _value(target),
            "met" if target.met else "**missed**",
        )
        for each in figures
        for target in each.targets
    ]
    return table((("", "target", "asked for", "measured", ""), *rows))


def section(figure: Figure, charts: str = "") -> str:
    """One figure in Markdown. `charts` is the folder of its charts, seen from the document; none if empty."""
    rows = [
        (each.name, f"{number(each.median)} {each.unit}", f"{100 * each.spread:.0f} %", str(len(each.values)))
        for each in figure.series
    ]
    parts = [f"## ({figure.letter}) {figure.title}", figure.setup]
    if charts:
        parts += [f"![{figure.title}, {unit}]({charts}/{name})" for name, unit, _ in _charts(figure)]
    if rows:
        parts.append(table((("", "median", "spread", "runs"), *rows)))
    parts += [
        f"{'Met' if each.met else '**Missed**'}: {each.what} {_value(each)}, asked for {_bound(each)}."
        for each in figure.targets
    ]
    if figure.notes:
        parts.append("\n".join(f"- {each}" for each in figure.notes))
    for heading, content in figure.tables:
        parts += [f"### {heading}", table(content)]
    return "\n\n".join(parts)


def write(measured: Sequence[Measured], folder: Path, about: Sequence[tuple[str, str]]) -> None:
    """RESULTS.md and its charts, in `folder`; charts of an earlier run are replaced."""
    figures = [each.figure for each in measured]
    charts = folder / "charts"
    charts.mkdir(exist_ok=True)
    for old in charts.glob("*.svg"):
        old.unlink()
    for figure in figures:
        for name, _, content in _charts(figure):
            (charts / name).write_text(content, encoding="utf-8")
    parts = [
        "# Benchmarks",
        _INTRODUCTION,
        table((("", ""), *about)),
        summary(figures),
        table(
            (("figure", "commit", "run", "minutes", "load average before", "system"), *map(_run, measured))
        ),
        *(section(each, "charts") for each in figures),
    ]
    (folder / "RESULTS.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def table(rows: Sequence[Sequence[str]]) -> str:
    """In Markdown; the first row names the columns."""
    head, *rest = rows
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join("| " + " | ".join(each) + " |" for each in lines)


def _charts(figure: Figure) -> list[tuple[str, str, str]]:
    """File name, unit and content of one chart for each unit."""
    ordered = sorted(figure.series, key=lambda each: each.unit)
    found = []
    for place, (unit, series) in enumerate(itertools.groupby(ordered, key=lambda each: each.unit)):
        title = f"({figure.letter}) {figure.title}"
        found.append((f"{figure.letter}{place or ''}.svg", unit, svg(title, list(series))))
    return found


def _run(measured: Measured) -> tuple[str, ...]:
    letter = f"({measured.figure.letter})"
    return (
        letter,
        measured.commit,
        measured.when,
        str(measured.minutes),
        str(measured.load),
        measured.system,
    )


def _bound(target: Target) -> str:
    if target.least is not None:
        return f"at least {_shown(target.least, target.unit)}"
    assert target.most is not None
    return f"at most {_shown(target.most, target.unit)}"


def _value(target: Target) -> str:
    return _shown(target.value, target.unit)


def _shown(value: float, unit: str) -> str:
    return f"{number(value)} {unit}"
