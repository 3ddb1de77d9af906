"""Stand-in models on drawn insects: what each says of regions, before and after the checks, and which check found what.

A stand-in answers truthfully, wrongly, at random, with the textbook, …; requests, statements and checks are those of
the pipeline. A statement is right where the character's state is true of the part that the region lies on. Statements
with doubts are left out "after". A third of the specimens is reviewed, with the truth as the reviewer; only the others
are scored. The ablation asks one short-sighted stand-in about regions one by one, about several specimens at once, and
about whole images. None of this says how a real model does on real organisms: it says what the checks can tell apart.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.output import options, write
from benchmarks.stand_in_models import (
    DICTIONARY,
    PARTS,
    Answering,
    ShortSighted,
    Sight,
    Textbook,
    inventing,
    random,
    truthful,
    unsure,
    wrong,
    wrong_alike,
)
from benchmarks.stand_in_set import BACKGROUND, Collection, Specimen, truth_of
from pipelines.traits.checking import Checked, Evidence, Key, check, kind_of, name_leak, parsed_key, said
from pipelines.traits.checking.doubts import SELDOM_RIGHT
from pipelines.traits.prompting import (
    Blank,
    Elsewhere,
    Look,
    Overlay,
    Shown,
    Subject,
    Told,
    Whole,
)
from pipelines.traits.statements import Place, Statement

Rates = tuple[float | None, float, float]
SAMPLES = 3
BLANKS = 5
TOGETHER = 3
"""Specimens that are shown in one prompt."""
KEY = """
key: orders of drawn insects
version: "1"
parts:
  hind wings: {names: [hindwings]}
  tail fin: {names: [tail fin]}
groups:
  Gyrodiptera: {never: [hind wings, tail fin]}
  Clypeoptera: {never: [hind wings, tail fin]}
  Velaptera: {never: [tail fin]}
  Stenogastera: {never: [tail fin]}
  Longanata: {never: [tail fin]}
