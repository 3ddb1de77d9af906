"""Dense hand-made descriptors of the patches of one image, put together."""

from __future__ import annotations

import cv2
import numpy as np

from pipelines.traits.features.looks import SCALES, Floats, colours, gradients, textures
from pipelines.traits.features.shape import find_organism, places, rings, shapes

_COLOUR = np.float32(1.4)
"""Weight of colour against everything else. Against 1 it raised the part mAP of a TopK autoencoder (768 latents, k 16)
from 0.144 to 0.170 on 100 drawn organisms, and from 0.191 to 0.199 on 60 pictures of flies."""


def describe(image: Floats, patch: int) -> Floats:
    """Descriptors of each patch.

    Args:
        image: (height, width, 3) RGB, 0 to 1, both edges multiples of ``patch``.
        patch: edge of a patch, pixels.

    Returns:
        (patches, dimensions) float32.
    """
    patches = (image.shape[0] // patch) * (image.shape[1] // patch)
    return np.concatenate([group.reshape(patches, -1) for group in groups(image, patch).values()], axis=1)


def groups(image: Floats, patch: int) -> dict[str, Floats]:
    """The same by name, in this order; (rows, columns, its dimensions) each."""
    grid = (image.shape[0] // patch, image.shape[1] // patch)
    lab = np.asarray(cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2Lab), np.float32)
    lab = lab * np.array([1 / 100, 1 / 128, 1 / 128], np.float32)
    organism = find_organism(lab, grid)
    edges = np.split(np.dstack(gradients(lab, grid, organism.angle)), len(SCALES), axis=-1)
    return {
        "colour": _COLOUR * np.dstack(colours(lab, grid, organism.share)),
        **{f"edges of {scale:g} pixels": edge for scale, edge in zip(SCALES, edges, strict=True)},
        "texture": textures(lab[..., 0], grid),
        "surroundings": np.dstack(rings(lab, grid, organism)),
        "shape": shapes(grid, organism),
        "place": np.dstack(places(grid, organism)),
    }
