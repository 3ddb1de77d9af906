"""A plan, its findings and the end of a run, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.cli.planning import Planned
from console.cli.screen import Screen
from protocols.quantities import show_duration
from protocols.verify import Finding
from robots.execution.progress import Progress

MOST_LINES = 12
"""Lines of one list that are shown; `--all` and the report show the rest."""

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def show_plan(screen: Screen, planned: Planned, *, most: int | None = MOST_LINES) -> None:
    """What the program does, what it needs, what a person must put where, and what is to be known."""
    screen.say(planned.program.title, style="bold")
    screen.say(f"  on workcell {planned.workcell.spec.name}: {_needs(planned)}")
    if planned.unreachable:
        dilute = sum(item.needed is None for item in planned.unreachable)
        counted = f"{dilute} too dilute, {len(planned.unreachable) - dilute} too little volume"
        screen.say(f"{len(planned.unreachable)} samples cannot reach their target ({counted}):", style="yellow")
        screen.lines(map(str, planned.unreachable))
    if planned.setup:
        screen.say("Set up:")
        screen.lines(planned.setup, most=most)
    if planned.notes:
        screen.say("To know:")
        screen.lines(planned.notes, most=most)
    show_findings(screen, planned.verification.findings, most=most)


def show_findings(screen: Screen, findings: Sequence[Finding], *, most: int | None = MOST_LINES) -> None:
    """The findings, errors first, and how many of each there are."""
    for finding in findings[:most]:
        screen.say(f"  {finding}", style=_STYLES[finding.severity])
    if most is not None and len(findings) > most:
        screen.say(f"  and {len(findings) - most:,} more; --all shows them")
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    if errors:
        screen.say(f"Verified: {errors:,} errors, {warnings:,} warnings. It cannot run like this.", style="bold red")
    else:
        said = f"no errors, {warnings:,} warnings" if warnings else "no errors"
        screen.say(f"Verified: {said}.", style="green")


def _needs(planned: Planned) -> str:
    tallies = planned.tallies()
    parts = [f"{tallies['instructions']:,} instructions"]
    if "tips" in tallies:
        parts.append(f"{tallies['tips']:,} tips")
    if tallies.get("racks exchanged"):
        parts.append(f"{tallies['racks exchanged']:,} tip racks to exchange")
    parts.append(f"about {show_duration(planned.seconds)}")
    return ", ".join(parts)


def show_end(screen: Screen, run: str, progress: Progress, report: Path | None) -> None:
    """How a run ended, and what to do next."""
    done, total = len(progress.finished), len(progress.program.instructions)
    clock = show_duration(progress.state.clock)
    if progress.phase == "done":
        skipped = f", {len(progress.skipped)} of them given up" if progress.skipped else ""
        screen.say(f"Done: {done:,} instructions{skipped}, {clock} on the lab's clock.", style="green")
    else:
        screen.say(f"Stopped after {done:,} of {total:,} instructions: {progress.stop_reason}.", style="yellow")
        question = progress.question
        if question is not None and progress.answer is None:
            screen.say(f"It waits for an answer: {question.text}")
            screen.say(f"Choices: {', '.join(question.choices)}")
        screen.say(f"Go on with: labwright runs resume {run}")
    if report is not None:
        screen.say(f"Report: {report}")
