"""run, simulate and resume: a plan is approved, carried out, and reported."""

from __future__ import annotations

import getpass
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.cli.exits import ExitCode
from console.cli.planning import Planned
from console.cli.screen import Screen, Step
from console.cli.showing import show_end, show_plan
from protocols.errors import ApprovalError
from protocols.labstate import LabState
from protocols.ports import Person, RecoveryPolicy
from protocols.program import AnyInstruction
from robots.execution.approval import SIMULATION
from robots.execution.executor import Company, Executor
from robots.execution.home import Home
from robots.execution.labs import LocalLab, all_simulated
from robots.execution.progress import Progress
from robots.execution.run_folder import RunFolder, Simulation, create_run
from robots.execution.standing import differences
from robots.report import describe
from robots.report.of_run import save_report
from robots.workcell import load_workcell


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is carried out: its recovery policy, the simulated lab's behaviour, and who approves."""

    policy: RecoveryPolicy
    simulation: Simulation
    approve: str | None = None


def run(screen: Screen, home: Home, planned: Planned, settings: Settings) -> ExitCode:
    """Show the plan, have it approved, carry it out, and write the report."""
    show_plan(screen, planned)
    if not planned.verification.ok:
        screen.give(planned.as_json())
        return ExitCode.FINDINGS
    spec = planned.workcell.spec
    changed = differences(spec, planned.deck)
    if changed:
        screen.say("The deck, as earlier runs left it:")
        screen.lines(changed)
    simulated = all_simulated(spec)
    by = _approved_by(screen, settings.approve, simulated=simulated)
    folder = _create(home, planned, settings, simulation=settings.simulation if simulated else None)
    folder.approve(by)
    screen.say(f"Run {folder.run}, approved by {by}")
    return carry_out(screen, Executor(home, planned.workcell), folder)


def resume(screen: Screen, home: Home, folder: RunFolder, answer: str | None = None) -> ExitCode:
    """Go on with a run that was stopped or cut off; ``answer`` answers the question that it waits for."""
    workcell = load_workcell(folder.record.workcell_file)
    person = None if answer is None else _answering(answer, screen)
    return carry_out(screen, Executor(home, workcell), folder, person=person)


def simulate(screen: Screen, planned: Planned, settings: Settings, report: Path | None) -> ExitCode:
    """Carry a plan out in a lab simulated in this process, and leave nothing but the report, if one is wanted."""
    show_plan(screen, planned)
    if not planned.verification.ok:
        screen.give(planned.as_json())
        return ExitCode.FINDINGS
    with tempfile.TemporaryDirectory(prefix="labwright-") as temporary:
        home = Home(Path(temporary))
        folder = _create(home, planned, settings, simulation=settings.simulation)
        folder.approve(SIMULATION)
        labs: list[LocalLab] = []

        def devices(run: RunFolder) -> LocalLab:
            labs.append(LocalLab(planned.workcell, planned.program, run.run, settings.simulation))
            return labs[-1]

        executor = Executor(home, planned.workcell, devices=devices)
        progress = _with_progress(screen, executor, folder, _confirming(screen))
        page = save_report(folder, report) if report is not None else None
        truth = labs[-1].world.state
    _show_simulated(screen, folder, progress, truth, page)
    screen.give({**planned.as_json(), **_outcome(folder, progress, page), "strays": _strays(progress.state, truth)})
    return _code(progress)


def carry_out(screen: Screen, executor: Executor, folder: RunFolder, *, person: Person | None = None) -> ExitCode:
    """Execute a run with a progress bar, then write its report; also when it fails."""
    try:
        progress = _with_progress(screen, executor, folder, person or _asking(screen))
    except BaseException:
        if any(event.kind == "run_started" for event in folder.events()):
            save_report(folder)
        raise
    page = save_report(folder)
    show_end(screen, folder.run, progress, page)
    screen.give(_outcome(folder, progress, page))
    return _code(progress)


# -- inside -----------------------------------------------------------------------------------------


