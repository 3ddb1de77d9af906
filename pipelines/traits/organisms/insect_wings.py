"""Wings of insects: outline, veins, and the marks on them.

A wing is drawn in a frame of its own: hinge at the origin, tip at (1, 0), leading edge towards negative y, chord 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipelines.traits.organisms.canvas import Colour, Surface
from pipelines.traits.organisms.painter import Sitter, darker, mixed
from pipelines.traits.organisms.shapes import Points, ellipse, mirrored, placed, spline, stroke, wobbly

WING_COLOURS: dict[str, Colour] = {
    "cream": (0.90, 0.85, 0.68),
    "orange": (0.86, 0.48, 0.14),
    "blue": (0.36, 0.50, 0.80),
    "brown": (0.47, 0.34, 0.23),
    "red": (0.70, 0.17, 0.12),
}
OUTLINES: dict[str, list[list[float]]] = {
    "triangle": [[0, -0.10], [0.45, -0.34], [0.92, -0.48], [1.02, -0.38],
                 [0.92, 0.05], [0.78, 0.42], [0.45, 0.40], [0.12, 0.16]],
    "round": [[0, -0.12], [0.4, -0.34], [0.8, -0.36], [1.0, -0.08],
              [0.96, 0.26], [0.7, 0.48], [0.35, 0.42], [0.06, 0.14]],
    "blade": [[0, -0.08], [0.3, -0.36], [0.7, -0.42], [0.95, -0.24], [1.0, 0.02],
              [0.86, 0.34], [0.5, 0.50], [0.2, 0.28], [0.03, 0.1]],
    "narrow": [[0, -0.15], [0.4, -0.36], [0.8, -0.42], [0.97, -0.2], [0.98, 0.15],
               [0.8, 0.46], [0.45, 0.5], [0.15, 0.3], [0.02, 0.1]],
    "case": [[0, 0.0], [0.5, 0.0], [1.0, -0.05], [0.93, -0.45],
             [0.7, -0.84], [0.4, -1.0], [0.14, -0.93], [0.0, -0.72]],
}  # fmt: skip


@dataclass(frozen=True)
class WingPlan:
    """One pair of wings.

    Attributes:
        part: name of its mask.
        hinge: of the right wing.
        span, chord: in body lengths.
        angle: of the right wing from pointing right, clockwise, in radians.
        form: key of :data:`OUTLINES`.
        opacity: below 0.9 the wing is clear.
        scaled: covered with coloured scales.
    """

    part: str
    hinge: tuple[float, float]
    span: float
    chord: float
    angle: float
    form: str
    opacity: float
    scaled: bool

    def pair(self, points: Points) -> list[Points]:
        """Points of the wing's own frame on the right and on the left wing."""
        right = placed(points * np.array([self.span, self.chord]), self.hinge, angle=self.angle)
        return [right, mirrored(right)]


def draw_wings(sitter: Sitter, plans: list[WingPlan]) -> None:
    """Draw pairs of wings, the first at the bottom, each a little apart from the other by chance."""
    for plan in plans:
        outline = spline(OUTLINES[plan.form], closed=True)
        colour = _colour(sitter, plan)
        if plan.part == "hindwings" and sitter.has("wing_tails") == "present":
            tail = stroke(
                spline([[0.66, 0.25], [0.84, 0.55], [0.95, 0.80], [1.12, 1.0]]), [0.34, 0.16, 0.10, 0.12, 0.03]
            )
            sitter.canvas.paint("wing_tails", plan.pair(tail), Surface(darker(colour, 0.25), opacity=plan.opacity))
        look = Surface(
            colour, opacity=plan.opacity, edge=0.25, texture=_texture(plan), grain=0.10 if plan.scaled else 0.08,
            relief=0.9 if plan.form == "case" else 0.12, gloss=0.45 if plan.form == "case" else 0.0, pitch=0.4,
        )  # fmt: skip
        sitter.canvas.paint(plan.part, plan.pair(outline), look)
        if plan.form == "case":
            seam = stroke([[0.0, 0.0], [1.0, 0.0]], 0.03)
            sitter.canvas.paint(plan.part, plan.pair(seam)[:1], Surface(darker(colour, 0.6)), on=plan.part)
        else:
            _veins(sitter, plan, outline, colour)
        if plan.scaled:
            _margin(sitter, plan, outline, colour)
        _marks(sitter, plan, colour)


def _colour(sitter: Sitter, plan: WingPlan) -> Colour:
    own = WING_COLOURS[sitter.has("wing_colour")]
    if plan.form == "case":
        return sitter.tint(darker(own, 0.12))
    if plan.scaled:
        return sitter.tint(darker(own, 0.08 if plan.part == "forewings" else -0.12))
    return sitter.tint(mixed((0.62, 0.60, 0.55), own, 0.35))


def _texture(plan: WingPlan) -> str:
    return "striae" if plan.form == "case" else "cloud" if plan.scaled else "mesh"


