"""A backbone that can be followed by hand: each patch becomes the mean of its pixels and of their squares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import avg_pool2d

from pipelines.traits.features.backbone import Prepared
from pipelines.traits.features.framing import Whole
from pipelines.traits.features.preprocessing import Preprocessing
from pipelines.traits.grids import Grid
from pipelines.traits.specimens import Specimen, Taxon

Read = Callable[[], NDArray[np.uint8]]


class Plain:
    dimensions = 6

    def __init__(self, identity: str = "plain@1", patches: int = 16, gain: float = 1.0) -> None:
        self.identity = identity
        self.gain = gain
        self.encoded = 0
        self._preprocessing = Preprocessing(Whole(patches), 4, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))

    def grid(self, height: int, width: int) -> Grid:
        return self._preprocessing.grid(height, width)

    def prepare(self, image: NDArray[np.uint8]) -> Prepared:
        return self._preprocessing.prepare(image)

    def encode(self, batch: torch.Tensor) -> torch.Tensor:
        self.encoded += len(batch)
        planes = avg_pool2d(torch.cat([batch, batch * batch], dim=1), 4)
        return planes.flatten(2).transpose(1, 2).contiguous() * self.gain


def picture(number: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(number)
    height, width = (24, 24) if number % 3 else (20, 40)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def specimen(number: int) -> Specimen:
    height, width = picture(number).shape[:2]
    return Specimen(f"{number:032x}", f"bees/{number}.png", Taxon({"genus": "Apis"}), width, height)


def images(count: int, first: int = 0) -> list[tuple[Specimen, Read]]:
    def reader(number: int) -> Read:
        return lambda: picture(number)

    return [(specimen(number), reader(number)) for number in range(first, first + count)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
