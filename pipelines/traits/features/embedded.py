"""The embedded backbone: hand-made features of each patch, for when there are no weights.

What a patch looks like (colour, edges by scale and direction, texture, contrast), what lies around it, how the shape
of the organism goes on around it (an end, a band, a fork, how thick), and where on the organism it is, along the
organism's own axes. Where in the picture it is, which way the organism is turned, and which of its sides is which are
left out. Nothing was learned, so parts are known by looks and layout only: where the organism does not differ from the
picture's border, half of this says nothing. Any foundation model is to be preferred.

Numbers that a threshold cannot tell apart in the middle of their range (how light, how thick) are coded as a
population: each of a few units answers best at its own value, so that a latent, which is a sum and a threshold, can
pick any value and any conjunction of values.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipelines.traits.features import descriptors
from pipelines.traits.features.backbone import Prepared
from pipelines.traits.features.framing import Framing, Whole
from pipelines.traits.features.preprocessing import Preprocessing
from pipelines.traits.grids import Grid

VERSION = 1
"""Goes up with every change of what comes out."""

PATCH = 16
PATCHES = 784
"""At most this many, 28 x 28 for a square image, each of 16 x 16 pixels after resizing."""


class Embedded:
    """The embedded backbone.

    Args:
        framing: how images are brought to size; the whole image in whole patches if not given.
        device: where activations are wanted; they are computed by the processor.
        workers: threads.
    """

    def __init__(self, *, framing: Framing | None = None, device: str = "cpu", workers: int = 2) -> None:
        self._preprocessing = Preprocessing(
            framing=framing or Whole(PATCHES),
            patch=PATCH,
            mean=(0.0, 0.0, 0.0),
            std=(1.0, 1.0, 1.0),
            resample=Image.Resampling.BICUBIC,
        )
        self._device = torch.device(device)
        self._workers = workers
        self.identity = f"embedded@{VERSION}/{self._preprocessing.identity}"

    @cached_property
    def dimensions(self) -> int:
        """Numbers for each patch."""
        return int(descriptors.describe(np.zeros((2 * PATCH, 2 * PATCH, 3), np.float32), PATCH).shape[-1])

    def grid(self, height: int, width: int) -> Grid:
        """Where the patches of an image of this size lie."""
        return self._preprocessing.grid(height, width)

    def prepare(self, image: NDArray[np.uint8]) -> Prepared:
        """An upright RGB image, resized, channels 0 to 1."""
        return self._preprocessing.prepare(image)

    def encode(self, batch: torch.Tensor) -> torch.Tensor:
        """(images, patches, dimensions) float32."""
        pixels = batch.to("cpu", torch.float32).permute(0, 2, 3, 1).contiguous().numpy()
        with ThreadPoolExecutor(self._workers) as pool:
            found = list(pool.map(lambda image: descriptors.describe(image, PATCH), pixels))
        return torch.from_numpy(np.stack(found)).to(self._device)
