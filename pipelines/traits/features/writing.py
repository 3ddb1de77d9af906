"""Activations of a collection into a store, shard by shard; a killed run goes on with the shard it was at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from pipelines.traits.features import shards
from pipelines.traits.features.backbone import Backbone
from pipelines.traits.features.pictures import Encoded, Foreground, Picture, encoded
from pipelines.traits.features.shards import Made, Precision, Shard
from pipelines.traits.features.store import INDEX, Activations, other_backbone, write_index
from pipelines.traits.specimens import Specimen
from protocols.errors import InputError, RecordError

Progress = Callable[[int], None]
"""Is told how many images are done."""


def write_activations(
    backbone: Backbone,
    images: Iterable[tuple[Specimen, Picture]],
    folder: Path,
    *,
    dtype: Precision = "float16",
    shard_images: int = 512,
    batch_images: int = 16,
    workers: int = 2,
    foreground: Foreground | None = None,
    progress: Progress | None = None,
) -> Activations:
    """Write a store, or go on with one that was begun with the same images and settings.

    Whole shards are kept, and where ``images`` gives functions instead of arrays, those of whole shards are not even
    decoded. What comes out is the same, byte for byte, however often the work was interrupted.

    Args:
        backbone: that encodes.
        images: specimens with their pictures, always in the same order; taken one by one, never held.
        folder: of the store; made if it is not there.
        dtype: precision of the files.
        shard_images: images in a shard.
        batch_images: images that go through the backbone together.
        workers: threads that decode and prepare.
        foreground: looks for the organism while an image is open; what it finds is stored too.
        progress: told how many images are done.

    Returns:
        The store, open.

    Raises:
        InputError: the folder holds activations of other images, settings or another backbone; an image cannot be
            read.
        RecordError: a record in the folder is damaged, or the disk is full: what is whole stays, and nothing else.
    """
    if dtype not in shards.STORED or shard_images < 1 or batch_images < 1:
        raise InputError(
            f"no store of {dtype!r} with {shard_images} images in a shard and {batch_images} in a batch",
            mend=f"Choose one of {', '.join(shards.STORED)}, and numbers of at least 1",
        )
    made = Made(backbone.identity, backbone.dimensions, dtype, shard_images, batch_images, foreground is not None)
    folder.mkdir(parents=True, exist_ok=True)
    _tidy(folder, made)
    missing = _Missing(folder, shard_images, iter(images))
    stream = encoded(
        backbone,
        missing,
        batch_images=batch_images,
        workers=workers,
        part_images=shard_images,
        foreground=foreground,
    )
    for first in stream:
        number = missing.numbers.popleft()
        part = chain([first], islice(stream, shard_images - 1))
        shards.write_shard(folder, number, made, _told(part, number * shard_images, progress))
    if progress is not None:
        progress(missing.images)
    if shards.record_path(folder, missing.shards).exists():
        raise _other_images(folder)
    write_index(folder, made, missing.shards)
    return Activations.open(folder)


class _Missing:
    """Images of the shards that have to be made, one by one; the ids of those that are whole are compared.

    Attributes:
        numbers: of the shards that are begun and not yet taken up.
        shards, images: met so far.
    """

    def __init__(self, folder: Path, shard_images: int, images: Iterator[tuple[Specimen, Picture]]) -> None:
        self._folder, self._shard_images, self._images = folder, shard_images, images
        self.numbers: deque[int] = deque()
        self.shards = self.images = 0

    def __iter__(self) -> Iterator[tuple[Specimen, Picture]]:
        for first in self._images:
            chunk = chain([first], islice(self._images, self._shard_images - 1))
            shard = _kept(self._folder, self.shards)
            if shard is None:
                self.numbers.append(self.shards)
                self.shards += 1
                for image in chunk:
                    self.images += 1
                    yield image
            elif shard.ids != tuple(specimen.id for specimen, _ in chunk):
                raise _other_images(self._folder)
            else:
                self.shards += 1
                self.images += len(shard.ids)


def _told(images: Iterator[Encoded], done: int, progress: Progress | None) -> Iterator[Encoded]:
    for count, image in enumerate(images, start=done + 1):
        yield image
        if progress is not None:
            progress(count)


def _tidy(folder: Path, made: Made) -> None:
    """Remove what killed writes left, and refuse a folder that holds something else."""
    for pattern in (".[0-9]*.bin.*", ".[0-9]*.json.*", f".{INDEX}.*"):
        for left in folder.glob(pattern):
            left.unlink(missing_ok=True)
    for path in sorted(folder.glob("[0-9]*.json")):
        shard = shards.read_shard(folder, int(path.stem)) if path.stem.isdigit() else None
        if shard is None or shard.made == made:
            continue
        if shard.made.backbone != made.backbone:
            raise other_backbone(folder, shard.made.backbone, made.backbone)
        raise InputError(
            f"the folder holds activations that were made with other settings ({shard.made}, now {made})",
            where=str(folder),
            mend="Choose those settings, or another folder for these",
        )


def _kept(folder: Path, number: int) -> Shard | None:
    """A shard that is whole, as far as its size tells; ``None`` where it has to be made."""
    shard = shards.read_shard(folder, number)
    if shard is None:
        return None
    try:
        shards.check_size(folder, shard)
    except RecordError:
        return None
    return shard


def _other_images(folder: Path) -> InputError:
    return InputError(
        "the folder holds activations of other images, or of the same in another order",
        where=str(folder),
        mend="Choose another folder, or delete this one to make them anew",
    )
