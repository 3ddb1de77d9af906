"""One run on the screen: what it is, how far it is, what departed from the plan, and what it waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from console.cli.exits import ExitCode
from console.cli.listing import handle, local_time, run_line
from console.cli.screen import MOST_LINES, Screen
from protocols.program import Program
from protocols.quantities import show_duration
from protocols.wording import describe
from robots.execution.home import Home
from robots.execution.labs import all_simulated
from robots.execution.progress import Progress
from robots.execution.run_folder import RunFolder
from robots.execution.status import RunStatus, holder_of, run_status
from robots.report.history import History, Passage, read_history

MOST_DONE = 6
"""Instructions done last that are shown without `--all`."""


def show_run(screen: Screen, home: Home, folder: RunFolder, *, everything: bool = False) -> ExitCode:
    """The page of one run; what a person has to do about it stands at the end."""
    events, record = folder.events(), folder.record
    history = read_history(folder.program, folder.start(), events)
    progress = history.progress
    status = run_status(folder, progress)
    most = None if everything else MOST_LINES
    screen.say(record.title, style="bold")
    screen.table(("", ""), _facts(folder, history, status))
    screen.say(f"folder: {folder.path}", whole=True)
    _show_steps(screen, progress, most)
    _show_last(screen, history, most)
    if history.deviations:
        screen.say("Departed from the plan, or was decided on the way:")
        _show_newest(screen, [f"{_at(item.time)}  {item.message}" for item in history.deviations], most)
    _show_open_matters(screen, handle(folder.run, home.runs()), progress, status)
    screen.give(
        {
            **run_line(folder),
            "record": record.model_dump(mode="json"),
            "approved_by": history.approved_by or None,
            "question": open_question(progress),
            "stop_reason": progress.stop_reason if status == "stopped" else "",
            "steps": [{"step": step, "done": done, "total": total} for step, done, total in _steps(progress)],
            "deviations": [item.model_dump(mode="json") for item in history.deviations],
            "events": [event.model_dump(mode="json") for event in (events if everything else events[-MOST_LINES:])],
        }
    )
    return ExitCode.OK


def open_question(progress: Progress) -> dict[str, Any] | None:
    """The question that a run waits for, for machines."""
    question = progress.question
    if question is None or progress.answer is not None:
        return None
    return {"question": question.text, "choices": list(question.choices)}


def _facts(folder: RunFolder, history: History, status: RunStatus) -> list[tuple[str, str]]:
    record, progress, holder = folder.record, history.progress, holder_of(folder)
    facts = [
        ("run", folder.run),
        ("status", f"{status}{_why(progress, status)}"),
        ("done", f"{len(progress.finished):,} of {len(progress.program.instructions):,} instructions"),
        ("workcell", record.workcell + (" (simulated)" if all_simulated(folder.workcell) else " (real devices)")),
        ("made", local_time(record.created)),
        ("made from", record.source),
        ("approved by", history.approved_by or "nobody"),
        ("lab's clock", show_duration(history.seconds)),
    ]
    if holder is not None:
        facts.append(("carried out by", f"process {holder.pid} on {holder.host} since {local_time(holder.since)}"))
    return facts


def _why(progress: Progress, status: RunStatus) -> str:
    if status == "stopped" and progress.stop_reason:
        return f": {progress.stop_reason}"
    return f" by {progress.abandoned}" if progress.abandoned else ""


def _steps(progress: Progress) -> Iterator[tuple[str, int, int]]:
    """Each step of the protocol, with how many of its instructions are over and how many there are."""
    program: Program = progress.program
    total = Counter(item.step for item in program.instructions)
    done = Counter(item.step for item in program.instructions if item.id in progress.finished)
    for step, count in total.items():
        yield step or "without a step", done[step], count


def _show_steps(screen: Screen, progress: Progress, most: int | None) -> None:
    steps = [item for item in _steps(progress) if item[0] != "without a step"]
    if len(steps) < 2 or progress.phase == "done":
        return
    over = sum(done == total for _, done, total in steps)
    screen.say(f"Steps ({over} of {len(steps)} done):")
    # a long list is shown around the step that the run is in
    first = 0 if most is None else max(0, min(over - most // 2, len(steps) - most))
    for step, done, total in steps[first : None if most is None else first + most]:
        mark = "done" if done == total else f"{done:,} of {total:,}"
        screen.say(f"  {step}: {mark}", style="dim" if done == total else None)
    if most is not None and len(steps) > most:
        screen.say(f"  and {len(steps) - most:,} more; --all shows them")


def _show_last(screen: Screen, history: History, most: int | None) -> None:
    passed = [passage for passage in history.passages.values() if passage.end is not None]
    if not passed:
        return
    screen.say("Done, and how long after the start:")
    _show_newest(screen, [_passage(passage) for passage in passed], None if most is None else MOST_DONE)


def _show_newest(screen: Screen, lines: Sequence[str], most: int | None) -> None:
    """The last lines of a list that grows at its end."""
    hidden = 0 if most is None else max(0, len(lines) - most)
    if hidden:
        screen.say(f"  {hidden:,} earlier; --all shows them")
    screen.lines(lines[hidden:])


def _passage(passage: Passage) -> str:
    remarks = f" ({'; '.join(passage.remarks)})" if passage.remarks else ""
    return f"{_at(passage.end or 0.0)}  {describe(passage.instruction)}{remarks}"


def _at(seconds: float) -> str:
    """A time on the lab's clock, all of one width: "0:03:20"."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _show_open_matters(screen: Screen, name: str, progress: Progress, status: RunStatus) -> None:
    if progress.doubt is not None and status in ("stopped", "interrupted"):
        screen.say(f"Begun, and it is not known how it ended: {describe(progress.doubt.instruction)}", style="yellow")
    question = open_question(progress)
    if question is not None and status != "abandoned":
        screen.say(f"Waits for an answer: {question['question']}", style="yellow")
        screen.say(f"  choices: {', '.join(question['choices'])}")
    todo = next_command(name, status, waits=question is not None)
    if todo:
        screen.say(todo, whole=True)


def next_command(name: str, status: RunStatus, *, waits: bool) -> str:
    """What a person types to bring a run on; empty where there is nothing to type."""
    answer = " --answer CHOICE" if waits else ""
    match status:
        case "planned":
            return f"Begin it with: labwright runs resume {name}"
        case "stopped" | "interrupted":
            return f"Go on with: labwright runs resume {name}{answer}"
        case "paused":
            return f"Let it go on with: labwright runs resume {name}"
        case "waiting":
            return f"Answer at its terminal, or with: labwright runs answer {name} CHOICE"
    return ""
