"""Which row of a table speaks of which image.

A row names its image by a path, a file name, a file name without ending (BIOSCAN's ``processid``), or a URL. For a
URL the local file is the one that bears the last part of the URL's path, or, where that says only the size
(``original.jpg`` in iNaturalist's URLs), the part before it. Of several files with that name the one whose folders
agree best is taken; where two agree equally, none. Rows are only ever matched to files that lie in the collection, so
no row leads out of it.

The column is found by looking: the first in which 20 rows name images; of several alike, a column with a usual name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pipelines.traits.collections.tables import Table
from pipelines.traits.collections.terms import key

ENOUGH = 20
"""Rows that must name images before a column is settled; fewer where the table ends before."""

_USUAL_NAMES = """
filename imagefilename filepath file path localpath localfile imagepath imagefile imagename image img imgpath
photo picture processid uuid imageid photoid key id catalognumber occurrenceid gbifid accessuri identifier url
imageurl
"""
_USUAL = _USUAL_NAMES.split()
_SIZE_NAMES = """
default download full image large media medium original photo small square thumb thumbnail
"""
_SIZES = frozenset(_SIZE_NAMES.split())


@dataclass(slots=True)
class Files:
    """The images of a collection by what rows may call them."""

    by_name: dict[str, list[str]] = field(default_factory=dict)
    by_stem: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[str]) -> Files:
        """Index the sources of images."""
        files = cls()
        for source in sources:
            name = source.rpartition("::")[2].rpartition("/")[2].casefold()
            files.by_name.setdefault(name, []).append(source)
            files.by_stem.setdefault(name.rpartition(".")[0] or name, []).append(source)
        return files

    def locate(self, value: str, folder: str = "") -> tuple[str, bool] | None:
        """The image that a value names, and whether it does with its ending; ``None`` where it names none, or several.

        Args:
            value: a path, name, name without ending, or URL.
            folder: where the table lies, ``""`` or with a ``/`` at its end; paths are tried from there first.
        """
        parts = _parts(value)
        if not parts:
            return None
        name = parts[-1].casefold()
        whole = self.by_name.get(name)
        found = whole or self.by_stem.get(name)
        if not found:
            return None
        best = _agree(found, [*PurePosixPath(folder).parts, *parts]) if len(found) > 1 else found[0]
        return (best, whole is not None) if best else None


def _parts(value: str) -> list[str]:
    text = value.strip()
    if not text or len(text) > 4096:
        return []
    if "://" in text:
        parts = [part for part in unquote(urlsplit(text).path).split("/") if part] if _is_url(text) else []
        if len(parts) > 1 and parts[-1].rpartition(".")[0].casefold() in _SIZES:
            parts.pop()
        return parts
    return [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]


def _is_url(text: str) -> bool:
    try:
        return urlsplit(text).scheme.lower() in ("http", "https", "s3", "gs", "ftp", "file")
    except ValueError:
        return False


def _agree(found: list[str], parts: list[str]) -> str | None:
    """The one of the sources that shares most of its last folders with ``parts``; ``None`` where two share as many."""
    shared = [(_shared(source.replace("::", "/").split("/"), parts), source) for source in found]
    most = max(count for count, _ in shared)
    best = [source for count, source in shared if count == most]
    return best[0] if len(best) == 1 else None


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    for a, b in zip(reversed(one[:-1]), reversed(other[:-1]), strict=False):
        if a.casefold() != b.casefold():
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class Column:
    """The column of a table that names images.

    Attributes:
        at: its place.
        url: whether it holds URLs.
        hits: how many of the rows looked at named an image of the collection.
    """

    at: int
    url: bool
    hits: int


def image_column(table: Table, files: Files, folder: str) -> Column | None:
    """The column that names images; ``None`` where none does.

    Raises:
        CollectionError: the table cannot be read.
    """
    hits: dict[int, float] = {}
    named: dict[int, set[str]] = {}
    urls: set[int] = set()
    for row in table.rows():
        for at, value in enumerate(row.values):
            if not value or not (place := files.locate(value, folder)):
                continue
            hits[at] = hits.get(at, 0) + (1 if place[1] else 0.99)
            named.setdefault(at, set()).add(place[0])
            if "://" in value[:10]:
                urls.add(at)
        if hits and max(len(images) for images in named.values()) >= ENOUGH:
            break
    # A column of classes ("1", "2") may name the files 1.jpg and 2.jpg again and again: no such column names images.
    able = [at for at in hits if len(named[at]) >= 0.5 * hits[at] or key(table.columns[at]) in _USUAL[:14]]
    if able:
        best = max(able, key=lambda at: (hits[at] - (0.5 if at in urls else 0), -_place(table.columns[at]), -at))
        return Column(best, best in urls, int(hits[best] + 0.5))
    return None


def meant_column(table: Table) -> int | None:
    """The column that by its name was meant to name images, though none of them is there."""
    usual = [at for at, name in enumerate(table.columns) if _place(name) < 14 or key(name) in ("accessuri", "imageurl")]
    return min(usual, key=lambda at: _place(table.columns[at]), default=None)


def _place(column: str) -> int:
    name = key(column)
    return _USUAL.index(name) if name in _USUAL else len(_USUAL)
