"""Drawings of the gallery as SVG: histograms, curves and the map of images. Text and colours are the page's own.

The categories are those of Okabe and Ito, "Color Universal Design" (2008), jfly.uni-koeln.de/color; on the map each
also has a shape of its own, so that nothing is said by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#7a5c99", "#8c8c2b")
OTHER = "#9a9a9a"
_SHAPES = ("circle", "square", "triangle", "diamond")
_NAME = 190
_ROW = 26


@dataclass(frozen=True, slots=True)
class Row:
    """One taxon in a histogram: how many of its specimens have no activation, and how many in each bin."""

    name: str
    none: int
    counts: Sequence[int]
    marked: bool = False

    @property
    def specimens(self) -> int:
        """All specimens of the taxon."""
        return self.none + sum(self.counts)


def draw_histogram(rows: Sequence[Row], edges: Sequence[float], label: str) -> Markup:
    """How strongly a latent fires in the images of each taxon: one row a taxon, bars as shares of its specimens.

    Args:
        edges: of the bins, one more than there are bins.
    """
    bins = max(len(edges) - 1, 1)
    wide = 420
    step = wide / bins
    height = len(rows) * _ROW + 34
    parts = [_open("histogram", _NAME + 70 + wide + 50, height, label)]
    for place, row in enumerate(rows):
        base = (place + 1) * _ROW
        parts.append(_text(_NAME - 8, base - 5, _short(row.name, 28), "end", "name" if row.marked else "note"))
        total = max(row.specimens, 1)
        parts.append(_share(_NAME, base, 44, row.none / total, f"{row.none} of {row.specimens} do not fire", "none"))
        for number, count in enumerate(row.counts):
            said = f"{count} of {row.specimens} between {edges[number]:.3g} and {edges[number + 1]:.3g}"
            place_x = _NAME + 60 + number * step
            parts.append(_share(place_x, base, step - 1.5, count / total, said, "marked" if row.marked else "fires"))
        parts.append(_line(_NAME, base, _NAME + 60 + wide, base))
        parts.append(_text(_NAME + 68 + wide, base - 5, f"{row.specimens:,}", "start", "axis"))
    foot = len(rows) * _ROW + 16
    parts.append(_text(_NAME + 22, foot, "none", "middle", "axis"))
    for number in range(0, bins + 1, max(bins // 4, 1)):
        parts.append(_text(_NAME + 60 + number * step, foot, f"{edges[number]:.2g}", "middle", "axis"))
    parts.append(_text(_NAME + 60 + wide / 2, foot + 15, "strongest activation in the image", "middle", "axis"))
    return _closed(parts)


def draw_curves(name: str, steps: Sequence[float], values: Sequence[float], *, log: bool = False) -> Markup:
    """One curve of the training over its steps; values that are not finite are left out."""
    kept = [(x, y) for x, y in zip(steps, values, strict=True) if math.isfinite(y) and (not log or y > 0)]
    wide, high, left, top = 300, 130, 54, 10
    parts = [_open("curve", left + wide + 12, top + high + 26, f"{name} over the steps of the training")]
    if kept:
        xs = [x for x, _ in kept]
        ys = [math.log10(y) if log else y for _, y in kept]
        low, most = _range(ys, log)
        first, last = min(xs), max(max(xs), min(xs) + 1)
        points = " ".join(
            f"{left + wide * (x - first) / (last - first):.1f},{top + high - high * (y - low) / (most - low):.1f}"
            for x, y in zip(xs, ys, strict=True)
        )
        for part in (0.0, 0.5, 1.0):
            value = low + (most - low) * part
            at = top + high - high * part
            parts.append(_line(left, at, left + wide, at))
            parts.append(_text(left - 7, at + 4, f"{10**value if log else value:.3g}", "end", "axis"))
        parts.append(f'<polyline class="line" points="{points}"/>')
        parts.append(_text(left, top + high + 18, f"{first:,.0f}", "start", "axis"))
        parts.append(_text(left + wide, top + high + 18, f"{last:,.0f} steps", "end", "axis"))
    return _closed(parts)


def draw_map(points: NDArray[np.floating], groups: Sequence[str], titles: Sequence[str]) -> Markup:
    """Images on a plane, one mark each, with the shape and colour of its group.

    Args:
        points: (n, 2).
        groups: what each belongs to; the most frequent have a colour of their own.
        titles: what is said of each when it is pointed at.
    """
    wide, high = 640, 420
    looks = looks_of(groups)
    parts = [_open("map", wide, high, "Map of the images: those that fire alike lie together")]
    if len(points):
        low, most = points.min(0), points.max(0)
        span = np.maximum(most - low, 1e-9)
        places = (points - low) / span * [wide - 40, high - 40] + 20
        for (x, y), group, title in zip(places, groups, titles, strict=True):
            colour, shape = looks.get(group, (OTHER, "circle"))
            parts.append(_mark(x, high - y, colour, shape, title))
    return _closed(parts)


def draw_key(colour: str, shape: str) -> Markup:
    """The mark of a group, for the key of the map."""
    return Markup('<svg class="key" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">') + Markup(
        _mark(7, 7, colour, shape, "") + "</svg>"
    )


def looks_of(groups: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Colour and shape of the most frequent groups; the others look alike."""
    frequency: dict[str, int] = {}
    for group in groups:
        frequency[group] = frequency.get(group, 0) + 1
    most = sorted(frequency, key=lambda group: (-frequency[group], group))[: len(CATEGORIES) * 2]
    return {
        group: (CATEGORIES[number % len(CATEGORIES)], _SHAPES[(number + number // len(CATEGORIES)) % len(_SHAPES)])
        for number, group in enumerate(most)
    }


def _range(values: Sequence[float], log: bool) -> tuple[float, float]:
    low, most = min(values), max(values)
    if not log and low > 0 and low < 0.5 * most:
        low = 0.0
    return (low, most) if most > low else (low - 0.5, low + 0.5)


def _open(kind: str, width: float, height: float, label: str) -> str:
    return f'<svg class="{kind}" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'


def _closed(parts: Sequence[str]) -> Markup:
    return Markup("".join(parts) + "</svg>")


def _text(x: float, y: float, text: str, anchor: str, look: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{look}">{escape(text)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line class="grid" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _share(x: float, base: float, width: float, share: float, said: str, look: str) -> str:
    if share <= 0:
        return ""
    high = max(share * (_ROW - 5), 1.0)
    return (
        f'<rect class="{look}" x="{x:.1f}" y="{base - high:.1f}" width="{width:.1f}" height="{high:.1f}">'
        f"<title>{escape(said)}</title></rect>"
    )


def _mark(x: float, y: float, colour: str, shape: str, title: str) -> str:
    said = f"<title>{escape(title)}</title>" if title else ""
    look = f'fill="{colour}" class="mark"'
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {look}>{said}</circle>'
    drawn = {
        "square": f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8z",
        "triangle": f"M{x:.1f} {y - 5:.1f}l5 9h-10z",
        "diamond": f"M{x:.1f} {y - 5.5:.1f}l5.5 5.5l-5.5 5.5l-5.5-5.5z",
    }[shape]
    return f'<path d="{drawn}" {look}>{said}</path>'


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
