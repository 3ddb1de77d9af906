"""What two files do differently."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from console.cli.exits import ExitCode
from console.cli.groups import PlanOptions, PythonOptions
from console.cli.imported import DEFAULT_WORKCELL, Scripted, bring
from console.cli.screen import MOST_LINES, Screen
from console.cli.sources import read_any
from protocols.difference import Difference, Side, difference, side_of_program, side_of_protocol
from protocols.difference.words import rows, well_rows
from robots.execution.home import Home
from robots.workcell import load_workcell


def show_difference(
    screen: Screen,
    files: tuple[Path, Path],
    workcell: str | None,
    options: PlanOptions,
    python: PythonOptions,
    *,
    everything: bool = False,
) -> ExitCode:
    """Compare two files by what they do, and say each thing that differs.

    Raises:
        InputError: a file or an option cannot be used.
    """
    first, second = (read_side(file, workcell, options, python) for file in files)
    found = difference(first, second)
    screen.give({**_as_json(found), "first": str(files[0]), "second": str(files[1])})
    if found.equal:
        screen.say("No difference: both do the same.", style="green")
        return ExitCode.OK
    _show(screen, files, found, most=None if everything else MOST_LINES)
    return ExitCode.FINDINGS


def read_side(file: Path, workcell: str | None, options: PlanOptions, python: PythonOptions) -> Side:
    """What one file does.

    Raises:
        InputError: it cannot be used.
    """
    home = Home.find()
    given = read_any(file, options, python, home)
    if given.protocol is not None:
        return side_of_protocol(given.protocol)
    if given.analysis is not None or isinstance(given, Scripted):
        lab, brought = bring(given, file, None, home)
        program = brought.settle(lab.spec).set_up.program if brought is not None else given.program
    else:
        lab, program = load_workcell(workcell or DEFAULT_WORKCELL), given.program
    assert program is not None
    return side_of_program(program, lab.spec)


def _show(screen: Screen, files: tuple[Path, Path], found: Difference, most: int | None) -> None:
    names = _names(files)
    told = rows(found.changes)
    screen.say(f"{len(told):,} {'difference' if len(told) == 1 else 'differences'}:", style="bold")
    screen.table(("", "what", *names), told[:most])
    _more(screen, len(told), most)
    if found.wells:
        screen.say("In the wells at the end:", style="bold")
        wells = well_rows(found.wells)
        screen.table(("well", *names), wells[:most])
        _more(screen, len(wells), most)


def _more(screen: Screen, count: int, most: int | None) -> None:
    if most is not None and count > most:
        screen.say(f"  and {count - most:,} more; --all shows them")


def _names(files: tuple[Path, Path]) -> tuple[str, str]:
    """What the files are called in the head of a table: by their names, or by their paths where those are alike."""
    one, other = files
    return (str(one), str(other)) if one.name == other.name else (one.name, other.name)


def _as_json(found: Difference) -> dict[str, Any]:
    return {
        "equal": found.equal,
        "changes": [asdict(change) for change in found.changes],
        "wells": [asdict(well) for well in found.wells],
    }
