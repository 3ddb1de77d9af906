"""runs: what can be done about a run: go on, pause, stop, answer, give up."""

from __future__ import annotations

from collections.abc import Mapping

from console.cli.admission import user_name
from console.cli.exits import ExitCode
from console.cli.run_page import open_question
from console.cli.running import resume
from console.cli.screen import Screen
from protocols.errors import InputError
from robots.execution.control import Command, send
from robots.execution.executor import abandon
from robots.execution.home import Home
from robots.execution.run_folder import RunFolder, open_run
from robots.execution.standing import left_uncertain
from robots.execution.status import holder_of
from robots.workcell import shipped_workcells

CONTROL_SECONDS = 15.0
"""s that a run may take to do what it is told; making safe is given 10 of them."""
_SAID: dict[Command, str] = {
    "pause": "pauses after the move it is in; `labwright runs resume` lets it go on",
    "stop": "is stopped, and the devices are safe",
    "answer": "has its answer and goes on",
}


def resume_run(screen: Screen, home: Home, run: str, answer: str | None) -> ExitCode:
    """Go on: with a paused run in its own process, with any other in this one."""
    folder = open_run(home, run)
    holder = holder_of(folder)
    if holder is not None and holder.control is not None and answer is None and folder.progress().phase == "paused":
        send(holder.control, "resume")
        screen.say(f"Run {folder.run} goes on in process {holder.pid}.")
        screen.give({"run": folder.run, "phase": "running", "process": holder.pid})
        return ExitCode.OK
    if answer is not None:
        _require_wanted(folder, answer)
    return resume(screen, home, folder, answer)


def _require_wanted(folder: RunFolder, answer: str) -> None:
    """Make sure that the answer is to a question that a person can have seen.

    Raises:
        InputError: the run waits for none, or for another.
    """
    progress, where = folder.progress(), f"run {folder.run}"
    question = open_question(progress)
    if progress.phase == "done":
        raise InputError("the run has ended already", where=where)
    if question is None and progress.doubt is None:
        raise InputError("it waits for no answer", where=where, mend="Go on with it without --answer")
    if question is not None and answer not in question["choices"]:
        raise InputError(
            f"'{answer}' is no answer to: {question['question']}",
            where=where,
            mend=f"Possible: {', '.join(question['choices'])}",
        )


def tell_run(screen: Screen, home: Home, run: str, command: Command, fields: Mapping[str, str]) -> ExitCode:
    """Tell the process that carries out a run to pause, to stop, or an answer."""
    folder = open_run(home, run)
    where = f"run {folder.run}"
    holder = holder_of(folder)
    if holder is None or holder.control is None:
        mend = f"`labwright runs show {folder.run}` says where it stands"
        if command == "answer" and open_question(folder.progress()) is not None:
            mend = f"Answer it and go on: `labwright runs resume {folder.run} --answer {fields['answer']}`"
        raise InputError("no process carries out this run now", where=where, mend=mend)
    try:
        reply = send(holder.control, command, timeout=CONTROL_SECONDS, **fields)
    except InputError as error:
        mend = error.mend or f"`labwright runs show {folder.run}` says where it stands"
        raise InputError(error.what, where=where, mend=mend) from None
    screen.say(f"Run {folder.run} {_SAID.get(command, 'was told')}.")
    screen.give({"run": folder.run, **reply})
    return ExitCode.OK


def abandon_run(screen: Screen, home: Home, run: str) -> ExitCode:
    """Give up a run that has not ended."""
    folder = open_run(home, run)
    progress = abandon(home, folder, user_name())
    screen.say(f"Run {folder.run} is given up; workcell {folder.record.workcell} is free.")
    uncertain = left_uncertain(progress)
    if uncertain:
        screen.say("A person has to look at the deck:", style="yellow")
        screen.lines(uncertain)
        screen.say(
            "Make the deck as its workcell file says, then: "
            f"labwright workcell reset {folder.record.workcell_file if _own_file(folder) else folder.record.workcell}",
            whole=True,
        )
    screen.give({"run": folder.run, "status": "abandoned", "uncertain": list(uncertain)})
    return ExitCode.OK


def _own_file(folder: RunFolder) -> bool:
    """Whether its workcell is a file of the lab's own, not one that comes with Labwright."""
    return folder.record.workcell not in shipped_workcells()
