"""Sparse codes: which latents fire where, and how much."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Codes(NamedTuple):
    """What a sparse autoencoder says of ``n`` activations: only what is not zero, in order of activation, then latent.

    Attributes:
        rows: (m,) int64, which activation (for one image: which patch).
        latents: (m,) int64.
        values: (m,) float32, > 0.
    """

    rows: NDArray[np.int64]
    latents: NDArray[np.int64]
    values: NDArray[np.float32]
