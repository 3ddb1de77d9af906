"""The organism in a picture: neither background nor label, without a model that was learned."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.grids import Grid
from pipelines.traits.regions.background import departure
from pipelines.traits.regions.clutter import cards
from pipelines.traits.regions.region import Region

Mask = NDArray[np.bool_]

WORKING_SIDE = 320
"""Longer side, in pixels, at which is looked."""

_EDGE = 0.06
"""Width of the edge, of the picture's longer side."""

_LONG = 0.1
"""Share of the picture's width and height that a part needs to be looked at as a rim."""

_RIM_SPREAD = 0.025
"""Deviation of a rim's pixels from a circle, of the picture's longer side."""

_KEPT = 0.08
"""Share of the best part's worth that another part needs to be kept."""


def foreground(image: NDArray[np.uint8]) -> Mask:
    """Which pixels (H, W) of a picture (H, W, 3) RGB are organism.

    What stands out from a smooth background is taken apart into connected parts; labels, scale bars and colour cards
    are left out; parts count by how much they stand out, how near the middle they are, and little if they lie along
    the edge, as a well's rim does. The best and those not far behind are kept. Nothing that stands out: no foreground.

    Backgrounds with a texture of their own (soil, leaves) are taken for organism in part, and so are shadows, pins, and
    what touches the organism.
    """
    height, width = image.shape[:2]
    found = coarse_foreground(image)
    if found.shape == (height, width):
        return found
    return np.asarray(cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def coarse_foreground(image: NDArray[np.uint8]) -> Mask:
    """The same as a smaller mask, of which no side is longer than :data:`WORKING_SIDE`: enough for patches."""
    height, width = image.shape[:2]
    scale = min(WORKING_SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8) if scale < 1 else image
    away = departure(small)
    low = float(np.clip(2.5 * away.spread, 7, 16))
    stands_out = away.distance > low
    stands_out &= ~cards(stands_out | (np.abs(away.lighter) > low), away.lightness)
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(max(size) // 150, 1) + 1,) * 2)
    joined = np.asarray(cv2.morphologyEx(stands_out.astype(np.uint8), cv2.MORPH_CLOSE, ellipse) > 0)
    return _without_small_holes(_best_parts(joined, away.distance, 2 * low))


def _best_parts(joined: Mask, distance: NDArray[np.float32], strong: float) -> Mask:
    number, parts, boxes, _ = cv2.connectedComponentsWithStats(joined.astype(np.uint8))
    if number == 1:
        return joined
    height, width = joined.shape
    ys, xs = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    central = np.exp(-(ys**2 + xs**2) / (2 * 0.5**2))
    flat = parts.reshape(-1)
    stands_out = np.bincount(flat, (distance * central).reshape(-1), number)
    band = round(_EDGE * max(height, width))
    edge = np.ones((height, width), bool)
    edge[band : height - band, band : width - band] = False
    sizes = boxes[:, cv2.CC_STAT_AREA]
    worth = stands_out * (1 - np.bincount(flat, edge.reshape(-1), number) / sizes)
    worth[0] = 0
    worth[np.bincount(flat, (distance > strong).reshape(-1), number) == 0] *= 0.1
    for part in np.flatnonzero(boxes[:, cv2.CC_STAT_WIDTH] + boxes[:, cv2.CC_STAT_HEIGHT] > _LONG * (height + width)):
        if worth[part] > 0 and worth[part] >= _KEPT * worth.max() and _is_rim(parts == part):
            worth[part] = 0
    return np.asarray((worth >= _KEPT * worth.max())[parts] & joined & (worth.max() > 0))


def _is_rim(part: Mask) -> bool:
    """Whether a part is an arc of a circle about the middle of the picture, as the rim of a well is.

    A circle is fitted to its pixels by least squares (Kåsa 1976).
    """
    height, width = part.shape
    side = max(height, width)
    y, x = ((at - size / 2) / side for at, size in zip(np.nonzero(part), part.shape, strict=True))
    terms = np.stack([x, y, np.ones_like(x)])
    a, b, c = np.linalg.lstsq(terms @ terms.T, terms @ (x**2 + y**2), rcond=None)[0]
    middle = (side * a / 2, side * b / 2)
    radius = side * float(np.sqrt(max(c + (a / 2) ** 2 + (b / 2) ** 2, 0)))
    away = np.hypot(side * x - middle[0], side * y - middle[1])
    off = np.hypot(*middle)
    return bool(0.25 * side < radius < 0.9 * side and off < 0.25 * side and away.std() < _RIM_SPREAD * side)


def _without_small_holes(mask: Mask) -> Mask:
    """Holes of less than a thousandth of the picture filled."""
    number, parts, boxes, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8))
    small = boxes[:, cv2.CC_STAT_AREA] < mask.size / 1000
    small[0] = False
    return np.asarray(mask | small[parts]) if number > 1 else mask


def patch_foreground(mask: Mask, grid: Grid, image_shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
    """Share of each patch (patches,) that is foreground, 0 to 1; what lies beyond the image is background.

    Args:
        mask: of the image, or a coarser one of all of it.
        grid: in pixels of the original.
        image_shape: (height, width) of the original; the mask's if not given.
    """
    height, width = mask.shape
    full_height, full_width = image_shape or mask.shape
    sums = cv2.integral(mask.astype(np.uint8)).astype(np.float64)
    ys = (grid.top + np.arange(grid.rows + 1) * (grid.height / grid.rows)) * (height / full_height)
    xs = (grid.left + np.arange(grid.columns + 1) * (grid.width / grid.columns)) * (width / full_width)
    corners = _interpolated(_interpolated(sums, ys).T, xs).T
    inside = np.diff(np.diff(corners, axis=0), axis=1)
    area = (ys[1] - ys[0]) * (xs[1] - xs[0])
    return np.asarray(np.clip(inside / area, 0, 1).astype(np.float32).reshape(-1))


def foreground_share(region: Region, mask: Mask) -> float | None:
    """Share of a region's pixels that is foreground, by a mask of the whole image; ``None`` for an empty region."""
    if region.box is None:
        return None
    left, top = int(np.floor(region.box[0])), int(np.floor(region.box[1]))
    right, bottom = int(np.ceil(region.box[2])), int(np.ceil(region.box[3]))
    inside = region.mask_in((left, top, right, bottom))
    return float(mask[top:bottom, left:right][inside].mean()) if inside.any() else None


def _interpolated(rows: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of sums at places between them."""
    place = np.clip(at, 0, len(rows) - 1)
    first = np.minimum(place.astype(np.int64), len(rows) - 2)
    part = (place - first)[:, None]
    return np.asarray(rows[first] * (1 - part) + rows[first + 1] * part)
