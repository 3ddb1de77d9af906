"""The region of one image in which one latent fires, in pixels of the original image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.codes import Codes
from pipelines.traits.grids import Grid
from pipelines.traits.regions.heat import PixelBox, cells_at, lines, spread
from pipelines.traits.regions.polygons import Polygon, cell_polygons, level_polygons
from protocols.errors import InputError

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the original image."""

OUTLINE_STEPS = 16
"""Steps for each patch at which a level is outlined."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Where a latent fires in an image.

    Attributes:
        latent: which one.
        grid: where its patches lie.
        image_shape: (height, width) of the upright original.
        values: (rows, columns) float32, activation of each patch; 0 for patches wholly beyond the image.
        threshold: activation from which a patch fires.
        polygons: exact union of the firing patches, clipped to the image.
        box: around all of them; ``None`` where none fires.
        score: the highest activation; 0 where there is none.
    """

    latent: int
    grid: Grid
    image_shape: tuple[int, int]
    values: NDArray[np.float32]
    threshold: float
    polygons: tuple[Polygon, ...]
    box: Box | None
    score: float

    @property
    def firing(self) -> NDArray[np.bool_]:
        """(rows, columns), which patches fire."""
        return np.asarray((self.values >= self.threshold) & (self.values > 0))

    @property
    def heat(self) -> NDArray[np.float32]:
        """Activation at each pixel of the image, made anew each time: 4 bytes a pixel, 8 while it is made."""
        return self.heat_in(self._whole())

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which pixels of the image are in a firing patch, made anew each time: a byte a pixel."""
        return self.mask_in(self._whole())

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The box of each polygon."""
        return tuple(polygon.box for polygon in self.polygons)

    @property
    def fractions(self) -> dict[str, float]:
        """The box by the Audiovisual Core region terms, as fractions of the original; empty where nothing fires."""
        return fractions_of(self.box, self.image_shape) if self.box else {}

    def heat_in(self, box: PixelBox, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Activation in a part of the image, at ``size`` (height, width): bilinear, 0 beyond the grid."""
        return spread(self.values, self.grid, box, size)

    def mask_in(self, box: PixelBox) -> NDArray[np.bool_]:
        """Which pixels of a part of the image have their centre in a firing patch."""
        rows, columns = cells_at(self.grid, box)
        firing = np.pad(self.firing, ((0, 1), (0, 1)))  # row and column -1 are beyond the grid
        return np.asarray(firing[rows][:, columns])

    def outline(self, level: float = 0.5) -> tuple[Polygon, ...]:
        """Smooth outlines where the heat is ``level`` times the score or more, clipped to the image."""
        if self.score <= 0:
            return ()
        wide, high = self.grid.width / self.grid.columns, self.grid.height / self.grid.rows
        rows, columns = np.nonzero(self.values >= level * self.score)
        height, width = self.image_shape
        part = (
            max(int(self.grid.left + (columns.min() - 1) * wide), 0),
            max(int(self.grid.top + (rows.min() - 1) * high), 0),
            min(int(np.ceil(self.grid.left + (columns.max() + 2) * wide)), width),
            min(int(np.ceil(self.grid.top + (rows.max() + 2) * high)), height),
        )
        across, down = part[2] - part[0], part[3] - part[1]
        size = (max(round(down / high * OUTLINE_STEPS), 1), max(round(across / wide * OUTLINE_STEPS), 1))
        above = self.heat_in(part, size) >= level * self.score
        return tuple(level_polygons(above, part[0], part[1], across, down))

    def _whole(self) -> PixelBox:
        return 0, 0, self.image_shape[1], self.image_shape[0]


def region(
    codes: Codes, latent: int, grid: Grid, image_shape: tuple[int, int], *, threshold: float | None = None
) -> Region:
    """Where a latent fires in an image.

    Args:
        codes: of the image's patches.
        latent: which one.
        grid: where the patches lie in the upright original; it may be smaller or larger than the image.
        image_shape: (height, width) of the upright original.
        threshold: activation from which a patch fires; half of the highest in this image if not given.

    Raises:
        InputError: the codes are of more patches than the grid has.
    """
    if len(codes.rows) and int(codes.rows.max()) >= grid.patches:
        raise InputError(f"codes of patch {codes.rows.max()} with a grid of {grid.patches} patches")
    here = codes.latents == latent
    values = np.zeros((grid.rows, grid.columns), np.float32)
    values[np.divmod(codes.rows[here], grid.columns)] = codes.values[here]
    xs, ys = lines(grid, image_shape)
    values[np.diff(ys) <= 0] = 0
    values[:, np.diff(xs) <= 0] = 0
    score = float(values.max())
    threshold = score / 2 if threshold is None else threshold
    polygons = tuple(cell_polygons((values >= threshold) & (values > 0), xs, ys))
    return Region(latent, grid, image_shape, values, threshold, polygons, _around(polygons), score)


def fractions_of(box: Box, image_shape: tuple[int, int]) -> dict[str, float]:
    """A box by the Audiovisual Core terms: fractions, 0 to 1, of the original image's width and height."""
    left, top, right, bottom = box
    height, width = image_shape
    return {
        "ac:xFrac": left / width,
        "ac:yFrac": top / height,
        "ac:widthFrac": (right - left) / width,
        "ac:heightFrac": (bottom - top) / height,
    }


def _around(polygons: tuple[Polygon, ...]) -> Box | None:
    if not polygons:
        return None
    boxes = np.array([polygon.box for polygon in polygons])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    return float(left), float(top), float(right), float(bottom)
