"""How fine and how strong the grain of a region is, as the picture shows it: no statement on relief."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipelines.traits.describing.cutting import Cut
from pipelines.traits.describing.estimates import Blocks, Estimate, Floats, jackknife, judged
from pipelines.traits.describing.fields import LEAST_PIXELS, SMOOTHING, core_of, smoothed

ROUGH = 2.0
"""Standard deviation of L* over short distances from which a texture is seen; strong sensor noise gives 1.4."""
_OCTAVES = 5


@dataclass(frozen=True)
class Texture:
    """What is measured of a region's texture.

    Attributes:
        state: ``smooth``, ``textured``; ``None`` too near the edge.
        roughness: standard deviation of L* over short distances.
        grain: distance at which lightness differs most, of the diameter.
    """

    state: str | None
    roughness: Estimate
    grain: Estimate


def texture(cut: Cut) -> Texture | None:
    """The texture of what is inside a region; ``None`` where too little is."""
    sigma = cut.diameter * SMOOTHING
    core = core_of(cut.inside)
    if np.count_nonzero(core) < LEAST_PIXELS or sigma < 1:
        return None
    light = np.ascontiguousarray(cut.lab[..., 0])
    levels = [light, *(smoothed(light, cut.inside, sigma * 2**octave) for octave in range(_OCTAVES))]
    energy = np.stack([((one - other) ** 2)[core] for one, other in pairwise(levels)], axis=1)
    sums = Blocks(core).sums(energy)
    roughness = jackknife(sums, lambda total: np.sqrt(total[..., 0] / np.maximum(total[..., -1], 1)))
    scales = np.log(SMOOTHING * 2.0 ** np.arange(_OCTAVES))

    def grain(total: Floats) -> Floats:
        weight = total[..., :_OCTAVES]
        return np.asarray(np.exp((weight * scales).sum(axis=-1) / np.maximum(weight.sum(axis=-1), 1e-9)))

    return Texture(judged(roughness, (ROUGH,), ("smooth", "textured")), roughness, jackknife(sums, grain))
