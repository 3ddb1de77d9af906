"""Fish from the side, head to the left, about one unit from snout to tail."""

from __future__ import annotations

import numpy as np

from pipelines.traits.organisms.canvas import Colour, Surface
from pipelines.traits.organisms.painter import Sitter, darker, mixed
from pipelines.traits.organisms.shapes import Points, ellipse, spline, stroke, wobbly

BODY_COLOURS: dict[str, tuple[Colour, Colour]] = {
    "silver": ((0.45, 0.50, 0.55), (0.90, 0.91, 0.90)),
    "olive": ((0.30, 0.31, 0.14), (0.78, 0.74, 0.52)),
    "blue": ((0.10, 0.22, 0.45), (0.66, 0.77, 0.86)),
    "gold": ((0.55, 0.36, 0.08), (0.93, 0.80, 0.45)),
    "rose": ((0.52, 0.22, 0.20), (0.93, 0.74, 0.66)),
}
"""Back and belly."""
FIN_COLOURS: dict[str, Colour] = {"clear": (0.72, 0.72, 0.66), "red": (0.78, 0.20, 0.12), "yellow": (0.90, 0.74, 0.14)}

ALONG = np.array([-0.46, -0.38, -0.26, -0.10, 0.08, 0.22, 0.32, 0.36])
"""Where the outline's control points lie from snout to the tail's root."""
UPPER = np.array([0.02, 0.42, 0.80, 1.0, 0.86, 0.52, 0.26, 0.24])
LOWER = np.array([0.02, 0.38, 0.78, 1.0, 0.92, 0.52, 0.25, 0.24])
"""Heights over and under the axis there, as shares of the greatest."""


def draw_fish(sitter: Sitter) -> None:
    """Draw an individual of one of the builds ``deep`` and ``slender``."""
    deep = sitter.species.build == "deep"
    depth = sitter.size(0, 0.23, 0.02) if deep else sitter.size(0, 0.125, 0.012)
    upper, lower = depth * sitter.size(1, 1.0, 0.06) * UPPER, depth * sitter.size(2, 0.92, 0.06) * LOWER
    bow = 0.02 * sitter.rng.normal() * np.sin(np.pi * (ALONG - ALONG[0]) / np.ptp(ALONG))
    back = spline(np.column_stack([ALONG, bow - upper]))
    belly = spline(np.column_stack([ALONG, bow + lower]))
    back_hue, belly_hue = (sitter.tint(hue) for hue in BODY_COLOURS[sitter.has("body_colour")])
    fin = sitter.tint(mixed(FIN_COLOURS[sitter.has("fin_colour")], back_hue, 0.15))
    _tail(sitter, depth, fin)
    _upper_fins(sitter, back, depth, fin)
    _lower_fins(sitter, belly, depth, fin)
    _trunk(sitter, back, belly, depth, back_hue, belly_hue)
    _flank(sitter, depth, back_hue)
    _face(sitter, depth, back_hue, belly_hue)
    _pectoral(sitter, depth, fin)


def _fin(sitter: Sitter, part: str, outline: Points, colour: Colour, roots: Points, tips: Points) -> None:
    """A clear fin with rays from its root to its edge."""
    canvas = sitter.canvas
    canvas.paint(part, outline, Surface(colour, opacity=0.80, edge=0.25, texture="fibre", grain=0.06))
    many = min(len(roots), len(tips))
    rays = [stroke(np.linspace(a, b, 3), [0.007, 0.004]) for a, b in zip(roots[:many], tips[:many], strict=True)]
    canvas.paint(part, rays, Surface(darker(colour, 0.45), opacity=0.7), on=part)


def _spread(path: Points, many: int) -> Points:
    return np.asarray(path[np.linspace(0, len(path) - 1, many).astype(int)])


