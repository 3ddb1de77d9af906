"""What patches look like: colour, edges and texture, pooled from pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Shape = tuple[int, int]
"""Rows and columns of patches."""

SCALES = (1.0, 2.0, 4.0)
"""Of the edges: standard deviation of the smoothing, pixels."""
_PATTERN = ((-2, -1), (-2, 1), (-1, 2), (1, 2), (2, 1), (2, -1), (1, -2), (-1, -2))
"""Eight pixels around one, in turn, at a distance of 2.2."""
_FAINT = np.float32(0.01)
"""Lightness (0 to 1) that a neighbour must be lighter by, so that noise makes no pattern."""


def pooled(plane: Floats, grid: Shape) -> Floats:
    """Means over patches: (rows, columns, channels)."""
    found = cv2.resize(plane, (grid[1], grid[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(found if found.ndim == 3 else found[..., None], np.float32)


def coded(values: Floats, low: float, high: float, units: int) -> Floats:
    """A population code of each number: units spread evenly from ``low`` to ``high``, each a Gaussian.

    Args:
        values: (rows, columns, channels); those beyond the ends count as the ends.

    Returns:
        (rows, columns, channels * units), 0 to 1.
    """
    centres = np.linspace(low, high, units, dtype=np.float32)
    width = np.float32((high - low) / (units - 1))
    apart = (np.clip(values, low, high)[..., None] - centres) / width
    return np.asarray(np.exp(-apart * apart).reshape(*values.shape[:2], -1), np.float32)


def colours(lab: Floats, grid: Shape, share: Floats) -> list[Floats]:
    """Colour of each patch, by itself and beside the organism's mean, and its spread within the patch.

    Args:
        lab: (height, width, 3) CIELAB, L by 100, a and b by 128.
        grid: rows and columns.
        share: (rows, columns, 1) of the organism in each patch.
    """
    mean = pooled(lab, grid)
    spread = np.sqrt(np.maximum(pooled(lab * lab, grid) - mean * mean, 0))
    whole = (mean * share).sum((0, 1)) / (share.sum() + np.float32(1e-3))
    return [
        coded(mean[..., :1], 0, 1, 8),
        coded(mean[..., 1:], -0.5, 0.5, 9),
        coded(mean - whole, -0.4, 0.4, 5),
        coded(np.sqrt(spread), 0, 0.6, 4),
    ]


def gradients(lab: Floats, grid: Shape, angle: float) -> list[Floats]:
    """Edges by scale: how strong, how much of one direction, and which, from the organism's axis.

    The direction is a second harmonic of the gradient's angle, so an edge and its reverse are the same, and turning
    the organism changes nothing; which side of the axis it leans to is left out.

    Args:
        lab: see :func:`colours`.
        grid: rows and columns.
        angle: of the organism's long axis, radians.
    """
    found: list[Floats] = []
    for scale in SCALES:
        smooth = cv2.GaussianBlur(lab[..., 0], (0, 0), scale)
        across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=scale)
        down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=scale)
        squares, product = across * across - down * down, 2 * across * down
        power = across * across + down * down
        strength = cv2.sqrt(power)
        # Of an angle t: cos 2t = (x^2 - y^2) / r^2 and sin 2t = 2xy / r^2; with those, cos 4t and sin 4t.
        unit = np.float32(1e-12) + power
        cos2, sin2 = squares / unit, product / unit
        even, odd = strength * cos2, strength * sin2
        harmonics = [strength, even, odd, even * cos2 - odd * sin2, 2 * odd * cos2]
        planes = np.concatenate([pooled(plane, grid) for plane in harmonics], axis=-1)
        energy: Floats = planes[..., :1]
        relative = planes[..., 1:] / (energy + np.float32(0.02))
        coherence = np.dstack(
            [np.hypot(relative[..., 0], relative[..., 1]), np.hypot(relative[..., 2], relative[..., 3])]
        )
        cosine, sine = np.float32(np.cos(2 * angle)), np.float32(np.sin(2 * angle))
        along = relative[..., :1] * cosine + relative[..., 1:2] * sine
        askew = np.abs(relative[..., 1:2] * cosine - relative[..., :1] * sine)
        found += [coded(np.sqrt(energy), 0, 1, 6), coded(coherence, 0, 1, 4), coded(along, -1, 1, 5)]
        found.append(coded(askew, 0, 1, 3))
    return found


def textures(light: Floats, grid: Shape) -> Floats:
    """Histogram of uniform local binary patterns, square roots: the same whichever way the texture is turned.

    Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant texture classification with
    local binary patterns", PAMI 2002: nine uniform patterns by their number of lighter neighbours, and all others.
    """
    smooth = np.asarray(cv2.GaussianBlur(light, (0, 0), 1), np.float32)
    padded = cv2.copyMakeBorder(smooth, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    height, width = light.shape
    floor = smooth + _FAINT
    bits = [
        np.asarray(cv2.compare(padded[2 + y : 2 + y + height, 2 + x : 2 + x + width], floor, cv2.CMP_GT), np.uint8) & 1
        for y, x in _PATTERN
    ]
    changes = np.zeros((height, width), np.uint8)
    lighter = np.zeros((height, width), np.uint8)
    for bit, before in zip(bits, [bits[-1], *bits[:-1]], strict=True):
        changes += bit ^ before
        lighter += bit
    kind = np.where(changes <= 2, lighter, np.uint8(9))
    planes = [pooled((kind == value).astype(np.float32), grid) for value in range(10)]
    return np.asarray(np.sqrt(np.concatenate(planes, axis=-1)), np.float32)
