"""Leaves from above: tip up, stalk down, the blade about one unit long."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from pipelines.traits.organisms.canvas import Colour, Surface
from pipelines.traits.organisms.painter import Sitter, darker, mixed
from pipelines.traits.organisms.shapes import Points, ellipse, normals, spline, stroke, wobbly

LEAF_COLOURS: dict[str, Colour] = {
    "green": (0.28, 0.47, 0.16),
    "dark": (0.13, 0.30, 0.13),
    "yellowish": (0.52, 0.56, 0.18),
    "bluish": (0.26, 0.43, 0.36),
}
WIDTHS: dict[str, list[float]] = {
    "lance": [0.06, 0.55, 0.90, 1.0, 0.86, 0.55, 0.22, 0.0],
    "oval": [0.08, 0.70, 0.98, 1.0, 0.90, 0.70, 0.38, 0.0],
    "round": [0.18, 0.98, 1.06, 0.98, 0.84, 0.63, 0.34, 0.0],
}
"""Half widths from the base to the tip, as shares of the greatest."""
BLADE = 0.86
"""Length of the blade; its base lies at y = 0.38."""


def draw_leaf(sitter: Sitter) -> None:
    """Draw a leaf of one of the builds ``round``, ``lance``, ``oval``."""
    build = sitter.species.build
    wide = {
        "lance": sitter.size(0, 0.14, 0.02),
        "oval": sitter.size(0, 0.25, 0.03),
        "round": sitter.size(0, 0.36, 0.03),
    }[build]
    sway = sitter.size(1, 0.0, 0.02) + 0.02 * sitter.rng.normal()
    t = np.linspace(0, 1, 120)
    axis = np.column_stack([sway * np.sin(math.pi * t), 0.38 - BLADE * t])
    knots = WIDTHS[build]
    half = wide * np.interp(
        t, np.linspace(0, 1, 8 * (len(knots) - 1) + 1), spline(np.column_stack([np.arange(8), knots]))[:, 1]
    )
    half = np.maximum(half, 0)
    if sitter.has("margin") == "lobed":
        lobes = {"lance": 9, "oval": 6, "round": 5}[build]
        half = half * (0.56 + 0.50 * np.abs(np.sin(math.pi * (lobes * t + 0.15))) ** 0.8)
    colour = sitter.tint(LEAF_COLOURS[sitter.has("leaf_colour")], 0.025)
    _petiole(sitter, axis)
    right, left = axis - normals(axis) * half[:, None], axis + normals(axis) * half[:, None]
    if sitter.has("margin") == "toothed":
        _teeth(sitter, right, left, colour)
    _blade(sitter, right, left, colour)
    _spots(sitter, axis, half, colour)
    _veins(sitter, axis, half, colour)
    if sitter.has("hairs") == "hairy":
        _hairs(sitter, right, left)


def _petiole(sitter: Sitter, axis: Points) -> None:
    hue = sitter.tint((0.58, 0.16, 0.16) if sitter.has("petiole_colour") == "red" else (0.42, 0.50, 0.20))
    long = sitter.size(2, 0.17, 0.03)
    base = axis[2]
    bend = 0.03 * sitter.rng.normal()
    path = spline(base + np.array([[0, 0], [0.01, 0.45 * long], [0.01 + bend, long]]))
    sitter.canvas.paint("petiole", stroke(path, [0.026, 0.020, 0.030]), Surface(hue, relief=0.6, edge=0.25))


def _teeth(sitter: Sitter, right: Points, left: Points, colour: Colour) -> None:
    many = round(sitter.size(3, 20, 3))
    deep = sitter.size(4, 0.030, 0.005)
    outlines = []
    for side, sign in ((right, -1.0), (left, 1.0)):
        out = normals(side) * sign
        stops = np.linspace(8, len(side) - 6, many + 1).astype(int)
        for start, end in pairwise(stops):
            lean = side[end] + out[end] * deep * sitter.rng.uniform(0.7, 1.2)
            inner = side[(start + end) // 2] - out[end] * 0.02
            outlines.append(np.array([side[start], lean, side[end] - out[end] * 0.004, inner]))
    sitter.canvas.paint("teeth", outlines, Surface(darker(colour, 0.04), edge=0.15))


def _blade(sitter: Sitter, right: Points, left: Points, colour: Colour) -> None:
    canvas = sitter.canvas
    outline = np.vstack([right, left[::-1]])
    fade = (darker(colour, -0.10), (-0.3, 0.3), (0.3, -0.4))
    canvas.paint(
        "blade", outline, Surface(darker(colour, 0.08), fade=fade, edge=0.15, texture="net", grain=0.07, pitch=0.45)
    )
    folds = [np.vstack([right, (right + left)[::-1] / 2]), np.vstack([left, (right + left)[::-1] / 2])]
    dim, bright = sitter.rng.permutation(2)
    canvas.paint("blade", folds[int(dim)], Surface(darker(colour, 0.5), opacity=0.14), on="blade")
    canvas.paint("blade", folds[int(bright)], Surface(darker(colour, -0.5), opacity=0.10), on="blade")
    cloud = Surface(darker(colour, 0.35), opacity=0.25, texture="cloud", grain=0.5, pitch=0.6)
    canvas.paint("blade", outline, cloud, on="blade")
    if sitter.has("variegation") == "edged":
        cream = sitter.tint((0.88, 0.86, 0.62))
        for side in (right, left):
            ragged = 0.07 + 0.018 * np.convolve(sitter.rng.normal(size=len(side)), np.ones(9) / 3, "same")
            canvas.paint(
                "variegation", stroke(side, np.clip(ragged, 0.03, 0.12)),
                Surface(cream, opacity=0.92, texture="net", grain=0.05, pitch=0.45), on="blade",
            )  # fmt: skip


def _spots(sitter: Sitter, axis: Points, half: Points, colour: Colour) -> None:
    """Blotches of a species' pattern, and lesions, which any leaf may have."""
    canvas, rng = sitter.canvas, sitter.rng
    if sitter.has("blotches") == "present":
        shapes = []
        for place in np.linspace(0.2, 0.78, 5):
            for sign in (-1, 1):
                at = axis[int(place * 119)] + [sign * half[int(place * 119)] * 0.48, 0.01 * rng.normal()]
                big = 0.24 * half[int(place * 119)] + 0.012
                shapes.append(ellipse(at, (big, 0.7 * big), sign * -0.6, wobble=wobbly(rng, 0.15)))
        hue = sitter.tint((0.72, 0.78, 0.70))
        canvas.paint("blotches", shapes, Surface(hue, opacity=0.85, texture="net", grain=0.06, pitch=0.45), on="blade")
    if rng.random() >= LESIONS:
        return
    halo, core = [], []
    for _ in range(int(rng.integers(2, 7))):
        place = int(rng.uniform(0.12, 0.85) * 119)
        at = axis[place] + [rng.uniform(-0.8, 0.8) * half[place], 0.0]
        big = rng.uniform(0.015, 0.04)
        form = wobbly(rng, 0.22)
        halo.append(ellipse(at, (1.5 * big, 1.5 * big), wobble=form))
        core.append(ellipse(at, (big, big), wobble=form))
    canvas.paint("lesions", halo, Surface(mixed(colour, (0.85, 0.75, 0.2), 0.7), opacity=0.85), on="blade")
    canvas.paint("lesions", core, Surface((0.33, 0.19, 0.09), texture="cloud", grain=0.2, edge=0.3), on="blade")


