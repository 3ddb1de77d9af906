"""What a person may choose of a dataset, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.traits.dataset.bar import Bar


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSettings:
    """How a dataset is called and written.

    Attributes:
        title: of the dataset.
        description: a few sentences; one made of the figures where none is given.
        version: of this release.
        creators: names of persons or organisations.
        contact: e-mail address or page; empty where there is none.
        licence: of the statements, not of the images: ``"CC0 1.0"``, ``"CC BY 4.0"``; empty leaves it unstated.
        published: date of the release, ``YYYY-MM-DD``; empty leaves it out.
        url: where the dataset is or will be found; images are then at ``<url>/images/…``.
        allow_unlicensed: publish images without a known licence. An image whose licence forbids it stays out all the
            same.
        reencode: write images anew, as ``jpeg`` or ``png``, upright and without metadata; ``None`` copies the files
            byte by byte. Images whose licence forbids derivatives are copied.
        checklist: accepted names by the names that the collection uses, as :func:`read_checklist` gives them.
        bar: that characters must reach to be published; ``None`` publishes all.
        rows: statements in one Parquet file.
        replace: write over an earlier dataset in the same folder.
    """

    title: str = "Morphological traits"
    description: str = ""
    version: str = "1.0.0"
    creators: tuple[str, ...] = ()
    contact: str = ""
    licence: str = ""
    published: str = ""
    url: str = ""
    allow_unlicensed: bool = False
    reencode: Literal["jpeg", "png"] | None = None
    checklist: tuple[tuple[str, str], ...] = ()
    bar: Bar | None = None
    rows: int = 100_000
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A dataset that was written.

    Attributes:
        folder: where it is.
        images: how many are in it.
        statements: how many are in it.
        left_out: images that are not in it, by reason.
        barred: statements that are not in it because their character or describer did not reach the bar, by
            character.
        taxa: different accepted names.
        files: how many, the manifest not counted.
        size: bytes of all files.
    """

    folder: Path
    images: int
    statements: int
    left_out: dict[str, int]
    barred: dict[str, int]
    taxa: int
    files: int
    size: int
