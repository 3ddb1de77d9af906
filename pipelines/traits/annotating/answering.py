"""The stage in which a model is asked: estimate, consent, and the answers, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents.models import BudgetSpent, Model
from pipelines.traits.annotating.asking import describe_shards
from pipelines.traits.annotating.foreseeing import answer_in_batches, foresee
from pipelines.traits.annotating.progress import ANSWERS
from pipelines.traits.annotating.stored import (
    controls_name,
    counts_of,
    read_statements,
    statements_name,
    write_controls,
    write_statements,
)
from pipelines.traits.checking import NO_ANSWER, kind_of
from pipelines.traits.statements import Statement
from protocols.errors import ApprovalError

if TYPE_CHECKING:
    from pipelines.traits.annotating.work import Annotation

TRANSCRIPTS = "transcripts"
CALLS = "calls.sqlite"
"""Every call to a model, in the job's folder under :data:`TRANSCRIPTS`."""


def settings(work: Annotation) -> dict[str, Any]:
    """What the answers depend on beside the regions."""
    arrangement = work.questions.arrangement
    return {
        "endpoint": dict(work.endpoint),
        "dictionary": work.dictionary,
        "prompt": work.prompt.version,
        "look": work.settings.look or "overlay",
        "max_tokens": work.prompt.max_tokens,
        "images_per_prompt": arrangement.together,
        "samples": arrangement.samples,
        "controls": arrangement.controls,
        "insects": work.insects,
    }


def ask(work: Annotation, folder: Path) -> dict[str, Any]:
    """Ask about every shard that is not answered yet.

    Raises:
        ModelError: the model could not be asked, or its budget is spent: shards that are whole stay.
        ApprovalError: what asking takes was not agreed to.
        InputError: no such model is configured.
    """
    if next(work.left(folder), None) is not None:
        try:
            _ask_about(work, folder)
        except BudgetSpent as error:
            mend = "Give the same command with more --budget: it goes on from there, and asks nothing twice"
            raise BudgetSpent(error.what, where=error.where, mend=mend, call=error.call) from None
    return counts_of(read_statements(folder)) | {"unanswered": _unanswered(read_statements(folder))}


def _ask_about(work: Annotation, folder: Path) -> None:
    asking = work.asking()
    transcripts = work.out / TRANSCRIPTS
    transcripts.mkdir(exist_ok=True)
    with Model(asking.config, cache=asking.cache, transcript=transcripts / CALLS) as model:
        foreseen = foresee(model, work.left(folder), work.questions, batch=asking.batch)
        if foreseen.to_ask and not asking.consent(foreseen):
            raise ApprovalError(
                "the model was not asked",
                where=str(work.out),
                mend="Give the command again, or give --model none --again: what was measured is kept",
            )
        total = foreseen.estimate.requests

        def told(done: int) -> None:
            work.tell(ANSWERS, done, total)

        if asking.batch and foreseen.to_ask:
            answer_in_batches(
                model,
                lambda: work.left(folder),
                work.questions,
                poll=asking.poll,
                told=lambda waiting: told(max(total - waiting, 0)),
            )
        for answered in describe_shards(model, work.left(folder), work.questions, workers=work.workers, told=told):
            write_controls(folder / controls_name(answered.shard.number), answered.controls)
            write_statements(folder / statements_name(answered.shard.number), answered.statements)


def _unanswered(statements: Iterable[Statement]) -> dict[str, int]:
    """Rows without an answer, by reason."""
    reasons = Counter(
        doubt.removeprefix(f"{NO_ANSWER}: ")
        for one in statements
        for doubt in one.doubts
        if kind_of(doubt) == NO_ANSWER
    )
    return dict(sorted(reasons.items()))
