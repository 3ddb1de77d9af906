"""Names of colours: the nearest centroid of the ISCC-NBS system in CIE L*a*b*.

Kelly and Judd (1976) divide the colours of surfaces into 267 blocks, named as *moderate reddish brown*; Centore (2016)
gives each block's centroid in sRGB. Names are spelled the British way. The white of that table is slightly purple, as a
white under its illuminant is on a D65 screen; all centroids are adapted (von Kries, in linear sRGB) so that it is
neutral. A name's noun is its state: *reddish brown* is brown, *orange yellow* yellow. Exceptions: violet counts as
purple, olive green as olive, and the vivid and the deep reddish orange as red, because the red of sRGB itself lies
there.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

STATES = ("black", "white", "grey", "brown", "red", "orange", "yellow", "olive", "yellow_green", "green", "blue",
          "purple", "pink")  # fmt: skip
"""By id in the shipped dictionary; numbers of states below are places in this."""
NEUTRAL = 4.0
"""Chroma C*ab below which no hue is named: the centroids leave a gap there between dark grey and black."""
_NEUTRALS = ("white", "light grey", "medium grey", "dark grey", "black")
_EXCEPTIONS = {"vivid reddish orange": "red", "deep reddish orange": "red"}
_NOUNS = {"yellow green": "yellow_green", "olive green": "olive", "violet": "purple"}


class Names(NamedTuple):
    """The table.

    Attributes:
        words: of each centroid.
        lab: (267, 3) CIE L*a*b* of the centroids.
        states: (267,) place of each one's state in :data:`STATES`.
        tree: for the nearest centroid.
    """

    words: tuple[str, ...]
    lab: NDArray[np.float32]
    states: NDArray[np.intp]
    tree: cKDTree


@cache
def names() -> Names:
    """The table of names, read once a process."""
    text = (files("pipelines.traits.describing") / "data" / "iscc_nbs.txt").read_text(encoding="utf-8")
    rows = [line.rsplit(" ", 3) for line in text.splitlines() if line and not line.startswith("#")]
    words = tuple(row[0] for row in rows)
    linear = _linear(np.array([[int(value) for value in row[1:]] for row in rows], np.float64) / 255)
    white = linear[words.index("white")]
    adapted = np.clip(linear * (white @ (0.2126, 0.7152, 0.0722)) / white, 0, 1)
    lab = to_lab(_encoded(adapted).astype(np.float32)[None])[0]
    states = np.array([STATES.index(state_of(name)) for name in words])
    return Names(words, lab, states, cKDTree(lab))


def state_of(name: str) -> str:
    """The id of the state to which a name of level 3 belongs."""
    if name in _EXCEPTIONS:
        return _EXCEPTIONS[name]
    return next((state for ending, state in _NOUNS.items() if name.endswith(ending)), name.rsplit(" ", 1)[-1])


def to_lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE L*a*b* (D65) of sRGB from 0 to 1, both (h, w, 3) float32."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb, np.float32), cv2.COLOR_RGB2LAB), np.float32)


def named(lab: NDArray[np.float32]) -> NDArray[np.intp]:
    """The place in the table of the nearest centroid of each colour (n, 3): (n,).

    A colour of chroma below :data:`NEUTRAL` is named by its lightness alone, white to black.
    """
    table = names()
    _, nearest = table.tree.query(lab)
    found = np.array(nearest, np.intp, ndmin=1)
    neutral = np.flatnonzero(np.hypot(lab[:, 1], lab[:, 2]) < NEUTRAL)
    greys = np.array([place for place, name in enumerate(table.words) if name in _NEUTRALS])
    if len(neutral):
        found[neutral] = greys[np.abs(lab[neutral, :1] - table.lab[greys, 0][None]).argmin(axis=1)]
    return found


def _linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light of sRGB values (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
