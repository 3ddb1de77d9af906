"""Images in WebDataset shards: ``.tar`` files in which members with one name up to the first dot are one sample.

Nothing is ever unpacked. An image is read where it lies in the archive, by offset; what lies beside it (``.json``,
``.cls``, ``.txt``, and BioCLIP's ``.sci.txt``, ``.com.txt``, ``.taxon.txt``) becomes its row.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.traits.collections.names import scientific_name
from pipelines.traits.collections.scans import CollectionError, Quarantined, Reason
from pipelines.traits.collections.tables import flat, text_of
from pipelines.traits.collections.terms import without_surrogates
from pipelines.traits.collections.walking import IMAGES, OTHER_IMAGES, is_utf8

MOST_SIDE_BYTES = 1 << 20
"""How long a text beside an image may be."""

_TEXTS = {
    "cls": "label",
    "cls.txt": "label",
    "label": "label",
    "label.txt": "label",
    "txt": "ac:caption",
    "caption": "ac:caption",
    "sci.txt": "scientificName",
    "scientific_name.txt": "scientificName",
    "com.txt": "vernacularName",
    "common_name.txt": "vernacularName",
    "taxon.txt": "higherClassification",
    "taxontag.txt": "higherClassification",
}


@dataclass(slots=True)
class Member:
    """An image in an archive: its name there, where its bytes are, and what lies beside it, by column."""

    name: str
    offset: int
    size: int
    row: dict[str, str] = field(default_factory=dict)


class Part(io.RawIOBase):
    """The bytes from ``offset`` to ``offset + size`` of a file as a file of its own; closing it closes the file."""

    def __init__(self, path: str | Path, offset: int, size: int) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115
        self._offset, self._size, self._at = offset, size, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, counted from the part's own beginning."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """The place where reading goes on."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read what the buffer holds, or less at the end of the part."""
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        if not view:
            return 0
        self._file.seek(self._offset + self._at)
        count = self._file.readinto(view) or 0
        self._at += count
        return count

    def close(self) -> None:
        """Close the part and its file."""
        self._file.close()
        super().close()


def members(path: Path, source: str, quarantined: list[Quarantined]) -> Iterator[Member]:
    """The images of an archive, in its order; what cannot be used is added to ``quarantined``."""
    seen: set[str] = set()
    sample: list[Member] = []
    row: dict[str, str] = {}
    current = ""
    for info, archive in _headers(path, source, quarantined):
        name = _safe(info, f"{source}::{info.name}", quarantined)
        if not name:
            continue
        folder, _, base = name.rpartition("/")
        stem, _, suffix = base.partition(".")
        if f"{folder}/{stem}" != current:
            yield from _complete(sample, row)
            sample, row, current = [], {}, f"{folder}/{stem}"
        ending = os.path.splitext(base)[1].lower()
        if ending in OTHER_IMAGES:
            quarantined.append(
                Quarantined.because(f"{source}::{name}", Reason.UNSUPPORTED, f"{ending} files are not read")
            )
        elif ending not in IMAGES:
            row |= _beside(archive, info, suffix.lower(), f"{source}::{name}", quarantined)
        elif name in seen:
            quarantined.append(
                Quarantined.because(f"{source}::{name}", Reason.REPEATED_MEMBER, "the name occurs before")
            )
        else:
            seen.add(name)
            sample.append(Member(name, info.offset_data, info.size))
    yield from _complete(sample, row)


def _complete(sample: list[Member], row: dict[str, str]) -> Iterator[Member]:
    for member in sample:
        member.row = row
        yield member


