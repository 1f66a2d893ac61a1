"""Plots as SVG: bars with the range of the rounds, and curves. They fit light and dark pages."""

import math
from collections.abc import Sequence
from html import escape

from attrs import frozen

from benchmarks.numbers import Figure

WIDTH = 760
LEFT, RIGHT, TOP = 230, 110, 46
ROW = 26
COLOURS = {"newsintel": "#1f77b4", "floor": "#8c8c8c", "obvious": "#d95f02", "careful": "#7570b3"}
OTHER = "#4c9f70"
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}"
    ".title{font-size:14px;font-weight:600}"
    ".range,.axis{stroke:#444;fill:none}"
    ".goal{stroke:#2a9d3a;stroke-dasharray:4 3}.goal-text{fill:#2a9d3a}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}.range,.axis{stroke:#ccc}}"
)


@frozen
class Bar:
    """One bar. `who` decides its colour."""

    label: str
    who: str
    figure: Figure


def draw_bars(title: str, unit: str, some: Sequence[Bar], goal: float | None = None) -> str:
    """Draw horizontal bars from 0 with the range of their rounds, and a dashed line at `goal`."""
    scale = (WIDTH - LEFT - RIGHT) / (
        max([bar.figure.high for bar in some] + ([goal] if goal else [])) or 1
    )
    parts = [f'<text class="title" x="12" y="24">{escape(title)} ({escape(unit)})</text>']
    for at, bar in enumerate(some):
        middle = TOP + at * ROW + ROW / 2
        low, median, high = (
            LEFT + scale * value for value in (bar.figure.low, bar.figure.median, bar.figure.high)
        )
        colour = COLOURS.get(bar.who, OTHER)
        parts += [
            (
                f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">'
                f"{escape(bar.label)}</text>"
            ),
            (
                f'<rect x="{LEFT}" y="{middle - 8:.1f}" width="{max(1, median - LEFT):.1f}" '
                f'height="16" rx="2" fill="{colour}"/>'
            ),
            (
                f'<path class="range" d="M{low:.1f} {middle:.1f}H{high:.1f}'
                f'M{low:.1f} {middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8"/>'
            ),
            (
                f'<text x="{max(median, high) + 6:.1f}" y="{middle + 4:.1f}">'
                f"{_format_number(bar.figure.median)}</text>"
            ),
        ]
    bottom = TOP + len(some) * ROW
    if goal is not None:
        x = LEFT + scale * goal
        parts.append(f'<path class="goal" d="M{x:.1f} {TOP - 6}V{bottom}"/>')
        parts.append(
            f'<text class="goal-text" x="{x:.1f}" y="{TOP - 8}" text-anchor="middle">'
            f"goal {_format_number(goal)}</text>"
        )
    return _wrap_svg(bottom + 14, parts)


def draw_curves(
    title: str, across: str, up: str, some: dict[str, Sequence[tuple[float, float]]]
) -> str:
    """Draw named lines through points (x, y). Both axes start at 0."""
    height, left = 260, 70
    widest = max(x for points in some.values() for x, _ in points) or 1
    highest = max(y for points in some.values() for _, y in points) * 1.1 or 1
    width = WIDTH - left - RIGHT
    parts = [
        f'<text class="title" x="12" y="24">{escape(title)}</text>',
        f'<path class="axis" d="M{left} {TOP}V{TOP + height}H{left + width}"/>',
        (
            f'<text x="{left + width}" y="{TOP + height + 34}" text-anchor="end">'
            f"{escape(across)}</text>"
        ),
        f'<text x="{left - 6}" y="{TOP - 6}" text-anchor="end">{escape(up)}</text>',
    ]
    for part in range(5):
        x, y = widest * part / 4, highest * part / 4
        parts.append(
            f'<text x="{left + width * part / 4:.1f}" y="{TOP + height + 17}" '
            f'text-anchor="middle">{_format_number(x)}</text>'
        )
        parts.append(
            f'<text x="{left - 6}" y="{TOP + height - height * part / 4 + 4:.1f}" '
            f'text-anchor="end">{_format_number(y)}</text>'
        )
    for name, points in some.items():
        place = [
            (left + width * x / widest, TOP + height - height * y / highest) for x, y in points
        ]
        colour = COLOURS.get(name, OTHER)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in place)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(
            f'<text x="{place[-1][0] + 6:.1f}" y="{place[-1][1] + 4:.1f}">{escape(name)}</text>'
        )
    return _wrap_svg(TOP + height + 46, parts)


def _format_number(value: float) -> str:
    """Format with three significant digits and commas for thousands."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _wrap_svg(height: float, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img">'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )
