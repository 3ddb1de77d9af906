"""traits: what marks a taxon in images, what was found, and a collection to try it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.cli.exits import ExitCode
from console.cli.screen import MOST_LINES, Screen
from protocols.errors import InputError

if TYPE_CHECKING:
    from pipelines.traits.finding.progress import Event, Report
    from pipelines.traits.finding.summary import Summary

_NEEDS = 'Install them with pip install "labwright[traits]", or make setup in a clone'


def find(
    screen: Screen,
    images: Path,
    out: Path,
    asked: Mapping[str, Any],
    *,
    device: str | None,
    workers: int | None,
    again: bool,
    add: bool,
) -> ExitCode:
    """Do the whole job, or what is left of it, and say what was found."""
    require_packages()
    from pipelines.traits.finding import Settings, find_traits

    settings = Settings.of({name: str(value) if isinstance(value, Path) else value for name, value in asked.items()})
    with stage_progress(screen) as report:
        found = find_traits(images, out, settings, device=device, workers=workers, again=again, add=add, report=report)
    _say(screen, found, MOST_LINES)
    return ExitCode.OK


def show(screen: Screen, folder: Path, *, everything: bool) -> ExitCode:
    """Say what was found in a folder of :func:`find`."""
    require_packages()
    from pipelines.traits.finding import read_summary

    _say(screen, read_summary(folder), None if everything else MOST_LINES)
    return ExitCode.OK


def example(screen: Screen, folder: Path, *, images: int, seed: int) -> ExitCode:
    """Draw a collection whose traits are known."""
    require_packages()
    from pipelines.traits.organisms import draw_collection

    with screen.progress("Drawing", images) as step:
        draw_collection(folder, images=images, seed=seed, progress=lambda done, total: step(done, total, ""))
    screen.say(f"Drawn: {images:,} images of made-up organisms in {folder}", whole=True)
    screen.say(f"Next: labwright traits find {folder} --out found", whole=True)
    screen.give({"images": images, "seed": seed, "folder": str(folder)})
    return ExitCode.OK


def require_packages() -> None:
    """Refuse before anything is done where the packages of the pipeline are not installed.

    Raises:
        InputError: one is missing.
    """
    from importlib.util import find_spec

    missing = [name for name in ("torch", "cv2", "pyarrow", "safetensors", "transformers") if find_spec(name) is None]
    if missing:
        raise InputError(f"the trait pipeline needs packages that are not installed: {', '.join(missing)}", mend=_NEEDS)


def _say(screen: Screen, found: Summary, most: int | None) -> None:
    screen.say(f"Images: {found.images:,} of {found.taxa:,} taxa" + _set_aside(found), whole=True)
    for note in found.notes:
        screen.say(f"Note: {note}", style="yellow")
    if found.lines:
        screen.say(found.heading)
        screen.table(
            ("taxon", "rank", "specimens", "latents", "strongest", "effect", "q", ""),
            [
                (
                    line.taxon,
                    line.rank,
                    f"{line.specimens:,}",
                    f"{line.latents:,}",
                    f"{line.latent}",
                    f"{line.effect:.2f}",
                    "–" if line.q is None else "< 0.0001" if line.q < 0.0001 else f"{line.q:.2g}",
                    "" if line.standing == "marked" else line.standing,
                )
                for line in found.lines[:most]
            ],
            sparse=True,
        )
        if most is not None and len(found.lines) > most:
            screen.say(
                f"and {len(found.lines) - most:,} more taxa; labwright traits show --all {found.folder}", whole=True
            )
    screen.say(f"Regions: {found.regions_file} ({found.regions:,})", whole=True)
    screen.say(f"Gallery: {found.gallery}", whole=True)
    screen.give(found.as_json())


def _set_aside(found: Summary) -> str:
    if not found.quarantined:
        return ""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.reasons.items())
    return f"; {found.quarantined:,} quarantined ({reasons})"


@contextmanager
def stage_progress(
    screen: Screen, words: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None
) -> Iterator[Report]:
    """A line for each stage on a terminal, by its name in words; elsewhere nothing is shown.

    Args:
        words, units: of each stage, and of what is counted in it; those of ``labwright traits find`` if not given.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from pipelines.traits.finding.progress import UNITS, WORDS

    words, units = words or WORDS, units or UNITS
    wide = max(map(len, words.values()))
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=min(28, max(screen.out.width // 5, 4))),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", style="cyan"),
        TextColumn("{task.fields[left]}"),
        TimeRemainingColumn(compact=True),
        TimeElapsedColumn(),
        console=screen.out,
        disable=not screen.out.is_terminal,
    ) as bar:
        screen.bar = bar
        tasks = {
            stage: bar.add_task(f"{shown:{wide}}", total=None, start=False, visible=False, rate="", left="")
            for stage, shown in words.items()
        }

        def report(event: Event) -> None:
            task = tasks[event.stage]
            if event.state == "begun":
                bar.start_task(task)
                bar.update(task, visible=True)
            elif event.state == "kept":
                bar.start_task(task)
                bar.update(task, visible=True, total=1, completed=1, rate="done before")
            elif event.state == "done":
                known = bar.tasks[task].total
                bar.update(task, total=known or 1, completed=known or 1)
                bar.stop_task(task)
            else:
                bar.update(task, total=event.total or None, completed=event.done)
                speed = bar.tasks[task].speed
                if speed:
                    bar.update(task, rate=f"{speed:,.3g} {units.get(event.stage, 'images')}/s")

        try:
            yield report
        finally:
            screen.bar = None
