"""traits gold: a blind sample of what was said, for two people to answer, and what their answers show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli import options as o
from console.cli.exits import ExitCode
from console.cli.reported import report_failures
from console.cli.screen import Screen

if TYPE_CHECKING:
    from pipelines.traits.gold import CharacterScore, Drawn, Judged

gold = typer.Typer(
    help="Hold what was said against people: a blind sample for two annotators, and what their answers show.",
    no_args_is_help=True,
)

Annotation = Annotated[
    Path, typer.Argument(metavar="DIR", help="The --out of labwright annotate; the key stays there.")
]
SampleOut = Annotated[
    Path, typer.Option("--out", "-o", metavar="SAMPLE", help="A new folder: in it a folder for each annotator.")
]
Size = Annotated[int, typer.Option(metavar="NUMBER", min=1, max=2_000, help="Questions for each annotator.")]
Annotators = Annotated[tuple[str, str], typer.Option(metavar="NAME NAME", help="Who answers; A and B if not given.")]
Strata = Annotated[
    str,
    typer.Option(
        metavar="NAMES", help="By what to tell strata apart, with commas: taxon, character, band (how sure it is)."
    ),
]
Least = Annotated[
    int, typer.Option(metavar="NUMBER", min=0, max=10_000, help="Questions from each stratum, or all of it if fewer.")
]
TaxonRank = Annotated[
    str, typer.Option("--rank", metavar="RANK", help="Of the taxa that strata are of; the narrowest if not given.")
]
Character = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Ask about this character, and others so named; all with states if not given."),
]
Measured = Annotated[bool, typer.Option("--measured", help="Ask about measured numbers, too.")]
DrawSeed = Annotated[int, typer.Option("--seed", metavar="NUMBER", min=0, max=2**31 - 1, help="Of what is drawn.")]
SampleFolder = Annotated[
    Path, typer.Argument(metavar="SAMPLE", help="The --out of labwright traits gold draw.", show_default=False)
]
First = Annotated[Path, typer.Argument(metavar="A.csv", help="What the first annotator answered.")]
Second = Annotated[Path, typer.Argument(metavar="B.csv", help="What the second annotator answered.")]
Adjudicated = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="SAMPLE/adjudication.csv, with the answers that hold where the two differ."),
]
Bar = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        min=0,
        max=1,
        help="Characters stay out of the dataset unless the lower end of their precision's interval reaches it.",
    ),
]
Tolerance = Annotated[
    float,
    typer.Option(metavar="SHARE", min=0, max=1, help="Within it, of the larger, two measured numbers are the same."),
]


@gold.command("draw")
def _draw(
    folder: Annotation,
    out: SampleOut,
    size: Size,
    annotators: Annotators = ("A", "B"),
    strata: Strata = "taxon,character",
    least: Least = 1,
    rank: TaxonRank = "",
    character: Character = None,
    measured: Measured = False,
    seed: DrawSeed = 0,
    as_json: o.Json = False,
) -> None:
    """Draw a blind sample of what was said, with forms for two people who answer without knowing what that was.

    Give each annotator the folder of that name, and nothing else.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.traits import require_packages

        require_packages()
        from pipelines.traits.gold import DrawSettings, draw

        settings = DrawSettings(
            size=size,
            strata=tuple(word.strip() for word in strata.split(",") if word.strip()),  # type: ignore[misc]
            least=least,
            rank=rank,
            characters=tuple(character or ()),
            measured=measured,
            seed=seed,
        )
        _say_drawn(screen, draw(folder, out, settings, annotators))
        return ExitCode.OK

    report_failures(work, as_json=as_json)


@gold.command("score")
def _score(
    sample: SampleFolder,
    first: First,
    second: Second,
    adjudicated: Adjudicated = None,
    bar: Bar = None,
    tolerance: Tolerance = 0.1,
    as_json: o.Json = False,
) -> None:
    """Say how far two annotators agree, and how often the machine says what they agree on.

    Writes SAMPLE/report.md; what they differ in goes to SAMPLE/adjudication.csv, to be settled and given again.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.traits import require_packages

        require_packages()
        from pipelines.traits.gold import judge

        found = judge(sample, first, second, adjudicated, bar=bar, tolerance=tolerance)
        _say_judged(screen, found)
        return ExitCode.FINDINGS if bar is not None and found.record is None else ExitCode.OK

    report_failures(work, as_json=as_json)


def _say_drawn(screen: Screen, drawn: Drawn) -> None:
    screen.say(f"Drawn: {drawn.items:,} of {drawn.population:,} questions, from {drawn.strata:,} strata", whole=True)
    screen.say("At a precision of 0.9, intervals would be about:")
    rows = [
        (name.replace("_", " "), f"{items:,}", f"{all_of:,}", f"{low:.2f}–{high:.2f}")
        for name, (items, all_of, (low, high)) in drawn.characters.items()
    ]
    screen.table(("character", "items", "of", "95 % interval"), rows)
    for folder in drawn.annotators:
        screen.say(f"For {folder.name}: {folder}/answer.html, or answers.csv beside it", whole=True)
    screen.say(f"Key, not for annotators: {drawn.key}", whole=True)
    told = {
        name: {"items": items, "questions": all_of, "interval": list(between)}
        for name, (items, all_of, between) in drawn.characters.items()
    }
    screen.give(
        {
            "sample": drawn.sample,
            "folder": str(drawn.folder),
            "annotators": [str(folder) for folder in drawn.annotators],
            "key": str(drawn.key),
            "items": drawn.items,
            "questions": drawn.population,
            "strata": drawn.strata,
            "characters": told,
        }
    )


def _say_judged(screen: Screen, found: Judged) -> None:
    head = ("character", "items", "alpha", "precision", "claims", "recall", "not told", "open")
    rows = [_row(one) for one in (*found.score.characters, found.score.all)]
    screen.table(head, rows)
    screen.say("In parentheses: 95 % intervals. Alpha: of the annotators. Precision and recall: of the machine.")
    for one in found.score.calibrations:
        screen.say(f"Confidence of {one}", whole=True)
    if found.adjudication is not None:
        screen.say(
            f"{len(found.score.open):,} disputes are open, and in no figure: answer them in {found.adjudication}, then "
            "give this again with --adjudicated and that file",
            style="yellow",
            whole=True,
        )
    elif found.bar is not None:
        _say_bar(screen, found.bar, found)
    screen.say(f"Report: {found.report}", whole=True)
    screen.give(
        {
            **found.score.as_json(),
            "report": str(found.report),
            "adjudication": str(found.adjudication) if found.adjudication else None,
            "record": str(found.record) if found.record else None,
            "bar": found.bar,
            "left_out": dict(found.left_out),
        }
    )


def _say_bar(screen: Screen, bar: float, found: Judged) -> None:
    scored = {one.character for one in found.score.characters if one.precision}
    below = [f"{name.replace('_', ' ')}: {why}" for name, why in found.left_out if name in scored]
    never = len(found.left_out) - len(below) - 1
    screen.say(f"The bar of {bar:g} keeps {len(below)} characters out of the dataset, and {never} never scored")
    screen.lines(below)
    screen.say("Give labwright annotate again: it writes the dataset anew, without them")


def _row(one: CharacterScore) -> tuple[str, ...]:
    from pipelines.traits.gold.report import alpha_in_words, in_words

    claims = f"{one.precision.items:,}" if one.precision else "0"
    name = one.character.replace("_", " ") or "all"
    figures = (f"{one.items:,}", alpha_in_words(one.alpha), in_words(one.precision), claims, in_words(one.recall))
    return (name, *figures, f"{one.untold:,}", f"{one.disputed:,}")
