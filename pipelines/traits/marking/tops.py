"""The strongest images of each latent, a bounded number of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BUFFERED = 1 << 18

ENTRY = np.dtype([("latent", "<i8"), ("value", "<f4"), ("specimen", "S32"), ("patch", "<i4")])
"""One image of one latent: its peak, which specimen, and the patch where the peak lies."""


class Top(NamedTuple):
    """One of the images in which a latent fires most strongly.

    Attributes:
        value: the highest activation in the image.
        specimen: the specimen's id.
        patch: the patch that has it, the first of equals.
    """

    value: float
    specimen: str
    patch: int


class Tops:
    """The ``most`` strongest images of each of ``latents`` latents: at most ``latents * most * 48`` bytes.

    Stronger comes first; of equals the lower specimen id, then the lower patch. So the same images give the same
    list in whatever order they come.
    """

    def __init__(self, latents: int, most: int) -> None:
        self.latents = latents
        self.most = most
        self._entries: NDArray[np.void] = np.empty(0, ENTRY)
        self._waiting: list[NDArray[np.void]] = []
        self._buffered = 0
        self._bar: NDArray[np.float32] = np.zeros(latents, np.float32)  # what an image must reach to be kept

    def add(
        self, specimen: str, latents: NDArray[np.int64], values: NDArray[np.float32], patches: NDArray[np.int64]
    ) -> None:
        """Offer one image: the latents that fire in it, each once, their peaks and the patches of these."""
        reach = values >= self._bar[latents]
        entries = np.empty(int(reach.sum()), ENTRY)
        entries["latent"], entries["value"], entries["patch"] = latents[reach], values[reach], patches[reach]
        entries["specimen"] = specimen.encode()
        self.offer(entries)

    def merge(self, other: Tops) -> None:
        """Offer all that ``other`` kept."""
        self.offer(other.entries())

    def of(self, latent: int) -> list[Top]:
        """The strongest images of a latent, strongest first."""
        entries = self.entries()
        low, high = np.searchsorted(entries["latent"], [latent, latent + 1])
        return [Top(float(e["value"]), e["specimen"].decode(), int(e["patch"])) for e in entries[low:high]]

    def entries(self) -> NDArray[np.void]:
        """All that is kept (:data:`ENTRY`), by latent, strongest first. Not to be written to."""
        self._gather()
        return self._entries

    def offer(self, entries: NDArray[np.void]) -> None:
        """Offer images of any latents (:data:`ENTRY`)."""
        self._waiting.append(entries)
        self._buffered += len(entries)
        if self._buffered > _BUFFERED:
            self._gather()

    def _gather(self) -> None:
        if not self._waiting:
            return
        entries = np.concatenate([self._entries, *self._waiting])
        self._waiting, self._buffered = [], 0
        entries = entries[np.lexsort((entries["patch"], entries["specimen"], -entries["value"], entries["latent"]))]
        place = np.arange(len(entries)) - np.searchsorted(entries["latent"], entries["latent"])
        self._entries = entries[place < self.most]
        full = entries[place == self.most - 1]
        self._bar[full["latent"]] = full["value"]
