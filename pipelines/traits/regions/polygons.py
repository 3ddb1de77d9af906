"""Outlines of patches and of heat maps, as rings of points with holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

Point = tuple[float, float]
Ring = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Polygon:
    """A connected area: an outer ring and holes, (x, y) in pixels, closed without repeating the first point.

    The outer ring goes clockwise as seen (y downwards), holes the other way.
    """

    outer: Ring
    holes: tuple[Ring, ...] = ()

    @property
    def area(self) -> float:
        """Square pixels, holes left out."""
        return ring_area(self.outer) + sum(ring_area(hole) for hole in self.holes)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        xs, ys = zip(*self.outer, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def ring_area(ring: Sequence[Point]) -> float:
    """Signed area of a ring, positive if it goes clockwise as seen (y downwards)."""
    x, y = np.array(ring).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def cell_polygons(cells: NDArray[np.bool_], xs: NDArray[np.float64], ys: NDArray[np.float64]) -> list[Polygon]:
    """The exact union of cells of a grid, one polygon for each group of cells that share sides.

    Args:
        cells: (rows, columns), which cells.
        xs, ys: (columns + 1,), (rows + 1,) ascending, where the grid's lines lie.

    Returns:
        Polygons by their uppermost, then leftmost cell; only corners are points.
    """
    groups, number = label(cells)
    outers: list[Ring] = [()] * number
    holes: list[list[Ring]] = [[] for _ in range(number)]
    for ring, group in _rings(cells, groups):
        points = tuple((float(xs[column]), float(ys[row])) for column, row in ring)
        if ring_area(points) > 0:
            outers[group - 1] = points
        else:
            holes[group - 1].append(points)
    return [Polygon(outer, tuple(inner)) for outer, inner in zip(outers, holes, strict=True)]


def level_polygons(mask: NDArray[np.bool_], left: float, top: float, width: float, height: float) -> list[Polygon]:
    """Outlines of a picture's true pixels, the picture laid over a rectangle; straight to within half a pixel.

    Areas that touch at a corner are one.
    """
    rows, columns = mask.shape
    # drawn three times as large, an outline through pixel centres runs a sixth of a pixel inside their edge
    large = cv2.resize(mask.astype(np.uint8), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    found, relations = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    rings = [_ring(contour, left, top, width / (3 * columns), height / (3 * rows)) for contour in found]
    polygons = []
    for number, (_, _, child, parent) in enumerate(relations[0] if found else ()):
        if parent >= 0 or len(rings[number]) < 3:
            continue
        holes = []
        while child >= 0:
            if len(rings[child]) >= 3:
                holes.append(_turned(rings[child], clockwise=False))
            child = relations[0][child][0]
        polygons.append(Polygon(_turned(rings[number], clockwise=True), tuple(holes)))
    return sorted(polygons, key=lambda polygon: (polygon.box[1], polygon.box[0]))


def _ring(contour: NDArray[np.integer | np.floating], left: float, top: float, wide: float, high: float) -> Ring:
    points = cv2.approxPolyDP(contour, 1.5, True)[:, 0] + 0.5
    return tuple((left + float(x) * wide, top + float(y) * high) for x, y in points)


def _turned(ring: Ring, *, clockwise: bool) -> Ring:
    return ring if (ring_area(ring) > 0) == clockwise else ring[::-1]


Step = tuple[int, int, int, int]
"""A side of a cell walked with the cell to the right: from column line, row line, in direction x, y."""


def _rings(cells: NDArray[np.bool_], groups: NDArray[np.int32]) -> list[tuple[list[tuple[int, int]], int]]:
    """Corners of each closed walk along the sides between cells and what is none, with the group to its right."""
    around = np.pad(cells, 1)
    steps: dict[Step, int] = {}
    for row, column in zip(*np.nonzero(cells), strict=True):
        r, c, group = int(row), int(column), int(groups[row, column])
        sides = {
            (c, r, 1, 0): around[r, c + 1],
            (c + 1, r, 0, 1): around[r + 1, c + 2],
            (c + 1, r + 1, -1, 0): around[r + 2, c + 1],
            (c, r + 1, 0, -1): around[r + 1, c],
        }
        steps |= {side: group for side, beyond in sides.items() if not beyond}
    rings = []
    while steps:
        start = next(iter(steps))
        group = steps[start]
        corners, at = [], start
        while at in steps:
            del steps[at]
            following = _next(steps, at, start)
            if following[2:] != at[2:]:
                corners.append(following[:2])
            at = following
        rings.append((corners, group))
    return rings


def _next(steps: dict[Step, int], at: Step, start: Step) -> Step:
    """The step after one: to the right if there is one, which stays with the same cell, straight on, or left."""
    x, y, right, down = at[0] + at[2], at[1] + at[3], at[2], at[3]
    for way in ((-down, right), (right, down), (down, -right)):
        step = (x, y, *way)
        if step in steps or step == start:
            return step
    raise AssertionError("the sides of cells close")
