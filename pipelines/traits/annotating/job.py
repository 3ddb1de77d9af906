"""The whole job, from a folder of images to checked statements: regions first, then what they show.

``annotation.json`` says what was asked of the descriptions, as ``job.json`` does of the regions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.traits.annotating.progress import CHECKS, DATASET, DESCRIPTIONS
from pipelines.traits.annotating.settings import AnnotationSettings
from pipelines.traits.annotating.summary import Annotated, read_annotated
from pipelines.traits.annotating.work import Annotation
from pipelines.traits.describing import MeasuredDescriber
from pipelines.traits.finding import Settings, find_traits
from pipelines.traits.finding.lock import locked
from pipelines.traits.finding.progress import Report, silent
from pipelines.traits.vocabulary import digest
from protocols.errors import InputError, RecordError
from robots.execution.home import write_json

JOB = "annotation.json"
SCHEMA_VERSION = 1


def annotate(
    images: Path,
    out: Path,
    settings: AnnotationSettings | None = None,
    finding: Settings | None = None,
    *,
    device: str | None = None,
    workers: int | None = None,
    again: bool = False,
    report: Report = silent,
) -> Annotated:
    """Do all stages, or those that are not whole; an interrupted job ends with the same bytes as one that was not.

    Args:
        images: the collection.
        out: where everything goes; it may be the folder of a job that found regions.
        settings: how regions are described.
        finding: how they are found.
        device, workers, again, report: as for :func:`pipelines.traits.finding.find_traits`.

    Raises:
        InputError: the collection or a setting cannot be used, or ``out`` is of another collection or other settings.
        LeaseError: another process works in ``out``.
        RecordError: something in ``out`` is damaged or missing.
        OSError: the computer refuses, as where the disk is full.
    """
    images, out = images.expanduser().resolve(), out.expanduser().resolve()
    asked, words = _agreed(out, (settings or AnnotationSettings()).absolute(), again)
    find_traits(images, out, finding, device=device, workers=workers, again=again, report=report)
    with locked(out):
        for left in out.glob(f".{JOB}.*"):
            left.unlink(missing_ok=True)
        if _read(out) != {"asked": asked.given(), "dictionary": words}:
            write_json(out / JOB, {"schema_version": SCHEMA_VERSION, "asked": asked.given(), "dictionary": words})
        work = Annotation(images, out, asked, workers or 2, report)
        for stage in (DESCRIPTIONS, CHECKS, DATASET):
            work.do(stage)
    return read_annotated(out)


def _agreed(out: Path, settings: AnnotationSettings, again: bool) -> tuple[AnnotationSettings, str]:
    """What is to be done, as asked now, and before where nothing is asked now; and the dictionary's digest."""
    before = _read(out)
    earlier = AnnotationSettings.of(before["asked"]) if before else settings
    merged = settings.over(earlier)
    merged.scale()
    dictionary = merged.words()
    MeasuredDescriber(dictionary)
    words = digest(dictionary)
    if before is None or again:
        return merged, words
    changed = [
        f"--{name.replace('_', '-')} {before['asked'].get(name, 'not given')}, now {value}"
        for name, value in merged.given().items()
        if before["asked"].get(name) != value
    ]
    if not changed and words != before["dictionary"]:
        changed = ["another text of its dictionary"]
    if changed:
        raise InputError(
            f"was begun with other settings: {'; '.join(changed)}",
            where=str(out),
            mend="Leave those options out, give --again to redo what they change, or name another folder",
        )
    return merged, words


def _read(out: Path) -> dict[str, Any] | None:
    """What was asked of the descriptions in a folder; ``None`` where nothing was.

    Raises:
        RecordError: the record is damaged, or another version wrote it.
    """
    path = out / JOB
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {found['schema_version']}, this Labwright reads {SCHEMA_VERSION}")
        AnnotationSettings.of(found["asked"])
        return {"asked": dict(found["asked"]), "dictionary": str(found["dictionary"])}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend="Restore it from a copy, or choose another folder"
        ) from None