def _tail(sitter: Sitter, depth: float, colour: Colour) -> None:
    form = sitter.has("tail_form")
    high = max(depth * sitter.size(3, 0.95, 0.08), 0.13)
    long = sitter.size(4, 0.17, 0.015)
    root = np.array([[0.34, -0.22 * depth], [0.34, 0.22 * depth]])
    notch = {"rounded": 1.12, "forked": 0.42, "lunate": 0.62}[form]
    corner = {"rounded": 0.72, "forked": 1.10, "lunate": 1.25}[form]
    reach = {"rounded": 0.80, "forked": 1.0, "lunate": 1.25}[form]
    edge = [[0.34 + corner * long, -high * reach], [0.34 + (notch + 0.25 * (corner - notch)) * long, -0.45 * high],
            [0.34 + notch * long, 0.0], [0.34 + (notch + 0.25 * (corner - notch)) * long, 0.45 * high],
            [0.34 + corner * long, high * reach]]  # fmt: skip
    trailing = spline(edge)
    outline = np.vstack(
        [spline([root[0], [0.38, -0.45 * depth], edge[0]]), trailing, spline([edge[-1], [0.38, 0.45 * depth], root[1]])]
    )
    _fin(sitter, "tail", outline, colour, np.linspace(root[0], root[1], 15), _spread(trailing, 15))


def _upper_fins(sitter: Sitter, back: Points, depth: float, colour: Colour) -> None:
    two = sitter.has("dorsal_fins") == "two"
    high = depth * sitter.size(5, 0.62, 0.06) + 0.03
    spans = [(0.30, 0.50, high), (0.56, 0.80, 0.85 * high)] if two else [(0.34, 0.80, high)]
    for start, end, reach in spans:
        low, top = int(start * len(back)), int(end * len(back))
        base = back[low:top] + np.array([0.0, 0.012])
        share = np.linspace(0, 1, len(base))
        rise = reach * (0.25 + 0.75 * np.sin(np.pi * np.clip(share * 0.75 + 0.18, 0, 1)))
        edge = base - np.column_stack([np.full(len(base), -0.05), rise])
        if start < 0.4:  # a spiny front
            edge[:, 1] -= 0.012 * np.cos(np.arange(len(base)) * 2.1) * (share < 0.6)
        _fin(sitter, "dorsal_fin", np.vstack([base, edge[::-1]]), colour, _spread(base, 14), _spread(edge, 14))


def _lower_fins(sitter: Sitter, belly: Points, depth: float, colour: Colour) -> None:
    for part, start, end, reach in (("pelvic_fin", 0.38, 0.47, 0.75 * depth), ("anal_fin", 0.62, 0.82, 0.62 * depth)):
        low, top = int(start * len(belly)), int(end * len(belly))
        base = belly[low:top] - np.array([0.0, 0.012])
        share = np.linspace(0, 1, len(base))
        drop = (reach + 0.03) * (0.35 + 0.65 * np.sin(np.pi * np.clip(share * 0.8 + 0.15, 0, 1)))
        edge = base + np.column_stack([np.full(len(base), 0.07), drop])
        _fin(sitter, part, np.vstack([base, edge[::-1]]), colour, _spread(base, 9), _spread(edge, 9))


def _trunk(sitter: Sitter, back: Points, belly: Points, depth: float, top: Colour, low: Colour) -> None:
    canvas = sitter.canvas
    outline = np.vstack([back, belly[::-1]])
    fade = (low, (0.0, -0.75 * depth), (0.0, 0.7 * depth))
    look = Surface(top, fade=fade, relief=0.45, edge=0.2, texture="scales", grain=0.09, pitch=0.42)
    canvas.paint("body", outline, look)
    line = spline([[-0.24, -0.25 * depth], [-0.05, -0.28 * depth], [0.15, -0.06 * depth], [0.35, 0.0]])
    canvas.paint("body", stroke(line, 0.006), Surface(darker(top, 0.3), opacity=0.5), on="body")


