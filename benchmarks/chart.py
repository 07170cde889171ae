"""A bar chart as SVG: one bar a series at its median, a line from its least run to its largest."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figure import Series

_LABEL, _BAR, _NUMBER, _ROW, _TOP = 250, 380, 110, 26, 40
_OURS, _OTHER = "#2b6cb0", "#a0aec0"


def svg(title: str, series: Sequence[Series]) -> str:
    """All series of one unit. Those whose name begins with "greylag" stand out."""
    unit = series[0].unit
    assert all(each.unit == unit for each in series)
    most = max(max(each.values) for each in series) or 1.0
    width, height = _LABEL + _BAR + _NUMBER, _TOP + _ROW * len(series) + 8
    rows = [_row(each, most, _TOP + _ROW * place) for place, each in enumerate(series)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="8" y="22" font-size="14" font-weight="bold">{escape(title)} ({escape(unit)})</text>\n'
        + "".join(rows)
        + "</svg>\n"
    )


def _row(series: Series, most: float, top: int) -> str:
    def at(value: float) -> float:
        return _LABEL + _BAR * value / most

    middle = top + _ROW / 2
    colour = _OURS if series.name.startswith("greylag") else _OTHER
    return (
        f'<text x="{_LABEL - 8}" y="{middle + 4:.0f}" text-anchor="end">{escape(series.name)}</text>\n'
        f'<rect x="{_LABEL}" y="{top + 4}" width="{at(series.median) - _LABEL:.1f}" height="{_ROW - 8}" '
        f'fill="{colour}"/>\n'
        f'<line x1="{at(min(series.values)):.1f}" x2="{at(max(series.values)):.1f}" y1="{middle}" y2="{middle}" '
        f'stroke="black"/>\n'
        f'<text x="{at(max(series.values)) + 6:.1f}" y="{middle + 4:.0f}">{number(series.median)}</text>\n'
    )


def number(value: float) -> str:
    """With as many places as say something."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
