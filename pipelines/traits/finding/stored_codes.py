"""Sparse codes of every image on the disk, some images a file: written once, read by every stage after.

A number takes 10 bytes (patch 2, latent 4, value 4), so that an image of 256 patches of which each has 32 latents takes
82 KB, where its dense codes at 24,576 latents would take 25 MB.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save

from pipelines.traits.codes import Codes
from protocols.errors import RecordError
from robots.execution.home import sync_folder

SHARD_IMAGES = 64
"""Images in one file: some 5 MB, and the most that a kill costs."""


class Patches(Protocol):
    """Activations that can be read image by image."""

    @property
    def ids(self) -> Sequence[str]: ...

    def patches(self, index: int) -> NDArray[np.float32]:
        """(patches, dimensions) of one image."""
        ...


class Encoder(Protocol):
    """What gives sparse codes to activations (n, dimensions)."""

    def encode_sparse(self, x: torch.Tensor) -> Codes: ...


def write_codes(
    activations: Patches, sae: Encoder, folder: Path, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Encode every image, file by file; files that are there stay.

    Args:
        progress: told of images done, and of how many.

    Raises:
        OSError: a file cannot be written.
    """
    total = len(activations.ids)
    for start in range(0, total, SHARD_IMAGES):
        path = _shard(folder, start)
        stop = min(start + SHARD_IMAGES, total)
        if not path.exists():
            images = [sae.encode_sparse(torch.from_numpy(activations.patches(at))) for at in range(start, stop)]
            write_bytes(path, _packed(images))
        if progress is not None:
            progress(stop, total)


class StoredCodes:
    """Codes that :func:`write_codes` wrote; one file is in memory at a time.

    Every method may raise RecordError where a file is missing or damaged.
    """

    def __init__(self, folder: Path, images: int) -> None:
        self._folder = folder
        self._images = images
        self._loaded: tuple[int, list[Codes]] = (-1, [])

    def __len__(self) -> int:
        return self._images

    def __getitem__(self, image: int) -> Codes:
        """The codes of one image; images of the same file cost nothing more."""
        start = image - image % SHARD_IMAGES
        if self._loaded[0] != start:
            self._loaded = (start, self._read(start))
        return self._loaded[1][image - start]

    def __iter__(self) -> Iterator[Codes]:
        return (self[image] for image in range(self._images))

    def _read(self, start: int) -> list[Codes]:
        path = _shard(self._folder, start)
        try:
            images = _unpacked(load(path.read_bytes()))
        except Exception as error:  # safetensors has one error of its own for all that can be wrong
            raise RecordError(
                f"the codes cannot be read ({error})",
                where=str(path),
                mend=f"Restore the file from a copy, or delete {self._folder}: its stage is then done again",
            ) from error
        if len(images) != min(SHARD_IMAGES, self._images - start):
            raise RecordError(f"holds {len(images)} images", where=str(path), mend=f"Delete {self._folder}")
        return images


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file or none of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _shard(folder: Path, start: int) -> Path:
    return folder / f"codes-{start // SHARD_IMAGES:06d}.safetensors"


def _packed(images: Sequence[Codes]) -> bytes:
    joined = [np.concatenate(parts) for parts in zip(*images, strict=True)]
    rows, latents, values = joined
    wide = np.uint16 if rows.max(initial=0) < 1 << 16 else np.uint32
    return save(
        {
            "counts": np.array([len(codes.rows) for codes in images], np.int64),
            "rows": rows.astype(wide),
            "latents": latents.astype(np.int32),
            "values": values.astype(np.float32),
        }
    )


def _unpacked(tensors: dict[str, NDArray[np.generic]]) -> list[Codes]:
    cuts = np.cumsum(tensors["counts"].astype(np.int64))[:-1]
    rows = np.split(tensors["rows"].astype(np.int64), cuts)
    latents = np.split(tensors["latents"].astype(np.int64), cuts)
    values = np.split(tensors["values"].astype(np.float32), cuts)
    return [Codes(*parts) for parts in zip(rows, latents, values, strict=True)]
