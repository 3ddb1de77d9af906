"""Pictures small enough to stand in a page: thumbnails as JPEG, heat as a transparent layer, both as data URIs."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WHOLE = 400
"""Pixels of the longer side of a whole picture on a page."""
CLOSE = 240
"""Pixels of a side of a close-up."""
_QUALITY = 80
"""JPEG quality: about 20 KB for a whole picture."""
_HEAT_SIDE = 96
"""Pixels of the longer side of a heat layer; a browser smooths it when it is enlarged."""
_LEAST_MARGIN = 0.8
"""How much is shown around a region's box in a close-up, as a fraction of the box."""
_LEAST_SIDE = 48
"""Pixels of the original that a close-up shows at least."""
_WARM = np.array([[255, 200, 40], [255, 120, 0], [215, 25, 30]], np.float32)
"""Colours of weak, middling and strong heat, RGB: they rise in darkness alone, so that they also read in grey."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A picture as a data URI, and the rectangle of the original image that it covers, pixels."""

    uri: str
    left: float
    top: float
    width: float
    height: float


def whole_picture(image: NDArray[np.uint8]) -> Layer:
    """The whole image (H, W, 3), RGB, made small."""
    height, width = image.shape[:2]
    return Layer(_jpeg(_shrunk(image, WHOLE)), 0, 0, width, height)


def close_up(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Layer:
    """A square around ``box`` (left, top, right, bottom; pixels), cut from the image at its own resolution.

    The square is moved to lie inside the image, and is smaller than wanted where the image is.
    """
    high, wide = image.shape[:2]
    left, top, right, bottom = box
    side = max(right - left, bottom - top, 1.0) * (1 + 2 * _LEAST_MARGIN)
    side = round(min(max(side, _LEAST_SIDE), wide, high))
    x = round(min(max((left + right - side) / 2, 0), wide - side))
    y = round(min(max((top + bottom - side) / 2, 0), high - side))
    return Layer(_jpeg(_shrunk(image[y : y + side, x : x + side], CLOSE)), x, y, side, side)


def heat_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which the heat of an image is wanted by :func:`heat_layer`."""
    factor = min(_HEAT_SIDE / max(height, width), 1.0)
    return max(round(height * factor), 1), max(round(width * factor), 1)


def heat_layer(heat: NDArray[np.floating], height: int, width: int) -> Layer:
    """Heat of a whole image as a transparent layer; the strongest place of this image is the warmest.

    The layer is empty where there is no heat at all.

    Args:
        heat: at any size, best at :func:`heat_size`.
        height, width: of the image, pixels.
    """
    small = np.maximum(heat, 0).astype(np.float32)
    most = float(small.max(initial=0.0))
    level = small / most if most > 0 else small
    place = level * (len(_WARM) - 1)
    low = np.clip(place.astype(int), 0, len(_WARM) - 2)
    part = (place - low)[..., None]
    colour = _WARM[low] * (1 - part) + _WARM[low + 1] * part
    alpha = np.where(level > 0.05, 60 + 120 * level, 0)[..., None]
    rgba = np.concatenate([colour[..., ::-1], alpha], axis=2).round().astype(np.uint8)
    return Layer(_uri(_encoded(".png", rgba), "png"), 0, 0, width, height)


def outline(polygons: Sequence[NDArray[np.floating] | Sequence[Sequence[float]]]) -> str:
    """An SVG path around all polygons, each (n, 2) pixels; holes stay open under the even-odd rule."""
    parts = []
    for polygon in polygons:
        points = [f"{x:.1f} {y:.1f}" for x, y in np.asarray(polygon, float).reshape(-1, 2)]
        if len(points) > 2:
            parts.append(f"M{'L'.join(points)}Z")
    return "".join(parts)


def _shrunk(image: NDArray[Any], longest: int) -> NDArray[Any]:
    height, width = image.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return image
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _jpeg(image: NDArray[np.uint8]) -> str:
    return _uri(_encoded(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]), "jpeg")


def _encoded(kind: str, image: NDArray[np.uint8], options: Sequence[int] = ()) -> bytes:
    done, data = cv2.imencode(kind, np.ascontiguousarray(image), list(options))
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as {kind}")
    return data.tobytes()


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
