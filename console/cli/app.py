"""The commands and their options. What a command does is imported when it is called, so that help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.cli import options as o
from console.cli.exits import ExitCode
from console.cli.groups import LabOptions, PlanOptions, PythonOptions, expanded
from console.cli.reported import report_failures
from console.cli.screen import Screen
from console.cli.traits_commands import annotate, traits
from console.cli.workcell_commands import workcell

if TYPE_CHECKING:
    from console.cli.planning import Planned
    from robots.execution.control import Command

_CONTEXT = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="labwright",
    help="Verified, watched and recorded laboratory robot work.",
    no_args_is_help=True,
    context_settings=_CONTEXT,
    pretty_exceptions_enable=False,
)
runs = typer.Typer(help="What ran, what runs now, and what can be done about it.", no_args_is_help=True)
app.add_typer(runs, name="runs")
app.add_typer(workcell, name="workcell")
app.add_typer(traits, name="traits")
app.command("annotate")(annotate)
setup = typer.Typer(
    help="Other software that some work needs, each in an environment of its own.", no_args_is_help=True
)
app.add_typer(setup, name="setup")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"labwright {version('labwright')}")
        raise typer.Exit


@app.callback()
def _labwright(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Verified, watched and recorded laboratory robot work."""


def _plan(
    file: Path,
    workcell_name: str | None,
    options: PlanOptions,
    python: PythonOptions,
    *,
    recorded: bool,
    new_run: bool = False,
) -> Planned:
    """The plan for a file, on the deck as it is recorded or as the workcell file says.

    For a ``new_run`` the workcell must be free: nobody should approve a run that cannot begin.
    """
    from console.cli.admission import require_free
    from console.cli.imported import bring
    from console.cli.planning import make_plan
    from console.cli.sources import read_any
    from protocols.labstate import LabState
    from robots.execution.home import Home
    from robots.execution.standing import read_standing

    given = read_any(file, options, python, Home.find())
    lab, brought = bring(given, file, workcell_name, Home.find())
    if new_run:
        require_free(Home.find(), lab.spec.name)
    deck = read_standing(Home.find(), lab.spec).state if recorded else LabState.start(lab.spec)
    return make_plan(file, given, lab, deck, options, brought)


@app.command("run")
@expanded
def _run(
    file: o.File,
    plan: PlanOptions,
    python: PythonOptions,
    lab: LabOptions,
    workcell_name: o.WorkcellName = None,
    approve: o.Approve = None,
    as_json: o.Json = False,
) -> None:
    """Verify a file, have it approved, carry it out, record it, and write a report.

    What moves is said by the drivers in the workcell file: the simulated lab, or real machines.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.admission import require_name
        from console.cli.planning import make_simulation, read_policy
        from console.cli.running import Settings, run
        from robots.execution.home import Home

        require_name(approve)
        settings = Settings(policy=read_policy(lab.on_fault), simulation=make_simulation(lab), approve=approve)
        return run(screen, Home.find(), _plan(file, workcell_name, plan, python, recorded=True, new_run=True), settings)

    report_failures(work, as_json=as_json)


@app.command("verify")
@expanded
def _verify(
    file: o.File,
    plan: PlanOptions,
    python: PythonOptions,
    workcell_name: o.WorkcellName = None,
    recorded: Annotated[
        bool, typer.Option("--as-is", help="On the deck as earlier runs left it, not as the workcell file says.")
    ] = False,
    program: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the compiled program there, as JSON.")
    ] = None,
    everything: o.All = False,
    as_json: o.Json = False,
) -> None:
    """Say whether a file can run on this workcell, and everything that is wrong with it, at once."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.planning import save_program
        from console.cli.screen import MOST_LINES
        from console.cli.showing import show_plan

        planned = _plan(file, workcell_name, plan, python, recorded=recorded)
        if program is not None:
            save_program(planned, program)
        show_plan(screen, planned, most=None if everything else MOST_LINES)
        screen.give(planned.as_json())
        return ExitCode.OK if planned.verification.ok else ExitCode.FINDINGS

    report_failures(work, as_json=as_json)


@app.command("simulate")
@expanded
def _simulate(
    file: o.File,
    plan: PlanOptions,
    python: PythonOptions,
    lab: LabOptions,
    workcell_name: o.WorkcellName = None,
    report: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write a report there.")] = None,
    as_json: o.Json = False,
) -> None:
    """Run a file in a simulated lab, full racks and all, and leave nothing behind but a report if one is wanted.

    The workcell's drivers do not matter: nothing real moves.
    """

    def work(screen: Screen) -> ExitCode:
        from console.cli.planning import make_simulation, read_policy
        from console.cli.running import Settings, simulate

        settings = Settings(policy=read_policy(lab.on_fault), simulation=make_simulation(lab))
        return simulate(screen, _plan(file, workcell_name, plan, python, recorded=False), settings, report)

    report_failures(work, as_json=as_json)


