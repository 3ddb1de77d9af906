"""An organism of known look: a level ellipse on a light ground, painted as asked, with shading and noise if wanted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.describing import Picture
from pipelines.traits.statements import Place

HEIGHT, WIDTH = 240, 320
AXES = (120, 70)
GROUND = (222, 224, 220)
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """A picture, and where the organism is in it."""

    image: Image
    mask: NDArray[np.bool_]

    @property
    def picture(self) -> Picture:
        return Picture.of("0" * 32, self.image, self.mask)


def ellipse_mask(angle: float = 0.0, axes: tuple[int, int] = AXES) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (WIDTH // 2, HEIGHT // 2), axes, angle, 0, 360, 1, -1)
    return mask > 0


def frame(angle: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels along and across the organism's long axis."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    x, y = xs - WIDTH / 2, ys - HEIGHT / 2
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return x * cos + y * sin, -x * sin + y * cos


def painted(
    base: tuple[int, int, int],
    marks: NDArray[np.bool_] | None = None,
    other: tuple[int, int, int] = (60, 40, 30),
    *,
    angle: float = 0.0,
    shading: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Scene:
    """An organism of one colour, with marks of another; ``shading`` darkens it towards its sides, as a round body."""
    rng = np.random.default_rng(seed)
    mask = ellipse_mask(angle)
    picture = np.empty((HEIGHT, WIDTH, 3))
    picture[:] = GROUND
    skin = np.empty_like(picture)
    skin[:] = base
    if marks is not None:
        soft = cv2.GaussianBlur(marks.astype(np.float64), (0, 0), 1.0)[..., None]
        skin = skin * (1 - soft) + np.array(other, float) * soft
    along, across = frame(angle)
    round_body = np.clip(1 - (along / AXES[0]) ** 2 * 0.3 - (across / AXES[1]) ** 2, 0, 1) ** 0.5
    skin *= (1 - shading + shading * round_body)[..., None]
    picture[mask] = skin[mask]
    picture += noise * rng.standard_normal(picture.shape)
    return Scene(np.clip(np.rint(picture), 0, 255).astype(np.uint8), mask)


def square(left: float, top: float, right: float, bottom: float) -> Place:
    ring = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Place((left, top, right, bottom), ((ring,),), (WIDTH, HEIGHT))


MIDDLE = square(90, 75, 230, 165)
"""A region within the organism."""


def bands(period: float, angle: float = 0.0, share: float = 0.4) -> NDArray[np.bool_]:
    """Across the long axis."""
    return np.asarray((frame(angle)[0] / period) % 1 < share)


def stripes(period: float, angle: float = 0.0, share: float = 0.4) -> NDArray[np.bool_]:
    """Along the long axis."""
    return np.asarray((frame(angle)[1] / period) % 1 < share)


def spots(pitch: float, radius: float) -> NDArray[np.bool_]:
    """Discs in staggered rows."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    row = np.floor(ys / pitch)
    x = (xs + (row % 2) * pitch / 2) % pitch - pitch / 2
    return np.asarray(np.hypot(x, ys % pitch - pitch / 2) < radius)


def mottling(sigma: float, seed: int = 0) -> NDArray[np.bool_]:
    """Blots of no form: smoothed noise above its 60th percentile."""
    field = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH)), (0, 0), sigma)
    return np.asarray(field > np.quantile(field, 0.6))
