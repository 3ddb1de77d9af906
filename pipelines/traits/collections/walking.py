"""Every file of a folder, in one order on every machine, and nothing that lies outside it."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.traits.collections.scans import CollectionError, Quarantined, Reason

_READ = """
.apng .avif .bmp .gif .j2k .jfif .jp2 .jpe .jpeg .jpg .mpo .pgm .png .pnm .ppm .tif .tiff .webp
"""
IMAGES = frozenset(_READ.split())
"""Endings of image files that can be read."""

_NOT_READ = """
.arw .cr2 .cr3 .czi .dng .eps .exr .heic .heif .ico .jxl .lif .nd2 .nef .orf .pdf .psd .raf .rw2 .svg .svs .tga
.xcf
"""
OTHER_IMAGES = frozenset(_NOT_READ.split())
"""Endings of image files that cannot: camera raw (a reader of TIFF would take the preview in it), drawings, slides."""

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*", b"GIF8", b"RIFF", b"BM")


@dataclass(slots=True)
class Walk:
    """What a folder holds.

    Attributes:
        images: paths of image files, relative to the folder, with ``/``.
        archives: of ``.tar`` files, the same way.
        tables: of files that could be metadata, the same way.
        names: of files with the names of classes, the same way.
        quarantined: what is not even looked into.
        ignored: how many other files there are, by ending.
        licence: what the collection's own licence file says in its first line, with the file's name.
    """

    images: list[str] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    licence: str = ""


def walk(root: Path, *, follow_links: bool, table_suffixes: tuple[str, ...]) -> Walk:
    """Go through a folder, names in the order of their bytes, files and folders in one sequence.

    Hidden files (``.DS_Store``, ``._x.jpg``) are ignored. Links that stay inside are as good as what they lead to; with
    ``follow_links``, so are links that leave it (the published pipeline makes a folder of such links for each species).

    Raises:
        CollectionError: the folder does not exist or cannot be read.
    """
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise CollectionError(what, where=str(root), mend="Name the folder that the images lie in")
    found = Walk()
    real = os.path.realpath(root)
    for path, entry in _entries(str(root), "", real, follow_links, found, (_identity(os.stat(root)),)):
        _file(path, entry, found, table_suffixes)
    found.licence = _licence(root)
    return found


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def _entries(
    folder: str, prefix: str, real: str, follow: bool, found: Walk, above: tuple[tuple[int, int], ...]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        if not prefix:
            raise CollectionError(
                f"cannot be read ({error.strerror})", where=folder, mend="Make it readable, then try again"
            ) from None
        found.quarantined.append(Quarantined.because(prefix, Reason.UNREADABLE, f"the folder: {error.strerror}"))
        return
    for entry in entries:
        if entry.name.startswith("."):
            found.ignored["hidden"] += 1
            continue
        path = f"{prefix}{entry.name}"
        state = _state(path, entry, real, follow, found)
        if state is None:
            continue
        if not stat.S_ISDIR(state.st_mode):
            yield path, entry
        elif _identity(state) in above:
            found.quarantined.append(
                Quarantined.because(path, Reason.LINK_LOOP, "the link leads to a folder it lies in")
            )
        elif len(above) > 100:
            found.quarantined.append(
                Quarantined.because(path, Reason.UNREADABLE, "more than 100 folders lie in each other")
            )
        elif entry.is_symlink() and not follow:
            found.ignored["links to folders of the collection"] += 1
        else:
            yield from _entries(entry.path, f"{path}/", real, follow, found, (*above, _identity(state)))


def _state(path: str, entry: os.DirEntry[str], real: str, follow: bool, found: Walk) -> os.stat_result | None:
    """What an entry is, links followed; ``None`` where it was set aside."""
    try:
        state = entry.stat()
    except OSError as error:
        if entry.is_symlink():
            loop = error.errno == getattr(os, "ELOOP", 40)
            reason = Reason.LINK_LOOP if loop else Reason.BROKEN_LINK
            what = (
                "the link leads to itself"
                if loop
                else f"the link leads to {os.readlink(entry.path)}, which is not there"
            )
        else:
            reason, what = Reason.UNREADABLE, str(error.strerror)
        found.quarantined.append(Quarantined.because(path, reason, what))
        return None
    if entry.is_symlink() and not follow:
        target = os.path.realpath(entry.path)
        if os.path.commonpath([target, real]) != real:
            found.quarantined.append(Quarantined.because(path, Reason.OUTSIDE, f"the link leads to {target}"))
            return None
    return state


def _file(path: str, entry: os.DirEntry[str], found: Walk, table_suffixes: tuple[str, ...]) -> None:
    suffix = os.path.splitext(path)[1].lower()
    if suffix in OTHER_IMAGES:
        found.quarantined.append(Quarantined.because(path, Reason.UNSUPPORTED, f"{suffix} files are not read"))
    elif suffix in IMAGES or suffix == ".tar" or (not suffix and _looks_like_image(entry)):
        if not stat.S_ISREG(entry.stat().st_mode):
            found.quarantined.append(Quarantined.because(path, Reason.NOT_A_FILE, "it is a pipe, socket or device"))
        elif not is_utf8(path):
            found.quarantined.append(Quarantined.because(path, Reason.NOT_UTF8, "the name is not UTF-8"))
        else:
            (found.archives if suffix == ".tar" else found.images).append(path)
    elif suffix in table_suffixes and stat.S_ISREG(entry.stat().st_mode) and is_utf8(path):
        found.tables.append(path)
    elif path.lower().endswith((".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip", ".rar", ".7z")):
        what = "it is a compressed archive, of which no single image can be read"
        found.quarantined.append(
            Quarantined(
                path if is_utf8(path) else ascii(path), Reason.UNSUPPORTED, f"{what}. Unpack it, or turn it into .tar."
            )
        )
    else:
        found.ignored[suffix if is_utf8(suffix) else "others"] += 1


def _looks_like_image(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_file():
            return False
        with open(entry.path, "rb") as stream:
            return stream.read(8).startswith(_SIGNATURES)
    except OSError:
        return False


def is_utf8(name: str) -> bool:
    """Whether a name, as Python has it from the disk, can be written in UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _licence(root: Path) -> str:
    for name in (
        "LICENSE",
        "LICENSE.txt",
        "LICENSE.md",
        "LICENCE",
        "LICENCE.txt",
        "LICENCE.md",
        "license.txt",
        "licence.txt",
    ):
        try:
            with open(root / name, encoding="utf-8", errors="replace") as stream:
                lines = stream.read(4096).splitlines()
        except OSError:
            continue
        first = next((line.strip(" #*\t") for line in lines if line.strip(" #*\t")), "")
        if first:
            return f"{first[:200]} ({name})"
    return ""
