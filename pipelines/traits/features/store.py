"""A whole store of activations: opened, checked, read in place, and shuffled into training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.traits.features import shards
from pipelines.traits.features.placed import Grids
from pipelines.traits.features.shards import Made, Shard
from pipelines.traits.features.shuffle import Order
from protocols.errors import InputError, RecordError
from robots.execution.home import write_json

INDEX = "activations.json"
_WHOLE = "Run the command that makes it again: it goes on where it stopped"
_AT_ONCE = 1 << 14
"""Rows that are fetched together: fewer, longer visits to each shard."""


def write_index(folder: Path, made: Made, count: int) -> None:
    """Write down that a store is whole, and what its shards are."""
    listed = []
    for number in range(count):
        shard = read_whole(folder, number, made)
        listed.append(
            {
                "file": shards.data_path(folder, number).name,
                "images": len(shard.ids),
                "rows": shard.rows,
                "bytes": shard.bytes,
                "sha256": shard.sha256,
                "record_sha256": _record_sum(folder, number),
            }
        )
    write_json(
        folder / INDEX,
        {"schema_version": shards.SCHEMA_VERSION, "complete": True, "made": asdict(made), "shards": listed},
    )


def _record_sum(folder: Path, number: int) -> str:
    path = shards.record_path(folder, number)
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise RecordError("the record of a shard is missing", where=str(path), mend=shards.AGAIN) from None


class Activations:
    """A whole store. Nothing is read into memory but what is asked for, and 56 bytes for each image.

    Attributes:
        folder: where it is.
        made: what it was made with.
        grids: of the images.
        rows: how many activations there are.
        identity: SHA-256 of the index, which holds those of all shards.
    """

    def __init__(self, folder: Path, made: Made, found: Iterable[Shard], identity: str) -> None:
        self.folder = folder
        self.made = made
        self.identity = identity
        tables: list[NDArray[np.float64]] = [np.empty((0, 6))]
        shard_rows: list[int] = []
        self._maps: list[NDArray[Any]] = []
        for shard in found:
            tables.append(np.array([astuple(grid) for grid in shard.grids], np.float64).reshape(-1, 6))
            shard_rows.append(shard.rows)
            self._maps.append(self._map(shard))
        self.grids = Grids(np.concatenate(tables))
        self._first_row = self.grids.first_patches()
        self._shard_begins = np.concatenate([[0], np.cumsum(shard_rows, dtype=np.int64)])
        self.rows = int(self._first_row[-1])
        self._looked: Shard | None = None

    @classmethod
    def open(cls, folder: Path, *, backbone: str | None = None) -> Self:
        """Open a store, after a look at the presence and the size of each of its files.

        Args:
            folder: of the store.
            backbone: the identity that it must have been made with; any if not given.

        Raises:
            RecordError: it is not whole, or a shard is missing or cut off.
            InputError: it was made with another backbone.
        """
        made, listed, identity = _read_index(folder)
        if backbone is not None and made.backbone != backbone:
            raise other_backbone(folder, made.backbone, backbone)
        found = (_checked(folder, number, made, entry) for number, entry in enumerate(listed))
        return cls(folder, made, found, identity)

    @property
    def dimensions(self) -> int:
        """Numbers for each patch."""
        return self.made.dimensions

    @property
    def backbone(self) -> str:
        """Identity of the backbone it was made with."""
        return self.made.backbone

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.grids)

    @property
    def ids(self) -> list[str]:
        """Of the images, in their order; read from the disk."""
        return [name for shard in self._shards() for name in shard.ids]

    def foreground(self, index: int) -> NDArray[np.float32]:
        """The share of each patch of an image that is organism: (patches,), 0 to 1; written only if it was asked for.

        Raises:
            RecordError: a record is damaged, or nobody looked for organisms.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        if not self.made.foreground:
            raise RecordError("nobody looked for organisms", where=str(self.folder), mend=_WHOLE)
        number, place = divmod(index, self.made.shard_images)
        if self._looked is None or self._looked.number != number:
            self._looked = read_whole(self.folder, number, self.made)
        return np.frombuffer(self._looked.foreground[place], np.uint8).astype(np.float32) / np.float32(shards.UNITS)

    def _shards(self) -> Iterator[Shard]:
        return (read_whole(self.folder, number, self.made) for number in range(len(self._maps)))

    def verify(self) -> None:
        """Read everything and compare it with its checksums.

        Raises:
            RecordError: a shard is not as it was written.
        """
        for shard in self._shards():
            shards.check_sum(self.folder, shard)

    def patches(self, index: int) -> NDArray[np.float32]:
        """The activations of one image, by its place in :attr:`ids`: (patches, dimensions)."""
        if not 0 <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        begin, end = int(self._first_row[index]), int(self._first_row[index + 1])
        number = int(np.searchsorted(self._shard_begins, begin, side="right")) - 1
        offset = int(self._shard_begins[number])
        stored = np.array(self._maps[number][begin - offset : end - offset])
        found: NDArray[np.float32] = shards.as_float(stored, self.made.dtype).numpy()
        return found

    def take(self, rows: NDArray[np.int64]) -> torch.Tensor:
        """Activations of any rows of the store, in this order: (rows, dimensions) float32."""
        # The file is visited in its own order, then what was found goes to the places that were asked for.
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        stored = np.empty((len(rows), self.dimensions), shards.STORED[self.made.dtype])
        edges = np.searchsorted(ordered, self._shard_begins)
        for number in np.flatnonzero(np.diff(edges)):
            begin, end = edges[number], edges[number + 1]
            stored[order[begin:end]] = self._maps[number][ordered[begin:end] - self._shard_begins[number]]
        return shards.as_float(stored, self.made.dtype)

    def batches(self, size: int, seed: int, start: int = 0, *, window: int | None = None) -> Iterator[torch.Tensor]:
        """Endless batches, shuffled over the whole store; the same for the same seed and window.

        Args:
            size: rows in a batch.
            seed: of the order.
            start: how many batches are passed over, at no cost.
            window: rows that are shuffled among each other, for a store larger than memory on a slow disk, which is
                then read in long runs; all at once if not given.

        Yields:
            (size, dimensions) float32. The next ones are fetched meanwhile.

        Raises:
            InputError: the store is empty, or a number makes no sense.
        """
        if size < 1 or start < 0 or not self.rows or (window is not None and window < 1):
            raise InputError(
                f"no batches of {size} from {start} on out of {self.rows} activations (window {window})",
                where=str(self.folder),
                mend="Choose a size of at least 1 and a start of at least 0, from a store that is not empty",
            )
        block = 256
        rounded = None if window is None else max(1, window // block) * block
        return self._batches(size, start, Order(self.rows, seed, rounded, block))

    def _batches(self, size: int, start: int, order: Order) -> Iterator[torch.Tensor]:
        many = max(1, _AT_ONCE // size)

        def fetch(step: int) -> torch.Tensor:
            return self.take(order[np.arange(step * size, (step + many) * size, dtype=np.int64)])

        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(fetch, start)
            while True:
                ready = coming.result()
                start += many
                coming = ahead.submit(fetch, start)
                yield from (ready[at : at + size] for at in range(0, many * size, size))

    def _map(self, shard: Shard) -> NDArray[Any]:
        dtype, shape = shards.STORED[self.made.dtype], (shard.rows, self.made.dimensions)
        if not shard.rows:
            return np.empty(shape, dtype)
        path = shards.data_path(self.folder, shard.number)
        # torch maps a file without keeping it open, which matters where there are thousands of them
        data = torch.from_file(str(path), shared=False, size=shard.bytes, dtype=torch.uint8).numpy()
        data.flags.writeable = False
        return data.view(dtype).reshape(shape)


def other_backbone(folder: Path, theirs: str, ours: str) -> InputError:
    """The error of a store that was made with another backbone."""
    return InputError(
        f"the activations were made with the backbone {theirs}, not with {ours}",
        where=str(folder),
        mend="Choose that backbone, or another folder for this one",
    )


def _read_index(folder: Path) -> tuple[Made, list[dict[str, Any]], str]:
    path = folder / INDEX
    try:
        data = path.read_bytes()
        found = json.loads(data)
        version = found["schema_version"]
        if version != shards.SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, this Labwright reads {shards.SCHEMA_VERSION}")
        return Made(**found["made"]), [dict(entry) for entry in found["shards"]], hashlib.sha256(data).hexdigest()
    except FileNotFoundError:
        raise RecordError(
            "the store of activations is not whole: it has no index", where=str(path), mend=_WHOLE
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(
            f"the index of the activations cannot be used ({error})", where=str(path), mend=f"Delete it. {_WHOLE}"
        ) from None


def _checked(folder: Path, number: int, made: Made, entry: dict[str, Any]) -> Shard:
    if _record_sum(folder, number) != entry.get("record_sha256"):
        path = shards.record_path(folder, number)
        raise RecordError("the record of a shard was changed", where=str(path), mend=f"Delete it. {shards.AGAIN}")
    shard = read_whole(folder, number, made)
    shards.check_size(folder, shard)
    return shard


def read_whole(folder: Path, number: int, made: Made) -> Shard:
    """The record of a shard of this store.

    Raises:
        RecordError: it is missing, damaged, or of another store.
    """
    shard = shards.read_shard(folder, number)
    if shard is None or shard.made != made:
        path = shards.record_path(folder, number)
        raise RecordError("the shard belongs to another store", where=str(path), mend=f"Delete it. {shards.AGAIN}")
    return shard
