"""What people lay beside a specimen: printed labels, scale bars, colour cards, the pin itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
SCALE = 4
PLACES = ("Baja", "Lago", "Monte", "Rio", "Selva", "Cerro", "Fjord", "Moor")


def scatter(picture: Picture, rng: np.random.Generator, nuisance: float) -> dict[str, NDArray[np.bool_]]:
    """Lay clutter in corners of a picture (H, W, 3), in place, and give a mask (H, W) of each kind laid."""
    found: dict[str, NDArray[np.bool_]] = {}
    corners = list(rng.permutation(4))
    for name, share, make in _KINDS:
        if corners and rng.random() < share * nuisance:
            card = make(rng, min(picture.shape[:2]) / 512)
            found[name] = _lay(picture, card, int(corners.pop()), rng)
    return found


def _lay(picture: Picture, card: Picture, corner: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Put a card into a corner, a little turned; the mask of where it lies."""
    high, wide = picture.shape[:2]
    angle = math.radians(float(rng.normal(0, 4)))
    half = np.array([card.shape[1], card.shape[0]]) / 2
    gap = rng.uniform(4, 22, 2)
    x = gap[0] + half[0] if corner % 2 == 0 else wide - gap[0] - half[0]
    y = gap[1] + half[1] if corner < 2 else high - gap[1] - half[1]
    cos, sin = math.cos(angle), math.sin(angle)
    move = np.array([[cos, -sin, x - cos * half[0] + sin * half[1]], [sin, cos, y - sin * half[0] - cos * half[1]]])
    cover = cv2.warpAffine(np.ones(card.shape[:2], np.float32), move, (wide, high))
    left, top, across, down = cv2.boundingRect((cover > 0).astype(np.uint8))
    window = (slice(top, top + down), slice(left, left + across))
    move[:, 2] -= (left, top)
    turned = cv2.warpAffine(card, move, (across, down), borderMode=cv2.BORDER_REPLICATE)
    share = cover[window][..., None]
    picture[window] = picture[window] * (1 - share) + turned * share
    return np.asarray(cover > 0.5)


def label(rng: np.random.Generator, zoom: float) -> Picture:
    """A printed label with a few lines of locality, date and number."""
    wide, high = int(rng.integers(105, 165) * zoom), int(rng.integers(44, 72) * zoom)
    card = np.full((high, wide, 3), rng.uniform(0.88, 0.98), np.float32)
    card *= np.asarray([1, 1, rng.uniform(0.86, 1)], np.float32)
    lines = [
        f"{PLACES[int(rng.integers(len(PLACES)))]} {int(rng.integers(1, 3000))} m",
        f"{int(rng.integers(1, 29))}.{int(rng.integers(1, 13))}.{int(rng.integers(1890, 2024))} leg.",
        f"No. {int(rng.integers(10_000, 999_999))}",
    ]
    step = high / (len(lines) + 0.4)
    for row, text in enumerate(lines):
        foot = (int(5 * zoom), int(step * (row + 0.95)))
        _write(card, text, foot, zoom)
    cv2.rectangle(card, (0, 0), (wide - 1, high - 1), (0.3, 0.3, 0.3), 1)
    return card


def _write(card: Picture, text: str, foot: tuple[int, int], zoom: float) -> None:
    """Print text on a card, its left foot at a pixel."""
    ink = np.zeros(card.shape[:2], np.uint8)  # letters are drawn on whole numbers only
    cv2.putText(ink, text, foot, cv2.FONT_HERSHEY_SIMPLEX, 0.40 * zoom, 255, 1, cv2.LINE_AA)
    card *= 1 - ink[..., None].astype(np.float32) * np.float32(0.92 / 255)


def scale_bar(rng: np.random.Generator, zoom: float) -> Picture:
    """A black and white scale with its length."""
    wide, high = int(rng.integers(90, 150) * zoom), int(30 * zoom)
    card = np.full((high, wide, 3), 0.95, np.float32)
    steps = np.linspace(5 * zoom, wide - 6 * zoom, 6).astype(int)
    for place, (start, end) in enumerate(pairwise(steps)):
        tone = 0.05 if place % 2 == 0 else 1.0
        top, bottom = int(5 * zoom), int(11 * zoom)
        cv2.rectangle(card, (int(start), top), (int(end), bottom), (tone, tone, tone), -1)
        cv2.rectangle(card, (int(start), top), (int(end), bottom), (0.05, 0.05, 0.05), 1)
    text = f"{int(rng.choice([1, 2, 5, 10]))} mm"
    foot = (int(wide / 2 - 16 * zoom), high - int(5 * zoom))
    _write(card, text, foot, zoom)
    return card


def colour_card(rng: np.random.Generator, zoom: float) -> Picture:
    """Patches of known colours and greys on black."""
    side = int(rng.integers(13, 19) * zoom)
    hues = [
        (0.16, 0.24, 0.60),
        (0.27, 0.58, 0.29),
        (0.69, 0.19, 0.22),
        (0.93, 0.78, 0.13),
        (0.73, 0.33, 0.57),
        (0.03, 0.52, 0.63),
    ]
    greys = [(g, g, g) for g in (0.95, 0.78, 0.62, 0.47, 0.32, 0.2)]
    card = np.full((2 * side + 9, 6 * side + 21, 3), 0.06, np.float32)
    for row, tones in enumerate((hues, greys)):
        for column, tone in enumerate(tones):
            top, left = 3 + row * (side + 3), 3 + column * (side + 3)
            card[top : top + side, left : left + side] = tone
    return card


_KINDS: tuple[tuple[str, float, Callable[[np.random.Generator, float], Picture]], ...] = (
    ("label", 0.35, label),
    ("scale_bar", 0.25, scale_bar),
    ("colour_card", 0.15, colour_card),
)


def pin(picture: Picture, at: NDArray[np.float64], size: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """An insect pin through a point, seen almost along its shaft: its head, its shaft and their mask (H, W)."""
    cover = np.zeros(picture.shape[:2], np.uint8)
    lean = rng.normal(0, 1, 2)
    top = at + lean / max(float(np.linalg.norm(lean)), 1e-6) * size * rng.uniform(1.5, 4)
    fixed = [tuple(int(v * 16) for v in point) for point in (at, top)]
    cv2.line(cover, fixed[0], fixed[1], 255, max(1, int(size / 3)), cv2.LINE_AA, SCALE)
    _over(picture, cover, (0.35, 0.35, 0.37))
    head = np.zeros_like(cover)
    cv2.circle(head, fixed[1], int(size * 16), 255, -1, cv2.LINE_AA, SCALE)
    _over(picture, head, (0.12, 0.12, 0.14) if rng.random() < 0.6 else (0.75, 0.68, 0.35))
    shine = np.zeros_like(cover)
    bright = (int((top[0] - 0.3 * size) * 16), int((top[1] - 0.3 * size) * 16))
    cv2.circle(shine, bright, int(size * 5), 255, -1, cv2.LINE_AA, SCALE)
    _over(picture, shine, (0.9, 0.9, 0.9))
    return np.asarray(np.maximum(cover, head) > 127)


def _over(picture: Picture, cover: NDArray[np.uint8], colour: tuple[float, float, float]) -> None:
    rows = np.flatnonzero(cover.any(axis=1))
    columns = np.flatnonzero(cover.any(axis=0))
    if not len(rows):
        return
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    share = cover[window].astype(np.float32)[..., None] / 255
    picture[window] = picture[window] * (1 - share) + np.asarray(colour, np.float32) * share
