"""Croissant 1.1, https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html: what is in the Parquet files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.traits.dataset.card import citation, summary
from pipelines.traits.dataset.figures import Figures
from pipelines.traits.dataset.rows import IMAGE_COLUMNS, STATEMENT_COLUMNS
from pipelines.traits.dataset.settings import DatasetSettings
from pipelines.traits.statements import Dictionary

_OWN = (
    "arrayShape citeAs column conformsTo containedIn equivalentProperty extract field fileProperty fileObject fileSet "
    "format includes isArray isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated "
    "replace samplingRate separator source subField transform"
)
_TYPES = {"string": "sc:Text", "double": "sc:Float", "int64": "sc:Integer", "bool": "sc:Boolean"}


def _context() -> dict[str, Any]:
    names = {name: f"cr:{name}" for name in _OWN.split()} | {"conformsTo": "dct:conformsTo"}
    spaces = {"cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/"}
    spaces |= {"dct": "http://purl.org/dc/terms/", "sc": "https://schema.org/"}
    typed = {name: {"@id": f"cr:{name}", "@type": "@json"} for name in ("data", "examples")}
    typed["dataType"] = {"@id": "cr:dataType", "@type": "@vocab"}
    spoken = {name: {"@container": "@language"} for name in ("description", "name")}
    return {"@language": "en", "@vocab": "https://schema.org/", **spaces, **names, **typed, **spoken}


def write_croissant(folder: Path, dictionary: Dictionary, figures: Figures, settings: DatasetSettings) -> None:
    """``croissant.json``, beside the files that it describes.

    Raises:
        OSError: it cannot be written.
    """
    whole: dict[str, Any] = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": settings.title,
        "description": summary(settings, figures),
        "citeAs": citation(settings),
        "version": settings.version,
        "keywords": ["biology", "morphology", "traits", "biodiversity", f"characters {dictionary.version}"],
        "distribution": list(_distribution(folder)),
        "recordSet": [
            _records("statements", STATEMENT_COLUMNS, "One row a statement.", "id"),
            _records("images", IMAGE_COLUMNS, "One row an image.", "id"),
        ],
    }
    if settings.licence:
        whole["license"] = settings.licence
    if settings.url:
        whole["url"] = settings.url
    if settings.published:
        whole["datePublished"] = settings.published
    if settings.creators:
        # Croissant knows persons and organisations only, and nobody said which: as in eml.xml
        whole["creator"] = [{"@type": "sc:Organization", "name": name} for name in settings.creators]
    text = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    (folder / "croissant.json").write_text(text, encoding="utf-8", newline="\n")


def _distribution(folder: Path) -> Iterator[dict[str, Any]]:
    for path in [*sorted((folder / "data").glob("*.parquet")), folder / "images" / "metadata.parquet"]:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = path.relative_to(folder).as_posix()
        yield {
            "@type": "cr:FileObject",
            "@id": "images.parquet" if name.startswith("images") else name,
            "name": name,
            "contentUrl": name,
            "contentSize": f"{path.stat().st_size} B",
            "encodingFormat": "application/x-parquet",
            "sha256": digest,
        }
    yield {
        "@type": "cr:FileSet",
        "@id": "statements.parquet",
        "name": "statements.parquet",
        "description": "All files of statements.",
        "encodingFormat": "application/x-parquet",
        "includes": "data/*.parquet",
    }


def _records(name: str, columns: Mapping[str, Any], description: str, key: str) -> dict[str, Any]:
    source = {"fileSet": {"@id": "statements.parquet"}} if name == "statements" else None
    where: dict[str, Any] = source or {"fileObject": {"@id": "images.parquet"}}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "description": f"The column {column}.",
            "dataType": _TYPES[str(kind)],
            "source": {**where, "extract": {"column": column}},
        }
        for column, kind in columns.items()
    ]
    head = {"@type": "cr:RecordSet", "@id": name, "name": name, "description": description}
    return {**head, "key": {"@id": f"{name}/{key}"}, "field": fields}
