"""Painting an organism: outlines in body lengths become colour, opacity and part masks in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from pipelines.traits.organisms.shapes import Points
from pipelines.traits.organisms.textures import SIDE, tile

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""

SHIFT = 4
"""Binary digits of a pixel's fraction that the rasteriser takes."""


@dataclass(frozen=True)
class Surface:
    """How a part looks.

    Attributes:
        colour: at the start of the gradient, or all over.
        fade: the colour at the end of the gradient, with its two ends in body lengths.
        opacity: 0 to 1; what lies under a part below 0.9 still counts as seen.
        relief: how strongly it looks rounded; 0 is flat.
        gloss: brightness of its highlight.
        edge: how much darker its border is, 0 to 1.
        texture: name of a tile; ``grain`` how strong (deviation of brightness), ``pitch`` its side in body lengths.
    """

    colour: Colour
    fade: tuple[Colour, tuple[float, float], tuple[float, float]] | None = None
    opacity: float = 1.0
    relief: float = 0.0
    gloss: float = 0.0
    edge: float = 0.0
    texture: str = ""
    grain: float = 0.1
    pitch: float = 0.5


@dataclass
class Canvas:
    """One organism being painted, back to front.

    Attributes:
        pose: (3, 3) homography from body lengths to pixels.
        size: height and width in pixels.
        light: unit vector in the image towards the light.
        parts: names in order; part ``i`` is bit ``i`` of ``seen``.
        colour: (H, W, 3) float32, premultiplied by ``alpha``.
        alpha: (H, W) float32, 0 to 1.
        seen: (H, W) uint32, a bit for each part that is visible in a pixel.
    """

    pose: NDArray[np.float64]
    size: tuple[int, int]
    light: tuple[float, float]
    rng: np.random.Generator
    parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.colour = np.zeros((*self.size, 3), np.float32)
        self.alpha = np.zeros(self.size, np.float32)
        self.seen = np.zeros(self.size, np.uint32)
        self._coverage: dict[str, NDArray[np.uint8]] = {}
        self._within: dict[str, int] = {}

    def pixels(self, points: Points) -> NDArray[np.float64]:
        """Points in body lengths (n, 2) as pixels (n, 2)."""
        flat = points @ self.pose[:, :2].T + self.pose[:, 2]
        return np.asarray(flat[:, :2] / flat[:, 2:])

    @property
    def scale(self) -> float:
        """Pixels a body length at the organism's middle."""
        corner = self.pixels(np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.1]]))
        sides = np.linalg.norm(corner[1:] - corner[0], axis=1)
        return float(sides.mean() * 10)

    def paint(self, part: str, outlines: Points | Sequence[Points], surface: Surface, *, on: str = "") -> None:
        """Paint outlines as one part; with ``on`` only where that part was painted, and as a piece of it."""
        shapes = [outlines] if isinstance(outlines, np.ndarray) else list(outlines)
        drawn = [self.pixels(shape) for shape in shapes if len(shape) > 2]
        window = self._window(drawn)
        if window is None:
            return
        cover = self._cover(drawn, window)
        if on:
            parent = self._coverage.get(on)
            if parent is None:
                return
            cover = np.minimum(cover, parent[window])
        self._record(part, on, cover, window, surface.opacity)
        self._blend(self._look(surface, cover, window), cover, window, surface.opacity)

    def lines(self, part: str, paths: Sequence[Points], colour: Colour, *, opacity: float = 0.7) -> None:
        """Hair-thin lines, one pixel wide, that belong to a part but do not hide what is below."""
        drawn = [self.pixels(path) for path in paths]
        window = self._window(drawn)
        if window is None:
            return
        cover = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
        cv2.polylines(cover, self._fixed(drawn, window), False, 255, 1, cv2.LINE_AA, SHIFT)
        self._blend(np.asarray(colour, np.float32), cover, window, opacity)

    def mask(self, part: str) -> NDArray[np.bool_]:
        """Where a part is visible (H, W)."""
        return np.asarray((self.seen & np.uint32(1 << self.parts.index(part))) != 0)

    def _window(self, drawn: Sequence[NDArray[np.float64]]) -> tuple[slice, slice] | None:
        if not drawn:
            return None
        low = np.floor(np.min([d.min(axis=0) for d in drawn], axis=0)).astype(int) - 2
        high = np.ceil(np.max([d.max(axis=0) for d in drawn], axis=0)).astype(int) + 3
        left, top = max(int(low[0]), 0), max(int(low[1]), 0)
        right, bottom = min(int(high[0]), self.size[1]), min(int(high[1]), self.size[0])
        return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None

    @staticmethod
    def _fixed(drawn: Sequence[NDArray[np.float64]], window: tuple[slice, slice]) -> list[NDArray[np.int32]]:
        corner = np.array([window[1].start, window[0].start])
        return [np.round((shape - corner) * (1 << SHIFT)).astype(np.int32) for shape in drawn]

    def _cover(self, drawn: Sequence[NDArray[np.float64]], window: tuple[slice, slice]) -> NDArray[np.uint8]:
        cover = np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)
        for shape in self._fixed(drawn, window):  # one at a time: together, overlaps would be holes
            cv2.fillPoly(cover, [shape], 255, cv2.LINE_AA, SHIFT)
        return cover

    def _record(
        self, part: str, on: str, cover: NDArray[np.uint8], window: tuple[slice, slice], opacity: float
    ) -> None:
        if part not in self._within:
            self._within[part] = 1 << len(self.parts)
            self.parts.append(part)
            self._coverage[part] = np.zeros(self.size, np.uint8)
        if on and part != on:
            self._within[part] |= self._within[on]
        inside = cover > 127
        seen = self.seen[window]
        if opacity >= 0.9 and not on:
            seen[inside] = 0
        seen[inside] |= np.uint32(self._within[part])
        known = self._coverage[part][window]
        np.maximum(known, cover, out=known)

    def _look(self, surface: Surface, cover: NDArray[np.uint8], window: tuple[slice, slice]) -> NDArray[np.float32]:
        """Colour (h, w, 3) or (3,) of a surface over a window."""
        colour = np.asarray(surface.colour, np.float32)
        if surface.fade:
            colour = self._gradient(colour, surface.fade, window)
        shade = np.ones(cover.shape, np.float32)
        if surface.texture:
            shade += np.float32(surface.grain) * self._texture(surface, window)
        highlight: NDArray[np.float32] | None = None
        if surface.relief or surface.edge:
            highlight = self._round(surface, cover, shade)
        if shade.min() == shade.max() and highlight is None:
            return colour
        look: NDArray[np.float32] = colour * shade[..., None]
        if highlight is not None:
            look += highlight[..., None]
        return np.clip(look, 0, 1, out=look)

    def _gradient(
        self,
        colour: NDArray[np.float32],
        fade: tuple[Colour, tuple[float, float], tuple[float, float]],
        window: tuple[slice, slice],
    ) -> NDArray[np.float32]:
        start, end = self.pixels(np.array(fade[1:]))
        along = (end - start) / max(float(np.sum((end - start) ** 2)), 1e-9)
        x = (np.arange(window[1].start, window[1].stop) - start[0]) * along[0]
        y = (np.arange(window[0].start, window[0].stop) - start[1]) * along[1]
        t = np.clip(y[:, None] + x[None, :], 0, 1).astype(np.float32)
        t = t * t * (3 - 2 * t)
        return np.asarray(colour + t[..., None] * (np.asarray(fade[0], np.float32) - colour))

    def _texture(self, surface: Surface, window: tuple[slice, slice]) -> NDArray[np.float32]:
        lay = self.rng.uniform(0, SIDE, 2)
        size = surface.pitch / SIDE
        to_body = np.array([[size, 0, -lay[0] * size], [0, size, -lay[1] * size], [0, 0, 1]])
        corner = np.array([[1, 0, -window[1].start], [0, 1, -window[0].start], [0, 0, 1]])
        shape = (window[1].stop - window[1].start, window[0].stop - window[0].start)
        return cv2.warpPerspective(
            tile(surface.texture),
            corner @ self.pose @ to_body,
            shape,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ).astype(np.float32, copy=False)

    def _round(
        self, surface: Surface, cover: NDArray[np.uint8], shade: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """Darken and brighten ``shade`` as if the part were a rounded body; give its highlight if it is glossy."""
        inside = (cover > 127).astype(np.uint8)
        away = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
        deepest = float(away.max())
        if deepest < 1:
            return None
        if surface.edge:
            shade *= 1 - np.float32(surface.edge) * np.exp(away * np.float32(-1.2 / max(1.0, 0.012 * self.scale)))
        if not surface.relief:
            return None
        depth = 1 - away / np.float32(deepest)
        height = np.sqrt(np.maximum(1 - depth * depth, 0)) * np.float32(deepest)
        span = max(3, int(deepest * 0.7) | 1)
        height = cv2.GaussianBlur(height, (span, span), 0)
        slope = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.125) * np.float32(self.light[0])
        slope += cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.125) * np.float32(self.light[1])
        facing = -slope
        shade *= np.clip(1 + np.float32(surface.relief) * facing, 0.25, 1.8)
        if not surface.gloss:
            return None
        peak = np.exp(-(((facing - 0.55) / 0.22) ** 2)) * (height / np.float32(deepest))
        return np.asarray(np.float32(surface.gloss) * peak, np.float32)

    def _blend(
        self, look: NDArray[np.float32], cover: NDArray[np.uint8], window: tuple[slice, slice], opacity: float
    ) -> None:
        over = cover * np.float32(opacity / 255)
        under = 1 - over
        full = look if look.ndim == 3 else np.broadcast_to(look, (*cover.shape, 3)).copy()
        self.colour[window] = cv2.blendLinear(np.ascontiguousarray(self.colour[window]), full, under, over)
        alpha = self.alpha[window]
        alpha *= under
        alpha += over
