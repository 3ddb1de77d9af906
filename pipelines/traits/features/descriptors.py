"""Dense hand-made descriptors of the patches of one image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_ORIENTATIONS = 8
_RINGS = (1.5, 3.0, 5.0, 8.0)
"""Radii, in patches, of the rings around a patch."""


def describe(image: Floats, patch: int) -> Floats:
    """Descriptors of each patch.

    Args:
        image: (height, width, 3) RGB, 0 to 1, both edges multiples of ``patch``.
        patch: edge of a patch, pixels.

    Returns:
        (patches, dimensions) float32.
    """
    rows, columns = image.shape[0] // patch, image.shape[1] // patch
    lab = cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2Lab)
    lab *= np.float32([1 / 100, 1 / 128, 1 / 128])
    shape = (rows, columns)
    fore = foreground(lab, shape)
    groups = [
        *colours(lab, shape),
        *gradients(lab, shape),
        textures(lab[..., 0], shape),
        *surroundings(lab, fore, shape),
    ]
    return np.concatenate([group.reshape(rows * columns, -1) for group in groups], axis=1)


def pooled(plane: Floats, shape: tuple[int, int]) -> Floats:
    """Means over patches: (rows, columns, channels)."""
    found = cv2.resize(plane, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(found if found.ndim == 3 else found[..., None], np.float32)


def coded(values: Floats, low: float, high: float, units: int) -> Floats:
    """A population code of each number: units spread evenly from ``low`` to ``high``, each a Gaussian.

    Args:
        values: (rows, columns, channels).

    Returns:
        (rows, columns, channels * units), 0 to 1.
    """
    centres = np.linspace(low, high, units, dtype=np.float32)
    width = (high - low) / (units - 1)
    apart = (np.clip(values, low, high)[..., None] - centres) / np.float32(width)
    found: Floats = np.exp(-apart * apart).reshape(*values.shape[:2], -1)
    return found


def blurred(values: Floats, radius: float) -> Floats:
    """Weighted means around each patch."""
    found = cv2.GaussianBlur(values, (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found if found.ndim == 3 else found[..., None], np.float32)


def foreground(lab: Floats, shape: tuple[int, int]) -> Floats:
    """How unlike the image's border each pixel is, 0 to 1: (height, width)."""
    small = cv2.GaussianBlur(lab, (0, 0), 2)
    edge = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]])
    middle = np.median(edge, axis=0)
    spread = np.median(np.abs(edge - middle), axis=0) * 1.5 + np.float32(0.03)
    far = np.sqrt((((small - middle) / spread) ** 2).sum(-1))
    found: Floats = 1 / (1 + np.exp(-(far - 4))).astype(np.float32)
    return found


def colours(lab: Floats, shape: tuple[int, int]) -> list[Floats]:
    """Colour of the patch, coded, and its spread."""
    mean = pooled(lab, shape)
    spread = np.sqrt(np.maximum(pooled(lab * lab, shape) - mean * mean, 0))
    light = coded(mean[..., :1], 0, 1, 8)
    hue = coded(mean[..., 1:], -0.5, 0.5, 9)
    return [light, hue, coded(np.sqrt(spread), 0, 0.6, 4)]


def gradients(lab: Floats, shape: tuple[int, int]) -> list[Floats]:
    """Edges by scale and orientation: how strong, how much of one direction, and which."""
    found = []
    light = lab[..., 0]
    for scale in (1.0, 2.0, 4.0):
        smooth = cv2.GaussianBlur(light, (0, 0), scale)
        across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) * scale, cv2.Sobel(smooth, cv2.CV_32F, 0, 1) * scale
        strength = np.sqrt(across * across + down * down)
        angle = np.arctan2(down, across)
        harmonics = [strength]
        for order in (2, 4):
            harmonics += [strength * np.cos(order * angle), strength * np.sin(order * angle)]
        planes = pooled(np.dstack(harmonics), shape)
        energy = planes[..., :1]
        relative = planes[..., 1:] / (energy + np.float32(0.02))
        coherence = np.dstack(
            [np.hypot(relative[..., 0], relative[..., 1]), np.hypot(relative[..., 2], relative[..., 3])]
        )
        found += [coded(np.sqrt(energy), 0, 1, 6), coded(coherence, 0, 1, 4), relative[..., :2] * 0.5]
    return found


def textures(light: Floats, shape: tuple[int, int]) -> Floats:
    """Histogram of uniform local binary patterns, the same whichever way the texture is turned."""
    smooth = cv2.GaussianBlur(light, (0, 0), 1)
    padded = cv2.copyMakeBorder(smooth, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    height, width = light.shape
    ring = [(-2, -1), (-2, 1), (-1, 2), (1, 2), (2, 1), (2, -1), (1, -2), (-1, -2)]
    bits = np.stack(
        [padded[2 + y : 2 + y + height, 2 + x : 2 + x + width] > smooth + np.float32(0.01) for y, x in ring]
    )
    changes = (bits != np.roll(bits, 1, axis=0)).sum(0)
    kind = np.where(changes <= 2, bits.sum(0), 9)
    planes = [pooled((kind == value).astype(np.float32), shape)[..., 0] for value in range(10)]
    return np.sqrt(np.dstack(planes))


def surroundings(lab: Floats, fore: Floats, shape: tuple[int, int]) -> list[Floats]:
    """What lies around: colours and foreground in rings, thickness of the organism."""
    mean, share = pooled(lab, shape), pooled(fore, shape)
    found = [coded(share, 0, 1, 4)]
    for radius in _RINGS:
        found.append(coded(blurred(share, radius), 0, 1, 5))
        found.append(coded(blurred(mean, radius)[..., :1] - mean[..., :1], -0.5, 0.5, 5))
    inside = cv2.distanceTransform((fore > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    size = np.sqrt(max(float((fore > 0.5).sum()), 1.0))
    found.append(coded(pooled(inside / np.float32(size), shape), 0, 0.4, 6))
    return found
