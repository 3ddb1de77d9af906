"""Form, size and position of a region: of its outline as it is given, not of the part that it lies on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.traits.describing.cutting import LONG, Cut, Mask, Organism
from pipelines.traits.describing.estimates import Estimate, between

ROUND, LENGTHENED = 1.25, 2.5
"""Elongations below which an outline is circular, and from which it is elongated."""
SMOOTH_EDGE = 0.9
"""Perimeter of the ellipse with the same moments over that of the outline, from which it is an ellipse at all."""
LOBED = 0.75
"""Solidity below which an outline is irregular."""


@dataclass(frozen=True)
class Outline:
    """What is measured of a region's outline.

    Attributes:
        state: ``circular``, ``elliptic``, ``elongated``, ``irregular``; ``None`` where it cannot be told.
        elongation, circularity, solidity: ratios.
        patches: how many separate areas.
        area: square pixels of the image, of what is organism.
        length: longer side of the smallest rectangle around it, pixels of the image.
    """

    state: str | None
    elongation: Estimate
    circularity: Estimate
    solidity: Estimate
    patches: Estimate
    area: Estimate
    length: Estimate


@dataclass(frozen=True)
class Bearings:
    """Where a region lies on the organism, and how large it is beside it.

    Attributes:
        relative_area: of the organism's area.
        along: distance from the nearer end, of the length; ``None`` where the organism has no long axis.
        across: distance from the axis, of half the width; ``None`` as well.
        end: which end is the nearer, in words of the picture.
    """

    relative_area: Estimate
    along: Estimate | None
    across: Estimate | None
    end: str


def outline(cut: Cut) -> Outline:
    """The outline of what is inside a region, and of it a pixel smaller and a pixel larger."""
    smaller, larger = _resized(cut.inside)
    forms = [_form(mask) for mask in (smaller if smaller.any() else cut.inside, cut.inside, larger)]
    elongation, circularity, solidity, area, length, edge = (
        between(*(form[place] for form in forms)) for place in range(6)
    )
    number = cv2.connectedComponents(cut.inside.astype(np.uint8))[0] - 1
    scale = 1 / cut.zoom
    return Outline(
        _state(elongation, solidity, edge),
        elongation,
        circularity,
        solidity,
        Estimate(number, 0.0),
        Estimate(area.value * scale**2, area.sd * scale**2),
        Estimate(length.value * scale, length.sd * scale),
    )


def _resized(mask: Mask) -> tuple[Mask, Mask]:
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    padded = np.pad(mask, 1).astype(np.uint8)
    return cv2.erode(padded, cross)[1:-1, 1:-1] > 0, cv2.dilate(padded, cross) > 0


def _form(mask: Mask) -> tuple[float, float, float, float, float, float]:
    """Elongation, circularity, solidity, area, length, and how the ellipse's perimeter compares with the outline's."""
    moments = cv2.moments(mask.astype(np.uint8), binaryImage=True)
    area = moments["m00"]
    xx, yy, xy = moments["mu20"] / area + 1 / 12, moments["mu02"] / area + 1 / 12, moments["mu11"] / area
    half, root = (xx + yy) / 2, math.hypot((xx - yy) / 2, xy)
    long, short = 2 * math.sqrt(half + root), 2 * math.sqrt(max(half - root, 1e-9))
    contours, _ = cv2.findContours(np.pad(mask, 1).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    perimeter = sum(_perimeter(contour) for contour in contours)
    points = np.concatenate(contours)
    hull = cv2.convexHull(points)
    around = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1  # points are centres of pixels
    _, sides, _ = cv2.minAreaRect(points)
    ellipse = math.pi * (3 * (long + short) - math.sqrt((3 * long + short) * (long + 3 * short)))  # Ramanujan 1914
    circularity = min(4 * math.pi * area / perimeter**2, 1.0)
    return long / short, circularity, min(area / around, 1.0), area, max(sides) + 1, ellipse / perimeter


def _perimeter(contour: np.ndarray) -> float:
    """Of a chain of pixel centres, without the bias of its steps (Vossepoel and Smeulders 1982), at pixels' edges."""
    steps = np.abs(np.diff(np.vstack([contour[:, 0], contour[:1, 0]]), axis=0)).sum(axis=1)
    turns = int(np.count_nonzero(steps[1:] != steps[:-1]))
    return float(0.980 * (steps == 1).sum() + 1.406 * (steps == 2).sum() - 0.091 * turns) + math.pi


def _state(elongation: Estimate, solidity: Estimate, edge: Estimate) -> str | None:
    if solidity.value < LOBED - solidity.sd:
        return "irregular"
    if elongation.value > LENGTHENED + elongation.sd and solidity.value > LOBED + solidity.sd:
        return "elongated"
    if edge.value - edge.sd < SMOOTH_EDGE or abs(elongation.value - ROUND) < elongation.sd:
        return None
    if abs(elongation.value - LENGTHENED) < elongation.sd:
        return None
    return "circular" if elongation.value < ROUND else "elliptic"


def bearings(cut: Cut, corner: tuple[float, float], organism: Organism) -> Bearings:
    """Where a region lies.

    Args:
        cut: the region at working size.
        corner: left and top of the cut, pixels of the image.
        organism: what it lies on.
    """
    smaller, larger = _resized(cut.inside)
    thinner, thicker = _resized(organism.mask)
    area, whole = float(np.count_nonzero(cut.inside)) / cut.zoom**2, organism.area
    spread = (float(np.count_nonzero(larger)) - float(np.count_nonzero(smaller))) / 2 / cut.zoom**2 / area
    body = (float(np.count_nonzero(thicker)) - float(np.count_nonzero(thinner))) / 2 / np.count_nonzero(organism.mask)
    share = area / whole
    relative = Estimate(min(share, 1.0), share * math.hypot(spread, body))
    if organism.elongation < LONG:
        return Bearings(relative, None, None, "")
    ys, xs = np.nonzero(cut.inside)
    centre = np.array([xs.mean() + 0.5, ys.mean() + 0.5]) / cut.zoom + corner - organism.centre
    axis = np.array(organism.axis)
    along, across = float(centre @ axis), abs(float(centre @ np.array([-axis[1], axis[0]])))
    length = organism.reach[1] - organism.reach[0]
    place = min(max((along - organism.reach[0]) / length, 0.0), 1.0)
    pixel = max(organism.scale)  # an end, or a side, is known to a pixel of the organism's mask
    return Bearings(
        relative,
        Estimate(min(place, 1 - place), 1.5 * pixel / length),
        Estimate(across / organism.half_width, 1.5 * pixel / organism.half_width),
        _end(organism, near_first=place <= 0.5),
    )


def _end(organism: Organism, *, near_first: bool) -> str:
    x, y = organism.axis
    first, second = ("upper", "lower") if abs(y) >= abs(x) else (("left", "right") if x > 0 else ("right", "left"))
    return f"the {first if near_first else second} end in the picture"
