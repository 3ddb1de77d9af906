"""Pictures through a backbone: decoded and prepared by several threads, encoded in batches, in their own order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.features.backbone import Backbone, Prepared
from pipelines.traits.grids import Grid
from pipelines.traits.specimens import Specimen
from protocols.errors import InputError

Picture = NDArray[np.uint8] | Callable[[], NDArray[np.uint8]]
"""An upright RGB image (height, width, 3), or what reads it: that is then called in a worker, and only if needed."""


def encoded(
    backbone: Backbone, images: Iterable[tuple[Specimen, Picture]], *, batch_images: int, workers: int
) -> Iterator[tuple[Specimen, Grid, torch.Tensor]]:
    """Activations of images, one by one, in their order; which images share a batch depends on nothing but the order.

    Args:
        backbone: that encodes.
        images: taken one by one, a few ahead.
        batch_images: at most this many neighbouring images of one shape are encoded together.
        workers: threads that decode and prepare.

    Yields:
        Each specimen, its grid, and (patches, dimensions) float32.
    """
    batch: list[tuple[Specimen, Prepared]] = []
    for specimen, prepared in _prepared(backbone, images, workers):
        if batch and (len(batch) == batch_images or batch[0][1].pixels.shape != prepared.pixels.shape):
            yield from _batch(backbone, batch)
            batch = []
        batch.append((specimen, prepared))
    if batch:
        yield from _batch(backbone, batch)


def _prepared(
    backbone: Backbone, images: Iterable[tuple[Specimen, Picture]], workers: int
) -> Iterator[tuple[Specimen, Prepared]]:
    def prepare(picture: Picture) -> Prepared:
        return backbone.prepare(picture() if callable(picture) else picture)

    stream = iter(images)
    waiting: deque[tuple[Specimen, Future[Prepared]]] = deque()
    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            while True:
                for specimen, picture in islice(stream, 2 * max(1, workers) - len(waiting)):
                    waiting.append((specimen, pool.submit(prepare, picture)))
                if not waiting:
                    return
                specimen, future = waiting.popleft()
                yield specimen, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _batch(backbone: Backbone, batch: list[tuple[Specimen, Prepared]]) -> Iterator[tuple[Specimen, Grid, torch.Tensor]]:
    try:
        found = backbone.encode(torch.stack([prepared.pixels for _, prepared in batch]))
    except torch.OutOfMemoryError:
        raise InputError(
            f"the device's memory is too small for {len(batch)} images at once",
            where=f"image {batch[0][0].id}",
            mend="Encode fewer images together, or use a smaller backbone",
        ) from None
    for (specimen, prepared), activations in zip(batch, found, strict=True):
        yield specimen, prepared.grid, activations
