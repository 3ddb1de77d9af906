"""Values of patches spread over the original image, as much of it as is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.grids import Grid

PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels; right and bottom are the first that are not in it."""


def spread(
    values: NDArray[np.float32], grid: Grid, box: PixelBox, size: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """Values of patches between which is interpolated bilinearly, at the pixels of a part of the original image.

    A patch's value holds at its centre; from the outermost centres to the grid's edge it stays as it is; beyond the
    grid it is 0. Two passes, rows first, so memory is that of the result.

    Args:
        values: (rows, columns) of the grid.
        grid: where it lies.
        box: the part, in pixels of the original; it may reach beyond the grid and the image.
        size: (height, width) of the result; as many as the box has pixels if not given.
    """
    left, top, right, bottom = box
    height, width = size or (bottom - top, right - left)
    ys = top + (np.arange(height) + 0.5) * ((bottom - top) / height)
    xs = left + (np.arange(width) + 0.5) * ((right - left) / width)
    above, below, down, outside_y = _between(ys, grid.top, grid.height, grid.rows)
    before, after, across, outside_x = _between(xs, grid.left, grid.width, grid.columns)
    rows = values[above] * (1 - down)[:, None] + values[below] * down[:, None]
    rows[outside_y] = 0
    result = rows[:, before] * (1 - across)
    result += rows[:, after] * across
    result[:, outside_x] = 0
    return result


def cells_at(grid: Grid, box: PixelBox) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row (height,) and column (width,) of the grid in which each pixel's centre lies; -1 beyond the grid."""
    left, top, right, bottom = box
    return (
        _cell(np.arange(top, bottom) + 0.5, grid.top, grid.height, grid.rows),
        _cell(np.arange(left, right) + 0.5, grid.left, grid.width, grid.columns),
    )


def lines(grid: Grid, image_shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a grid's lines lie (columns + 1,), (rows + 1,) in pixels of the original, clipped to the image."""
    height, width = image_shape
    xs = grid.left + np.arange(grid.columns + 1) * (grid.width / grid.columns)
    ys = grid.top + np.arange(grid.rows + 1) * (grid.height / grid.rows)
    return np.clip(xs, 0, width), np.clip(ys, 0, height)


def _between(
    at: NDArray[np.floating], start: float, extent: float, cells: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
    """The cells between whose centres places lie, how far they are on the way, and which are beyond the grid."""
    place = np.clip((at - start) / extent * cells - 0.5, 0, cells - 1)
    first = np.minimum(np.floor(place).astype(np.int64), max(cells - 2, 0))
    outside = (at < start) | (at > start + extent)
    return first, np.minimum(first + 1, cells - 1), (place - first).astype(np.float32), outside


def _cell(at: NDArray[np.floating], start: float, extent: float, cells: int) -> NDArray[np.int64]:
    place = np.floor((at - start) / extent * cells).astype(np.int64)
    return np.where((place >= 0) & (place < cells), place, -1)
