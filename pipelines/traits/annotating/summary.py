"""What was said of a collection, in short: for the command line and for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.traits.annotating.answering import CALLS, TRANSCRIPTS
from pipelines.traits.annotating.progress import ANSWERS, CHECKS, DATASET
from pipelines.traits.annotating.stored import Agreement, read_agreements
from pipelines.traits.annotating.work import RELEASE
from pipelines.traits.describing import APPEARANCE
from pipelines.traits.finding import Summary, read_summary
from pipelines.traits.finding.stage import read_record
from protocols.errors import InputError

_ORDER = ("agrees", "polymorphic", "explained", "differs", "too few")


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What came of asking a model.

    Attributes:
        model, endpoint: who was asked.
        statements: by the model; ``unanswered`` regions have a row that says why, by reason.
        figures: how far answers to repeated questions agree, how far they change with another region and a blank
            image, how far a wrong name moves them, what their confidence is worth.
        tokens, money: that all calls of this dataset took so far.
    """

    model: str
    endpoint: str
    statements: int
    unanswered: Mapping[str, int]
    figures: Mapping[str, Any]
    tokens: int
    money: str


@dataclass(frozen=True, slots=True)
class Annotated:
    """What a whole job said.

    Attributes:
        found: where it was said: the regions and the marks.
        statements: how many there are, by ``standings``; ``doubts`` by the check that raised them.
        agreements: of each taxon, part and character, those that say most first.
        released: images in the dataset; ``left_out`` are not, by reason; ``barred`` are statements that are not, by a
            character that has not reached the bar.
        asked: what came of asking a model; ``None`` where none was.
    """

    folder: Path
    found: Summary
    statements: int
    standings: Mapping[str, int]
    doubts: Mapping[str, int]
    agreements: Sequence[Agreement]
    released: int
    left_out: Mapping[str, int]
    barred: Mapping[str, int]
    asked: ModelSummary | None = None

    @property
    def statements_folder(self) -> Path:
        """The folder with all statements, checked."""
        return self.folder / CHECKS

    @property
    def dataset(self) -> Path:
        """The folder that can be published."""
        return self.folder / DATASET / RELEASE

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "folder": str(self.folder),
            "statements": self.statements,
            "statements_folder": str(self.statements_folder),
            "standings": dict(self.standings),
            "doubts": dict(self.doubts),
            "dataset": str(self.dataset),
            "released": self.released,
            "left_out": dict(self.left_out),
            "barred": dict(self.barred),
            "model": None if self.asked is None else asdict(self.asked),
            "agreements": [asdict(one) for one in self.agreements],
            "found": self.found.as_json(),
        }


def read_annotated(folder: Path) -> Annotated:
    """What a folder's job said.

    Raises:
        InputError: there is no such job, or it has not ended.
        RecordError: its record is damaged.
    """
    folder = folder.expanduser().resolve()
    found = read_summary(folder)
    record, last = read_record(folder / CHECKS), read_record(folder / DATASET)
    if record is None or last is None or not (record["complete"] and last["complete"]):
        raise InputError(
            "nothing was described here, or the job has not ended",
            where=str(folder),
            mend="Give labwright annotate with this --out: it goes on where it was",
        )
    told, written = record["found"], last["found"]
    agreements = sorted(read_agreements(folder / CHECKS), key=_weight)
    return Annotated(
        folder,
        found,
        told["statements"],
        told["standings"],
        told["doubts"],
        agreements,
        written["images"],
        written["left_out"],
        written["barred"],
        _asked(folder, told.get("model")),
    )


def _asked(folder: Path, figures: Mapping[str, Any] | None) -> ModelSummary | None:
    """What came of asking a model, where one was asked."""
    from agents.models import Transcript

    record = None if figures is None else read_record(folder / ANSWERS)
    if figures is None or record is None:
        return None
    endpoint, found = record["settings"]["endpoint"], record["found"]
    path = folder / TRANSCRIPTS / CALLS
    tokens, money = 0, ""
    if path.exists():
        transcript = Transcript(path)
        spent = transcript.spent()
        transcript.close()
        tokens, money = spent.tokens, f"{spent.money:f}"
    return ModelSummary(
        endpoint["model"], endpoint["endpoint"], found["statements"], found["unanswered"], figures, tokens, money
    )


def _weight(one: Agreement) -> tuple[bool, bool, bool, int, int, float, str, int, str]:
    """What many specimens show, and no check speaks against, comes first; looks before outlines, presence first."""
    doubted = 2 * one.doubted > one.specimens
    looks = one.character in APPEARANCE
    place = _ORDER.index(one.verdict)
    few = one.verdict == "too few"
    nothing = not looks or one.commonest == "absent"
    return few, doubted, nothing, -one.specimens, place, -one.share, one.taxon, one.latent, one.character
