"""The organism as one shape: where it is, how it is turned, and how it goes on around each patch.

It is what differs from the image's border, the largest piece of it. Where there is no such thing, the whole picture
counts as the organism.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from pipelines.traits.features.looks import Floats, Shape, coded, pooled

_FINE = 2
"""Cells along the edge of a patch, in which the shape is kept."""
_LEAST = 0.002
"""Share of the picture below which nothing was found."""
_INSIDE = 0.35
"""How unlike the border a cell of the organism is at least."""
_RINGS = (1.5, 3.0, 5.0, 8.0)
"""Radii of what lies around, patches."""
_REACHES = (0.25, 0.5, 1.0)
"""Radii of the shape around, in sizes of the organism (square roots of its area)."""
_FAR = 2.4
"""Standard deviations from the middle of the organism, beyond which all places are the same."""


class Organism(NamedTuple):
    """An organism in a picture.

    Attributes:
        pixels: (height / 2, width / 2) how unlike the border it is, 0 to 1.
        share: (rows, columns, 1) the same for each patch.
        cells: (2 * rows, 2 * columns) the same for each cell, only the largest piece and what is close to it.
        size: square root of its area, cells.
        places: (rows, columns, 2) how far each patch is along its long and its short axis, in standard deviations of
            its shape, without sign: head and tail, left and right are the same.
        angle: of its long axis, radians.
    """

    pixels: Floats
    share: Floats
    cells: Floats
    size: float
    places: Floats
    angle: float


def unlike_border(lab: Floats) -> Floats:
    """How unlike the image's border it is, 0 to 1, at half the size: (height / 2, width / 2).

    Distance from the border's median colour, in robust deviations (1.5 times the median deviation) of the border.
    """
    half = cv2.resize(lab, (lab.shape[1] // 2, lab.shape[0] // 2), interpolation=cv2.INTER_AREA)
    smooth = np.asarray(cv2.GaussianBlur(half, (0, 0), 1), np.float32)
    edge = np.concatenate([smooth[0], smooth[-1], smooth[:, 0], smooth[:, -1]])
    middle = np.median(edge, axis=0)
    spread = np.median(np.abs(edge - middle), axis=0) * np.float32(1.5) + np.float32(0.03)
    far = np.sqrt((((smooth - middle) / spread) ** 2).sum(-1))
    return np.asarray(1 / (1 + np.exp(4 - far)), np.float32)


def find_organism(lab: Floats, grid: Shape) -> Organism:
    """The organism in an image, (height, width, 3) CIELAB."""
    pixels = unlike_border(lab)
    fine = (_FINE * grid[0], _FINE * grid[1])
    cells = _largest(pooled(pixels, fine)[..., 0])
    if cells.mean() < _LEAST:
        cells = np.ones(fine, np.float32)
    y, x = np.mgrid[: fine[0], : fine[1]].astype(np.float32)
    area = float(cells.sum())
    across, down = x - (cells * x).sum() / area, y - (cells * y).sum() / area
    mixed = float((cells * across * down).sum() / area)
    # One cell is added, so that a line has a width too.
    spread = np.array(
        [
            [float((cells * across * across).sum() / area) + 1, mixed],
            [mixed, float((cells * down * down).sum() / area) + 1],
        ]
    )
    variances, axes = np.linalg.eigh(spread)
    short, long = (
        np.abs(across * np.float32(axes[0, axis]) + down * np.float32(axes[1, axis]))
        / np.float32(np.sqrt(variances[axis]))
        for axis in (0, 1)
    )
    return Organism(
        pixels=pixels,
        share=pooled(pixels, grid),
        cells=cells,
        size=float(np.sqrt(area)),
        places=pooled(np.dstack([long, short]), grid),
        angle=float(np.arctan2(axes[1, 1], axes[0, 1])),
    )


def _largest(cells: Floats) -> Floats:
    """Only the largest piece, its holes filled, with a margin of two cells for what hangs on a thread."""
    inside = (cells > _INSIDE).astype(np.uint8)
    closed = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, labels, figures, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if len(figures) < 2:
        return cells
    piece = (labels == 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))).astype(np.uint8)
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(piece), outlines, -1, 1, cv2.FILLED)
    near = cv2.dilate(piece, np.ones((5, 5), np.uint8))
    return np.asarray(np.maximum(cells * near, filled), np.float32)


def rings(lab: Floats, grid: Shape, organism: Organism) -> list[Floats]:
    """What lies around each patch: organism or not, lighter or darker, in growing circles; and how thick it is."""
    light = pooled(lab, grid)[..., :1]
    found = [coded(organism.share, 0, 1, 4)]
    for radius in _RINGS:
        found.append(coded(_blurred(organism.share, radius), 0, 1, 5))
        found.append(coded(_blurred(light, radius) - light, -0.5, 0.5, 5))
    inside = organism.pixels > 0.5
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
    size = np.float32(np.sqrt(max(float(inside.sum()), 1.0)))
    found.append(coded(pooled(np.asarray(depth, np.float32) / size, grid), 0, 0.4, 6))
    return found


def _blurred(values: Floats, radius: float) -> Floats:
    found = cv2.GaussianBlur(values, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found if found.ndim == 3 else found[..., None], np.float32)


def shapes(grid: Shape, organism: Organism) -> Floats:
    """How the organism lies on circles around each patch: its share, and the strengths of harmonics 1 to 3 of it.

    The first harmonic is strong at an end or an edge, the second on a band or a limb, the third at a fork. Strengths
    do not change when the organism is turned.
    """
    found = []
    for reach in _REACHES:
        radius = max(1.0, reach * organism.size)
        wide = int(np.ceil(1.6 * radius))
        y, x = np.mgrid[-wide : wide + 1, -wide : wide + 1].astype(np.float32)
        apart, angle = np.hypot(y, x), np.arctan2(y, x)
        ring = np.exp(-(((apart - radius) / (0.35 * radius + 0.3)) ** 2))
        ring /= ring.sum()
        planes = [_correlated(organism.cells, ring)]
        for order in (1, 2, 3):
            even = _correlated(organism.cells, ring * np.cos(order * angle))
            odd = _correlated(organism.cells, ring * np.sin(order * angle))
            planes.append(2 * np.hypot(even, odd))
        found.append(coded(pooled(np.dstack(planes), grid), 0, 1, 5))
    return np.dstack(found)


def _correlated(cells: Floats, kernel: Floats) -> Floats:
    kernel = np.asarray(kernel, np.float32)
    return np.asarray(cv2.filter2D(cells, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE), np.float32)


def places(grid: Shape, organism: Organism) -> list[Floats]:
    """Where on the organism each patch is, along its own axes: each alone, and both together."""
    centres = np.linspace(0, _FAR, 6, dtype=np.float32)
    apart = (np.clip(organism.places, 0, _FAR)[..., None] - centres) / centres[1]
    alone = np.exp(-apart * apart)
    both = alone[..., 0, :, None] * alone[..., 1, None, :]
    return [coded(organism.places, 0, _FAR, 7), both.reshape(*grid, -1)]
