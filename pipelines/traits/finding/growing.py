"""A collection that grows: images are added at the end, so that no image, file or latent gets another number.

The images of before stay first, in their order, so that files of activations and codes that were full stay as they are;
those that were not full are made again, with more images in them. The autoencoder stays the one that was trained, and
encodes the new images. What marks a taxon, and its regions, are found anew among all.

``grown-from.txt`` in the job's folder holds the ids of before, one a line; ``job.json`` says what the autoencoder was
made from. Both are written before anything is removed, so that a kill never leaves the intention in doubt.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from pipelines.traits.collections import Scan
from pipelines.traits.specimens import Specimen
from protocols.errors import InputError, RecordError
from robots.execution.home import sync_folder

EARLIER = "grown-from.txt"
_ID = "S16"
_WIDTH = 33
"""Bytes of a line: an id and its end."""


class ImagesGone(InputError):
    """Raised when a collection was to grow, and lacks an image that it had."""


def keep_order(out: Path, specimens: Sequence[Specimen]) -> None:
    """Write down which images there were, and in which order.

    Raises:
        OSError: it cannot be written.
    """
    temporary = out / f".{EARLIER}.{os.getpid()}"
    with open(temporary, "w", encoding="ascii") as file:
        file.writelines(f"{specimen.id}\n" for specimen in specimens)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, out / EARLIER)
    sync_folder(out)


def forget_order(out: Path) -> None:
    """Let the order be that of the collection again."""
    for left in (out / EARLIER, *out.glob(f".{EARLIER}.*")):
        left.unlink(missing_ok=True)


def in_order(scan: Scan, out: Path) -> Scan:
    """The scan with the images of before first, in their order, if the job grew; else as it is.

    Raises:
        ImagesGone: an image of before is not there any more.
        RecordError: the order cannot be read.
    """
    earlier = _earlier(out)
    if earlier is None:
        return scan
    ids = _ids(specimen.id for specimen in scan.specimens)
    order = np.argsort(ids)
    places = np.minimum(np.searchsorted(ids[order], earlier), max(len(ids) - 1, 0))
    found = order[places] if len(ids) else np.empty(0, np.int64)
    gone = np.flatnonzero(ids[found] != earlier) if len(ids) else np.arange(len(earlier))
    if len(gone):
        first = bytes(earlier[gone[0]]).ljust(16, b"\0").hex()
        raise ImagesGone(
            f"{len(gone):,} images of before are not among the usable ones any more; the first is {first}",
            where=str(out),
            mend="Put them back, or give --again instead of --add to do everything again with these images",
        )
    new = np.ones(len(ids), bool)
    new[found] = False
    return replace(scan, specimens=_Ordered(scan.specimens, np.concatenate([found, np.flatnonzero(new)])))


def _earlier(out: Path) -> NDArray[np.bytes_] | None:
    path = out / EARLIER
    if not path.exists():
        return None
    try:
        text = path.read_text(encoding="ascii")
        if len(text) % _WIDTH:
            raise ValueError("a line is cut off")
        return _ids(text.splitlines())
    except (OSError, ValueError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend="Restore it from a copy, or give --again to begin anew"
        ) from None


def _ids(names: Iterable[str]) -> NDArray[np.bytes_]:
    return np.fromiter((bytes.fromhex(name) for name in names), _ID)


class _Ordered(Sequence[Specimen]):
    """Specimens in another order, read when they are asked for."""

    def __init__(self, specimens: Sequence[Specimen], order: NDArray[np.int64]) -> None:
        self._specimens, self._order = specimens, order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Specimen: ...
    @overload
    def __getitem__(self, place: slice) -> list[Specimen]: ...
    def __getitem__(self, place: int | slice) -> Specimen | list[Specimen]:
        if isinstance(place, slice):
            return [self._specimens[int(at)] for at in self._order[place]]
        return self._specimens[int(self._order[place])]

    def __iter__(self) -> Iterator[Specimen]:
        return (self._specimens[int(at)] for at in self._order)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == theirs for one, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


def drop_partial(folder: Path, images: int, shard_images: int) -> None:
    """Remove the files of a stage but those of full shards: what is left holds for a collection that grew.

    Args:
        folder: of activations or codes, whose files have the number of their shard in their names.
        images: that there were.
        shard_images: of a full shard.
    """
    full = images // shard_images
    for path in list(folder.iterdir()):
        digits = "".join(filter(str.isdigit, path.stem))
        if path.name != "stage.json" and (not digits or int(digits) >= full):
            path.unlink()
