"""Where a backbone's grid of patches lies in the image it was made from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid of ``rows`` x ``columns`` patches over a rectangle of the upright original image.

    The rectangle is ``left``, ``top``, ``width``, ``height`` in pixels of the original. It may be smaller than the
    image (centre crop) or reach beyond it (padding). Patches are counted along the rows: patch ``i`` is row
    ``i // columns``.
    """

    rows: int
    columns: int
    left: float
    top: float
    width: float
    height: float

    @property
    def patches(self) -> int:
        """How many patches there are."""
        return self.rows * self.columns

    def box(self, patch: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a patch, in pixels of the original image."""
        row, column = divmod(patch, self.columns)
        wide, high = self.width / self.columns, self.height / self.rows
        left, top = self.left + column * wide, self.top + row * high
        return left, top, left + wide, top + high
