"""Specimens on the disk, a line of JSON each: read when they are asked for, however many there are."""

from __future__ import annotations

import json
import mmap
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from pipelines.traits.specimens import Specimen, Taxon


def as_line(specimen: Specimen) -> bytes:
    """A specimen as a line of JSON."""
    plain: dict[str, Any] = {
        "id": specimen.id,
        "source": specimen.source,
        "taxon": dict(specimen.taxon.names),
        "width": specimen.width,
        "height": specimen.height,
        "licence": specimen.licence,
        "terms": dict(specimen.terms),
    }
    return json.dumps(plain, ensure_ascii=False).encode() + b"\n"


def from_line(line: bytes) -> Specimen:
    """A specimen from its line.

    Raises:
        ValueError, KeyError, TypeError: the line holds something else.
    """
    plain = json.loads(line)
    return Specimen(**{**plain, "taxon": Taxon(plain["taxon"])})


class StoredSpecimens(Sequence[Specimen]):
    """Specimens of a file that :func:`as_line` wrote; 8 bytes of memory for each.

    The file is mapped: it may be replaced by another, and must not be written into. Safe to use from several threads.
    Two sequences of the same specimens are equal, whether they are stored or in a list.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._begins = array("Q", [0])
        with open(path, "rb") as file:
            for line in file:
                self._begins.append(self._begins[-1] + len(line))
            some = len(self._begins) > 1
            self._data: mmap.mmap | bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if some else b""

    def __len__(self) -> int:
        return len(self._begins) - 1

    @overload
    def __getitem__(self, place: int) -> Specimen: ...
    @overload
    def __getitem__(self, place: slice) -> list[Specimen]: ...
    def __getitem__(self, place: int | slice) -> Specimen | list[Specimen]:
        """One specimen, or a list of several."""
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return from_line(self._data[self._begins[at] : self._begins[at + 1]])

    def __iter__(self) -> Iterator[Specimen]:
        return (self[at] for at in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == theirs for one, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]
