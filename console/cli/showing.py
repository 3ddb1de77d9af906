"""A plan, its findings and the end of a run, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.cli.planning import Planned
from console.cli.run_page import next_command
from console.cli.screen import MOST_LINES, Screen
from protocols.quantities import show_duration
from protocols.verify import Finding
from protocols.wording import show_places
from robots.execution.progress import Progress

_CHANNEL = re.compile(r"\bchannel \d+\b")
_OF_LABWARE = re.compile(r"(?<=\w)/[A-Z]{1,2}\d{1,2}\b")
_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def show_plan(screen: Screen, planned: Planned, *, most: int | None = MOST_LINES) -> None:
    """What the program does, what it needs, what a person must put where, and what is to be known."""
    screen.say(planned.program.title, style="bold")
    screen.say(f"  on workcell {planned.workcell.spec.name}: {_needs(planned)}")
    if planned.unreachable:
        dilute = sum(item.needed is None for item in planned.unreachable)
        counted = f"{dilute} too dilute, {len(planned.unreachable) - dilute} too little volume"
        screen.say(f"{len(planned.unreachable)} samples cannot reach their target ({counted}):", style="yellow")
        screen.lines(map(str, planned.unreachable), most=most)
    if planned.setup:
        screen.say("Set up:")
        screen.lines(planned.setup, most=most)
    if planned.notes:
        screen.say("To know:")
        screen.lines(planned.notes, most=most)
    show_findings(screen, planned.verification.findings, most=most)


def show_findings(screen: Screen, findings: Sequence[Finding], *, most: int | None = MOST_LINES) -> None:
    """The findings, errors first, and how many of each there are."""
    gathered = _gathered(findings)
    for finding in gathered[:most]:
        screen.say(f"  {finding}", style=_STYLES[finding.severity])
    if most is not None and len(gathered) > most:
        screen.say(f"  and {len(gathered) - most:,} more; verify --all shows them")
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    counted = f"{_count(errors, 'error')}" + (f", {_count(warnings, 'warning')}" if warnings else "")
    if errors:
        screen.say(f"Verified: {counted}. It cannot run like this.", style="bold red")
    else:
        screen.say(f"Verified: {counted}.", style="green")


def _gathered(findings: Sequence[Finding]) -> list[Finding]:
    """What is said alike of several wells of one labware said once, of all of them."""
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        labware, _, well = finding.place.rpartition("/")
        said = _of_all(finding.message)
        own = () if labware and well else (finding.place,)
        key = (finding.code, finding.step, finding.instruction, labware, said, finding.mend, finding.count, *own)
        alike.setdefault(key, []).append(finding)
    return [
        group[0]
        if len(group) == 1
        else group[0].model_copy(
            update={
                "place": show_places([finding.place for finding in group]),
                "message": _of_all(group[0].message),
            }
        )
        for group in alike.values()
    ]


def _of_all(message: str) -> str:
    """``message`` of one channel and well, said of all of them."""
    return _OF_LABWARE.sub("", _CHANNEL.sub("each channel", message))


def _count(number: float, what: str) -> str:
    """How many of something: "no errors", "1 error", "2 errors"."""
    if number == 1:
        return f"1 {what}"
    return f"{number:,} {what}s" if number else f"no {what}s"


def _needs(planned: Planned) -> str:
    tallies = planned.tallies()
    parts = [_count(tallies["instructions"], "instruction")]
    if "tips" in tallies:
        parts.append(_count(tallies["tips"], "tip"))
    if tallies.get("racks exchanged"):
        parts.append(f"{_count(tallies['racks exchanged'], 'tip rack')} to exchange")
    parts.append(f"about {show_duration(planned.seconds)}")
    return ", ".join(parts)


def show_end(screen: Screen, name: str, progress: Progress, *, safe: bool | None = None) -> None:
    """How a run ended, and what to do next; ``name`` is what it can be called by."""
    done, total = len(progress.finished), len(progress.program.instructions)
    if progress.phase == "done":
        skipped = f", {len(progress.skipped):,} of them given up" if progress.skipped else ""
        clock = show_duration(progress.state.clock)
        screen.say(f"Done: {_count(done, 'instruction')}{skipped}, {clock} on the lab's clock.", style="green")
        return
    question = progress.question if progress.answer is None else None
    screen.say(f"Stopped after {done:,} of {_count(total, 'instruction')}: {_reason(progress)}.", style="yellow")
    if safe is False:
        screen.say("The devices did not confirm that they are safe: look at them now.", style="bold red")
    elif safe:
        screen.say("The devices are safe.")
    if question is not None:
        screen.say(f"It waits for an answer: {question.text}")
        screen.say(f"Choices: {', '.join(question.choices)}")
    if name:
        screen.say(next_command(name, "stopped", waits=question is not None), whole=True)


def _reason(progress: Progress) -> str:
    """Why it stopped, without the question that is said after it."""
    asked = f": {progress.question.text}" if progress.question is not None else ""
    return progress.stop_reason.removesuffix(asked).rstrip(".")
