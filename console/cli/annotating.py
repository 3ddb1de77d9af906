"""annotate: what the images of a collection show, said in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.cli.exits import ExitCode
from console.cli.screen import MOST_LINES, Screen
from console.cli.traits import require_packages, stage_progress

if TYPE_CHECKING:
    from pipelines.traits.annotating import Agreement, Annotated


def annotate(
    screen: Screen,
    images: Path,
    out: Path,
    finding: Mapping[str, Any],
    described: Mapping[str, Any],
    *,
    device: str | None,
    workers: int | None,
    again: bool,
) -> ExitCode:
    """Do the whole job, or what is left of it, and say what was said."""
    require_packages()
    from pipelines.traits.annotating import AnnotationSettings
    from pipelines.traits.annotating import annotate as annotated
    from pipelines.traits.annotating.progress import WORDS
    from pipelines.traits.finding import Settings

    with stage_progress(screen, WORDS) as report:
        made = annotated(
            images,
            out,
            AnnotationSettings.of(described),
            Settings.of(finding),
            device=device,
            workers=workers,
            again=again,
            report=report,
        )
    _say(screen, made)
    return ExitCode.OK


def _say(screen: Screen, made: Annotated) -> None:
    found = made.found
    screen.say(f"Images: {found.images:,} of {found.taxa:,} taxa, {found.regions:,} regions", whole=True)
    for note in found.notes:
        screen.say(f"Note: {note}", style="yellow")
    screen.say(f"Statements: {made.statements:,} ({_numbers(made.standings)})", whole=True)
    if made.doubts:
        screen.say(f"Doubts: {_numbers(made.doubts)}", whole=True)
    _say_states(screen, made)
    screen.say(f"Statements: {made.statements_folder}", whole=True)
    left_out = f"; left out: {_numbers(made.left_out)}" if made.left_out else ""
    screen.say(f"Dataset: {made.dataset} ({made.released:,} images{left_out})", whole=True)
    screen.say(f"Gallery: {found.gallery}", whole=True)
    screen.give(made.as_json())


def _say_states(screen: Screen, made: Annotated) -> None:
    """The commonest states; where no taxon has enough specimens to speak of a common one, what was seen."""
    told = [one for one in made.agreements if one.verdict != "too few"]
    few = len(made.agreements) - len(told)
    if told and few:
        screen.say(f"{few:,} lines of fewer than three specimens are not shown", whole=True)
    shown = told or made.agreements
    if shown:
        screen.say("Most common in each taxon:" if told else "Seen, in fewer than three specimens of each taxon:")
        screen.table(
            ("taxon", "rank", "character", "state", "specimens", "agreement", "latent", ""),
            [_row(one) for one in shown[:MOST_LINES]],
        )
        more = f"and {len(shown) - MOST_LINES:,} more lines; all: " if len(shown) > MOST_LINES else "All lines: "
        screen.say(f"{more}{made.statements_folder / 'agreement.jsonl'}", whole=True)


def _row(one: Agreement) -> tuple[str, ...]:
    remark: str = "" if one.verdict == "agrees" else one.verdict
    if 2 * one.doubted > one.specimens:
        remark = f"{remark}, doubted".removeprefix(", ")
    return (
        one.taxon,
        one.rank,
        one.character.replace("_", " "),
        one.commonest.replace("_", " "),
        f"{one.specimens:,}",
        f"{100 * one.share:.0f} %",
        f"{one.latent}",
        remark,
    )


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
