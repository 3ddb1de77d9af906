"""Writing a dataset: a folder that is whole, or not there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pipelines.traits.collections.stored import as_line
from pipelines.traits.dataset.bar import Bar
from pipelines.traits.dataset.card import card, hub_licence
from pipelines.traits.dataset.characters import write_characters
from pipelines.traits.dataset.coco import write_coco
from pipelines.traits.dataset.croissant import write_croissant
from pipelines.traits.dataset.darwin_core import write_darwin_core
from pipelines.traits.dataset.figures import Figures
from pipelines.traits.dataset.label_studio import write_label_studio
from pipelines.traits.dataset.licences import parse_licence, why_left_out
from pipelines.traits.dataset.matrices import SPECIMENS, write_specimens, write_taxa
from pipelines.traits.dataset.nexus import Nexus, specimen_rows, taxon_rows
from pipelines.traits.dataset.pictures import copy_picture
from pipelines.traits.dataset.rows import (
    IMAGE_COLUMNS,
    STATEMENT_COLUMNS,
    ParquetShards,
    csv_writer,
    image_row,
    statement_row,
)
from pipelines.traits.dataset.settings import DatasetSettings, Written
from pipelines.traits.dataset.staging import Staging, clean
from pipelines.traits.specimens import Specimen, Taxon
from pipelines.traits.statements import Dictionary, Statement
from protocols.errors import InputError
from robots.execution.home import sync_folder

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
BARRED = "left_out_characters.csv"
_WORK = ".staging.sqlite"


def write_dataset(
    specimens: Iterable[Specimen],
    statements: Iterable[Statement],
    dictionary: Dictionary,
    images_root: Path,
    out: Path,
    settings: DatasetSettings | None = None,
) -> Written:
    """Write a dataset into ``out``, which is there only once it is whole.

    The same input gives the same bytes, whatever the order of specimens and statements. Memory grows with the number
    of taxa and states, not of images; there must be room on the disk for the images and twice the statements.

    Args:
        specimens: the images; each id once, further sources of the same image are reported as left out.
        statements: of these images, in any order.
        dictionary: of the characters that the statements speak of.
        images_root: the collection's folder.
        out: must not be there, or be an earlier dataset if ``settings.replace``.
        settings: title, licences and so on.

    Raises:
        InputError: ``out`` is taken, or a statement is of an image that is not among the specimens.
        CollectionError: an image is not there any more, or was changed since it was scanned.
        OSError: something cannot be written, as on a full disk; nothing is left but what was there before.
    """
    settings = settings or DatasetSettings()
    out = Path(out).absolute()
    part, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    _claim(out, old, settings.replace)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        written = _write(part, specimens, statements, dictionary, Path(images_root), settings)
        _put_in_place(part, out, old)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return Written(out, *written)


def _claim(out: Path, old: Path, replace: bool) -> None:
    """See to it that ``out`` may be written; an earlier dataset that a kill left aside is put back."""
    if old.exists() and not out.exists():
        old.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    if not out.exists():
        return
    if not replace:
        raise InputError("is there already", where=str(out), mend="Name another folder, or ask to replace it")
    if not (out / MANIFEST).is_file():
        mend = "Name another folder: only a dataset that was written here is replaced"
        raise InputError("is no dataset", where=str(out), mend=mend)


def _put_in_place(part: Path, out: Path, old: Path) -> None:
    os.sync()
    if out.exists():
        out.rename(old)
    part.rename(out)
    sync_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def _write(
    part: Path,
    specimens: Iterable[Specimen],
    statements: Iterable[Statement],
    dictionary: Dictionary,
    root: Path,
    settings: DatasetSettings,
) -> tuple[int, int, dict[str, int], dict[str, int], int, int, int]:
    (part / "images").mkdir()
    staging = Staging(part / _WORK, dict(settings.checklist))
    try:
        barred = _stage(staging, specimens, statements, root, part / "images", settings)
        left_out = _report(part / "left_out.csv", staging)
        _report_barred(part / BARRED, settings.bar, barred)
        figures = _write_rows(part, staging, settings)
        write_specimens(part / SPECIMENS, staging.images(), figures)
        write_taxa(part, figures)
        nexus = Nexus(figures, dictionary)
        ids = (image.specimen.id for image in staging.images())
        nexus.write(part / "specimens.nex", specimen_rows(staging.images()), ids)
        nexus.write(part / "taxa.nex", taxon_rows(figures), sorted(figures.taxa))
        write_characters(part, dictionary)
        licence = hub_licence(parse_licence(settings.licence).label)
        by_character = _by_character(barred)
        text = card(settings, dictionary, figures, left_out, licence, by_character)
        (part / "README.md").write_text(text, encoding="utf-8", newline="\n")
        write_darwin_core(part / "darwin_core.zip", staging.images, dictionary, figures, settings)
        write_croissant(part, dictionary, figures, settings)
        write_coco(part / "coco.json", staging.images(), staging.images(), figures, settings)
        write_label_studio(part / "label_studio", staging.images(), dictionary, figures.parts)
        files, size = _write_manifest(part, staging, figures, settings)
    finally:
        staging.close()
        (part / _WORK).unlink(missing_ok=True)
    return figures.images, figures.statements, left_out, by_character, len(figures.taxa), files, size


def _stage(
    staging: Staging,
    specimens: Iterable[Specimen],
    statements: Iterable[Statement],
    root: Path,
    images: Path,
    settings: DatasetSettings,
) -> Counter[tuple[str, str]]:
    """Put everything into the database; how many statements the bar kept out, by character and reason."""
    barred: Counter[tuple[str, str]] = Counter()
    for specimen in specimens:
        if staging.knows(specimen.id):
            staging.put_twin(specimen, _line(specimen))
            continue
        licence = parse_licence(specimen.licence)
        why = why_left_out(specimen.licence, licence, settings.allow_unlicensed)
        reencode = settings.reencode if licence.derivatives else None
        copied = None if why else copy_picture(root, specimen, images, reencode)
        staging.put_specimen(specimen, _line(specimen), why, copied)
    for statement in statements:
        if settings.bar is not None and (why := settings.bar.why_not(statement)):
            barred[statement.character, why] += 1
        elif not staging.put_statement(statement):
            mend = "Give all specimens that the statements are of"
            raise InputError("a statement is of no specimen here", where=f"image {statement.image}", mend=mend)
    return barred


def _line(specimen: Specimen) -> bytes:
    """A specimen as JSON, in text that every encoding can say."""
    terms = {clean(term): clean(value) for term, value in specimen.terms.items()}
    taxon = Taxon({rank: clean(name) for rank, name in specimen.taxon.names.items()})
    return as_line(
        replace(specimen, source=clean(specimen.source), taxon=taxon, licence=clean(specimen.licence), terms=terms)
    )


def _report(path: Path, staging: Staging) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv_writer(file)
        writer.writerow(["image", "source", "licence", "why", "statements"])
        for row in staging.left_out():
            writer.writerow(row)
            reasons[row[3]] += 1
    return dict(sorted(reasons.items()))


def _report_barred(path: Path, bar: Bar | None, barred: Counter[tuple[str, str]]) -> None:
    """Every character that is not published, with the reason, also where nobody said anything of it."""
    rows = dict.fromkeys(bar.out if bar else (), 0) | barred
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv_writer(file)
        writer.writerow(["character", "why", "statements"])
        writer.writerows((*pair, count) for pair, count in sorted(rows.items()))


def _by_character(barred: Counter[tuple[str, str]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for (character, _), count in barred.items():
        counts[character or "(none of the dictionary)"] += count
    return dict(sorted(counts.items()))


def _write_rows(part: Path, staging: Staging, settings: DatasetSettings) -> Figures:
    (part / "data").mkdir()
    figures = Figures()
    said = ParquetShards(part / "data", "statements", STATEMENT_COLUMNS, settings.rows)
    shown = ParquetShards(part / "images", "metadata", IMAGE_COLUMNS)
    for image in staging.images():
        figures.add(image)
        shown.add(image_row(image))
        for id, statement in image.said:
            said.add(statement_row(image, id, statement))
    said.close()
    shown.close()
    return figures


def _write_manifest(part: Path, staging: Staging, figures: Figures, settings: DatasetSettings) -> tuple[int, int]:
    """SHA-256 and size of every file; number and size of them all."""
    files = size = 0
    head = {
        "schema_version": SCHEMA_VERSION,
        "title": settings.title,
        "version": settings.version,
        "images": figures.images,
        "statements": figures.statements,
        "taxa": len(figures.taxa),
    }
    with open(part / MANIFEST, "w", encoding="utf-8", newline="\n") as manifest:
        manifest.write(json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "files": {')
        for name, digest, length in _files(part, staging):
            manifest.write(("," if files else "") + f"\n  {json.dumps(name)}: ")
            manifest.write(json.dumps({"sha256": digest, "size": length}))
            files, size = files + 1, size + length
        manifest.write("\n }\n}\n")
        manifest.flush()
        os.fsync(manifest.fileno())
    return files, size


def _files(part: Path, staging: Staging) -> Iterator[tuple[str, str, int]]:
    """Path, SHA-256 and size: tables and texts, which are synced here, then images."""
    for path in sorted(path for path in _tables(part) if path.is_file()):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        yield path.relative_to(part).as_posix(), digest, path.stat().st_size
    for name, digest, size in staging.files():
        yield f"images/{name}", digest, size


def _tables(part: Path) -> Iterator[Path]:
    """Every path but that of images, of the manifest and of the temporary database."""
    for path in part.iterdir():
        if path.is_dir() and path.name != "images":
            yield from path.rglob("*")
        elif path.name not in (MANIFEST, _WORK, f"{_WORK}-journal"):
            yield path
    yield part / "images" / "metadata.parquet"
