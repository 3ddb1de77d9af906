"""Outlines of drawn organisms: smooth curves, tapered strokes and blobs, as arrays of points (n, 2) in body lengths.

x goes to the right and y downwards, as in an image; the organism lies around the origin and is about one unit long.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Points = NDArray[np.float64]


def spline(points: ArrayLike, *, closed: bool = False, steps: int = 8) -> Points:
    """The uniform Catmull-Rom curve through points (n, 2), ``steps`` points a span.

    Source: E. Catmull and R. Rom, "A class of local interpolating splines", 1974.
    """
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        padded = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        padded = np.vstack([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    before, start, end, after = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    curve: Points = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    curve = curve.reshape(-1, 2)
    return curve if closed else np.vstack([curve, knots[-1:]])


def normals(path: Points) -> Points:
    """Unit vectors (n, 2) across a path, to its right when y points down."""
    along = np.empty_like(path)
    along[1:-1] = path[2:] - path[:-2]
    along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    across = along[:, ::-1] * _QUARTER_TURN
    across /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-12)[:, None]
    return np.asarray(across)


_QUARTER_TURN = np.array([-1.0, 1.0])


def stroke(path: ArrayLike, widths: ArrayLike | float) -> Points:
    """The outline of a line along ``path`` (n, 2); ``widths`` are spread evenly along it."""
    line = np.asarray(path, dtype=np.float64)
    given = np.atleast_1d(np.asarray(widths, dtype=np.float64))
    wide = np.interp(np.arange(len(line)) * ((len(given) - 1) / (len(line) - 1)), np.arange(len(given)), given)
    offset = normals(line) * wide[:, None] / 2
    return np.vstack([line + offset, (line - offset)[::-1]])


def body(start: ArrayLike, end: ArrayLike, widths: Sequence[float], *, bend: float = 0.0) -> Points:
    """A blob from ``start`` to ``end`` whose smooth full widths along the way are given; ``bend`` bows its axis."""
    first, last = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
    t = np.linspace(0, 1, len(widths))
    across = np.array([-(last - first)[1], (last - first)[0]])
    axis = first + t[:, None] * (last - first) + (bend * np.sin(np.pi * t))[:, None] * across
    side = across / max(float(np.linalg.norm(across)), 1e-12) * (np.asarray(widths)[:, None] / 2)
    return spline(np.vstack([axis + side, (axis - side)[::-1]]), closed=True)


def ellipse(
    centre: ArrayLike, radii: tuple[float, float], angle: float = 0.0, *, wobble: Points | None = None
) -> Points:
    """An ellipse (32, 2); ``wobble`` (32,) multiplies its radius around the turn; ``angle`` in radians."""
    turn = np.linspace(0, 2 * math.pi, 32, endpoint=False)
    ring = np.column_stack([radii[0] * np.cos(turn), radii[1] * np.sin(turn)])
    if wobble is not None:
        ring = ring * wobble[:, None]
    return np.asarray(np.asarray(centre, dtype=np.float64) + turned(ring, angle))


def wobbly(rng: np.random.Generator, amount: float) -> Points:
    """Smooth random factors (32,) around 1, for :func:`ellipse`."""
    turn = np.linspace(0, 2 * math.pi, 32, endpoint=False)
    waves = [rng.normal(0, amount / n) * np.cos(n * turn + rng.uniform(0, 2 * math.pi)) for n in range(2, 6)]
    return np.asarray(1 + np.sum(waves, axis=0))


def turned(points: ArrayLike, angle: float) -> Points:
    """Points turned about the origin by ``angle`` radians (clockwise as seen, since y points down)."""
    cos, sin = math.cos(angle), math.sin(angle)
    return np.asarray(np.asarray(points, dtype=np.float64) @ np.array([[cos, sin], [-sin, cos]]))


def mirrored(points: Points) -> Points:
    """Points mirrored left to right."""
    return np.asarray(points * _QUARTER_TURN)


def placed(points: ArrayLike, at: ArrayLike, *, angle: float = 0.0, scale: float = 1.0) -> Points:
    """Points of a frame of their own, scaled, turned and moved to ``at``."""
    return np.asarray(turned(np.asarray(points, dtype=np.float64) * scale, angle) + np.asarray(at, dtype=np.float64))
