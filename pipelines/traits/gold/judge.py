"""Scoring a sample from its files, and writing down what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.traits.dataset.bar import Gold, Scored, bar_of, read_gold, write_gold
from pipelines.traits.gold.answers import ADJUDICATION, read_adjudication, read_answers, write_adjudication
from pipelines.traits.gold.key import Key, read_key
from pipelines.traits.gold.report import report
from pipelines.traits.gold.scoring import TOLERANCE, Score, disputed, score
from pipelines.traits.vocabulary import digest
from protocols.errors import InputError
from robots.execution.home import write_atomically

REPORT = "report.md"


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample that was scored.

    Attributes:
        score: what it shows.
        report: the page that says so.
        adjudication: the table of what is still disputed; ``None`` where nothing is.
        record: ``gold.json``, which a release is bound by; ``None`` while something is disputed.
        bar: that characters must reach; ``None`` where none is set.
        left_out: characters that a release leaves out, with the reason; empty without a bar.
    """

    score: Score
    report: Path
    adjudication: Path | None
    record: Path | None
    bar: float | None
    left_out: tuple[tuple[str, str], ...]


def judge(
    sample: Path,
    first: Path,
    second: Path,
    adjudicated: Path | None = None,
    *,
    bar: float | None = None,
    tolerance: float = TOLERANCE,
) -> Judged:
    """Score what two annotators answered, and write the report, and what is disputed or the record of the bar.

    Args:
        sample: the folder that was drawn.
        first, second: the annotators' tables, in the order in which the annotators were named.
        adjudicated: the table of disputes, settled as far as it is.
        bar: from 0 to 1; the one that was set before if not given.
        tolerance: within which measured numbers count as the same, as a share of the larger.

    Raises:
        InputError: a file is missing, is of another sample, or both tables are the same; a share is none.
        FileProblemsError: rows of a table cannot be used.
        RecordError: the key is damaged, or a file cannot be written.
    """
    sample = sample.expanduser().absolute()
    annotation, key = read_key(sample)
    for name, value in (("--bar", bar), ("--tolerance", tolerance)):
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"{value:g} is no share", where=name, mend="Give a number from 0 to 1")
    one, other = read_answers(first, key), read_answers(second, key)
    if first.read_bytes() == second.read_bytes():
        mend = "Give one table from each annotator"
        raise InputError("both tables are the same, letter by letter", where=str(second), mend=mend)
    settled = {}
    if adjudicated is not None:
        settled = read_adjudication(adjudicated, key, disputed(key, one, other, tolerance))
    found = score(key, one, other, settled, tolerance=tolerance)
    adjudication = record = None
    gold = _gold(key, found, bar).after(read_gold(annotation))
    barred = bar_of(gold, None, key.dictionary)
    left_out = () if barred is None else barred.out
    if found.open:
        adjudication = sample / ADJUDICATION
        write_adjudication(adjudication, key, found.disputed, settled)
    else:
        record = write_gold(annotation, gold)
    out = {name for name, _ in left_out}
    passed = [each.character for each in found.characters if each.character not in out]
    write_atomically(sample / REPORT, report(found, key, gold.bar, passed))
    return Judged(found, sample / REPORT, adjudication, record, gold.bar, () if found.open else left_out)


def _gold(key: Key, found: Score, bar: float | None) -> Gold:
    shown = {one.character: one.precision for one in found.characters if one.precision}
    characters = {name: Scored(one.value, one.low, one.high, one.items, key.sample) for name, one in shown.items()}
    by = {said.describer for one in key.items for said in one.question.said}
    describers = sorted({(one.kind, one.name, one.prompt) for one in by})
    return Gold(bar, digest(key.dictionary), tuple(describers), characters)
