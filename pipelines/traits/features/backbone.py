"""What every backbone offers: an image in, one activation for each patch out."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.grids import Grid


class Prepared(NamedTuple):
    """One image as a backbone wants it.

    Attributes:
        pixels: (3, height, width), ready for :meth:`Backbone.encode` once stacked with others of its shape.
        grid: where the patches lie in the original image.
    """

    pixels: torch.Tensor
    grid: Grid


class Backbone(Protocol):
    """A model, weights or none, that turns each patch of an image into a vector.

    Two backbones of the same identity give the same activations, up to the rounding of the device and the precision.
    """

    @property
    def identity(self) -> str:
        """The kind of model, a digest of its weights, the layer and the preprocessing."""
        ...

    @property
    def dimensions(self) -> int:
        """How many numbers there are for each patch."""
        ...

    def grid(self, height: int, width: int) -> Grid:
        """Where the patches of an image of this size (pixels, upright) lie, without looking at the image."""
        ...

    def prepare(self, image: NDArray[np.uint8]) -> Prepared:
        """An upright RGB image, (height, width, 3), as the backbone wants it. Safe to call from several threads."""
        ...

    def encode(self, batch: torch.Tensor) -> torch.Tensor:
        """Activations of a batch of prepared images.

        Args:
            batch: (images, 3, height, width), on any device.

        Returns:
            (images, patches, dimensions) float32, on the backbone's device; patches along the rows of the grid.
        """
        ...