@app.command("convert")
@expanded
def _convert(
    file: o.File,
    plan: PlanOptions,
    python: PythonOptions,
    to: o.Form = None,
    out: o.Out = None,
    workcell_name: o.WorkcellName = None,
    as_json: o.Json = False,
) -> None:
    """Write a file in another form: for an Opentrons robot, as a worklist, as a procedure to print, as a protocol."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.convert import Wanted, convert, form_of

        return convert(screen, Wanted(file, form_of(to, out), workcell_name, out), plan, python)

    report_failures(work, as_json=as_json)


@app.command("diff")
@expanded
def _diff(
    first: o.First,
    second: o.Second,
    plan: PlanOptions,
    python: PythonOptions,
    workcell_name: o.WorkcellName = None,
    everything: o.All = False,
    as_json: o.Json = False,
) -> None:
    """Say what two protocols or programs do differently: by what moves, not by line or name."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.diff import show_difference

        return show_difference(screen, (first, second), workcell_name, plan, python, everything=everything)

    report_failures(work, as_json=as_json)


@app.command("report")
def _report(
    run: o.RunId,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to; by default into the run's own folder.")
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Write the report of a run, as far as it went: report.html and report.json."""

    def work(screen: Screen) -> ExitCode:
        from robots.execution.home import Home
        from robots.execution.run_folder import open_run
        from robots.report.of_run import save_report

        folder = open_run(Home.find(), run)
        page = save_report(folder, out)
        screen.say(f"Report: {page}")
        screen.give({"run": folder.run, "report": str(page), "data": str(page.with_suffix(".json"))})
        return ExitCode.OK

    report_failures(work, as_json=as_json)


@app.command("doctor")
def _doctor(as_json: o.Json = False) -> None:
    """Look whether this computer and this installation can do the work, and rehearse a small run."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.doctor import examine

        return examine(screen)

    report_failures(work, as_json=as_json)


# -- setup ------------------------------------------------------------------------------------------


@setup.command("opentrons")
def _setup_opentrons(
    wheels: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Install from wheels in this folder, without the network.")
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Install Opentrons' own software, with which their protocols in Python are analysed."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.setup import setup_opentrons
        from robots.execution.home import Home

        return setup_opentrons(screen, Home.find(), wheels)

    report_failures(work, as_json=as_json)


# -- runs -------------------------------------------------------------------------------------------


@runs.command("list")
def _runs_list(everything: o.All = False, as_json: o.Json = False) -> None:
    """The runs of this computer, the newest first."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.listing import list_runs
        from robots.execution.home import Home

        return list_runs(screen, Home.find(), everything=everything)

    report_failures(work, as_json=as_json)


@runs.command("show")
def _runs_show(run: o.RunId, everything: o.All = False, as_json: o.Json = False) -> None:
    """What a run is, where it stands, what it waits for, and what happened."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.run_page import show_run
        from robots.execution.home import Home
        from robots.execution.run_folder import open_run

        home = Home.find()
        return show_run(screen, home, open_run(home, run), everything=everything)

    report_failures(work, as_json=as_json)


@runs.command("resume")
def _runs_resume(
    run: o.RunId,
    answer: Annotated[
        str | None, typer.Option(metavar="CHOICE", help="Answer the question that the run waits for.")
    ] = None,
    as_json: o.Json = False,
) -> None:
    """Go on with a run that was paused, stopped or cut off. What was begun is never repeated blindly."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.runs import resume_run
        from robots.execution.home import Home

        return resume_run(screen, Home.find(), run, answer)

    report_failures(work, as_json=as_json)


@runs.command("pause")
def _runs_pause(run: o.RunId, as_json: o.Json = False) -> None:
    """Let a run that is going on finish its move and wait; runs resume lets it go on."""
    _tell(run, "pause", as_json=as_json)


@runs.command("stop")
def _runs_stop(
    run: o.RunId,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is recorded.")] = "a person stopped the run",
    as_json: o.Json = False,
) -> None:
    """Stop a run that is going on at once and make its devices safe. It can be resumed."""
    _tell(run, "stop", as_json=as_json, reason=reason)


@runs.command("answer")
def _runs_answer(
    run: o.RunId,
    answer: Annotated[str, typer.Argument(metavar="CHOICE", help="One of the choices that it offers.")],
    as_json: o.Json = False,
) -> None:
    """Answer the question that a run that is going on waits for."""
    _tell(run, "answer", as_json=as_json, answer=answer)


@runs.command("abandon")
def _runs_abandon(run: o.RunId, as_json: o.Json = False) -> None:
    """Give up a run that has not ended, so that the workcell is free for others."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.runs import abandon_run
        from robots.execution.home import Home

        return abandon_run(screen, Home.find(), run)

    report_failures(work, as_json=as_json)


def _tell(run: str, command: Command, *, as_json: bool, **fields: str) -> None:
    def work(screen: Screen) -> ExitCode:
        from console.cli.runs import tell_run
        from robots.execution.home import Home

        return tell_run(screen, Home.find(), run, command, fields)

    report_failures(work, as_json=as_json)
