"""Insects from above: head up, body about one unit long, drawn back to front."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.traits.organisms.canvas import Colour, Surface
from pipelines.traits.organisms.insect_wings import WingPlan, draw_wings
from pipelines.traits.organisms.painter import Sitter, darker, mixed
from pipelines.traits.organisms.shapes import Points, body, ellipse, mirrored, spline, stroke

BODY_COLOURS: dict[str, Colour] = {
    "black": (0.13, 0.12, 0.12),
    "brown": (0.36, 0.22, 0.13),
    "green": (0.18, 0.36, 0.16),
    "ochre": (0.62, 0.43, 0.18),
    "blue": (0.14, 0.24, 0.42),
}
EYE_COLOUR: Colour = (0.30, 0.08, 0.07)


@dataclass(frozen=True)
class Plan:
    """Where the body lies: y of its joints from the front, and widths, in body lengths."""

    head: tuple[float, float]
    thorax: tuple[float, float]
    abdomen: tuple[float, float]
    head_width: float
    thorax_width: float
    abdomen_widths: tuple[float, ...]
    leg: float
    antenna: float
    eye: float


def draw_insect(sitter: Sitter) -> None:
    """Draw an individual of one of the builds ``moth``, ``beetle``, ``fly``, ``wasp``, ``damsel``."""
    plan, wings, wings_below = PLANS[sitter.species.build](sitter)
    colour = sitter.tint(BODY_COLOURS[sitter.has("body_colour")])
    _legs(sitter, plan, colour)
    _antennae(sitter, plan, colour)
    if wings_below:
        draw_wings(sitter, wings)
    _abdomen(sitter, plan, colour)
    _head(sitter, plan, colour)
    _thorax(sitter, plan, colour)
    if not wings_below:
        draw_wings(sitter, wings)


def _moth(sitter: Sitter) -> tuple[Plan, list[WingPlan], bool]:
    wide = sitter.size(0, 0.12, 0.02)
    plan = Plan(
        (-0.40, -0.29), (-0.31, -0.07), (-0.09, 0.34), 0.10, wide,
        (0.4 * wide, wide * 0.9, 0.8 * wide, 0.5 * wide, 0.01),
        0.24, sitter.size(1, 0.34, 0.05), 0.035,
    )  # fmt: skip
    span, spread = sitter.size(2, 0.66, 0.06), sitter.size(3, -0.52, 0.10)
    fore = WingPlan("forewings", (0.04, -0.24), span, sitter.size(4, 0.46, 0.05), spread, "triangle", 0.97, True)
    hind = WingPlan(
        "hindwings", (0.04, -0.12), span * 0.74, sitter.size(5, 0.52, 0.05), spread + 1.15, "round", 0.97, True
    )
    return plan, [hind, fore], True


def _beetle(sitter: Sitter) -> tuple[Plan, list[WingPlan], bool]:
    wide = sitter.size(0, 0.46, 0.06)
    plan = Plan(
        (-0.47, -0.33), (-0.38, -0.17), (-0.20, 0.46), wide * 0.52, wide * 0.86,
        (0.8 * wide, wide * 0.9, 0.8 * wide, 0.02),
        0.33, sitter.size(1, 0.26, 0.05), 0.04,
    )  # fmt: skip
    cases = WingPlan("forewings", (0.0, -0.18), 0.66, wide / 2, math.pi / 2, "case", 1.0, False)
    return plan, [cases], False


def _fly(sitter: Sitter) -> tuple[Plan, list[WingPlan], bool]:
    wide = sitter.size(0, 0.27, 0.03)
    plan = Plan(
        (-0.44, -0.27), (-0.30, 0.02), (0.0, 0.42), wide * 0.95, wide,
        (0.6 * wide, wide, 0.95 * wide, 0.6 * wide, 0.02),
        0.36, 0.12, 0.085,
    )  # fmt: skip
    angle = sitter.size(2, 0.95, 0.14) + 0.06 * sitter.rng.normal()
    wing = WingPlan("forewings", (0.08, -0.16), sitter.size(3, 0.62, 0.05), 0.24, angle, "blade", 0.34, False)
    return plan, [wing], True


def _wasp(sitter: Sitter) -> tuple[Plan, list[WingPlan], bool]:
    wide = sitter.size(0, 0.19, 0.02)
    plan = Plan(
        (-0.46, -0.32), (-0.33, -0.08), (-0.08, 0.48), wide * 1.05, wide,
        (0.03, 0.03, wide * 0.9, wide * 1.1, 0.7 * wide, 0.02),
        0.36, sitter.size(1, 0.28, 0.04), 0.05,
    )  # fmt: skip
    angle = sitter.size(2, 0.30, 0.16) + 0.06 * sitter.rng.normal()
    fore = WingPlan("forewings", (0.05, -0.25), sitter.size(3, 0.58, 0.05), 0.19, angle, "blade", 0.36, False)
    hind = WingPlan("hindwings", (0.05, -0.16), 0.40, 0.13, angle + 0.42, "blade", 0.34, False)
    return plan, [hind, fore], True


def _damsel(sitter: Sitter) -> tuple[Plan, list[WingPlan], bool]:
    wide = sitter.size(0, 0.055, 0.01)
    plan = Plan(
        (-0.47, -0.39), (-0.40, -0.22), (-0.24, 0.52), 0.15, 0.11,
        (wide, wide * 0.8, wide * 0.8, wide * 1.1, wide * 0.5),
        0.17, 0.09, 0.055,
    )  # fmt: skip
    lean = sitter.size(2, 0.0, 0.08)
    span, chord = sitter.size(3, 0.60, 0.05), sitter.size(4, 0.125, 0.015)
    fore = WingPlan("forewings", (0.03, -0.33), span, chord, lean - 0.08, "narrow", 0.36, False)
    hind = WingPlan("hindwings", (0.03, -0.26), span * 0.95, chord * 1.15, lean + 0.26, "narrow", 0.36, False)
    return plan, [hind, fore], True


PLANS: dict[str, Callable[[Sitter], tuple[Plan, list[WingPlan], bool]]] = {
    "moth": _moth,
    "beetle": _beetle,
    "fly": _fly,
    "wasp": _wasp,
    "damsel": _damsel,
}


def _legs(sitter: Sitter, plan: Plan, colour: Colour) -> None:
    """Three pairs of jointed legs; now and then one is lost."""
    pale = sitter.has("leg_colour") == "pale"
    hue = sitter.tint((0.80, 0.60, 0.25) if pale else darker(mixed(colour, (0.1, 0.07, 0.05), 0.5), 0.1))
    top, bottom = plan.thorax
    outlines = []
    for side in (1, -1):
        for pair, (start, lean) in enumerate(((0.25, -0.75), (0.55, 0.12), (0.85, 0.85))):
            if sitter.rng.random() < 0.04:
                continue
            outlines += _leg(sitter, plan, side, top + start * (bottom - top), lean, 1 + 0.18 * pair)
    sitter.canvas.paint("legs", outlines, Surface(hue, relief=0.35, edge=0.25))


def _leg(sitter: Sitter, plan: Plan, side: int, y: float, lean: float, longer: float) -> list[Points]:
    long = plan.leg * longer
    angle = lean + 0.12 * sitter.rng.normal()
    bent = math.copysign(0.75, lean if abs(lean) > 0.3 else 1) + 0.2 * sitter.rng.normal()
    joints = [np.array([0.3 * plan.thorax_width, y])]
    for length, turn in ((0.42, angle), (0.36, angle + bent * 0.8), (0.28, angle + bent * 0.5)):
        joints.append(joints[-1] + long * length * np.array([math.cos(turn), math.sin(turn)]))
    thick = 0.045 * (
        1.25 if sitter.species.build == "beetle" else 0.75 if sitter.species.build in ("damsel", "fly") else 0.9
    )
    outlines = [
        stroke(np.linspace(joints[0], joints[1], 5), [thick * 0.9, thick, thick * 0.6]),
        stroke(np.linspace(joints[1], joints[2], 4), [thick * 0.5, thick * 0.62]),
        stroke(spline(joints[2:]), [thick * 0.4, thick * 0.25]),
    ]
    return outlines if side > 0 else [mirrored(outline) for outline in outlines]


def _antennae(sitter: Sitter, plan: Plan, colour: Colour) -> None:
    """Two antennae: thread-like, with a club, or with side branches."""
    form, long = sitter.has("antenna_form"), plan.antenna
    front = plan.head[0] + 0.25 * (plan.head[1] - plan.head[0])
    outlines = []
    for side in (1.0, -1.0):
        out = 0.75 + 0.16 * sitter.rng.normal()
        start = np.array([0.2 * plan.head_width, front])
        way = np.array(
            [start, start + long * np.array([0.34 * out, -0.5]), start + long * np.array([0.95 * out, -0.85])]
        )
        path = spline(way, steps=10)
        thin = 0.013
        if form == "clubbed":
            pieces = [stroke(path, [thin, thin, thin, thin, thin * 1.2, thin * 3.6, thin * 3.4])]
        else:
            pieces = [stroke(path, [thin * 1.5, thin, thin * 0.6])]
        if form == "feathered":
            pieces += _branches(path, 0.17 * long)
        outlines += pieces if side > 0 else [mirrored(piece) for piece in pieces]
    sitter.canvas.paint("antennae", outlines, Surface(darker(mixed(colour, (0.3, 0.2, 0.1), 0.4), 0.2), edge=0.2))


def _branches(path: Points, long: float) -> list[Points]:
    """Side branches of a feathered antenna."""
    found = []
    for place in range(3, len(path) - 1, 2):
        along = path[place] - path[place - 1]
        along = along / np.linalg.norm(along)
        across = np.array([-along[1], along[0]])
        reach = long * math.sin(math.pi * (0.15 + 0.8 * place / len(path)))
        for sign in (1, -1):
            tip = path[place] + reach * (0.8 * sign * across + 0.55 * along)
            found.append(stroke(np.linspace(path[place], tip, 3), [0.010, 0.006]))
    return found


def _abdomen(sitter: Sitter, plan: Plan, colour: Colour) -> None:
    top, bottom = plan.abdomen
    canvas = sitter.canvas
    bend = 0.03 * sitter.rng.normal()
    outline = body((0, top), (0.02 * sitter.rng.normal(), bottom), plan.abdomen_widths, bend=bend)
    fur = "hair" if sitter.has("hairs") == "hairy" else "grain"
    canvas.paint(
        "abdomen", outline, Surface(darker(colour, -0.06), relief=0.8, gloss=0.25, edge=0.25, texture=fur, grain=0.08)
    )
    widest = max(plan.abdomen_widths)
    for ring in np.linspace(0.12, 0.92, 7):
        y = top + ring * (bottom - top)
        arc = [np.array([[-widest, y - 0.012], [0, y + 0.008], [widest, y - 0.012]])]
        canvas.paint(
            "abdomen", [stroke(spline(arc[0]), 0.009)], Surface(darker(colour, 0.5), opacity=0.5), on="abdomen"
        )
    bands = {"absent": 0, "two": 2, "four": 4}[sitter.has("abdomen_bands")]
    if not bands:
        return
    bright = sitter.tint((0.93, 0.76, 0.16))
    start = 0.42 if sitter.species.build == "wasp" else 0.22
    high = 0.5 * (0.9 - start) / bands * (bottom - top) * (0.75 if bands == 2 else 1)
    outlines = []
    for place in np.linspace(start, 0.86, bands * 2 + 1)[1::2]:
        y = top + place * (bottom - top)
        outlines.append(stroke(spline([[-widest, y - 0.01], [0, y + 0.01], [widest, y - 0.01]]), high))
    look = Surface(bright, relief=0.6, gloss=0.2, texture=fur, grain=0.07, opacity=0.95)
    canvas.paint("abdomen_bands", outlines, look, on="abdomen")


def _thorax(sitter: Sitter, plan: Plan, colour: Colour) -> None:
    canvas, wide = sitter.canvas, plan.thorax_width
    top, bottom = plan.thorax
    if sitter.species.build == "beetle":
        half = [[0.36 * wide, top], [0.5 * wide, bottom - 0.05], [0.46 * wide, bottom + 0.01]]
        other = [[-x, y] for x, y in reversed(half)]
        outline = spline([[0, top - 0.01], *half, [0, bottom + 0.02], *other], closed=True)
    else:
        outline = body((0, top), (0, bottom), (0.35 * wide, 0.9 * wide, wide, 0.85 * wide, 0.35 * wide))
    hairy = sitter.has("hairs") == "hairy"
    look = Surface(
        colour, relief=0.9, gloss=0.0 if hairy else 0.4, edge=0.3, texture="hair" if hairy else "grain",
        grain=0.25 if hairy else 0.07, pitch=0.35,
    )  # fmt: skip
    canvas.paint("thorax", outline, look)
    if sitter.has("thorax_stripes") == "present":
        pale = sitter.tint((0.86, 0.80, 0.60))
        stripes = [stroke([[x * wide, top - 0.02], [1.1 * x * wide, (top + bottom) / 2], [x * wide, bottom + 0.02]],
                          0.09 * wide) for x in (-0.24, 0.0, 0.24)]  # fmt: skip
        canvas.paint("thorax_stripes", stripes, Surface(pale, relief=0.5, opacity=0.92), on="thorax")
    if hairy:
        _fringe(sitter, "thorax", outline, darker(colour, -0.35), 0.05)


def _fringe(sitter: Sitter, part: str, outline: Points, colour: Colour, long: float) -> None:
    """Hairs that stand off an outline."""
    middle = outline.mean(axis=0)
    many = 90
    roots = outline[sitter.rng.integers(0, len(outline), many)] * 1.0
    out = roots - middle
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    roots -= out * sitter.rng.uniform(0, 0.5 * long, (many, 1))
    tips = roots + out * long * sitter.rng.uniform(0.5, 1.2, (many, 1)) + sitter.rng.normal(0, 0.25 * long, (many, 2))
    sitter.canvas.lines(part, [np.array(pair) for pair in zip(roots, tips, strict=True)], colour, opacity=0.6)


def _head(sitter: Sitter, plan: Plan, colour: Colour) -> None:
    canvas, wide = sitter.canvas, plan.head_width
    top, bottom = plan.head
    middle = (top + bottom) / 2
    canvas.paint(
        "head", body((0, top), (0, bottom), (0.4 * wide, 0.85 * wide, wide, 0.9 * wide, 0.4 * wide)),
        Surface(darker(colour, 0.12), relief=0.8, gloss=0.3, edge=0.3, texture="grain", grain=0.07),
    )  # fmt: skip
    if sitter.species.build == "beetle":
        jaw = spline(
            [[0.12 * wide, top + 0.03], [0.34 * wide, top - 0.05], [0.05 * wide, top - 0.1], [0.2 * wide, top - 0.03]],
            closed=True,
        )
        canvas.paint("head", [jaw, mirrored(jaw)], Surface(darker(colour, 0.3), relief=0.5, gloss=0.2))
    big = plan.eye
    eye = ellipse((0.5 * wide - 0.45 * big, middle - 0.1 * big), (0.72 * big, big), -0.25)
    hue = sitter.tint(EYE_COLOUR if big > 0.05 else (0.08, 0.07, 0.07))
    canvas.paint(
        "eyes", [eye, mirrored(eye)], Surface(hue, relief=0.8, gloss=0.5, texture="mesh", grain=0.06, pitch=0.3)
    )
