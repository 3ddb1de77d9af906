"""Sparse codes of every image on the disk, some images a file: written once, read by every stage after.

A number takes 10 bytes (patch 2, latent 4, value 4), so that an image of 256 patches of which each has 32 latents takes
82 KB, where its dense codes at 24,576 latents would take 25 MB. Beside them lies how much of each patch is organism.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save

from pipelines.traits.codes import Codes
from protocols.errors import RecordError
from robots.execution.home import sync_folder

SHARD_IMAGES = 64
"""Images in one file: some 5 MB, and the most that a kill costs."""
LEAST_FOREGROUND = 0.1
"""Share of a patch that must be organism for it to be part of a region."""
_LOADED = 4
"""Files in memory at a time."""


_AT_ONCE = 4096
"""Patches that are encoded together, about: 16 images of 256, as many as in a step of training."""


class Patches(Protocol):
    """Activations that can be read image by image."""

    def __len__(self) -> int:
        """How many images there are."""
        ...

    def patches(self, index: int) -> NDArray[np.float32]:
        """(patches, dimensions) of one image."""
        ...

    def foreground(self, index: int) -> NDArray[np.float32]:
        """(patches,) the share of each patch of an image that is organism, 0 to 1."""
        ...


class Encoder(Protocol):
    """What gives sparse codes to activations (n, dimensions)."""

    def encode_sparse(self, x: torch.Tensor) -> Codes:
        """What is not zero."""
        ...


def write_codes(
    activations: Patches,
    sae: Encoder,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Encode every image, file by file; files that are there stay. A file is written while the next is made.

    Args:
        progress: told of images done, and of how many.

    Raises:
        OSError: a file cannot be written.
    """
    total = len(activations)
    written: Future[None] | None = None
    with ThreadPoolExecutor(1) as pool:
        for start in range(0, total, SHARD_IMAGES):
            path = _shard(folder, start)
            stop = min(start + SHARD_IMAGES, total)
            if not path.exists():
                images: list[Codes] = []
                for codes in _encoded(activations, sae, start, stop):
                    images.append(codes)
                    if progress is not None:
                        progress(start + len(images), total)
                shares = [activations.foreground(at) for at in range(start, stop)]
                if written is not None:
                    written.result()
                written = pool.submit(_write, path, images, shares)
            elif progress is not None:
                progress(stop, total)
        if written is not None:
            written.result()


def _encoded(activations: Patches, sae: Encoder, start: int, stop: int) -> Iterator[Codes]:
    """Codes of each image of a file, of which some are encoded together; which ones depends on nothing but the file."""
    together: list[NDArray[np.float32]] = []
    waiting = 0
    for at in range(start, stop):
        together.append(activations.patches(at))
        waiting += len(together[-1])
        if waiting >= _AT_ONCE or at + 1 == stop:
            codes = sae.encode_sparse(torch.from_numpy(np.concatenate(together)))
            edges = np.cumsum([0, *(len(image) for image in together)])
            cuts = np.searchsorted(codes.rows, edges)
            for first, begin, end in zip(edges, cuts, cuts[1:], strict=False):
                yield Codes(codes.rows[begin:end] - first, codes.latents[begin:end], codes.values[begin:end])
            together, waiting = [], 0


def _write(path: Path, images: Sequence[Codes], shares: Sequence[NDArray[np.float32]]) -> None:
    write_bytes(path, _packed(images, shares))


class StoredCodes:
    """Codes that :func:`write_codes` wrote; four files are in memory at a time.

    Every method may raise RecordError where a file is missing or damaged.
    """

    def __init__(self, folder: Path, images: int) -> None:
        self._folder = folder
        self._images = images
        self._loaded: dict[int, tuple[list[Codes], list[NDArray[np.float32]]]] = {}

    def __len__(self) -> int:
        return self._images

    def __getitem__(self, image: int) -> Codes:
        """The codes of one image; images of the same file cost nothing more."""
        return self._shard_of(image)[0][image % SHARD_IMAGES]

    def foreground(self, image: int) -> NDArray[np.float32]:
        """The share of each patch that is organism: (patches,), 0 to 1, in steps of 1/255."""
        return self._shard_of(image)[1][image % SHARD_IMAGES]

    def on_organism(self, image: int) -> Codes:
        """The codes of patches of which some part is organism; all of them where nothing stands out as one."""
        codes, shares = self[image], self.foreground(image)
        kept = shares[codes.rows] >= LEAST_FOREGROUND
        return Codes(codes.rows[kept], codes.latents[kept], codes.values[kept]) if shares.any() else codes

    def __iter__(self) -> Iterator[Codes]:
        return (self[image] for image in range(self._images))

    def _shard_of(self, image: int) -> tuple[list[Codes], list[NDArray[np.float32]]]:
        if not 0 <= image < self._images:
            raise IndexError(f"image {image} of {self._images}")
        start = image - image % SHARD_IMAGES
        if start not in self._loaded:
            if len(self._loaded) == _LOADED:
                del self._loaded[next(iter(self._loaded))]
            self._loaded[start] = self._read(start)
        return self._loaded[start]

    def _read(self, start: int) -> tuple[list[Codes], list[NDArray[np.float32]]]:
        path = _shard(self._folder, start)
        try:
            images, shares = _unpacked(load(path.read_bytes()))
        except Exception as error:  # safetensors has one error of its own for all that can be wrong
            raise RecordError(
                f"the codes cannot be read ({error})",
                where=str(path),
                mend=f"Restore the file from a copy, or delete {self._folder}: its stage is then done again",
            ) from error
        if len(images) != min(SHARD_IMAGES, self._images - start):
            raise RecordError(f"holds {len(images)} images", where=str(path), mend=f"Delete {self._folder}")
        return images, shares


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


def _packed(images: Sequence[Codes], shares: Sequence[NDArray[np.floating[Any]]]) -> bytes:
    rows, latents, values = (np.concatenate(parts) for parts in zip(*images, strict=True))
    wide = np.uint16 if rows.max(initial=0) < 1 << 16 else np.uint32
    data: bytes = save(
        {
            "counts": np.array([len(codes.rows) for codes in images], np.int64),
            "rows": rows.astype(wide),
            "latents": latents.astype(np.int32),
            "values": values.astype(np.float32),
            "patches": np.array([len(share) for share in shares], np.int64),
            "foreground": np.rint(np.concatenate(shares) * 255).astype(np.uint8),
        }
    )
    return data


def _unpacked(tensors: dict[str, NDArray[Any]]) -> tuple[list[Codes], list[NDArray[np.float32]]]:
    cuts = np.cumsum(tensors["counts"])[:-1]
    rows = np.split(tensors["rows"].astype(np.int64), cuts)
    latents = np.split(tensors["latents"].astype(np.int64), cuts)
    values = np.split(tensors["values"].astype(np.float32), cuts)
    shares = np.split(tensors["foreground"].astype(np.float32) / np.float32(255), np.cumsum(tensors["patches"])[:-1])
    return [Codes(*parts) for parts in zip(rows, latents, values, strict=True)], shares
