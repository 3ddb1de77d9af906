"""One picture: an individual of a species in its pose, on its ground, in its light, with what is true of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.organisms.canvas import Canvas
from pipelines.traits.organisms.clutter import pin, scatter
from pipelines.traits.organisms.fishes import draw_fish
from pipelines.traits.organisms.insects import draw_insect
from pipelines.traits.organisms.leaves import draw_leaf
from pipelines.traits.organisms.painter import Sitter
from pipelines.traits.organisms.scenes import dimmed, ground, lit, sensed, shadow
from pipelines.traits.organisms.taxonomy import Species

BUILDERS = {"insect": draw_insect, "fish": draw_fish, "leaf": draw_leaf}
SHAPES = ((1.0, 1.0), (0.75, 1.0), (1.0, 0.8))
"""Heights and widths of pictures, as shares of the greatest side."""
SMALLEST_PART = 6
"""Pixels of a part's mask below which the part doesn't count as visible."""


@dataclass(frozen=True)
class Drawing:
    """A drawn picture and the truth about it.

    Attributes:
        image: (H, W, 3) uint8, red, green, blue.
        parts: mask (H, W) of each visible part; a mark (spot, band, vein) lies within the part that bears it, too.
        clutter: mask (H, W) of each thing that isn't the organism.
        organism: (H, W), where the organism is.
        states: the state of each trait, as drawn.
        ground: what it lies on.
    """

    image: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.bool_]]
    clutter: Mapping[str, NDArray[np.bool_]]
    organism: NDArray[np.bool_]
    states: Mapping[str, str]
    ground: str


def draw(species: Species, rng: np.random.Generator, *, size: int = 512, nuisance: float = 1.0) -> Drawing:
    """Draw an individual of a species.

    Args:
        species: what to draw.
        rng: everything that varies from one picture to the next comes from it.
        size: the longer side in pixels.
        nuisance: 0 (standard pose, plain ground, even light, no clutter) to 1 (all of it).
    """
    shape = SHAPES[int(rng.integers(len(SHAPES)))] if nuisance else SHAPES[0]
    frame = (int(size * shape[0]), int(size * shape[1]))
    azimuth = rng.uniform(0, 2 * math.pi)
    light = (math.cos(azimuth), math.sin(azimuth))
    canvas = Canvas(pose(species.kind, frame, rng, nuisance), frame, light, rng)
    BUILDERS[species.kind](Sitter(canvas, species, rng))
    laid = ground(species.kind, frame, rng, nuisance)
    picture = laid.picture
    clutter = scatter(picture, rng, nuisance)
    shadow(picture, canvas.alpha, light, rng)
    dimmed(picture, 1 - canvas.alpha)
    cv2.add(picture, canvas.colour, dst=picture)
    organism = (canvas.alpha > 0.3) | (canvas.seen != 0)
    hidden = {name: mask & ~organism for name, mask in clutter.items()}
    if species.kind == "insect" and laid.name != "well" and rng.random() < 0.35 * nuisance:
        through = canvas.pixels(np.array([[0.02, -0.15]]))[0]
        hidden["pin"] = pin(picture, through, 0.022 * canvas.scale, rng)
        canvas.seen[hidden["pin"]] = 0
        organism &= ~hidden["pin"]
    lit(picture, rng, nuisance)
    masks = {name: canvas.mask(name) for name in canvas.parts}
    parts = {name: mask for name, mask in masks.items() if int(np.count_nonzero(mask)) >= SMALLEST_PART}
    states = dict(species.states)
    if species.kind == "leaf":
        states["lesions"] = "present" if "lesions" in parts else "absent"
    return Drawing(sensed(picture, rng, nuisance), parts, hidden, organism, states, laid.name)


def pose(kind: str, frame: tuple[int, int], rng: np.random.Generator, nuisance: float) -> NDArray[np.float64]:
    """Homography (3, 3) from body lengths to pixels: scale, turn, mirror, slight shear and perspective, shift.

    Fish stay nearly level and look to either side; insects and leaves may point anywhere.
    """
    high, wide = frame
    fit = 0.60 if kind == "insect" else 0.80
    scale = fit * min(high, wide) * (1 + nuisance * rng.uniform(-0.28, 0.08))
    angle = rng.normal(0, 0.22) if kind == "fish" else rng.uniform(0, 2 * math.pi)
    angle *= nuisance if kind == "fish" else float(nuisance > 0)
    flip = -1.0 if kind == "fish" and rng.random() < 0.5 * (nuisance > 0) else 1.0
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    shear = np.array([[1.0, rng.normal(0, 0.03 * nuisance)], [0.0, 1 + rng.normal(0, 0.03 * nuisance)]])
    matrix = np.eye(3)
    matrix[:2, :2] = scale * turn @ shear @ np.diag([flip, 1.0])
    slack = nuisance * 0.07 * np.array([wide, high])
    middle = np.array([wide, high]) / 2 + rng.uniform(-slack, slack)
    matrix[2, :2] = rng.normal(0, 0.05 * nuisance, 2)  # a point one body length away is up to 5 % nearer or further
    matrix[:2] += middle[:, None] * matrix[2]
    return matrix
