"""Pictures through a backbone: decoded and prepared by several threads, encoded in batches, in their own order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.features.backbone import Backbone, Prepared
from pipelines.traits.grids import Grid
from pipelines.traits.specimens import Specimen
from protocols.errors import InputError

Picture = NDArray[np.uint8] | Callable[[], NDArray[np.uint8]]
"""An upright RGB image (height, width, 3), or what reads it: that is then called in a worker, and only if needed."""


Foreground = Callable[[NDArray[np.uint8], Grid], NDArray[np.float32]]
"""The share of each patch (patches,) that is organism, 0 to 1, of an image (height, width, 3) and its grid."""


class Encoded(NamedTuple):
    """One image after the backbone.

    Attributes:
        activations: (patches, dimensions) float32.
        foreground: (patches,) share of each patch that is organism; ``None`` where nobody looked.
    """

    specimen: Specimen
    grid: Grid
    activations: torch.Tensor
    foreground: NDArray[np.float32] | None


class _Ready(NamedTuple):
    specimen: Specimen
    prepared: Prepared
    foreground: NDArray[np.float32] | None


def encoded(
    backbone: Backbone,
    images: Iterable[tuple[Specimen, Picture]],
    *,
    batch_images: int,
    workers: int,
    part_images: int | None = None,
    foreground: Foreground | None = None,
) -> Iterator[Encoded]:
    """Activations of images, one by one, in their order; which images share a batch depends on nothing but the order.

    Args:
        backbone: that encodes.
        images: taken one by one, a few ahead.
        batch_images: at most this many neighbouring images of one shape are encoded together.
        workers: threads that decode and prepare, the next batch while one is encoded.
        part_images: no batch goes across this many images, so that a part of them is encoded alike by itself.
        foreground: looks for the organism while the image is open.
    """
    batch: list[_Ready] = []
    for count, ready in enumerate(_prepared(backbone, images, batch_images + workers, workers, foreground), start=1):
        if batch and batch[0].prepared.pixels.shape != ready.prepared.pixels.shape:
            yield from _batch(backbone, batch)
            batch = []
        batch.append(ready)
        if len(batch) == batch_images or (part_images is not None and count % part_images == 0):
            yield from _batch(backbone, batch)
            batch = []
    if batch:
        yield from _batch(backbone, batch)


def _prepared(
    backbone: Backbone,
    images: Iterable[tuple[Specimen, Picture]],
    ahead: int,
    workers: int,
    foreground: Foreground | None,
) -> Iterator[_Ready]:
    def prepare(specimen: Specimen, picture: Picture) -> _Ready:
        image = picture() if callable(picture) else picture
        prepared = backbone.prepare(image)
        return _Ready(specimen, prepared, None if foreground is None else foreground(image, prepared.grid))

    stream = iter(images)
    waiting: deque[Future[_Ready]] = deque()
    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            while True:
                try:
                    for specimen, picture in islice(stream, max(1, ahead) - len(waiting)):
                        waiting.append(pool.submit(prepare, specimen, picture))
                except BaseException as error:  # what came before it is still encoded
                    waiting.append(Future())
                    waiting[-1].set_exception(error)
                    stream = iter(())
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _batch(backbone: Backbone, batch: list[_Ready]) -> Iterator[Encoded]:
    try:
        found = backbone.encode(torch.stack([ready.prepared.pixels for ready in batch]))
    except torch.OutOfMemoryError:
        raise InputError(
            f"the device's memory is too small for {len(batch)} images at once",
            where=f"image {batch[0].specimen.id}",
            mend="Encode fewer images together, or use a smaller backbone",
        ) from None
    for ready, activations in zip(batch, found, strict=True):
        yield Encoded(ready.specimen, ready.prepared.grid, activations, ready.foreground)
