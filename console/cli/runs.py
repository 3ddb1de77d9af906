"""runs: what ran, what runs now, and what can be done about it."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from typing import Any

from console.cli.exits import ExitCode
from console.cli.running import resume
from console.cli.screen import Screen
from console.cli.showing import MOST_LINES
from protocols.errors import InputError, RecordError
from protocols.events import Event
from protocols.quantities import show_duration
from robots.execution.control import Command, send
from robots.execution.executor import Executor
from robots.execution.home import Home
from robots.execution.progress import Progress
from robots.execution.run_folder import RunFolder, open_run, run_folders
from robots.execution.status import holder_of, run_status
from robots.report import describe
from robots.workcell import load_workcell

_TOLD = ("by", "reason", "safe", "question", "answer", "choice", "source", "when", "text", "abandoned")
"""What of an event's payload is said in a line."""
CONTROL_SECONDS = 15.0
"""s that a run may take to do what it is told; making safe is given 10 of them."""


def list_runs(screen: Screen, home: Home) -> ExitCode:
    """Every run, the newest first."""
    lines = [_line(folder) for folder in reversed(run_folders(home))]
    if lines:
        screen.table(
            ("run", "workcell", "status", "done"),
            [(line["run"], line["workcell"], line["status"], _share(line)) for line in lines],
        )
    else:
        screen.say(f"No runs yet under {home.path}.")
    screen.give({"home": str(home.path), "runs": lines})
    return ExitCode.OK


def _line(folder: RunFolder) -> dict[str, Any]:
    try:
        progress = folder.progress()
        record = folder.record
    except RecordError as error:
        return {"run": folder.run, "title": "", "workcell": "", "status": "damaged", "problem": str(error)}
    return {
        "run": folder.run,
        "title": record.title,
        "workcell": record.workcell,
        "status": run_status(folder, progress),
        "done": len(progress.finished),
        "total": len(progress.program.instructions),
        "created": record.created,
    }


def _share(line: dict[str, Any]) -> str:
    return f"{line['done']:,} of {line['total']:,}" if "done" in line else ""


def show_run(screen: Screen, folder: RunFolder, *, everything: bool = False) -> ExitCode:
    """One run: what it is, where it stands, what it waits for, and what happened."""
    progress, events, record = folder.progress(), folder.events(), folder.record
    status = run_status(folder, progress)
    holder = holder_of(folder)
    screen.say(record.title, style="bold")
    screen.table(
        ("", ""),
        [
            ("run", folder.run),
            ("status", f"{status}{_why(progress, status)}"),
            ("workcell", record.workcell + ("" if record.simulation is None else " (simulated)")),
            ("made from", record.source),
            ("approved by", _approved_by(events)),
            ("done", f"{len(progress.finished):,} of {len(progress.program.instructions):,} instructions"),
            ("lab's clock", show_duration(progress.state.clock)),
            ("carried out by", str(holder) if holder else "nobody now"),
            ("folder", str(folder.path)),
        ],
    )
    _show_open_matters(screen, folder, progress, status)
    shown = events if everything else events[-MOST_LINES:]
    screen.say("Events:" if everything else f"The last {len(shown)} of {len(events)} events (--all shows them):")
    screen.lines(_event_line(event) for event in shown)
    screen.give(
        {
            **_line(folder),
            "record": record.model_dump(mode="json"),
            "question": _question(progress),
            "stop_reason": progress.stop_reason,
            "events": [event.model_dump(mode="json") for event in shown],
        }
    )
    return ExitCode.OK


def _why(progress: Progress, status: str) -> str:
    if status == "stopped" and progress.stop_reason:
        return f": {progress.stop_reason}"
    return f" by {progress.abandoned}" if progress.abandoned else ""


def _approved_by(events: Sequence[Event]) -> str:
    return next((str(event.payload["by"]) for event in reversed(events) if event.kind == "approved"), "nobody")


def _question(progress: Progress) -> dict[str, Any] | None:
    question = progress.question
    if question is None or progress.answer is not None:
        return None
    return {"question": question.text, "choices": list(question.choices)}


def _show_open_matters(screen: Screen, folder: RunFolder, progress: Progress, status: str) -> None:
    if progress.doubt is not None:
        screen.say(f"Begun, and it is not known how it ended: {describe(progress.doubt.instruction)}", style="yellow")
    question = _question(progress)
    if question is not None:
        screen.say(f"Waits for an answer: {question['question']}", style="yellow")
        screen.say(f"  choices: {', '.join(question['choices'])}")
    if status in ("stopped", "interrupted", "planned"):
        screen.say(f"Go on with: labwright runs resume {folder.run}")


def _event_line(event: Event) -> str:
    said = {key: value for key, value in event.payload.items() if key in _TOLD and value not in ("", None, [], {})}
    outcome = event.payload.get("outcome", {})
    said |= {key: outcome[key] for key in ("status", "seconds") if key in outcome}
    said |= (
        {"faults": "; ".join(fault["message"] for fault in outcome.get("faults", ()))} if "faults" in outcome else {}
    )
    words = ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in said.items()
    )
    about = f" {event.instruction}" if event.instruction else ""
    return f"{event.sequence:>5}  {event.wall_time[11:19]}  {event.kind}{about}  {words}".rstrip()


def resume_run(screen: Screen, home: Home, run: str, answer: str | None) -> ExitCode:
    """Go on: with a paused run in its own process, with any other in this one."""
    folder = open_run(home, run)
    holder = holder_of(folder)
    if holder is not None and holder.control is not None and answer is None and folder.progress().phase == "paused":
        send(holder.control, "resume")
        screen.say(f"Run {folder.run} goes on in process {holder.pid}.")
        screen.give({"run": folder.run, "phase": "running"})
        return ExitCode.OK
    return resume(screen, home, folder, answer)


def tell_run(screen: Screen, home: Home, run: str, command: Command, fields: Mapping[str, str]) -> ExitCode:
    """Tell the process that carries out a run to pause, to stop, or an answer."""
    folder = open_run(home, run)
    holder = holder_of(folder)
    if holder is None or holder.control is None:
        raise InputError(
            "no process carries out this run now",
            where=f"run {folder.run}",
            mend=f"`labwright runs show {folder.run}` says where it stands",
        )
    reply = send(holder.control, command, timeout=CONTROL_SECONDS, **fields)
    said = {"pause": "pauses after the move it is in", "stop": "is stopped, and the devices are safe"}
    screen.say(f"Run {folder.run} {said.get(command, 'was told')}.")
    screen.give({"run": folder.run, **reply})
    return ExitCode.OK


def abandon_run(screen: Screen, home: Home, run: str) -> ExitCode:
    """Give up a run that has not ended."""
    folder = open_run(home, run)
    Executor(home, load_workcell(folder.record.workcell_file)).abandon(folder, getpass.getuser())
    screen.say(f"Run {folder.run} is given up; workcell {folder.record.workcell} is free.")
    screen.give({"run": folder.run, "status": "abandoned"})
    return ExitCode.OK