def _veins(sitter: Sitter, plan: WingPlan, outline: Points, colour: Colour) -> None:
    """Veins from the hinge to the outer edge, in clear wings also across."""
    hinge = np.array([0.03, 0.0])
    targets = outline[(np.linspace(0.16, 0.82, 7) * len(outline)).astype(int)]
    paths = []
    for target in targets:
        way = hinge + (target - hinge) * np.array([[0], [0.35], [0.7], [1.0]])
        way[1:3, 1] *= np.array([0.55, 0.85])
        paths.append(spline(way, steps=4))
    wide = 0.022 if plan.scaled else 0.03
    strokes = [stroke(path, [wide, wide * 0.5]) for path in paths]
    if not plan.scaled:
        for share in (0.5, 0.68):
            ends = [path[int(share * (len(path) - 1))] for path in paths]
            strokes += [stroke([a, (a + b) / 2, b], wide * 0.55) for a, b in pairwise(ends[1:])]
        strokes.append(stroke(outline[: len(outline) // 2], wide * 1.3))
    both = [piece for each in strokes for piece in plan.pair(each)]
    hue = darker(colour, 0.45 if plan.scaled else 0.68)
    sitter.canvas.paint(plan.part, both, Surface(hue, opacity=0.5 if plan.scaled else 0.85), on=plan.part)


def _margin(sitter: Sitter, plan: WingPlan, outline: Points, colour: Colour) -> None:
    """A dark outer border with a pale fringe."""
    outer = outline[int(0.22 * len(outline)) : int(0.82 * len(outline))]
    shade = Surface(darker(colour, 0.55), opacity=0.8, texture="cloud", grain=0.1)
    sitter.canvas.paint(plan.part, plan.pair(stroke(outer, [0.05, 0.13, 0.12, 0.05])), shade, on=plan.part)
    sitter.canvas.paint(
        plan.part, plan.pair(stroke(outer, 0.022)), Surface((0.85, 0.8, 0.7), opacity=0.6), on=plan.part
    )


def _marks(sitter: Sitter, plan: WingPlan, colour: Colour) -> None:
    """Bands and spots, on the forewings; a moth's eye spots are on both pairs."""
    contrast: Colour = (0.10, 0.08, 0.08) if sum(colour) > 0.75 else (0.92, 0.80, 0.45)
    hue, canvas, on = sitter.tint(contrast), sitter.canvas, plan.part
    case = plan.form == "case"
    if sitter.has("wing_band") == "present" and plan.part == "forewings":
        place = 0.46 if case else 0.52
        bow = spline([[place, -1.2], [place + 0.05, -0.4], [place - 0.04, 0.1], [place + 0.02, 0.8]])
        canvas.paint(
            "wing_band", plan.pair(stroke(bow, 0.16 if case else 0.13)),
            Surface(hue, opacity=0.9, texture="cloud", grain=0.08, relief=0.25 if case else 0.0), on=on,
        )  # fmt: skip
    spots = {"absent": 0, "one": 1, "three": 3}[sitter.has("wing_spots")]
    if not spots or (plan.part == "hindwings" and not plan.scaled):
        return
    centres = _spot_places(plan, spots)
    scale = {"case": 0.11, "triangle": 0.10, "round": 0.12, "blade": 0.075, "narrow": 0.055}[plan.form]
    scale *= 1.0 if spots == 3 else 1.35
    for x, y in centres:
        ring = _round_in_wing(sitter, plan, (x, y), scale * sitter.size(6, 1.0, 0.08))
        canvas.paint("wing_spots", plan.pair(ring), Surface(hue, opacity=0.95, texture="cloud", grain=0.06), on=on)
        if plan.scaled:
            inner = _round_in_wing(sitter, plan, (x, y), scale * 0.55)
            canvas.paint("wing_spots", plan.pair(inner), Surface(sitter.tint((0.93, 0.78, 0.30))), on=on)
            pupil = _round_in_wing(sitter, plan, (x, y), scale * 0.25)
            canvas.paint("wing_spots", plan.pair(pupil), Surface((0.12, 0.14, 0.30)), on=on)


def _spot_places(plan: WingPlan, spots: int) -> list[tuple[float, float]]:
    if plan.form == "case":
        return [(0.52, -0.5)] if spots == 1 else [(0.2, -0.48), (0.52, -0.62), (0.8, -0.42)]
    if plan.form == "narrow":
        return [(0.86, -0.28)] if spots == 1 else [(0.5, -0.1), (0.7, -0.1), (0.88, -0.2)]
    return [(0.70, -0.06)] if spots == 1 else [(0.74, -0.26), (0.68, 0.02), (0.62, 0.26)]


def _round_in_wing(sitter: Sitter, plan: WingPlan, centre: tuple[float, float], radius: float) -> Points:
    """A spot that is round in body lengths; ``radius`` is a share of the wing's geometric mean size."""
    size = radius * math.sqrt(plan.span * plan.chord * 2)
    return ellipse(centre, (size / plan.span, size / plan.chord), wobble=wobbly(sitter.rng, 0.06))
