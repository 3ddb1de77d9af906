"""How a region is shown to a model: cut out, in a box, outlined, or not at all. Pictures carry nothing but pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.models import Image
from pipelines.traits.statements import Place

Pixels = NDArray[np.uint8]
"""(height, width, 3), red, green, blue, upright."""
_Box = tuple[float, float, float, float]
_RED, _WHITE = (215, 25, 30), (255, 255, 255)
_QUALITY = 90
"""JPEG quality, with colour at full resolution: 36 KB in the median for 448 pixels of insects in wells."""
_LEAST = 32
"""Pixels of the original that a cut-out shows at least."""
_MOST_ENLARGED = 4.0
"""A cut-out is enlarged no further: it would show nothing more."""


@dataclass(frozen=True, slots=True)
class Crop:
    """The region cut out, nothing drawn.

    Attributes:
        side: pixels of the longer side of what is sent.
        margin: shown around the box, as a share of its longer side.
    """

    side: int = 448
    margin: float = 0.15

    told = "The picture is cut out around the region; describe what fills its middle."

    def picture(self, pixels: Pixels, place: Place) -> Image:
        """The region of an image as it is sent."""
        return encoded(_cut(pixels, place, self.margin, self.side)[0])


@dataclass(frozen=True, slots=True)
class Box:
    """The whole image with a box drawn around the region.

    Attributes:
        side: pixels of the longer side of what is sent.
        line: width in pixels of what is sent.
    """

    side: int = 896
    line: int = 2

    told = "The region is inside the red box, which was drawn on the picture and is no part of it."

    def picture(self, pixels: Pixels, place: Place) -> Image:
        """The region of an image as it is sent."""
        shown, scale, _ = _cut(pixels, _whole(pixels), 0, self.side)
        left, top, right, bottom = place.box
        ring = ((left, top), (right, top), (right, bottom), (left, bottom))
        return encoded(_drawn(shown, [_scaled(ring, scale, (0, 0))], self.line))


@dataclass(frozen=True, slots=True)
class Overlay:
    """The region cut out with much around it, and its outline drawn.

    Attributes:
        side: pixels of the longer side of what is sent.
        margin: shown around the box, as a share of its longer side.
        line: width in pixels of what is sent.
    """

    side: int = 448
    margin: float = 0.6
    line: int = 2

    told = "The region is inside the red outline, which was drawn on the picture and is no part of it."

    def picture(self, pixels: Pixels, place: Place) -> Image:
        """The region of an image as it is sent."""
        shown, scale, corner = _cut(pixels, place, self.margin, self.side)
        rings = [_scaled(ring, scale, corner) for polygon in place.polygons for ring in polygon]
        return encoded(_drawn(shown, rings, self.line))


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole image without any region: what descriptions of regions are held against.

    Attributes:
        side: pixels of the longer side of what is sent.
    """

    side: int = 448

    told = "The region is the whole organism in the picture."

    def picture(self, pixels: Pixels, place: Place) -> Image:
        """The image as it is sent, wherever the region is."""
        return encoded(_cut(pixels, _whole(pixels), 0, self.side)[0])


Look = Crop | Box | Overlay | Whole


def encoded(pixels: Pixels) -> Image:
    """An image of its pixels alone: a JPEG without EXIF, profile or comment, and without a file's name.

    Raises:
        ValueError: the array is no image.
    """
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"an image of shape {pixels.shape} cannot be written as JPEG")
    height, width = pixels.shape[:2]
    return Image(data.tobytes(), "image/jpeg", "auto", width, height)


def _whole(pixels: Pixels) -> Place:
    height, width = pixels.shape[:2]
    return Place((0, 0, width, height), (), (width, height))


def _cut(pixels: Pixels, place: Place, margin: float, side: int) -> tuple[Pixels, float, tuple[int, int]]:
    """What is shown, how far it is enlarged, and its left upper corner in the original."""
    import cv2

    left, top, right, bottom = _around(place.box, margin, pixels.shape[1], pixels.shape[0])
    cut = pixels[top:bottom, left:right]
    scale = min(side / max(cut.shape[:2]), _MOST_ENLARGED)
    size = (max(round(cut.shape[1] * scale), 1), max(round(cut.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, size, interpolation=how), np.uint8), scale, (left, top)


def _around(box: _Box, margin: float, width: int, height: int) -> tuple[int, int, int, int]:
    """A box with its margin in whole pixels, at least :data:`_LEAST` wide and high where the image is."""
    left, top, right, bottom = box
    more = margin * max(right - left, bottom - top)
    x0, x1 = _span(left - more, right + more, width)
    y0, y1 = _span(top - more, bottom + more, height)
    return x0, y0, x1, y1


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    short = max(_LEAST - (high - low), 0) / 2
    first = min(max(int(np.floor(low - short)), 0), max(size - _LEAST, 0))
    return first, max(min(int(np.ceil(high + short)), size), min(first + _LEAST, size))


def _scaled(ring: tuple[tuple[float, float], ...], scale: float, corner: tuple[int, int]) -> NDArray[np.int32]:
    return np.round((np.asarray(ring, float) - corner) * scale).astype(np.int32)


def _drawn(pixels: Pixels, rings: list[NDArray[np.int32]], line: int) -> Pixels:
    """Rings in red with a white edge, so that they are seen on any ground, and outside of what they enclose."""
    import cv2

    drawn = np.array(pixels)
    for colour, width in ((_WHITE, 2 * line + 2), (_RED, 2 * line)):
        cv2.polylines(drawn, rings, isClosed=True, color=colour, thickness=width, lineType=cv2.LINE_AA)
    inside = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(inside, rings, 1)
    return np.asarray(cv2.copyTo(pixels, inside, drawn), np.uint8)
