"""The grids of many images, held as numbers: an object for each would take five times as much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.grids import Grid


class Grids(Sequence[Grid]):
    """Grids by the place of their image.

    Args:
        table: (images, 6) the fields of a grid in their order.
    """

    def __init__(self, table: NDArray[np.float64]) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, place: int) -> Grid: ...
    @overload
    def __getitem__(self, place: slice) -> Grids: ...
    def __getitem__(self, place: int | slice) -> Grid | Grids:
        """One grid, or those of some images."""
        if isinstance(place, slice):
            return Grids(self._table[place])
        rows, columns, *rest = self._table[place].tolist()
        return Grid(int(rows), int(columns), *rest)

    def first_patches(self) -> NDArray[np.int64]:
        """(images + 1,) how many patches there are before each image, and in all."""
        patches = (self._table[:, 0] * self._table[:, 1]).astype(np.int64)
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(patches)])
