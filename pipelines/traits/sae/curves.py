"""Training curves as one SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

SHOWN = {
    "fvu": "Unexplained variance (FVU)",
    "l0": "Active latents of an activation (L0)",
    "dead_fraction": "Dead latents, share",
    "dense_fraction": "Dense latents, share",
    "loss": "Loss",
    "loss_recovered": "Model loss recovered",
}
"""Metrics that are drawn, where they were measured, and their titles."""
WIDTH, HEIGHT, LEFT, TOP, GAP = 320, 150, 60, 34, 46
"""px of one panel and around it."""


def draw_curves(lines: Sequence[dict[str, Any]]) -> str:
    """An SVG with a panel for each metric, two side by side, over the steps."""
    names = [name for name in SHOWN if any(line.get(name) is not None for line in lines)]
    panels = [_panel(name, lines, index) for index, name in enumerate(names)]
    rows = (len(names) + 1) // 2
    width, height = 2 * (WIDTH + LEFT + 20), max(rows, 1) * (HEIGHT + GAP + TOP)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11" role="img"><title>Training curves</title>'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
    )
    return head + "".join(panels) + "</svg>\n"


def _panel(name: str, lines: Sequence[dict[str, Any]], index: int) -> str:
    points = [(line["step"], line[name]) for line in lines if line.get(name) is not None]
    low, high = min(value for _, value in points), max(value for _, value in points)
    if high == low:
        low, high = low - 0.5, high + 0.5
    last = max(step for step, _ in points)
    left = LEFT + (index % 2) * (WIDTH + LEFT + 20)
    top = TOP + (index // 2) * (HEIGHT + GAP + TOP)

    def at(step: float, value: float) -> str:
        return f"{left + WIDTH * step / last:.1f},{top + HEIGHT * (high - value) / (high - low):.1f}"

    grid = "".join(
        f'<line x1="{left}" x2="{left + WIDTH}" y1="{top + HEIGHT * share:.1f}" y2="{top + HEIGHT * share:.1f}" '
        f'stroke="#ddd"/><text x="{left - 6}" y="{top + HEIGHT * share + 4:.1f}" text-anchor="end">'
        f"{high - share * (high - low):.4g}</text>"
        for share in (0.0, 0.5, 1.0)
    )
    curve = " ".join(at(step, value) for step, value in points)
    end_x, end_y = at(*points[-1]).split(",")
    return (
        f'<text x="{left}" y="{top - 10}" font-size="13" font-weight="bold">{escape(SHOWN[name])}</text>{grid}'
        f'<polyline points="{curve}" fill="none" stroke="#1f6f8b" stroke-width="1.5"/>'
        f'<circle cx="{end_x}" cy="{end_y}" r="2.5" fill="#1f6f8b"/>'
        f'<text x="{left + WIDTH}" y="{top + HEIGHT + 16}" text-anchor="end">step {last}</text>'
    )
