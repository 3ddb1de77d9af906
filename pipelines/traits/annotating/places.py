"""Where else on the organism a region could lie, and the same picture without an organism: what controls show."""

from __future__ import annotations

import numpy as np

from pipelines.traits.describing import Picture
from pipelines.traits.describing.cutting import Mask, Organism, drawn
from pipelines.traits.regions import coarse_foreground
from pipelines.traits.statements import Place

PLACES = 3
"""Places that are tried."""
MOST_OVERLAP = 0.25
"""Share of a region that may lie where it was before."""
ON_ORGANISM = 0.9
"""Of the organism's pixels in a region: as many must be in it elsewhere."""
_TRIES = 60


def blanked(picture: Picture) -> Picture:
    """The same image without anything on it: all of the colour that its border has in the median."""
    image = picture.image
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    small = np.empty((max(image.shape[0] // 8, 1), max(image.shape[1] // 8, 1), 3), np.uint8)
    small[:] = np.median(border, axis=0).astype(np.uint8)
    full = np.empty_like(image)
    full[:] = small[0, 0]
    return Picture.of(picture.id, full, coarse_foreground(small), picture.scale, picture.conditions)


def elsewhere(organism: Organism, place: Place, image: str, latent: int) -> list[Place]:
    """The region in other places on the organism, at most :data:`PLACES`; for the same image and latent the same ones.

    Each has as much of the organism in it as the region has, nearly, and hardly any pixel of the region.
    """
    wide, high = organism.scale
    shape = (organism.mask.shape[0], organism.mask.shape[1])
    whole = drawn(place.polygons, (0.0, 0.0), (1 / wide, 1 / high), shape)
    if not (whole & organism.mask).any():
        return []
    ys, xs = np.nonzero(whole)
    top, left = int(ys.min()), int(xs.min())
    region = whole[top : ys.max() + 1, left : xs.max() + 1]
    inside = np.count_nonzero(whole & organism.mask)
    targets = np.argwhere(organism.mask)
    rng = np.random.default_rng([int(image[:8], 16), latent])
    found: list[Place] = []
    taken = whole.copy()
    for row, column in targets[rng.integers(len(targets), size=_TRIES)]:
        down, right = int(row - round(ys.mean())), int(column - round(xs.mean()))
        if _under(organism.mask, region, top + down, left + right) < ON_ORGANISM * inside:
            continue
        if _under(taken, region, top + down, left + right) > MOST_OVERLAP * len(ys):
            continue
        _add(taken, region, top + down, left + right)
        found.append(_shifted(place, right * wide, down * high))
        if len(found) == PLACES:
            break
    return found


def _under(mask: Mask, region: Mask, top: int, left: int) -> int:
    """How many pixels of a mask lie under a region with its corner at a place that may be outside the mask."""
    rows, columns = _windows(mask, region, top, left)
    return int(np.count_nonzero(mask[rows[0], columns[0]] & region[rows[1], columns[1]]))


def _add(mask: Mask, region: Mask, top: int, left: int) -> None:
    rows, columns = _windows(mask, region, top, left)
    mask[rows[0], columns[0]] |= region[rows[1], columns[1]]


def _windows(mask: Mask, region: Mask, top: int, left: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows, then columns, in the mask and in the region where both are."""
    found = []
    for start, size, most in ((top, region.shape[0], mask.shape[0]), (left, region.shape[1], mask.shape[1])):
        first, last = min(max(start, 0), most), max(min(start + size, most), 0)
        found.append((slice(first, max(last, first)), slice(first - start, max(last, first) - start)))
    return found[0], found[1]


def _shifted(place: Place, x: float, y: float) -> Place:
    width, height = place.image_size
    left, top, right, bottom = place.box
    box = (max(left + x, 0.0), max(top + y, 0.0), min(right + x, float(width)), min(bottom + y, float(height)))
    polygons = tuple(
        tuple(tuple((px + x, py + y) for px, py in ring) for ring in polygon) for polygon in place.polygons
    )
    return Place(box, polygons, place.image_size)
