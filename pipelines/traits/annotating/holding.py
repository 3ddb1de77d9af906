"""The stage of the checks: what was said of each shard, held against itself and against what is said of the others."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rfc8785

from pipelines.traits.annotating.checks import (
    BAR,
    Counted,
    Held,
    Rules,
    Said,
    decisions_of,
    figures,
    hold,
    hold_together,
    leak_of,
)
from pipelines.traits.annotating.pictures import Shard
from pipelines.traits.annotating.progress import ANSWERS, CHECKS, DESCRIPTIONS
from pipelines.traits.annotating.stored import (
    AGREEMENT,
    counts_of,
    read_statements,
    statements_name,
    write_agreements,
    write_statements,
)
from pipelines.traits.checking import Leak, Tallying, shipped_key

if TYPE_CHECKING:
    from pipelines.traits.annotating.work import Annotation


def settings(work: Annotation) -> dict[str, Any]:
    """What the checks depend on beside what was said."""
    key = shipped_key()
    reviewed = sorted(decisions_of(work.reviews).items())
    return {
        "dictionary": work.dictionary,
        "key": {"name": key.name, "version": key.version},
        "insects": work.insects,
        "bar": BAR,
        "decisions": hashlib.sha256(rfc8785.dumps(reviewed)).hexdigest() if reviewed else None,
        "version": 2,
    }


def check(work: Annotation, folder: Path) -> dict[str, Any]:
    """Go through all shards twice: to count over all of them, then to hold each against that, and write it."""
    rules = Rules(work.words, work.insects, decisions_of(work.reviews))
    counted = Counted(Tallying(dictionary=work.words))
    total, done = 2 * len(work.specimens), 0
    for _, held in _held(work, rules):
        counted.add(held, rules.decisions)
        done += len(held.taxa)
        work.tell(CHECKS, done, total)
    calibrations = counted.calibrations(rules.decisions)
    for shard, held in _held(work, rules, without=folder):
        write_statements(folder / statements_name(shard.number), hold_together(held, counted, calibrations))
        work.tell(CHECKS, min(done + 64 * (shard.number + 1), total), total)
    tallies = list(counted.tallying.tallies())
    write_agreements(folder / AGREEMENT, tallies)
    found = counts_of(read_statements(folder))
    found["agreement"] = dict(sorted(Counter(one.verdict for one in tallies).items()))
    if work.settings.asks:
        found["model"] = figures(counted, _leak(work, counted), calibrations)
    return found


def _held(work: Annotation, rules: Rules, without: Path | None = None) -> Iterator[tuple[Shard, Held]]:
    """Every shard after the checks by itself; ``without`` those whose file is in a folder already."""
    names_in = work.questions.guard().names_in if work.settings.asks else None
    for shard in work.shards() if without is None else work.left(without):
        measured = Said.read(work.out / DESCRIPTIONS, shard.number)
        answered = Said.read(work.out / ANSWERS, shard.number) if work.settings.asks else None
        yield shard, hold(shard, measured, answered, rules, names_in)


def _leak(work: Annotation, counted: Counted) -> Leak:
    leak = Leak.of()
    for shard in work.shards():
        said = Said.read(work.out / ANSWERS, shard.number)
        for name in sorted({one.describer.name for one in said.statements}):
            of_model = Said(
                [one for one in said.statements if one.describer.name == name],
                [one for one in said.controls if one.statement.describer.name == name],
            )
            leak += leak_of(of_model, counted.tallying.textbooks("model", name))
    return leak
