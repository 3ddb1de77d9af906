"""A model of a plain, perhaps unevenly lit, background, and how far each pixel is from it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

_SAMPLES = 6000
_ROUNDS = 8
_LEAST_SPREAD = 1.5
_BRIGHT = 50.0
_GLARE = 0.25


class Departure(NamedTuple):
    """How each pixel departs from the background.

    Attributes:
        distance: (H, W) distance in CIE L*a*b*, glare on a bright background counted a quarter.
        lightness: (H, W) L*, 0 to 100.
        lighter: (H, W) how much lighter than the background, L* units, negative for darker.
        spread: distance of the background's own pixels, a robust standard deviation.
    """

    distance: Field
    lightness: Field
    lighter: Field
    spread: float


def departure(image: NDArray[np.uint8]) -> Departure:
    """Fit a quadratic surface to L*, a* and b* of a picture (H, W, 3) RGB, and measure from it.

    The fit is made again and again with what is far from it counting less (Cauchy weights), beginning with the edge
    of the picture before its middle: so an organism that covers less than about half of it has no part in it, nor have
    labels.
    """
    lab = np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    surface, spread = _surface(lab)
    away = lab - surface
    distance = np.sqrt(np.einsum("hwc,hwc->hw", away, away))
    lighter = away[..., 0]
    chroma = np.hypot(away[..., 1], away[..., 2])
    glare = (lighter > 0) & (chroma < 0.5 * lighter) & (surface[..., 0] > _BRIGHT)
    return Departure(np.where(glare, _GLARE * distance, distance), lab[..., 0], lighter, spread)


def _surface(lab: Field) -> tuple[Field, float]:
    height, width = lab.shape[:2]
    ys, xs = np.linspace(-1, 1, height), np.linspace(-1, 1, width)
    at = np.arange(0, height * width, max(height * width // _SAMPLES, 1))
    y, x = ys[at // width], xs[at % width]
    some = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=1)
    seen = lab.reshape(-1, 3)[at].astype(np.float64)
    prior = np.clip(np.hypot(x, y), 0.15, 1)
    weight = prior
    for _ in range(_ROUNDS):
        # Normal equations: six terms on -1 to 1 are far from alike, and products this small stay in one thread.
        weighted = (some * weight[:, None]).T
        fit = np.linalg.lstsq(weighted @ some, weighted @ seen, rcond=None)[0]
        off = some @ fit - seen
        away = np.sqrt(np.einsum("ij,ij->i", off, off))
        spread = max(_LEAST_SPREAD, 1.4826 * float(np.median(away)))
        weight = prior / (1 + (away / (2 * spread)) ** 2) ** 2
    one, by_x, by_y, by_xy, by_xx, by_yy = fit.astype(np.float32)[:, None, None, :]
    y_, x_ = ys.astype(np.float32)[:, None, None], xs.astype(np.float32)[None, :, None]
    surface = (one + by_y * y_ + by_yy * y_ * y_) + (by_x * x_ + by_xx * x_ * x_) + (by_xy * y_) * x_
    return np.asarray(surface, np.float32), spread
