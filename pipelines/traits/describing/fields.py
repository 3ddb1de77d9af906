"""A region's inner part, and its colours smoothed without what lies around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.describing.cutting import Mask

Field = NDArray[np.float32]
LEAST_PIXELS = 300
"""Pixels of the inner part without which neither pattern nor texture can be seen."""
RIM = 0.15
"""Of the greatest distance from the edge: what is nearer to the edge is left out."""
SMOOTHING = 1 / 40
"""Of the diameter: what is finer is texture, not pattern."""


def core_of(inside: Mask) -> Mask:
    """What of a mask lies further from its edge than :data:`RIM`, and than a pixel."""
    depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(depth > max(RIM * float(depth.max()), 1.0))


def smoothed(values: Field, inside: Mask, sigma: float) -> Field:
    """Smoothed by a Gaussian within a mask (normalised convolution, Knutsson and Westin 1993)."""
    weight = inside.astype(np.float32)
    total = cv2.GaussianBlur(weight, (0, 0), sigma)
    summed = cv2.GaussianBlur(values * (weight[..., None] if values.ndim == 3 else weight), (0, 0), sigma)
    total = np.maximum(total, 1e-4)
    return np.asarray(summed / (total[..., None] if values.ndim == 3 else total), np.float32)