def _flank(sitter: Sitter, depth: float, back: Colour) -> None:
    """Bars, stripes or spots on the side, and an eye spot at the tail's root."""
    canvas, rng, form = sitter.canvas, sitter.rng, sitter.has("flank")
    shapes: list[Points] = []
    if form == "bars":
        for x in np.linspace(-0.16, 0.28, 5):
            shift = x + 0.008 * rng.normal()
            way = spline([[shift - 0.01, -1.1 * depth], [shift, 0.0], [shift - 0.015, 0.75 * depth]])
            shapes.append(stroke(way, [0.050, 0.046, 0.012]))
    elif form == "stripes":
        for share in (-0.5, -0.15, 0.2):
            bow = [
                [-0.24, share * depth],
                [0.0, share * depth * 1.15],
                [0.2, share * depth * 0.8],
                [0.34, share * depth * 0.4],
            ]
            shapes.append(stroke(spline(bow), [0.018, 0.024, 0.016]))
    elif form == "spots":
        for _ in range(26):
            x = rng.uniform(-0.22, 0.30)
            y = rng.uniform(-0.75, 0.35) * depth * (1 - 1.6 * max(x - 0.02, 0))
            shapes.append(ellipse((x, y), (0.013, 0.013), wobble=wobbly(rng, 0.12)))
    dark = sitter.tint(darker(mixed(back, (0.05, 0.05, 0.08), 0.6), 0.2))
    if shapes:
        look = Surface(dark, opacity=0.88, texture="scales", grain=0.08, pitch=0.42)
        canvas.paint("flank_marks", shapes, look, on="body")
    if sitter.has("tail_spot") == "present":
        for radius, hue in ((0.040, (0.93, 0.86, 0.62)), (0.028, (0.06, 0.06, 0.09))):
            spot = ellipse((0.29, 0.0), (radius, min(radius, 0.34 * depth + 0.006)))
            canvas.paint("tail_spot", spot, Surface(hue, opacity=0.95), on="body")


def _face(sitter: Sitter, depth: float, back: Colour, belly: Colour) -> None:
    canvas = sitter.canvas
    cover = spline([[-0.27, -0.62 * depth], [-0.225, -0.2 * depth], [-0.235, 0.25 * depth], [-0.29, 0.62 * depth]])
    front = np.vstack([cover, [[-0.6, 0.7 * depth], [-0.6, -0.7 * depth]]])
    fade = (belly, (0.0, -0.6 * depth), (0.0, 0.6 * depth))
    canvas.paint(
        "head", front, Surface(darker(back, 0.05), fade=fade, texture="grain", grain=0.04, opacity=0.85), on="body"
    )
    canvas.paint("head", stroke(cover, [0.005, 0.013, 0.006]), Surface(darker(back, 0.45), opacity=0.8), on="body")
    eye = np.array([-0.355, -0.16 * depth])
    if sitter.has("mask") == "present":
        bar = spline([[-0.40, -1.0 * depth], [eye[0], eye[1]], [-0.335, 0.9 * depth]])
        canvas.paint("mask", stroke(bar, [0.035, 0.055, 0.04]), Surface((0.08, 0.08, 0.10), opacity=0.9), on="head")
    round_eye = sitter.size(6, 0.033, 0.003)
    canvas.paint("eye", ellipse(eye, (round_eye, round_eye)), Surface((0.88, 0.80, 0.45), edge=0.5))
    canvas.paint("eye", ellipse(eye, (round_eye * 0.6, round_eye * 0.6)), Surface((0.04, 0.04, 0.05)), on="eye")
    canvas.paint(
        "eye", ellipse(eye - 0.2 * round_eye, (0.15 * round_eye, 0.15 * round_eye)), Surface((1, 1, 1)), on="eye"
    )
    mouth = spline([[-0.458, 0.10 * depth], [-0.42, 0.20 * depth], [-0.395, 0.24 * depth]])
    canvas.paint("head", stroke(mouth, [0.009, 0.004]), Surface(darker(back, 0.6)), on="head")
    if sitter.has("barbels") == "present":
        ways = [
            [[-0.44, 0.16 * depth], [-0.47, 0.16 * depth + 0.05], [-0.46 + s, 0.16 * depth + 0.12]]
            for s in (-0.03, 0.02, 0.06)
        ]
        canvas.paint(
            "barbels", [stroke(spline(way), [0.010, 0.004]) for way in ways], Surface(darker(back, 0.1), edge=0.2)
        )


def _pectoral(sitter: Sitter, depth: float, colour: Colour) -> None:
    long = sitter.size(7, 0.12, 0.012)
    lean = 0.35 + 0.2 * sitter.rng.normal()
    root = np.array([[-0.222, 0.22 * depth], [-0.222, 0.40 * depth]])
    turn = np.linspace(lean - 0.45, lean + 0.5, 9)
    tips = root.mean(axis=0) + long * np.column_stack([np.cos(turn), np.sin(turn)])
    outline = np.vstack([root[:1], spline(tips), root[1:]])
    _fin(sitter, "pectoral_fin", outline, darker(colour, 0.1), np.linspace(root[0], root[1], 9), tips)
