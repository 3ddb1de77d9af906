"""The commands of a workcell and their options; see :mod:`console.cli.app`."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli import options as o
from console.cli.exits import ExitCode
from console.cli.reported import report_failures
from console.cli.screen import Screen

workcell = typer.Typer(help="The lab: is its file right, what is in it, what stands on its deck.", no_args_is_help=True)


@workcell.command("check")
def _workcell_check(name: o.WorkcellArgument, as_json: o.Json = False) -> None:
    """Read a workcell file and say what is wrong with it, line by line, or what a person should know of it."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.workcells import check_workcell

        return check_workcell(screen, name)

    report_failures(work, as_json=as_json)


@workcell.command("show")
def _workcell_show(name: o.WorkcellArgument = "starlet", as_json: o.Json = False) -> None:
    """What a workcell has: devices, pipettes, sites and what stands there, kinds of labware, liquids."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.workcells import show_workcell

        return show_workcell(screen, name)

    report_failures(work, as_json=as_json)


@workcell.command("state")
def _workcell_state(name: o.WorkcellArgument = "starlet", as_json: o.Json = False) -> None:
    """How the deck departs from the workcell file after earlier runs, and who uses it now."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.workcells import show_state
        from robots.execution.home import Home

        return show_state(screen, Home.find(), name)

    report_failures(work, as_json=as_json)


@workcell.command("import")
def _workcell_import(
    deck: o.DeckFile,
    out: o.WorkcellFolder,
    as_json: o.Json = False,
) -> None:
    """Write a deck that pylabrobot saved as a workcell file with its labware; what is not in it is listed."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.workcells import import_workcell

        return import_workcell(screen, deck, out)

    report_failures(work, as_json=as_json)


@workcell.command("reset")
def _workcell_reset(
    name: o.WorkcellArgument,
    sure: Annotated[bool, typer.Option("--yes", help="The deck is as the workcell file says; do not ask.")] = False,
    as_json: o.Json = False,
) -> None:
    """Forget what earlier runs left on the deck, once a person has made it as the workcell file says."""

    def work(screen: Screen) -> ExitCode:
        from console.cli.workcells import reset_state
        from robots.execution.home import Home

        return reset_state(screen, Home.find(), name, sure=sure)

    report_failures(work, as_json=as_json)