def _headers(
    path: Path, source: str, quarantined: list[Quarantined]
) -> Iterator[tuple[tarfile.TarInfo, tarfile.TarFile]]:
    """Each header of the archive; damage ends the archive and is told."""
    count = 0
    try:
        size = os.path.getsize(path)
        with tarfile.open(path, "r:", errorlevel=2) as archive:
            while (info := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]
                if info.isreg() and info.offset_data + info.size > size:
                    raise tarfile.ReadError(f"it ends within {info.name}")
                count += 1
                yield info, archive
            # Where a header is damaged, tarfile takes the archive to end: an end is a block of zeros.
            if Part(path, archive.offset, tarfile.BLOCKSIZE).read() != tarfile.NUL * tarfile.BLOCKSIZE:
                raise tarfile.ReadError("its end is missing" if archive.offset >= size else "what follows is damaged")
    except (OSError, tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
        what = f"after {count} members: {error}" if count else f"it is no tar archive, or empty: {error}"
        quarantined.append(Quarantined.because(source, Reason.DAMAGED_ARCHIVE, what))


def _safe(info: tarfile.TarInfo, source: str, quarantined: list[Quarantined]) -> str:
    """The member's name; empty where it is no file, or was set aside."""
    name = info.name.removeprefix("./")
    base = name.rpartition("/")[2]
    image = os.path.splitext(base)[1].lower() in IMAGES
    if info.isdir() or base.startswith("."):
        return ""
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        quarantined.append(Quarantined.because(source, Reason.UNSAFE_NAME, "the name leads out of the archive"))
    elif not is_utf8(name):
        quarantined.append(Quarantined.because(source, Reason.NOT_UTF8, "the name is not UTF-8"))
    elif info.issym() or info.islnk():
        if image:
            quarantined.append(Quarantined.because(source, Reason.NOT_A_FILE, f"it is a link to {info.linkname}"))
    elif not info.isreg() or info.sparse is not None:
        quarantined.append(Quarantined.because(source, Reason.NOT_A_FILE, "it is a device, a pipe or a sparse file"))
    else:
        return name
    return ""


def _beside(
    archive: tarfile.TarFile, info: tarfile.TarInfo, suffix: str, source: str, quarantined: list[Quarantined]
) -> dict[str, str]:
    if suffix != "json" and suffix not in _TEXTS:
        return {}
    if info.size > MOST_SIDE_BYTES:
        what = f"{info.size:,} bytes of text beside an image"
        quarantined.append(Quarantined.because(source, Reason.BAD_ROW, what))
        return {}
    stream = archive.extractfile(info)
    data = stream.read() if stream else b""
    if suffix != "json":
        text = " ".join(data.decode("utf-8", "replace").split())
        return _text(_TEXTS[suffix], text)
    try:
        item = json.loads(data)
        if not isinstance(item, dict):
            raise ValueError("it is no object")
    except (ValueError, RecursionError) as error:
        quarantined.append(Quarantined.because(source, Reason.BAD_ROW, f"the JSON cannot be read ({error})"))
        return {}
    return {name: text for name, value in flat(item).items() if (text := text_of(value))}


def _text(column: str, text: str) -> dict[str, str]:
    """A text by its column; a caption that is nothing but a species' name is its label too."""
    text = without_surrogates(text)
    if column == "ac:caption" and len(text.split()) == 2 and "species" in scientific_name(text):
        return {column: text, "scientificName": text}
    return {column: text} if text else {}


@lru_cache(maxsize=64)
def _places(path: str, size: int, modified: int) -> dict[str, tuple[int, int]]:
    """Where each image of an archive lies; kept for the archives last asked for, as long as they do not change."""
    return {member.name: (member.offset, member.size) for member in members(Path(path), path, [])}


def open_member(path: Path, name: str) -> Part:
    """An image in an archive as a file.

    Raises:
        CollectionError: the archive or the member is not there.
    """
    try:
        state = os.stat(path)
        place = _places(str(path), state.st_size, state.st_mtime_ns).get(name)
        if place is not None:
            return Part(path, *place)
    except OSError as error:
        raise CollectionError(f"cannot be read ({error.strerror})", where=str(path)) from None
    raise CollectionError(
        f"has no image {name} any more", where=str(path), mend="Scan the collection again: the archive was changed"
    )