def _create(home: Home, planned: Planned, settings: Settings, *, simulation: Simulation | None) -> RunFolder:
    return create_run(
        home,
        planned.program,
        planned.workcell.spec,
        planned.deck,
        workcell_file=str(planned.workcell.path.absolute()),
        simulation=simulation,
        policy=settings.policy,
        source=str(planned.file),
        extra=(("plan.json", planned.plan()),),
    )


def _with_progress(screen: Screen, executor: Executor, folder: RunFolder, person: Person | None) -> Progress:
    with screen.progress("Running") as step:
        return executor.execute(folder, Company(person=person, progressed=_stepping(step)))


def _stepping(step: Step) -> Callable[[int, int, AnyInstruction], None]:
    return lambda done, total, last: step(done, total, describe(last)[:60])


def _asking(screen: Screen) -> Person | None:
    """The person at the terminal, if there is one."""
    return screen.choose if screen.has_person else None


def _answering(answer: str, screen: Screen) -> Person:
    """Someone who gives ``answer`` once and then asks the person at the terminal."""
    left = [answer]

    def person(question: str, choices: tuple[str, ...]) -> str | None:
        return left.pop() if left and answer in choices else screen.choose(question, choices)

    return person


def _confirming(screen: Screen) -> Person:
    """In a simulation a person does what the program asks of them at once; about faults the terminal is asked."""

    def person(question: str, choices: tuple[str, ...]) -> str | None:
        return "done" if "done" in choices else screen.choose(question, choices)

    return person


def _approved_by(screen: Screen, given: str | None, *, simulated: bool) -> str:
    """Who approves; in a simulation nobody has to.

    Raises:
        ApprovalError: nobody approved.
    """
    if given is not None:
        return given
    if screen.has_person:
        said = screen.ask("Approve and run this? Type yes or your name, or press Enter to leave it:")
        if said.lower() in ("y", "yes"):
            return getpass.getuser()
        if said and said.lower() not in ("n", "no"):
            return said
    elif simulated:
        return SIMULATION
    raise ApprovalError("nobody approved this run, so nothing moved", mend="Approve it, or give --approve NAME")


def _code(progress: Progress) -> ExitCode:
    return ExitCode.OK if progress.phase == "done" else ExitCode.STOPPED


def _outcome(folder: RunFolder, progress: Progress, page: Path | None) -> dict[str, Any]:
    question = progress.question if progress.answer is None else None
    return {
        "run": folder.run,
        "phase": progress.phase,
        "done": len(progress.finished),
        "total": len(progress.program.instructions),
        "skipped": sorted(progress.skipped),
        "stop_reason": progress.stop_reason,
        "question": question and {"question": question.text, "choices": list(question.choices)},
        "lab_seconds": progress.state.clock,
        "report": page and str(page),
    }


def _strays(expected: LabState, truth: LabState) -> dict[str, Any]:
    """The well that departs most from what the record says it holds, µL."""
    off = {well: truth.volume(well) - expected.volume(well) for well in expected.wells}
    worst = max(off, key=lambda well: abs(off[well]), default=None)
    spilled = sum(truth.lost().values())
    return {"well": worst, "by": off[worst] if worst else 0.0, "spilled": spilled}


def _show_simulated(screen: Screen, folder: RunFolder, progress: Progress, truth: LabState, page: Path | None) -> None:
    strays = _strays(progress.state, truth)
    if progress.phase == "done":
        show_end(screen, folder.run, progress, page)
    else:
        done, total = len(progress.finished), len(progress.program.instructions)
        screen.say(f"Stopped after {done:,} of {total:,} instructions: {progress.stop_reason}.", style="yellow")
    if strays["well"] is not None and abs(strays["by"]) >= 0.005:
        screen.say(f"In the simulated lab {strays['well']} departs most from the plan, by {strays['by']:+.2f} µL.")
    if strays["spilled"] > 0:
        screen.say(f"{strays['spilled']:.2f} µL ran over in the simulated lab.", style="red")
