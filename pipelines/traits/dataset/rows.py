"""Parquet: one row a statement in ``data/``, one row an image in ``images/metadata.parquet``."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.traits.dataset.staging import Exported
from pipelines.traits.specimens import RANKS
from pipelines.traits.statements import MACHINE, Place, Statement

_GROUP = 5_000
"""Rows in memory before they are written."""
_TEXT, _REAL, _WHOLE = pa.string(), pa.float64(), pa.int64()
_ABOUT = {"rights_holder": _TEXT, "attribution": _TEXT, "source": _TEXT, "image_sha256": _TEXT}
_TAXON = {"taxon": _TEXT, **dict.fromkeys(RANKS, _TEXT), "verbatim_name": _TEXT}
_LICENCE = {"licence": _TEXT, "licence_verbatim": _TEXT, "licence_url": _TEXT}
STATEMENT_COLUMNS: dict[str, Any] = {
    "id": _TEXT,
    "image": _TEXT,
    "file_name": _TEXT,
    **_TAXON,
    "latent": _WHOLE,
    "image_width": _WHOLE,
    "image_height": _WHOLE,
    **dict.fromkeys(("left", "top", "right", "bottom", "x_frac", "y_frac", "width_frac", "height_frac"), _REAL),
    "polygons": _TEXT,
    "part": _TEXT,
    "part_term": _TEXT,
    "character": _TEXT,
    "state": _TEXT,
    "state_term": _TEXT,
    "standing": _TEXT,
    "value": _REAL,
    "uncertainty": _REAL,
    "unit": _TEXT,
    "confidence": _REAL,
    "text": _TEXT,
    "describer_kind": _TEXT,
    "describer": _TEXT,
    "prompt": _TEXT,
    "sample": _WHOLE,
    "conditions": _TEXT,
    "doubts": _TEXT,
    "review": _TEXT,
    "reviewed": pa.bool_(),
    **_LICENCE,
    **_ABOUT,
}
"""Columns of ``data/*.parquet`` with their types; ``polygons``, ``conditions`` and ``doubts`` are JSON."""
IMAGE_COLUMNS: dict[str, Any] = {
    "file_name": _TEXT,
    "id": _TEXT,
    **_TAXON,
    "width": _WHOLE,
    "height": _WHOLE,
    "statements": _WHOLE,
    **_LICENCE,
    **_ABOUT,
    "terms": _TEXT,
}
"""Columns of ``images/metadata.parquet``; ``terms`` is JSON of whatever else the collection says."""


def as_json(value: Any) -> str:
    """JSON in one line, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def fractions(place: Place) -> tuple[float, float, float, float]:
    """Left, top, width and height of a box as fractions of the image, cut off at its edges."""
    width, height = place.image_size
    left, right = (min(max(x / width, 0.0), 1.0) for x in (place.box[0], place.box[2]))
    top, bottom = (min(max(y / height, 0.0), 1.0) for y in (place.box[1], place.box[3]))
    return left, top, right - left, bottom - top


def statement_row(image: Exported, id: str, said: Statement) -> dict[str, Any]:
    """The values of :data:`STATEMENT_COLUMNS`."""
    boxed = ("left", "top", "right", "bottom", "x_frac", "y_frac", "width_frac", "height_frac")
    return {
        "id": id,
        "image": said.image,
        "file_name": f"images/{image.copied.file}",
        **_taxon(image),
        "latent": said.latent,
        "image_width": said.place.image_size[0],
        "image_height": said.place.image_size[1],
        **dict(zip(boxed, (*said.place.box, *fractions(said.place)), strict=True)),
        "polygons": as_json(said.place.polygons),
        **{name: getattr(said, name) for name in ("part", "part_term", "character", "state", "state_term", "standing")},
        **{name: getattr(said, name) for name in ("value", "uncertainty", "unit", "confidence", "text", "review")},
        "describer_kind": said.describer.kind,
        "describer": said.describer.name,
        "prompt": said.describer.prompt,
        "sample": said.describer.sample,
        "conditions": as_json(dict(said.conditions)),
        "doubts": as_json(said.doubts),
        "reviewed": said.review != MACHINE,
        **_rights(image),
    }


def image_row(image: Exported) -> dict[str, Any]:
    """The values of :data:`IMAGE_COLUMNS`."""
    return {
        "file_name": image.copied.file,
        "id": image.specimen.id,
        **_taxon(image),
        "width": image.specimen.width,
        "height": image.specimen.height,
        "statements": len(image.said),
        **_rights(image),
        "terms": as_json(dict(image.specimen.terms)),
    }


def _taxon(image: Exported) -> dict[str, str]:
    return {"taxon": image.taxon, **image.ranks, "verbatim_name": image.verbatim}


def _rights(image: Exported) -> dict[str, str]:
    return {
        "licence": image.licence.label,
        "licence_verbatim": image.specimen.licence,
        "licence_url": image.licence.url,
        "rights_holder": image.rights_holder,
        "attribution": image.attribution,
        "source": image.specimen.source,
        "image_sha256": image.copied.sha256,
    }


class ParquetShards:
    """Rows into files: ``statements-00000.parquet`` and so on of at most ``rows``, or one file; there is always one.

    Raises:
        OSError: from every method: it cannot be written.
    """

    def __init__(self, folder: Path, name: str, columns: Mapping[str, Any], rows: int | None = None) -> None:
        self._folder, self._name, self._rows = folder, name, rows
        self._schema = pa.schema(list(columns.items()))
        self._waiting: list[dict[str, Any]] = []
        self._writer: Any = None
        self._in_file = self._files = 0

    def add(self, row: dict[str, Any]) -> None:
        """One more row."""
        self._waiting.append(row)
        if len(self._waiting) >= _GROUP or self._full():
            self._flush()

    def close(self) -> None:
        """Write what waits, and end the last file."""
        if self._waiting or not self._files:
            self._flush()
        self._end_file()

    def _flush(self) -> None:
        if self._writer is None:
            number = "" if self._rows is None else f"-{self._files:05d}"
            path = self._folder / f"{self._name}{number}.parquet"
            self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
            self._files += 1
        self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=self._schema))
        full = self._full()
        self._in_file += len(self._waiting)
        self._waiting = []
        if full:
            self._end_file()

    def _full(self) -> bool:
        return self._rows is not None and self._in_file + len(self._waiting) >= self._rows

    def _end_file(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer, self._in_file = None, 0


def csv_writer(file: TextIO) -> Any:
    """A writer of CSV as RFC 4180 has it: a line end of either kind inside a value is quoted."""
    return csv.writer(file, lineterminator="\r\n")
