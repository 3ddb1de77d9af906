"""The whole job: seven stages, each in its own folder, each made once.

``job.json`` says what was asked, and is written before anything is done: what a killed job was about is never in doubt.
Each stage names the identity of what it was made from; so a stage is done again if and only if its settings, or
something it reads, became another. See :mod:`pipelines.traits.finding.stage`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.traits.finding.inventory import inventory
from pipelines.traits.finding.lock import LOCK, locked
from pipelines.traits.finding.progress import STAGES, Report, silent
from pipelines.traits.finding.settings import Settings
from pipelines.traits.finding.stage import read_record, remove
from pipelines.traits.finding.stages import Work
from pipelines.traits.finding.summary import Summary, read_summary
from protocols.errors import InputError, RecordError
from robots.execution.home import write_json

JOB = "job.json"
SCHEMA_VERSION = 1


def find_traits(
    images: Path,
    out: Path,
    settings: Settings | None = None,
    *,
    device: str | None = None,
    workers: int | None = None,
    again: bool = False,
    report: Report = silent,
) -> Summary:
    """Do all stages, or those that are not whole; an interrupted job ends with the same bytes as one that was not.

    Args:
        images: the collection.
        out: where everything goes; made if it is not there. It must be empty, or of this collection.
        settings: what is asked. What is ``None`` there is as ``out`` was begun with, or chosen by the size of the
            collection.
        device: ``cpu`` or ``cuda``; cuda where there is one if not given.
        workers: how many images are read at a time.
        again: do again what other settings, or a collection that changed, make out of date. Without it such a
            difference is refused.
        report: told of the progress.

    Raises:
        InputError: the collection or a setting cannot be used, or ``out`` is of another collection or other settings.
        LeaseError: another process works in ``out``.
        RecordError: something in ``out`` is damaged or missing.
        OSError: the computer refuses, as where the disk is full.
    """
    images, out = images.expanduser().resolve(), out.expanduser().resolve()
    _check_places(images, out)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out):
        _tidy(out)
        asked = _agreed(out, (settings or Settings()).absolute(), again)
        work = Work(images, out, asked, device or _best_device(), workers or 2, report)
        work.check()
        _write_job(work)
        _check_collection(work, again)
        for stage in STAGES:
            work.do(stage)
    return read_summary(out)


def read_job(out: Path) -> dict[str, Any] | None:
    """What a folder was begun for; ``None`` where nothing was begun.

    Raises:
        RecordError: its record is damaged, or another version wrote it.
    """
    path = out / JOB
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {found['schema_version']}, this Labwright reads {SCHEMA_VERSION}")
        Settings.of(found["asked"])
        return {"asked": dict(found["asked"]), "images": str(found["images"]), "inventory": str(found["inventory"])}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, InputError) as error:
        raise RecordError(
            f"cannot be read ({error})", where=str(path), mend="Restore it from a copy, or choose another folder"
        ) from None


def _check_places(images: Path, out: Path) -> None:
    if not images.exists():
        raise InputError("there is no such folder", where=str(images), mend="Check the path of the images")
    if images.is_dir() and (out == images or images in out.parents):
        raise InputError(
            "the results would lie among the images", where=str(out), mend="Choose a folder outside the collection"
        )
    if out.exists() and not out.is_dir():
        raise InputError("is a file", where=str(out), mend="Name a folder with --out")
    if out.is_dir() and not (out / JOB).exists() and any(not _ours(path) for path in out.iterdir()):
        raise InputError(
            "the folder holds something that is not of this job", where=str(out), mend="Name an empty or a new folder"
        )


def _ours(path: Path) -> bool:
    """Whether a file is one that a job leaves before it has written down what it is about."""
    return path.name == LOCK or path.name.startswith(f".{JOB}.")


def _tidy(out: Path) -> None:
    """Remove what a killed write left beside the job's file."""
    for left in out.glob(f".{JOB}.*"):
        left.unlink(missing_ok=True)


def _agreed(out: Path, settings: Settings, again: bool) -> Settings:
    """What is to be done: as asked now, and as asked before where nothing is asked now."""
    before = read_job(out)
    if before is None:
        return settings
    earlier = Settings.of(before["asked"])
    merged = settings.over(earlier)
    if merged != earlier and not again and any((out / stage).exists() for stage in STAGES):
        raise _other_settings(out, earlier.given(), settings.given())
    return merged


def _other_settings(out: Path, earlier: Mapping[str, Any], asked: Mapping[str, Any]) -> InputError:
    differ = [
        f"--{name} {'by default' if earlier.get(name) is None else earlier[name]}, now {value}"
        for name, value in asked.items()
        if earlier.get(name) != value
    ]
    return InputError(
        f"was begun with other settings: {'; '.join(differ)}",
        where=str(out),
        mend="Leave those options out to go on with it, give --again to redo what they change, or name another folder",
    )


def _write_job(work: Work, listed: str | None = None) -> None:
    """Write down what is done; what was ``listed`` of the collection stays as it was if not given."""
    before = read_job(work.out)
    job = {
        "schema_version": SCHEMA_VERSION,
        "images": str(work.images) if listed is not None or before is None else before["images"],
        "inventory": listed if listed is not None or before is None else before["inventory"],
        "asked": work.settings.given(),
    }
    if before != {name: value for name, value in job.items() if name != "schema_version"}:
        write_json(work.out / JOB, job | {"inventory": job["inventory"] or ""})


def _check_collection(work: Work, again: bool) -> None:
    """Compare the collection with the one that was scanned; it is scanned again only where a file changed."""
    listed = inventory(work.images)
    before = read_job(work.out)
    if before is not None and before["inventory"] == listed and before["images"] == str(work.images):
        return
    record = read_record(work.out / "scan")
    if record is not None and record["complete"] and work.scanned_otherwise():
        if not again:
            raise InputError(
                f"was made from another collection, or from one that has changed since ({work.images})",
                where=str(work.out),
                mend="Name another folder with --out, or give --again to do everything again with these images",
            )
        remove(work.out / "scan")
        work.forget_scan()
    _write_job(work, listed)


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
