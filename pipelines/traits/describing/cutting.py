"""The part of a picture that a region shows, at the size at which it is measured; and the organism it lies on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.describing.naming import to_lab
from pipelines.traits.statements import Place

Mask = NDArray[np.bool_]
Rings = Sequence[Sequence[Sequence[tuple[float, float]]]]
WORKING_SIDE = 128
"""Longer side of a region, in pixels, at which it is measured; smaller ones as they are."""
LONG = 1.2
"""Elongation below which an organism has no long axis."""
_SHIFT = 4
"""Bits below the pixel with which outlines are drawn."""


@dataclass(frozen=True, eq=False)
class Organism:
    """Where the organism is, and along which axis it is long.

    Attributes:
        mask: (h, w) of the whole image, as a rule smaller than it.
        scale: pixels of the image for one of the mask, across and down.
        centre: of the axis, pixels of the image.
        axis: unit vector along the long axis, from its end A to its end B; A lies higher, or left where both are level.
        reach: how far the organism reaches along the axis from the centre, towards A (negative) and towards B.
        half_width: how far it reaches across the axis, the mean of both sides.
        elongation: length over width of the body: of second moments in which a pixel counts by the square of its
            distance from the edge, so that legs and antennae hardly count.
    """

    mask: Mask
    scale: tuple[float, float]
    centre: tuple[float, float]
    axis: tuple[float, float]
    reach: tuple[float, float]
    half_width: float
    elongation: float

    @property
    def area(self) -> float:
        """Square pixels of the image."""
        return float(np.count_nonzero(self.mask)) * self.scale[0] * self.scale[1]

    @classmethod
    def of(cls, mask: Mask, image_shape: tuple[int, int]) -> Organism | None:
        """The organism of a mask of the whole image; ``None`` where the mask is empty."""
        if not mask.any():
            return None
        scale = (image_shape[1] / mask.shape[1], image_shape[0] / mask.shape[0])
        ys, xs = np.nonzero(mask)
        points = np.stack([(xs + 0.5) * scale[0], (ys + 0.5) * scale[1]], axis=1)
        inner = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
        weight = inner[ys, xs].astype(np.float64) ** 2
        centre = np.average(points, axis=0, weights=weight)
        spread, axes = np.linalg.eigh(np.cov(points.T, aweights=weight, bias=True) + 1e-9 * np.eye(2))
        axis = axes[:, 1]
        if (axis[1], axis[0]) < (0, 0):
            axis = -axis
        along = (points - centre) @ axis
        across = (points - centre) @ np.array([-axis[1], axis[0]])
        return cls(
            mask, scale, (float(centre[0]), float(centre[1])), (float(axis[0]), float(axis[1])),
            (float(along.min()), float(along.max())), max(float(np.ptp(across)) / 2, 1e-9),
            float(np.sqrt(spread[1] / spread[0])),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cut:
    """A region at working size.

    Attributes:
        lab: (h, w, 3) CIE L*a*b*.
        region: (h, w), what lies in the outline.
        inside: (h, w), what of it is organism.
        zoom: pixels of the cut for one of the image, at most 1.
    """

    lab: NDArray[np.float32]
    region: Mask
    inside: Mask
    zoom: float

    @property
    def share(self) -> float:
        """Share of the region that is organism."""
        return float(np.count_nonzero(self.inside)) / max(int(np.count_nonzero(self.region)), 1)

    @property
    def diameter(self) -> float:
        """Square root of the area inside, pixels of the cut."""
        return math.sqrt(np.count_nonzero(self.inside))


def cut(image: NDArray[np.uint8], organism: Organism | None, place: Place) -> Cut:
    """The region of an image (H, W, 3) RGB at working size; without an organism nothing is inside."""
    height, width = image.shape[:2]
    left, top = max(int(place.box[0]), 0), max(int(place.box[1]), 0)
    right = min(max(math.ceil(place.box[2]), left + 1), width)
    bottom = min(max(math.ceil(place.box[3]), top + 1), height)
    part = image[top:bottom, left:right]
    zoom = min(WORKING_SIDE / max(part.shape[:2]), 1.0)
    size = (max(round(part.shape[1] * zoom), 1), max(round(part.shape[0] * zoom), 1))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA) if zoom < 1 else part
    exact = (size[0] / part.shape[1], size[1] / part.shape[0])
    region = drawn(place.polygons, (left, top), exact, (size[1], size[0]))
    inside = region & _organism_in(organism, (left, top, right, bottom), size) if organism else np.zeros_like(region)
    return Cut(to_lab(np.asarray(small, np.float32) / np.float32(255)), region, inside, zoom)


def drawn(polygons: Rings, origin: tuple[float, float], zoom: tuple[float, float], shape: tuple[int, int]) -> Mask:
    """The mask (h, w) of outlines: pixels of the image less ``origin``, times ``zoom``."""
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        one = np.zeros(shape, np.uint8)
        for place, ring in enumerate(polygon):
            points = (np.asarray(ring, np.float64) - origin) * zoom - 0.5  # a pixel's centre has whole numbers
            shifted = np.rint(points * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(one, [shifted], 0 if place else 1, shift=_SHIFT)
        mask |= one
    return mask > 0


def _organism_in(organism: Organism, box: tuple[int, int, int, int], size: tuple[int, int]) -> Mask:
    """The organism's mask in a box of the image, as large as the cut: the nearest pixel of the mask for each."""
    left, top, right, bottom = box
    xs = (left + (np.arange(size[0]) + 0.5) * ((right - left) / size[0])) / organism.scale[0]
    ys = (top + (np.arange(size[1]) + 0.5) * ((bottom - top) / size[1])) / organism.scale[1]
    rows = np.clip(ys.astype(np.intp), 0, organism.mask.shape[0] - 1)
    columns = np.clip(xs.astype(np.intp), 0, organism.mask.shape[1] - 1)
    return np.asarray(organism.mask[rows][:, columns])
