"""The same picture twice: the same bytes, or the same to the eye.

A near duplicate is the same picture in other bytes: compressed again, scaled, brightened, with other metadata. It is
told by the low frequencies of the picture: brightness at 32 x 32, transformed by a two-dimensional DCT, of which the
lowest 16 x 16 coefficients without the mean are kept and brought to unit length. Where the perceptual hash (Zauner
2010, "Implementation and Benchmarking of Perceptual Image Hash Functions", thesis, Hagenberg) keeps only the signs of
the lowest 64, all of them are compared as they are: the distance of two fingerprints is sqrt(2 - 2 r) with r the
correlation of the smoothed pictures. Colour is compared too, at 4 x 4, so that colour forms of one pose are not one
picture.

On photographs of insects, flies, tissue and blood, copies scaled to a half or a quarter are up to 0.02 apart,
compressed at quality 20 up to 0.06, with a fifth more contrast up to 0.03; the two most alike frames of a filmed fly
0.073, any two specimens of BIOSCAN or drawn organisms above 0.15. Copies that were cropped, turned or mirrored are
not found.

Pairs within :data:`NEAR` are found exactly, none missed: a distance among the first :data:`FIRST` coefficients is never
larger than among all, so a k-d tree over those gives a superset, and each kept picture asks once for its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from tempfile import TemporaryFile, gettempdir
from typing import Self

import numpy as np
import scipy.fft
import scipy.spatial
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
KEPT = 16
FIRST = 20
COLOURS = 4
ENOUGH = 256
"""Pixels of the shorter side that a picture must have left for its fingerprint, when it is decoded reduced."""
NEAR = 0.06
"""Distance of fingerprints below which two pictures are near duplicates: a correlation of 0.9982."""
NEAR_COLOUR = 12.0
"""Root mean square difference of the colour (Cb and Cr, 0 to 255) up to which two pictures have the same colours."""
PLAIN = 2.0
"""Standard deviation of brightness (0 to 255) below which a picture is too plain to be told from another."""

MOST_PAIRS = 10
"""How many pictures with contradictory names are told for each picture."""

_COEFFICIENTS = KEPT * KEPT - 1
_LENGTH = _COEFFICIENTS + 2 * COLOURS * COLOURS
_ORDER = np.argsort(np.add.outer(np.arange(KEPT), np.arange(KEPT)).ravel(), kind="stable")[1:]


def fingerprint(picture: Image.Image) -> NDArray[np.float16] | None:
    """255 coefficients of brightness at unit length, low frequencies first, then 32 of colour; (287,) float16.

    Args:
        picture: 8-bit RGB, upright.

    Returns:
        ``None`` for a picture that is too plain (:data:`PLAIN`).
    """
    small = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
    bands = np.asarray(small.convert("YCbCr"), np.float32)
    brightness = bands[:, :, 0]
    if brightness.std() < PLAIN:
        return None
    low = scipy.fft.dctn(brightness, norm="ortho")[:KEPT, :KEPT].ravel()[_ORDER]
    low /= np.linalg.norm(low)
    block = SIDE // COLOURS
    colours = bands[:, :, 1:].reshape(COLOURS, block, COLOURS, block, 2).mean(axis=(1, 3))
    return np.concatenate([low, colours.ravel()]).astype(np.float16)


class Prints:
    """Fingerprints of many pictures, in a file without a name: 574 bytes each there, one in memory.

    Raises:
        OSError: there is no room for temporary files.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 (closed on leaving)
        self._there = bytearray()

    def __len__(self) -> int:
        return len(self._there)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Give the room back."""
        self._file.close()

    def add(self, own: NDArray[np.float16] | None) -> None:
        """Put the fingerprint of the next picture down."""
        self._there.append(own is not None)
        try:
            self._file.write((np.zeros(_LENGTH, np.float16) if own is None else own).tobytes())
        except OSError as error:
            raise _named(error) from None

    def has(self, index: int) -> bool:
        """Whether a picture has one."""
        return bool(self._there[index])

    def table(self) -> NDArray[np.float16]:
        """(pictures, 287), read from the file where it is looked at; zeros where there is none."""
        try:
            self._file.flush()
        except OSError as error:
            raise _named(error) from None
        if not self._there:
            return np.zeros((0, _LENGTH), np.float16)
        return np.memmap(self._file, np.float16, "r", shape=(len(self), _LENGTH))


def _named(error: OSError) -> OSError:
    """The same with the folder that is full, which a file without a name cannot say."""
    return OSError(error.errno, error.strerror, gettempdir())


def near_duplicates(
    prints: Prints, order: Sequence[int], keep_both: Callable[[int, int], bool]
) -> tuple[dict[int, tuple[int, float]], list[tuple[int, int, float]]]:
    """Which pictures are near duplicates of a kept one.

    Args:
        prints: a fingerprint for each picture.
        order: the pictures from the one most worth keeping to the one least worth it.
        keep_both: whether two near duplicates are both kept.

    Returns:
        For each picture that is not kept, the kept one it is like and their distance; and the pairs of which both are
        kept, at most :data:`MOST_PAIRS` for each picture.
    """
    usable = np.array([index for index in order if prints.has(index)], np.int64)
    if len(usable) < 2:
        return {}, []
    table = prints.table()
    first = np.empty((len(usable), FIRST), np.float32)
    for start in range(0, len(usable), 4096):
        first[start : start + 4096] = table[usable[start : start + 4096], :FIRST]
    places, inverse = np.unique(first, axis=0, return_inverse=True)
    alike = list(np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1]))
    tree = scipy.spatial.cKDTree(places)
    dropped: dict[int, tuple[int, float]] = {}
    both: list[tuple[int, int, float]] = []
    for at in range(len(usable)):
        if int(usable[at]) in dropped:
            continue
        found = tree.query_ball_point(first[at], NEAR)
        if len(found) == 1 and len(alike[found[0]]) == 1:
            continue
        around = np.concatenate([alike[place] for place in found])
        told = 0
        for other, distance in _near(table, usable, at, np.sort(around[around > at])):
            one, two = int(usable[at]), int(usable[other])
            if two in dropped:
                continue
            if keep_both(one, two):
                told += 1
                if told <= MOST_PAIRS:
                    both.append((one, two, distance))
            else:
                dropped[two] = (one, distance)
    return dropped, both


def _near(
    table: NDArray[np.float16], usable: NDArray[np.int64], at: int, others: NDArray[np.intp]
) -> list[tuple[int, float]]:
    """Those of ``others`` that are near duplicates of picture ``at``, with the distance."""
    found: list[tuple[int, float]] = []
    own = table[usable[at]].astype(np.float32)
    for start in range(0, len(others), 4096):
        part = others[start : start + 4096]
        apart = table[usable[part]].astype(np.float32) - own
        distance = np.linalg.norm(apart[:, :_COEFFICIENTS], axis=1)
        colour = np.sqrt(np.mean(apart[:, _COEFFICIENTS:] ** 2, axis=1))
        near = (distance < NEAR) & (colour <= NEAR_COLOUR)
        found += [(int(part[i]), float(distance[i])) for i in np.flatnonzero(near)]
    return found
