"""The whole job, from a folder of images to checked statements: regions first, then what they show.

``annotation.json`` says what was asked of the descriptions, as ``job.json`` does of the regions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipelines.traits.annotating.foreseeing import Asking
from pipelines.traits.annotating.progress import ANSWERS
from pipelines.traits.annotating.settings import AnnotationSettings
from pipelines.traits.annotating.summary import Annotated, read_annotated
from pipelines.traits.annotating.work import REVIEWS, Annotation, no_model
from pipelines.traits.dataset import Review, keep_reviews, kept_reviews
from pipelines.traits.describing import MeasuredDescriber
from pipelines.traits.finding import Settings, find_traits
from pipelines.traits.finding.asked import Asked
from pipelines.traits.finding.lock import locked
from pipelines.traits.finding.progress import Report, silent
from pipelines.traits.finding.room import told_if_full
from pipelines.traits.finding.stage import read_record, remove
from pipelines.traits.vocabulary import digest
from protocols.errors import InputError

JOB = "annotation.json"


def annotate(
    images: Path,
    out: Path,
    settings: AnnotationSettings | None = None,
    finding: Settings | None = None,
    *,
    model: Callable[[str], Asking] | None = None,
    reviews: list[Review] | None = None,
    device: str | None = None,
    workers: int | None = None,
    again: bool = False,
    add: bool = False,
    report: Report = silent,
) -> Annotated:
    """Do all stages, or those that are not whole; an interrupted job ends with the same bytes as one that was not.

    Args:
        images: the collection.
        out: where everything goes; it may be the folder of a job that found regions.
        settings: how regions are described.
        finding: how they are found.
        model: finds a model by the name that the settings have; asked where there is one, and something to ask.
        reviews: decisions of people to keep in ``out`` and to apply, beside those that are there.
        device, workers, add, report: as for :func:`pipelines.traits.finding.find_traits`.
        again: likewise; and what an endpoint left without an answer is asked once more.

    Raises:
        InputError: the collection or a setting cannot be used, or ``out`` is of another collection or other settings.
        ApprovalError: what asking the model takes was not agreed to.
        ModelError: the model could not be asked, or its budget is spent: what was answered is kept.
        LeaseError: another process works in ``out``.
        RecordError: something in ``out`` is damaged or missing.
        OSError: the computer refuses; where there is no room, whichever stage was writing, it says what is full.
    """
    images, out = images.expanduser().resolve(), out.expanduser().resolve()
    record = Asked(out / JOB, AnnotationSettings)
    given = (settings or AnnotationSettings()).absolute()
    asking = model(given.model or "") if given.asks and model is not None else None
    merged, facts = _agreed(record, given, asking, again)
    find_traits(images, out, finding, device=device, workers=workers, again=again, add=add, report=report)
    with locked(out), told_if_full(out):
        record.tidy()
        record.write(merged, facts)
        if reviews:
            _keep(out, reviews)
        if again:
            _forget_unanswered(out)

        def who() -> Asking:
            found = asking or (no_model() if model is None else model(merged.model or ""))
            if found.endpoint != facts["endpoint"]:
                raise InputError(
                    f"was begun with {_named(facts['endpoint'])}, and {merged.model} is now {_named(found.endpoint)}",
                    where=str(out),
                    mend="Configure the earlier one, or name this one with --model and give --again",
                )
            return found

        Annotation(images, out, merged, workers or 2, report, facts["endpoint"], who).do()
    return read_annotated(out)


def _agreed(
    record: Asked[AnnotationSettings], given: AnnotationSettings, asking: Asking | None, again: bool
) -> tuple[AnnotationSettings, dict[str, Any]]:
    """What is to be done, as asked now, and before where nothing is asked now; and the facts that belong to it."""
    before = record.read()
    known: Mapping[str, Any] = {} if before is None else before[1]
    facts: dict[str, Any] = {}

    def others(merged: AnnotationSettings, earlier: Mapping[str, Any]) -> list[str]:
        facts.update(_facts(merged, asking, earlier))
        words = {"dictionary": "another text of its dictionary", "examples": "another text of its examples"}
        words["endpoint"] = "another endpoint, or other parameters of the model"
        return [told for name, told in words.items() if earlier.get(name) and facts[name] != earlier[name]]

    merged = record.merged(given, again, is_free=AnnotationSettings.is_free, others=others)
    return merged, facts or _facts(merged, asking, known)


def _facts(settings: AnnotationSettings, asking: Asking | None, earlier: Mapping[str, Any]) -> dict[str, Any]:
    """What must stay the same beside the settings; what cannot be meant is refused.

    Raises:
        InputError: a setting cannot be used.
    """
    settings.check()
    settings.dataset()
    words = settings.words()
    MeasuredDescriber(words)
    endpoint = dict(earlier.get("endpoint") or {})
    if asking is not None:
        endpoint = asking.endpoint
    elif settings.asks and not endpoint:
        no_model()
    prompt = settings.prompt(words)
    told = [(one.answer.model_dump_json(), one.place.box, one.pixels.tobytes().hex()) for one in prompt.examples]
    examples = hashlib.sha256(repr(told).encode()).hexdigest() if told else ""
    return {"dictionary": digest(words), "examples": examples, "endpoint": endpoint}


def _named(endpoint: Mapping[str, Any]) -> str:
    return f"{endpoint['model']} at {endpoint['endpoint']}"


def _keep(out: Path, reviews: list[Review]) -> None:
    """Add decisions that are not the last ones of their persons already."""
    last = {(one.statement, one.reviewer): one for one in kept_reviews(out / REVIEWS)}
    new = [one for one in reviews if last.get((one.statement, one.reviewer)) != one]
    if new:
        keep_reviews(out / REVIEWS, new)


def _forget_unanswered(out: Path) -> None:
    """Have a model's stage done again where something was left without an answer; answers are in the cache."""
    found = read_record(out / ANSWERS)
    if found is not None and found["complete"] and found["found"]["unanswered"]:
        remove(out / ANSWERS)
