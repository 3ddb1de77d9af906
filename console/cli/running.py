"""run, simulate and resume: a plan is approved, carried out, and reported."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.cli.admission import require_name, user_name
from console.cli.exits import ExitCode
from console.cli.failures import explain
from console.cli.listing import handle
from console.cli.planning import Planned
from console.cli.run_page import open_question
from console.cli.screen import Screen, Step, complain
from console.cli.showing import show_end, show_plan
from protocols.errors import ApprovalError, LabwrightError
from protocols.ports import Person, RecoveryPolicy
from protocols.program import AnyInstruction, Aspirate
from protocols.wording import describe
from robots.execution.approval import SIMULATION
from robots.execution.executor import Company, Executor
from robots.execution.home import Home
from robots.execution.labs import LocalLab, all_simulated, needs_world
from robots.execution.progress import Progress
from robots.execution.run_folder import RunFolder, Simulation, create_run
from robots.execution.standing import differences, read_standing
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
    changed = (*differences(spec, planned.deck), *read_standing(home, spec).uncertain)
    if changed:
        screen.say("The deck, as earlier runs left it:")
        screen.lines(changed)
    simulated = all_simulated(spec)
    by = _approved_by(screen, settings.approve, simulated=simulated)
    folder = _create(home, planned, settings, simulation=settings.simulation if needs_world(spec) else None)
    folder.approve(by)
    screen.say(
        f"Run {folder.run}, " + (f"approved by {by}" if by != SIMULATION else "in the simulated lab"), whole=True
    )
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
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)  # better refused now than after the simulation
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
    strays = _strays(progress, labs[-1])
    show_end(screen, "", progress)
    _show_strays(screen, strays)
    if page is not None:
        screen.say(f"Report: {page}", whole=True)
    outcome = {**_outcome(progress, page), "strays": strays}
    screen.give({**planned.as_json(), **outcome})
    return _code(progress)


def carry_out(screen: Screen, executor: Executor, folder: RunFolder, *, person: Person | None = None) -> ExitCode:
    """Execute a run with a progress bar, then write its report; also when it fails."""
    try:
        progress = _with_progress(screen, executor, folder, person or _asking(screen))
    except BaseException:
        with suppress(OSError, LabwrightError):  # what went wrong first is what is told
            if any(event.kind == "run_started" for event in folder.events()):
                save_report(folder)
        raise
    show_end(screen, handle(folder.run, executor.home.runs()), progress, safe=_made_safe(folder))
    page = _report(folder)
    if page is not None:
        screen.say(f"Report: {page}", whole=True)
    screen.give({"run": folder.run, **_outcome(progress, page)})
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


def _report(folder: RunFolder) -> Path | None:
    """The report's page; a run that ended well has ended well also where its report cannot be written."""
    try:
        return save_report(folder)
    except (OSError, LabwrightError) as error:
        complain(f"the report could not be written: {explain(error).paragraph()}")
        return None


def _made_safe(folder: RunFolder) -> bool | None:
    """Whether the devices confirmed the last stop that a person asked for."""
    last = folder.events()[-1]
    return bool(last.payload.get("safe")) if last.kind == "stopped" and "safe" in last.payload else None


def _with_progress(screen: Screen, executor: Executor, folder: RunFolder, person: Person | None) -> Progress:
    with screen.progress("Running", len(folder.program.instructions)) as step:
        return executor.execute(folder, Company(person=person, progressed=_stepping(step)))


def _stepping(step: Step) -> Callable[[int, int, AnyInstruction], None]:
    return lambda done, total, last: step(done, total, describe(last)[:60])


def _asking(screen: Screen) -> Person | None:
    """The person at the terminal, if there is one."""
    return screen.choose if screen.has_person else None


def _answering(answer: str, screen: Screen) -> Person:
    """Someone who gives ``answer`` to the first question alone, and then asks the person at the terminal."""
    left = [answer]

    def person(question: str, choices: tuple[str, ...]) -> str | None:
        given = left.pop() if left else None
        return given if given in choices else screen.choose(question, choices)

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
            return user_name()
        if said and said.lower() not in ("n", "no"):
            require_name(said)
            return said
    elif simulated:
        return SIMULATION
    raise ApprovalError(
        "nobody approved this run, so nothing moved", mend="Approve it when asked, or give --approve NAME"
    )


def _code(progress: Progress) -> ExitCode:
    return ExitCode.OK if progress.phase == "done" else ExitCode.STOPPED


def _outcome(progress: Progress, page: Path | None) -> dict[str, Any]:
    return {
        "phase": progress.phase,
        "done": len(progress.finished),
        "total": len(progress.program.instructions),
        "skipped": sorted(progress.skipped),
        "stop_reason": progress.stop_reason if progress.phase == "stopped" else "",
        "question": open_question(progress),
        "lab_seconds": progress.state.clock,
        "report": page and str(page),
    }


def _strays(progress: Progress, lab: LocalLab) -> dict[str, Any]:
    """What really happened beside what the record says, µL: the well that is farthest off, strokes that drew air.

    Air that was drawn where the program takes the rest of a well is counted apart: it was to be expected.
    """
    expected, truth = progress.state, lab.world.state
    off = {well: truth.volume(well) - expected.volume(well) for well in expected.wells}
    worst = max(off, key=lambda well: abs(off[well]), default=None)
    rests = {item.id for item in progress.program.instructions if isinstance(item, Aspirate) and item.takes_rest}
    air = Counter(
        act.instruction.partition(":")[2] in rests
        for act in lab.acts
        for effect in act.effects
        if effect["kind"] == "air drawn"
    )
    return {
        "well": worst,
        "by": off[worst] if worst else 0.0,
        "air_drawn": air[False],
        "rests_taken": air[True],
        "spilled": sum(truth.lost().values()),
    }


def _show_strays(screen: Screen, strays: dict[str, Any]) -> None:
    if strays["well"] is not None and abs(strays["by"]) >= 0.005:
        screen.say(f"In the simulated lab {strays['well']} departs most from the plan, by {strays['by']:+.2f} µL.")
    if strays["rests_taken"]:
        screen.say(f"In {strays['rests_taken']:,} strokes a tip took the rest of a well, and air after it.")
    if strays["air_drawn"]:
        screen.say(
            f"In {strays['air_drawn']:,} strokes a tip drew air, because pistons err and a well held just enough: "
            "put more in, and verify with --margin.",
            style="yellow",
        )
    if strays["spilled"] > 0:
        screen.say(f"{strays['spilled']:.2f} µL ran over in the simulated lab.", style="red")
