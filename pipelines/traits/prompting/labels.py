"""Labels in a picture, painted over: the name of the taxon may stand on one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.regions.background import departure
from pipelines.traits.regions.clutter import cards
from pipelines.traits.regions.foreground import WORKING_SIDE

GREY = 128
"""Level that is painted over labels, and of a blank image."""
_LEAST_SPREAD, _MOST_SPREAD, _SPREADS = 7.0, 16.0, 2.5
"""What stands out, in CIE L*a*b*, as :func:`pipelines.traits.regions.foreground` has it."""


def labels(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels (H, W) of a picture (H, W, 3) RGB are of labels, scale bars and colour cards.

    What the rest of the pipeline takes for no organism for this reason; a label that touches the organism, or that is
    not rectangular, is not found.
    """
    import cv2

    height, width = image.shape[:2]
    scale = min(WORKING_SIDE / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8) if scale < 1 else image
    away = departure(small)
    low = float(np.clip(_SPREADS * away.spread, _LEAST_SPREAD, _MOST_SPREAD))
    found = cards((away.distance > low) | (np.abs(away.lighter) > low), away.lightness)
    if scale == 1:
        return found
    return np.asarray(cv2.resize(found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def without_labels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its labels painted over in even grey; the picture itself where there are none."""
    found = labels(image)
    if not found.any():
        return image
    painted = image.copy()
    painted[found] = GREY
    return painted
