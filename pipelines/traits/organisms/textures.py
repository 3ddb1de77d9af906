"""Surfaces: grey tiles (256, 256) float32 with mean 0 and deviation 1 that repeat without a seam.

A tile is made once a process, always the same; where it is laid (offset, scale) comes from the image's own generator.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

SIDE = 256
Tile = NDArray[np.float32]


def _normal(field: NDArray[np.float64]) -> Tile:
    level: Tile = ((field - field.mean()) / field.std()).astype(np.float32)
    return level


def _filtered(seed: int, along_x: float, along_y: float) -> Tile:
    """White noise through a Gaussian of the given deviations in pixels, wrapping around."""
    noise = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    fy, fx = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    keep = np.exp(-2 * np.pi**2 * ((along_x * fx) ** 2 + (along_y * fy) ** 2))
    return _normal(np.fft.irfft2(np.fft.rfft2(noise) * keep, s=(SIDE, SIDE)))


def _cloud() -> Tile:
    """Noise whose amplitude falls as one over the frequency."""
    noise = np.random.default_rng(1).standard_normal((SIDE, SIDE))
    fy, fx = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    fall = np.hypot(fx, fy)
    fall[0, 0] = np.inf
    return _normal(np.fft.irfft2(np.fft.rfft2(noise) / fall**1.3, s=(SIDE, SIDE)))


def _scales() -> Tile:
    """Overlapping rounded scales in staggered rows, 16 pixels wide, each brighter towards its free edge."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    pitch, best = 16.0, np.full((SIDE, SIDE), -1.0)
    for lift in range(4):
        column = np.floor(x / (pitch / 2)) - lift
        centre_x = column * pitch / 2
        centre_y = np.round((y / pitch) - 0.5 * (column % 2)) * pitch + 0.5 * (column % 2) * pitch
        away = np.hypot(x - centre_x, y - centre_y) / (pitch * 0.62)
        best = np.where((best < 0) & (away <= 1) & (x >= centre_x), away, best)
    best[best < 0] = 1
    return _normal(np.where(best > 0.86, -0.4, best**2))


def _net(points: int) -> Tile:
    """The borders between the cells around random points: veins of a leaf, a net of wrinkles."""
    sites = np.random.default_rng(points).uniform(0, SIDE, (points, 2))
    tree = cKDTree(sites, boxsize=SIDE)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    near, _ = tree.query(np.column_stack([x.ravel(), y.ravel()]), k=2)
    gap = (near[:, 1] - near[:, 0]).reshape(SIDE, SIDE)
    return _normal(np.exp(-((gap / 1.6) ** 2)))


def _striae() -> Tile:
    """Lines along y with rows of pits, as on a beetle's wing cases."""
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(float)
    line = np.cos(2 * np.pi * x / 32)
    pits = np.clip(line, 0, 1) ** 4 * (np.cos(2 * np.pi * y / 16) > 0.2)
    return _normal(-(line**3) - 1.4 * pits)


@cache
def tile(name: str) -> Tile:
    """A tile by name: ``cloud``, ``grain``, ``hair`` (streaks along y), ``scales``, ``net``, ``mesh``, ``striae``,
    ``fibre``, ``sensor`` (white noise).

    Raises:
        KeyError: for a name that does not exist.
    """
    makers: dict[str, Callable[[], Tile]] = {
        "cloud": _cloud,
        "grain": lambda: _filtered(2, 0.7, 0.7),
        "hair": lambda: _filtered(3, 0.6, 5.0),
        "fibre": lambda: _filtered(4, 12.0, 0.7),
        "scales": _scales,
        "net": lambda: _net(260),
        "mesh": lambda: _net(900),
        "striae": _striae,
        "sensor": lambda: _filtered(5, 0.0, 0.0),
    }
    return makers[name]()
