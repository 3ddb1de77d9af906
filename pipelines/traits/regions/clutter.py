"""What lies beside an organism and is none: printed labels, scale bars, colour cards."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_RECTANGULAR = 0.88
"""Share of its smallest rectangle that a card fills at least; an ellipse fills 0.785."""

_LARGEST = 0.25
"""Share of the picture above which nothing is a card beside the organism."""

_LEAST_SIDE = 0.01
"""Of the picture's longer side: what is thinner is no card."""

_LETTERS = 4


def cards(standing_out: Mask, lightness: NDArray[np.float32]) -> Mask:
    """Which pixels are of labels, scale bars and colour cards.

    Two looks: things that stand out from the background and fill a rectangle, as no organism with limbs does; and
    dense strokes that together fill a rectangle, as print does on a label of the background's own colour.

    Args:
        standing_out: (H, W) what is not background.
        lightness: (H, W) L*, 0 to 100.
    """
    found = np.zeros(standing_out.shape, np.uint8)
    for contour in _contours(standing_out):
        if _is_rectangle(contour, standing_out.shape):
            _fill(found, contour)
    strokes = _strokes(lightness)
    side = max(standing_out.shape)
    reach = cv2.getStructuringElement(cv2.MORPH_RECT, (max(side // 40, 3),) * 2)
    blocks = cv2.morphologyEx(strokes.astype(np.uint8), cv2.MORPH_CLOSE, reach) > 0
    for contour in _contours(blocks):
        if _is_rectangle(contour, standing_out.shape) and _letters(contour, strokes) >= _LETTERS:
            _fill(found, contour)
    margin = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * max(side // 150, 1) + 1,) * 2)
    return np.asarray(cv2.dilate(found, margin) > 0)


def _contours(mask: Mask) -> list[NDArray[np.int32]]:
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [np.asarray(contour, np.int32) for contour in found]


def _is_rectangle(contour: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    _, (wide, high), _ = cv2.minAreaRect(contour)
    wide, high = wide + 1, high + 1  # points are centres of pixels
    if min(wide, high) < max(_LEAST_SIDE * max(shape), 3) or wide * high > _LARGEST * shape[0] * shape[1]:
        return False
    area = cv2.contourArea(contour) + cv2.arcLength(contour, True) / 2 + 1
    return bool(area >= _RECTANGULAR * wide * high and max(wide, high) > 0.03 * max(shape))


def _fill(mask: NDArray[np.uint8], contour: NDArray[np.int32]) -> None:
    corners = cv2.boxPoints(cv2.minAreaRect(contour))
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)


def _strokes(lightness: NDArray[np.float32]) -> Mask:
    """Thin dark strokes: what a closing by a few pixels makes lighter."""
    thin = cv2.getStructuringElement(cv2.MORPH_RECT, (max(max(lightness.shape) // 80, 3),) * 2)
    closed = cv2.morphologyEx(lightness, cv2.MORPH_CLOSE, thin)
    return np.asarray((closed - lightness > 12) & (closed > 50))


def _letters(contour: NDArray[np.int32], strokes: Mask) -> int:
    left, top, wide, high = cv2.boundingRect(contour)
    inside = np.zeros((high, wide), np.uint8)
    cv2.drawContours(inside, [contour - np.array([left, top])], -1, 1, -1)
    part = strokes[top : top + high, left : left + wide] & (inside > 0)
    return int(cv2.connectedComponents(part.astype(np.uint8))[0] - 1)