LESIONS = 0.3
"""Share of leaves with lesions, whatever the species: a state of the individual, not of the taxon."""


def _veins(sitter: Sitter, axis: Points, half: Points, colour: Colour) -> None:
    canvas = sitter.canvas
    red = sitter.has("vein_colour") == "red"
    hue = sitter.tint((0.62, 0.20, 0.18) if red else mixed(colour, (0.90, 0.90, 0.62), 0.55))
    many = 13 if sitter.has("venation") == "many" else 6
    outlines = []
    for place in np.linspace(0.06, 0.84, many):
        for sign in (-1.0, 1.0):
            start = int(place * 119)
            end = min(start + int(119 * 0.17), 118)
            tip = axis[end] + [sign * 0.93 * half[end], 0.0]
            middle = axis[(start + end) // 2] + [sign * 0.52 * half[(start + end) // 2], 0.02]
            outlines.append(stroke(spline([axis[start], middle, tip], steps=5), [0.010, 0.006, 0.003]))
    canvas.paint("veins", outlines, Surface(hue, opacity=0.75), on="blade")
    canvas.paint("midrib", stroke(axis[:116], [0.024, 0.016, 0.006]), Surface(hue, relief=0.4), on="blade")


def _hairs(sitter: Sitter, right: Points, left: Points) -> None:
    """Pale hairs along the margin."""
    rng, outlines = sitter.rng, []
    for side, sign in ((right, -1.0), (left, 1.0)):
        out = normals(side) * sign
        for place in rng.integers(4, len(side) - 4, 70):
            tip = side[place] + out[place] * rng.uniform(0.025, 0.05) + [0.012 * rng.normal(), -0.012]
            outlines.append(stroke(np.linspace(side[place] - 0.01 * out[place], tip, 3), [0.006, 0.003]))
    sitter.canvas.paint("hairs", outlines, Surface((0.80, 0.80, 0.68), opacity=0.95))
