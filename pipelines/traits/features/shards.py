"""Shards: the activations of some images in one file, and beside it a record of what they are.

``000007.bin`` holds the activations of shard 7 and nothing else: little-endian numbers of the store's precision, one
row of ``dimensions`` numbers for each patch, image after image, patches along the rows of the grid. bfloat16 is the
upper half of a float32 (NumPy has no such type: read ``uint16``, shift left by 16 bits, view as ``float32``).

``000007.json`` is written after it and says that it is whole: its size and SHA-256, the images' ids and grids, how much
of each patch is organism where that was looked for, and what they were made with. Both are written to a temporary file,
put on the disk, then renamed. So a shard without its record was never finished, and is made again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.features.pictures import Encoded
from pipelines.traits.grids import Grid
from protocols.errors import InputError, RecordError
from robots.execution.home import sync_folder, write_json

SCHEMA_VERSION = 1
Precision = Literal["float16", "bfloat16", "float32"]
TORCH: dict[str, torch.dtype] = {
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float32": torch.float32,
}
STORED: dict[str, np.dtype[Any]] = {
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype("<u2"),
    "float32": np.dtype("<f4"),
}
"""How each precision lies in the file."""

UNITS = 255
"""In which shares of foreground are stored."""
AGAIN = "Run the same command again: only this shard is made anew"


@dataclass(frozen=True, slots=True)
class Made:
    """What every shard of a store has in common.

    Attributes:
        backbone: its identity.
        dimensions: numbers for each patch.
        dtype: precision in the file.
        shard_images: images in each shard but the last.
        batch_images: images that went through the backbone together; rounding may depend on it.
        foreground: whether the organism was looked for.
    """

    backbone: str
    dimensions: int
    dtype: Precision
    shard_images: int
    batch_images: int
    foreground: bool = False


@dataclass(frozen=True, slots=True)
class Shard:
    """The record of one shard.

    Attributes:
        number: its place in the store.
        made: what it was made with.
        ids: of its images.
        grids: of its images.
        foreground: of each image, the share of each patch that is organism, in units of 1/255; empty where nobody
            looked.
        bytes, sha256: of its file.
    """

    number: int
    made: Made
    ids: tuple[str, ...]
    grids: tuple[Grid, ...]
    foreground: tuple[bytes, ...]
    bytes: int
    sha256: str

    @property
    def rows(self) -> int:
        """How many activations there are."""
        return sum(grid.patches for grid in self.grids)


def data_path(folder: Path, number: int) -> Path:
    """The file of a shard's activations."""
    return folder / f"{number:06d}.bin"


def record_path(folder: Path, number: int) -> Path:
    """The file of a shard's record."""
    return folder / f"{number:06d}.json"


def write_shard(folder: Path, number: int, made: Made, images: Iterable[Encoded]) -> Shard:
    """Write one shard, whole or not at all; a record that was there goes first.

    Args:
        folder: of the store.
        number: of the shard.
        made: what it is made with.
        images: taken one by one.

    Raises:
        InputError: activations are not finite in this precision.
        RecordError: it cannot be written, as on a full disk; nothing of it is left.
    """
    path, record = data_path(folder, number), record_path(folder, number)
    temporary = folder / f".{path.name}.{os.getpid()}"
    ids: list[str] = []
    grids: list[Grid] = []
    foreground: list[bytes] = []
    hashed = hashlib.sha256()
    try:
        record.unlink(missing_ok=True)
        with open(temporary, "wb") as file:
            for image in images:
                stored = _stored(image.activations, made.dtype, image.specimen.id)
                block = memoryview(stored.data).cast("B")
                _write(file.fileno(), block, path)
                hashed.update(block)
                ids.append(image.specimen.id)
                grids.append(image.grid)
                if image.foreground is not None:
                    foreground.append(np.rint(image.foreground * UNITS).astype(np.uint8).tobytes())
            _on_disk(file.fileno(), path)
        size = temporary.stat().st_size
        os.replace(temporary, path)
        sync_folder(folder)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    shard = Shard(number, made, tuple(ids), tuple(grids), tuple(foreground), size, hashed.hexdigest())
    write_json(record, _plain(shard))
    return shard