"""
"""True of how these orders are drawn; the stand-ins do not see it."""


@dataclass
class Scores:
    """How a stand-in does.

    Attributes:
        before: precision, recall and F1 of all statements; no precision where there is none.
        checked: of those that no automatic check doubts.
        reviewed: of those that review does not speak against either.
        wrong, wrong_found: statements that are wrong, and those of them that have a doubt.
        right, right_doubted: likewise for those that are right.
        caught: wrong statements by doubt; one statement may have several.
        false_alarms: right ones.
        leak: how far a wrong name moves statements to its textbook, with its 95 % interval.
        alpha: Krippendorff's, between repeated prompts, mean over characters.
        blank_described: of so many blank images it described something.
    """

    before: Rates
    checked: Rates
    reviewed: Rates
    wrong: int
    wrong_found: int
    right: int
    right_doubted: int
    caught: dict[str, int] = field(default_factory=dict)
    false_alarms: dict[str, int] = field(default_factory=dict)
    leak: tuple[float | None, float | None, float | None] = (None, None, None)
    alpha: float | None = None
    blank_described: int = 0


# -- each stand-in -------------------------------------------------------------------------------------


def judge(collection: Collection, name: str, answering: Answering) -> tuple[Scores, Checked]:
    """Describe everything with all controls, check it, and hold it against the truth."""
    look = Overlay(side=96)  # stand-ins know a picture by its hash: a small one does
    regions = [(one, latent) for one in collection.specimens for latent in one.places]
    subjects = [collection.subject(*region, sample) for region in regions for sample in range(SAMPLES)]
    statements = collection.describe(name, answering, subjects, look)
    elsewhere = [collection.subject(one, latent, 0, Elsewhere((_other(one, latent),))) for one, latent in regions]
    blank = [collection.subject(*region, 0, Blank()) for region in regions[:BLANKS]]
    told = [
        collection.subject(one, latent, 0, Told(collection.wrong_names[one.species.taxon.name]))
        for one, latent in regions
    ]
    reviewed = {one.id for number, one in enumerate(collection.specimens) if number % 3 == 0}
    evidence = Evidence(
        collection.taxa,
        DICTIONARY,
        _key(),
        known_parts=PARTS,
        on_organism=dict(_on_organism(collection)),
        elsewhere=collection.describe(name, answering, elsewhere, look),
        blank=collection.describe(name, answering, blank, look),
        names_in=collection.guard.names_in,
        decisions={one.id: is_right(collection, one) for one in statements if one.image in reviewed and said(one)},
    )
    checked = check(statements, evidence)
    by_name = collection.describe(name, answering, told, look)
    scores = _scores(collection, [one for one in checked.statements if one.image not in reviewed])
    scores.leak = _leak(collection, statements, by_name)
    alphas = [one.alpha for one in checked.repeats if one.alpha is not None]
    scores.alpha = float(np.mean(alphas)) if alphas else None
    scores.blank_described = checked.blank.described
    return scores, checked


def _key() -> Key:
    return parsed_key(KEY, "benchmarks/stand_ins.py")


def _other(specimen: Specimen, latent: int) -> Place:
    """The next region of the specimen."""
    latents = list(specimen.places)
    return specimen.places[latents[(latents.index(latent) + 1) % len(latents)]]


def _on_organism(collection: Collection) -> list[tuple[tuple[str, int], float]]:
    found = []
    for one in collection.specimens:
        for latent, place in one.places.items():
            inside = Sight(one.species, one.drawing, place, 1.0).inside()
            found.append(((one.id, latent), float(one.drawing.organism[inside].mean())))
    return found


def is_right(collection: Collection, statement: Statement) -> bool:
    """Whether a statement is true of its region."""
    truth = truth_of(collection.by_id[statement.image], statement.latent)
    return truth.get(statement.character) == said(statement)


def _scores(collection: Collection, statements: Sequence[Statement]) -> Scores:
    """Of the first sample alone, so that repeats do not count."""
    first = [one for one in statements if one.describer.sample == 0 and said(one) is not None]
    images = {one.image for one in statements}
    total = sum(len(truth_of(collection.by_id[id], latent)) for id in images for latent in collection.by_id[id].places)
    right = [one for one in first if is_right(collection, one)]
    wrong = [one for one in first if not is_right(collection, one)]
    unaided = [one for one in first if set(one.doubts) <= {SELDOM_RIGHT}]
    kept = [one for one in first if not one.doubts]
    ids = {one.id for one in right}
    before, checked, reviewed = (
        _rates(sum(one.id in ids for one in some), len(some), total) for some in (first, unaided, kept)
    )
    return Scores(
        before,
        checked,
        reviewed,
        len(wrong),
        sum(bool(one.doubts) for one in wrong),
        len(right),
        sum(bool(one.doubts) for one in right),
        _by_doubt(wrong),
        _by_doubt(right),
    )


def _rates(right: int, told: int, total: int) -> Rates:
    """Precision, recall and F1."""
    return right / told if told else None, right / total, 2 * right / (told + total)


def _by_doubt(statements: Sequence[Statement]) -> dict[str, int]:
    return dict(Counter(kind_of(doubt) for one in statements for doubt in one.doubts).most_common())


def _leak(
    collection: Collection, statements: Sequence[Statement], told: Sequence[Statement]
) -> tuple[float | None, float | None, float | None]:
    names = {id: collection.wrong_names[name] for id, name in collection.names.items()}
    parts = {part.casefold() for part in (*PARTS, "body")}
    books = {
        name: {(part, character): state for part in parts for character, state in book.items()}
        for name, book in collection.books.items()
    }
    by_sample: dict[int, list[Statement]] = defaultdict(list)
    for one in statements:
        by_sample[one.describer.sample].append(one)
    found = name_leak(by_sample[0], told, by_sample[1], names, books)
    return found.share, found.low, found.high


# -- one, several, whole -------------------------------------------------------------------------------


def ablation(collection: Collection) -> dict[str, dict[str, float | None]]:
    """One short-sighted stand-in, asked in three ways; scored by specimen: all that is true of its visible parts."""
    answering = ShortSighted()
    regions = [(one, latent) for one in collection.specimens for latent in one.places if latent != BACKGROUND]
    together: dict[tuple[str, int], list[Shown]] = defaultdict(list)
    for one, latent in regions:
        together[one.species.taxon.name, latent].append(collection.shown(one, latent))
    groups = [
        Subject(tuple(shown[start : start + TOGETHER]))
        for shown in together.values()
        for start in range(0, len(shown) - TOGETHER + 1, TOGETHER)
    ]
    whole = [collection.subject(one, next(iter(one.places))) for one in collection.specimens]
    asked: dict[str, tuple[Sequence[Subject], Look]] = {
        "regions, one specimen": ([collection.subject(*region) for region in regions], Overlay(side=224)),
        f"regions, {TOGETHER} specimens at once": (groups, Overlay(side=224)),
        "whole images, no regions": (whole, Whole(side=224)),
    }
    found = {}
    for way, (subjects, look) in asked.items():
        statements = collection.describe("short-sighted", answering, subjects, look)
        found[way] = _by_specimen(collection, statements) | {"prompts": len(subjects)}
    return found


def _by_specimen(collection: Collection, statements: Sequence[Statement]) -> dict[str, float | None]:
    claims = {(one.image, one.character, what) for one in statements if (what := said(one)) is not None}
    truth = {
        (one.id, name, state)
        for one in collection.specimens
        for latent in one.places
        for name, state in truth_of(one, latent).items()
    }
    precision, recall, f1 = _rates(len(claims & truth), len(claims), len(truth))
    return {"precision": precision, "recall": recall, "f1": f1}


# -- the program ---------------------------------------------------------------------------------------


def stand_ins(collection: Collection) -> dict[str, Answering]:
    """All of them by name."""
    return {
        "truthful": truthful,
        "wrong": wrong,
        "wrong alike": wrong_alike,
        "random": random,
        "textbook": Textbook(collection.books),
        "unsure": unsure,
        "inventing": inventing,
    }


def main() -> None:
    arguments = options(__doc__ or "").parse_args()
    began = time.perf_counter()
    collection = Collection(*((12, 6) if arguments.quick else (36, 9)))
    scores = {name: judge(collection, name, one)[0] for name, one in stand_ins(collection).items()}
    ways = ablation(collection)
    _print(scores, ways)
    figures: dict[str, Any] = {
        "stand_ins": {name: asdict(one) for name, one in scores.items()},
        "ablation": ways,
        "specimens": len(collection.specimens),
        "seconds": time.perf_counter() - began,
    }
    write(arguments.json, figures)


def _print(scores: Mapping[str, Scores], ways: Mapping[str, Mapping[str, float | None]]) -> None:
    console = Console(width=120)
    table = Table("stand-in", "before", "checked", "reviewed, too", "alpha", "leak by name", "blank described",
                  title="Precision, recall, F1 of statements")  # fmt: skip
    for name, one in scores.items():
        share, low, high = one.leak
        leak = "no chance" if share is None else f"{share:.2f} [{low:.2f}, {high:.2f}]"
        rates = [" ".join(map(_number, each)) for each in (one.before, one.checked, one.reviewed)]
        table.add_row(name, *rates, _number(one.alpha), leak, f"{one.blank_described} of {BLANKS}")
    console.print(table)
    doubts = sorted({doubt for one in scores.values() for doubt in (*one.caught, *one.false_alarms)})
    caught = Table("doubt", *scores, title="Wrong statements found + right ones doubted, by check")
    for doubt in doubts:
        cells = [f"{one.caught.get(doubt, 0)} + {one.false_alarms.get(doubt, 0)}" for one in scores.values()]
        caught.add_row(doubt, *("" if cell == "0 + 0" else cell for cell in cells))
    every = [f"{one.wrong_found} + {one.right_doubted}" for one in scores.values()]
    caught.add_row("any", *every)
    caught.add_row("of all", *(f"{one.wrong} + {one.right}" for one in scores.values()))
    console.print(caught)
    shown = Table("asked about", "prompts", "precision", "recall", "F1", title="A short-sighted stand-in, by specimen")
    for way, rates_of in ways.items():
        shown.add_row(
            way, f"{rates_of['prompts']:.0f}", *(_number(rates_of[key]) for key in ("precision", "recall", "f1"))
        )
    console.print(shown)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
