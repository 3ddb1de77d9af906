"""The whole job: seven stages, each in its own folder, each made once.

``job.json`` says what was asked, and is written before anything is done: what a killed job was about is never in doubt.
Each stage names the identity of what it was made from; so a stage is done again if and only if its settings, or
something it reads, became another. See :mod:`pipelines.traits.finding.stage`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.traits.finding.asked import Asked
from pipelines.traits.finding.growing import forget_order
from pipelines.traits.finding.inventory import inventory
from pipelines.traits.finding.lock import LOCK, locked
from pipelines.traits.finding.progress import STAGES, Report, silent
from pipelines.traits.finding.room import told_if_full
from pipelines.traits.finding.settings import Settings
from pipelines.traits.finding.stage import read_record, remove
from pipelines.traits.finding.stages import Work
from pipelines.traits.finding.summary import Summary, read_summary
from protocols.errors import InputError

JOB = "job.json"


def find_traits(
    images: Path,
    out: Path,
    settings: Settings | None = None,
    *,
    device: str | None = None,
    workers: int | None = None,
    again: bool = False,
    add: bool = False,
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
        add: take in images that were added to the collection: the autoencoder and all that was made of the others
            stay, and no latent gets another number.
        report: told of the progress.

    Raises:
        InputError: the collection or a setting cannot be used, or ``out`` is of another collection or other settings.
        LeaseError: another process works in ``out``.
        RecordError: something in ``out`` is damaged or missing.
        OSError: the computer refuses; where there is no room, whichever stage was writing, it says what is full.
    """
    images, out = images.expanduser().resolve(), out.expanduser().resolve()
    _check_places(images, out)
    out.mkdir(parents=True, exist_ok=True)
    with locked(out), told_if_full(out):
        record = asked_of(out)
        record.tidy()
        asked = record.merged((settings or Settings()).absolute(), again or not _begun(out))
        work = Work(images, out, asked, device or _best_device(), workers or 2, report)
        work.check()
        _check_collection(work, again, add)
        for stage in STAGES:
            work.do(stage)
    return read_summary(out)


def asked_of(out: Path) -> Asked[Settings]:
    """The record of what a folder was begun for; beside it the facts ``images``, ``inventory``, ``grown``."""
    return Asked(out / JOB, Settings)


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


def _begun(out: Path) -> bool:
    return any((out / stage).exists() for stage in STAGES)


def _facts(work: Work) -> dict[str, Any]:
    """What is written down beside the settings."""
    before = asked_of(work.out).read()
    return {"images": str(work.images), "inventory": "", "grown": None} if before is None else before[1]


def _check_collection(work: Work, again: bool, add: bool) -> None:
    """Compare the collection with the one that was scanned; it is scanned again only where a file changed."""
    asked, listed = asked_of(work.out), inventory(work.images)
    facts = _facts(work)
    asked.write(work.settings, facts)
    now = {"images": str(work.images), "inventory": listed}
    record = read_record(work.out / "scan")
    scanned = record is not None and record["complete"]
    if {name: facts[name] for name in now} != now and scanned and work.scanned_otherwise(add and not again):
        if not (again or add):
            raise InputError(
                f"was made from another collection, or from one that has changed since ({work.images})",
                where=str(work.out),
                mend="Give --add if images were added to it, or --again to do everything again with these images; or "
                "name another folder with --out",
            )
        facts["grown"] = _grown(work) if add and not again else None
        asked.write(work.settings, facts)
        remove(work.out / "scan")
        work.forget_scan()
    if facts["grown"] is None:
        forget_order(work.out)
    asked.write(work.settings, facts | now)
    work.grown = facts["grown"]


def _grown(work: Work) -> dict[str, Any]:
    """What stays of a job whose collection grew, beside the order of its images."""
    features, sae = (read_record(work.out / stage) for stage in ("features", "sae"))
    return {
        "images": len(work.specimens),
        "features": None if features is None else features["settings"],
        "sae": None if sae is None or not sae["complete"] else sae["made_from"],
    }


def _best_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