def _stored(activations: torch.Tensor, dtype: Precision, name: str) -> NDArray[Any]:
    rounded = activations.to("cpu", TORCH[dtype]).contiguous()
    if not bool(torch.isfinite(rounded).all()):
        raise InputError(
            f"activations of the image are not finite, or too large for {dtype}",
            where=f"image {name}",
            mend="Store bfloat16 or float32, or check the backbone's weights",
        )
    if dtype == "bfloat16":
        return rounded.view(torch.uint16).numpy()
    return rounded.numpy()


def _write(descriptor: int, block: memoryview, path: Path) -> None:
    try:
        while block:
            block = block[os.write(descriptor, block) :]
    except OSError as error:
        raise _refused(error, path) from error


def _on_disk(descriptor: int, path: Path) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise _refused(error, path) from error


def _refused(error: OSError, path: Path) -> RecordError:
    return RecordError(
        f"the shard cannot be written ({error.strerror})",
        where=str(path),
        mend="Make room on the disk, then run the same command again: it goes on with this shard",
    )


def _plain(shard: Shard) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "shard": shard.number,
        "made": asdict(shard.made),
        "bytes": shard.bytes,
        "sha256": shard.sha256,
        "ids": list(shard.ids),
        "foreground": [base64.b64encode(shares).decode() for shares in shard.foreground],
        "grids": [[grid.rows, grid.columns, grid.left, grid.top, grid.width, grid.height] for grid in shard.grids],
    }


def read_shard(folder: Path, number: int) -> Shard | None:
    """The record of a shard; ``None`` where there is none.

    Raises:
        RecordError: it cannot be read, is of another schema version, or contradicts itself.
    """
    path = record_path(folder, number)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {found['schema_version']}, this Labwright reads {SCHEMA_VERSION}")
        grids = tuple(Grid(int(row[0]), int(row[1]), *map(float, row[2:])) for row in found["grids"])
        shard = Shard(
            number=int(found["shard"]),
            made=Made(**found["made"]),
            ids=tuple(found["ids"]),
            grids=grids,
            foreground=tuple(base64.b64decode(shares, validate=True) for shares in found["foreground"]),
            bytes=int(found["bytes"]),
            sha256=found["sha256"],
        )
        shares = [len(one) for one in shard.foreground]
        expected = shard.rows * shard.made.dimensions * STORED[shard.made.dtype].itemsize
        if shard.number != number or len(shard.ids) != len(grids) or shard.bytes != expected:
            raise ValueError("it contradicts itself")
        if shares != [grid.patches for grid in grids if shard.made.foreground]:
            raise ValueError("it contradicts itself")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise RecordError(
            f"the record of a shard cannot be used ({error})", where=str(path), mend=f"Delete it. {AGAIN}"
        ) from None
    return shard


def check_size(folder: Path, shard: Shard) -> None:
    """Compare a shard's file with its record, by size only.

    Raises:
        RecordError: the file is missing or of another size.
    """
    path = data_path(folder, shard.number)
    try:
        size = path.stat().st_size
    except OSError:
        raise RecordError("the shard is missing", where=str(path), mend=AGAIN) from None
    if size != shard.bytes:
        raise RecordError(
            f"the shard has {size:,} bytes instead of {shard.bytes:,}: it was cut off or changed",
            where=str(path),
            mend=AGAIN,
        )


def check_sum(folder: Path, shard: Shard) -> None:
    """Compare a shard's file with its record, byte by byte.

    Raises:
        RecordError: the file is missing, or not as it was written.
    """
    check_size(folder, shard)
    path = data_path(folder, shard.number)
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != shard.sha256:
        raise RecordError(
            "the shard is damaged: its checksum is not the one that was written down",
            where=str(path),
            mend=f"Delete {path.name}. {AGAIN}",
        )


def as_float(stored: NDArray[Any], dtype: Precision) -> torch.Tensor:
    """What lies in a file as float32."""
    if dtype == "bfloat16":
        return torch.from_numpy(stored).view(torch.bfloat16).to(torch.float32)
    return torch.from_numpy(stored).to(torch.float32)
