"""Activations straight from the images into training; nothing is written to the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.features.backbone import Backbone
from pipelines.traits.features.pictures import Picture, encoded
from pipelines.traits.features.shuffle import Permutation
from pipelines.traits.specimens import Specimen
from protocols.errors import InputError


@dataclass(frozen=True)
class Streamed:
    """A collection that is encoded while a model is trained on it.

    Each epoch takes the images in an order of its own. ``window_images`` of them are encoded at a time, and their
    activations shuffled among each other; more is better shuffled and takes more memory: window_images x patches x
    dimensions x 4 bytes.

    Attributes:
        encoder: the backbone.
        images: specimens with their pictures; give functions that read them, or they all lie in memory.
        window_images: images whose activations are shuffled together.
        batch_images: images that go through the backbone together.
        workers: threads that decode and prepare.
    """

    encoder: Backbone
    images: Sequence[tuple[Specimen, Picture]]
    window_images: int = 256
    batch_images: int = 16
    workers: int = 2

    @property
    def dimensions(self) -> int:
        """Numbers for each patch."""
        return self.encoder.dimensions

    @property
    def backbone(self) -> str:
        """Identity of the backbone."""
        return self.encoder.identity

    @property
    def rows(self) -> int:
        """How many activations an epoch has."""
        return int(self._patches.sum())

    @cached_property
    def _patches(self) -> NDArray[np.int64]:
        grids = (self.encoder.grid(specimen.height, specimen.width) for specimen, _ in self.images)
        return np.array([grid.patches for grid in grids], dtype=np.int64)

    def batches(self, size: int, seed: int, start: int = 0) -> Iterator[torch.Tensor]:
        """Endless shuffled batches, the same for the same seed.

        Args:
            size: rows in a batch.
            seed: of the order.
            start: how many batches are passed over; at most one window of images is encoded for nothing.

        Yields:
            (size, dimensions) float32, on the backbone's device.

        Raises:
            InputError: there are no images, or a number makes no sense; later: an image is not as its specimen says.
        """
        if size < 1 or start < 0 or self.window_images < 1 or not self.images:
            raise InputError(
                f"no batches of {size} from {start} on out of {len(self.images)} images, "
                f"{self.window_images} at a time",
                mend="Choose numbers of at least 1, and a collection that is not empty",
            )
        return self._batches(size, seed, start)

    def _batches(self, size: int, seed: int, start: int) -> Iterator[torch.Tensor]:
        left: list[torch.Tensor] = []
        waiting = 0
        for rows in self._windows(seed, start * size):
            left.append(rows)
            waiting += len(rows)
            if waiting < size:
                continue
            pool = torch.cat(left)
            whole = waiting // size * size
            yield from (pool[at : at + size] for at in range(0, whole, size))
            left, waiting = [pool[whole:]], waiting - whole

    def _windows(self, seed: int, position: int) -> Iterator[torch.Tensor]:
        """Shuffled rows, window by window, from a position of the endless order on."""
        epoch, skip = divmod(position, self.rows)
        while True:
            order = Permutation(len(self.images), (seed, epoch))[np.arange(len(self.images), dtype=np.int64)]
            for window, begin in enumerate(range(0, len(order), self.window_images)):
                chosen = order[begin : begin + self.window_images]
                rows = int(self._patches[chosen].sum())
                if skip >= rows:
                    skip -= rows
                    continue
                places = Permutation(rows, (seed, epoch, window))[np.arange(skip, rows, dtype=np.int64)]
                yield self._encode(chosen)[torch.from_numpy(places)]
                skip = 0
            epoch += 1

    def _encode(self, chosen: NDArray[np.int64]) -> torch.Tensor:
        images = (self.images[int(index)] for index in chosen)
        found = []
        for index, image in zip(
            chosen, encoded(self.encoder, images, batch_images=self.batch_images, workers=self.workers), strict=True
        ):
            if len(image.activations) != self._patches[index]:
                specimen = image.specimen
                raise InputError(
                    f"the image is not the {specimen.width} x {specimen.height} pixels that the collection says",
                    where=specimen.source,
                    mend="Read the collection again",
                )
            found.append(image.activations)
        return torch.cat(found)
