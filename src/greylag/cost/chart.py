"""Costs against traffic as SVG: a line for each way, both axes by powers of ten."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEFT, TOP, WIDTH, HEIGHT, RIGHT, BELOW = 80, 48, 460, 300, 210, 56
COLOURS: Final = ("#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b7791f", "#c53030", "#4a5568", "#0987a0")
_POINTS: Final = 33
_LEAST_DOLLARS: Final = 0.01


def svg(
    title: str,
    ways: Mapping[str, Callable[[Decimal], Decimal]],
    *,
    axis: str,
    least: float = 0.1,
    most: float = 10.0,
) -> str:
    """`ways` give dollars a month for a multiple of the traffic; `axis` says what 1 means."""
    steps = [least * (most / least) ** (place / (_POINTS - 1)) for place in range(_POINTS)]
    lines = {
        name: [(step, max(float(way(Decimal(repr(step)))), _LEAST_DOLLARS)) for step in steps]
        for name, way in ways.items()
    }
    values = [value for line in lines.values() for _, value in line]
    low = 10 ** math.floor(math.log10(min(values)))
    high = 10 ** math.ceil(math.log10(max(*values, low * 1.01)))

    def across(step: float) -> float:
        return LEFT + WIDTH * math.log10(step / least) / math.log10(most / least)

    def up(value: float) -> float:
        return TOP + HEIGHT * (1 - math.log10(value / low) / math.log10(high / low))

    parts = [
        f'<text x="{LEFT}" y="24" font-size="14" font-weight="bold">{escape(title)}</text>',
        *(_rule(LEFT, up(10.0**power), LEFT + WIDTH, up(10.0**power)) for power in _powers(low, high)),
        *(
            f'<text x="{LEFT - 8}" y="{up(10.0**power) + 4:.1f}" text-anchor="end">${_short(10.0**power)}</text>'
            for power in _powers(low, high)
        ),
        *(
            _rule(across(10.0**power), TOP, across(10.0**power), TOP + HEIGHT)
            for power in _powers(least, most)
        ),
        *(
            f'<text x="{across(10.0**power):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">'
            f"x {_short(10.0**power)}</text>"
            for power in _powers(least, most)
        ),
        f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">{escape(axis)}</text>',
    ]
    for place, (name, points) in enumerate(lines.items()):
        colour = COLOURS[place % len(COLOURS)]
        drawn = " ".join(f"{across(step):.1f},{up(value):.1f}" for step, value in points)
        parts += [
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<rect x="{LEFT + WIDTH + 16}" y="{TOP + 20 * place}" width="12" height="12" fill="{colour}"/>',
            f'<text x="{LEFT + WIDTH + 34}" y="{TOP + 20 * place + 10}">{escape(name)}</text>',
        ]
    width, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BELOW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _powers(low: float, high: float) -> range:
    return range(round(math.log10(low)), round(math.log10(high)) + 1)


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#e2e8f0"/>'


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
