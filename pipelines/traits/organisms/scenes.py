"""What lies around and between organism and picture: ground, clutter, shadow, light, lens and sensor.

Pictures are (H, W, 3) float32, red, green, blue, 0 to 1, and are changed in place where that saves a copy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.organisms.textures import SIDE, tile

Picture = NDArray[np.float32]
GROUNDS: dict[str, tuple[tuple[str, float], ...]] = {
    "insect": (("well", 0.5), ("plain", 0.2), ("uneven", 0.15), ("paper", 0.15)),
    "fish": (("plain", 0.3), ("uneven", 0.25), ("dark", 0.2), ("water", 0.25)),
    "leaf": (("plain", 0.35), ("uneven", 0.2), ("paper", 0.25), ("soil", 0.2)),
}
"""Grounds an organism may lie on, with their shares."""


@dataclass(frozen=True)
class Ground:
    """A picture without an organism yet, and which kind of ground it shows."""

    name: str
    picture: Picture


def dimmed(picture: Picture, gain: NDArray[np.float32]) -> None:
    """Multiply a picture (H, W, 3) by a gain (H, W), in place."""
    cv2.multiply(picture, cv2.merge([gain, gain, gain]), dst=picture)


def laid(name: str, size: tuple[int, int], rng: np.random.Generator, pitch: float) -> Picture:
    """A tile spread over a picture of ``size`` (H, W), turned and shifted by chance; ``pitch`` pixels wide."""
    angle, zoom = rng.uniform(0, 2 * math.pi), pitch / SIDE
    cos, sin = zoom * math.cos(angle), zoom * math.sin(angle)
    matrix = np.array([[cos, -sin, rng.uniform(0, pitch)], [sin, cos, rng.uniform(0, pitch)]])
    flags = cv2.INTER_LINEAR
    spread = cv2.warpAffine(tile(name), matrix, (size[1], size[0]), flags=flags, borderMode=cv2.BORDER_WRAP)
    return spread.astype(np.float32, copy=False)


def ground(kind: str, size: tuple[int, int], rng: np.random.Generator, nuisance: float) -> Ground:
    """A ground for a kind of organism; with ``nuisance`` 0 always plain."""
    choices = dict(GROUNDS[kind])
    name = str(rng.choice(list(choices), p=list(choices.values()))) if rng.random() < nuisance else "plain"
    return Ground(name, _MAKERS[name](size, rng))


def _flat(size: tuple[int, int], colour: tuple[float, float, float], rng: np.random.Generator) -> Picture:
    tone = np.clip(np.asarray(colour) * (1 + 0.04 * rng.normal()) + 0.012 * rng.normal(size=3), 0, 1)
    return cv2.merge([np.full(size, level, np.float32) for level in tone]).astype(np.float32, copy=False)


def _plain(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    pale = [(0.93, 0.93, 0.92), (0.84, 0.85, 0.86), (0.90, 0.88, 0.82), (0.70, 0.76, 0.82)]
    return _flat(size, pale[int(rng.integers(len(pale)))], rng)


def _uneven(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    picture = _plain(size, rng)
    dimmed(picture, 1 + np.float32(0.035) * laid("cloud", size, rng, 1600))
    return picture


def _paper(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    picture = _flat(size, (0.87, 0.84, 0.75), rng)
    dimmed(picture, 1 + np.float32(0.03) * (laid("fibre", size, rng, 400) + laid("grain", size, rng, 300)))
    return picture


def _dark(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    picture = _flat(size, (0.10, 0.11, 0.12), rng)
    dimmed(picture, 1 + np.float32(0.15) * laid("cloud", size, rng, 700))
    return picture


def _water(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    picture = _flat(size, (0.35, 0.55, 0.58), rng)
    fall = np.linspace(1.25, 0.65, size[0], dtype=np.float32)[:, None]
    dimmed(picture, fall * (1 + np.float32(0.08) * laid("cloud", size, rng, 800)))
    return picture


def _soil(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    picture = _flat(size, (0.42, 0.34, 0.26), rng)
    relief = np.float32(0.28) * laid("cloud", size, rng, 420) + np.float32(0.10) * laid("mesh", size, rng, 500)
    dimmed(picture, np.clip(1 + relief, 0.2, 2))
    return picture


def _well(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    """A well of a plate lit from below: grey-blue bottom, a broken bright ring, a milky wall outside."""
    high, wide = size
    radius = rng.uniform(0.44, 0.56) * max(high, wide)
    centre = np.array([wide, high]) / 2 + rng.normal(0, 0.03, 2) * max(size)
    y, x = np.ogrid[0:high, 0:wide]
    away = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2).astype(np.float32) / np.float32(radius)
    cloud = laid("cloud", size, rng, 600)
    away += 0.004 * cloud
    picture = _flat(size, (0.72, 0.75, 0.79), rng)
    knots = np.array([0, 0.30, 0.36, 0.40, 0.46, 0.8, 0.90, 0.94, 0.96, 0.985, 1.02, 1.06, 1.3, 2.0])
    caustic = rng.uniform(0, 0.10)
    level = np.array([0.02, 0.02, caustic, 0.6 * caustic, 0.0, -0.02, -0.05, 0.05, 0.25, -0.20, 0.04, 0.14, 0.12, 0.2])
    steps = np.interp(np.linspace(0, 2, 512), knots, level).astype(np.float32)
    rise = steps[np.minimum((away * np.float32(256)).astype(np.int32), 511)]
    ragged = np.clip(1 + 0.7 * cloud, 0, 2)
    rise = rise * np.where(rise > 0, ragged, np.float32(1)) + np.float32(0.012) * cloud
    cv2.add(picture, cv2.merge([rise, rise, rise]), dst=picture)
    for _ in range(int(rng.integers(0, 14))):  # specks and fibres
        place = rng.uniform(0, 1, 2) * [wide, high]
        end = place + rng.normal(0, 6, 2)
        shade = 0.35 + 0.2 * float(rng.random())
        cv2.line(picture, place.astype(int).tolist(), end.astype(int).tolist(), (shade, shade, shade), 1, cv2.LINE_AA)
    return picture


_MAKERS = {
    "plain": _plain, "uneven": _uneven, "paper": _paper, "dark": _dark, "water": _water, "soil": _soil, "well": _well,
}  # fmt: skip


def shadow(picture: Picture, alpha: NDArray[np.float32], light: tuple[float, float], rng: np.random.Generator) -> None:
    """Darken the ground where an organism of coverage ``alpha`` (H, W) keeps the light off it."""
    small = cv2.resize(alpha, (alpha.shape[1] // 4, alpha.shape[0] // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(1.0, 3.0)))
    reach = rng.uniform(1.0, 4.0)
    move = np.array([[1.0, 0, -light[0] * reach], [0, 1.0, -light[1] * reach]])
    small = cv2.warpAffine(small, move, (small.shape[1], small.shape[0]))
    soft = cv2.resize(small, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR)
    dimmed(picture, 1 - np.float32(rng.uniform(0.15, 0.45)) * soft)


def lit(picture: Picture, rng: np.random.Generator, nuisance: float) -> None:
    """Gradient, vignette and white balance of the light; with ``nuisance`` 0 nothing changes."""
    high, wide = picture.shape[0], picture.shape[1]
    y, x = np.mgrid[-1:1:24j, -1:1:24j]
    slope = rng.normal(0, 0.09 * nuisance, 2)
    fall = 1 + slope[0] * x + slope[1] * y - rng.uniform(0, 0.16 * nuisance) * (x * x + y * y)
    white = 1 + rng.normal(0, 0.022 * nuisance, 3)
    gain = (fall[..., None] * white * (1 + rng.normal(0, 0.05 * nuisance))).astype(np.float32)
    cv2.multiply(picture, cv2.resize(gain, (wide, high), interpolation=cv2.INTER_LINEAR), dst=picture)


def sensed(picture: Picture, rng: np.random.Generator, nuisance: float) -> NDArray[np.uint8]:
    """What the camera makes of it (H, W, 3) uint8: slight blur, then noise that grows with the light."""
    blur = rng.uniform(0.3, 0.3 + 0.6 * nuisance)
    soft = cv2.GaussianBlur(picture, (5, 5), float(blur))
    high, wide = picture.shape[0], picture.shape[1]
    row, column = rng.integers(0, SIDE, 2)
    noise = np.tile(tile("sensor"), (high // SIDE + 2, wide // SIDE + 2))[row : row + high, column : column + wide]
    noise = np.float32(rng.uniform(0.004, 0.004 + 0.014 * nuisance)) * noise
    noisy = np.maximum(cv2.add(soft, cv2.merge([noise, noise, noise])), 0)
    return cv2.convertScaleAbs(noisy, alpha=255.0).astype(np.uint8, copy=False)
