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
    told = [one for one in made.agreements if one.verdict != "too few"]
    if told:
        screen.say("Most common in each taxon:")
        screen.table(
            ("taxon", "rank", "character", "state", "specimens", "agreement", "latent", ""),
            [_row(one) for one in told[:MOST_LINES]],
        )
    few = len(made.agreements) - len(told)
    more = [f"{len(told) - MOST_LINES:,} more lines"] if len(told) > MOST_LINES else []
    more += [f"{few:,} of fewer than three specimens"] if few else []
    if more:
        screen.say(f"and {', '.join(more)}: {made.statements_folder / 'agreement.jsonl'}", whole=True)
    screen.say(f"Statements: {made.statements_folder}", whole=True)
    left_out = f"; left out: {_numbers(made.left_out)}" if made.left_out else ""
    screen.say(f"Dataset: {made.dataset} ({made.released:,} images{left_out})", whole=True)
    screen.say(f"Gallery: {found.gallery}", whole=True)
    screen.give(made.as_json())


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
