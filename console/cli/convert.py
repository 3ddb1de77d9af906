"""One file as another form: an Opentrons protocol, a worklist, a procedure for the bench, a protocol, a program."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from console.cli.exits import ExitCode
from console.cli.groups import PlanOptions, PythonOptions
from console.cli.imported import Scripted, bring
from console.cli.planning import Planned, make_plan
from console.cli.screen import MOST_LINES, Screen
from console.cli.sources import read_any
from console.cli.streams import unread
from protocols.errors import InputError
from protocols.exporting import (
    Exported,
    Procedure,
    export_opentrons,
    export_worklist,
    html,
    markdown,
    procedure_of_program,
    procedure_of_protocol,
)
from protocols.formats.protocol_file import Input, dump_program, dump_protocol, dump_protocol_json, write_whole
from protocols.labstate import LabState
from protocols.protocol import Protocol
from robots.execution.home import Home
from robots.workcell.definitions import opentrons_definitions

Form = Literal["opentrons", "worklist", "markdown", "html", "yaml", "json", "program"]
"""What a file can become."""
SUFFIXES: dict[str, Form] = {
    ".py": "opentrons",
    ".csv": "worklist",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
}
"""The form that the name of the output says."""
OPENTRONS_WORKCELL = "ot2"
"""What an Opentrons protocol is written for where nobody names a workcell and the file brings none."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        workcell: as the person named it, or ``None``.
        out: the file to write; ``None`` prints it.
    """

    file: Path
    form: Form
    workcell: str | None
    out: Path | None


def form_of(said: str | None, out: Path | None) -> Form:
    """The form that is wanted: the one that is said, else the one that the output's name says.

    Raises:
        InputError: neither says one that there is.
    """
    known = ", ".join(get_args(Form))
    if said is not None:
        if said not in get_args(Form):
            raise InputError(f"--to: there is no form '{said}'", mend=f"Possible: {known}")
        return cast(Form, said)
    if out is None:
        raise InputError("neither --to nor --out says what it is to become", mend=f"Give --to with one of: {known}")
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"--out: '{out.name}' does not say what it is to become",
            mend=f"Give --to with one of: {known}; or a name that ends in one of: {', '.join(SUFFIXES)}",
        )
    return SUFFIXES[out.suffix.lower()]


def convert(screen: Screen, wanted: Wanted, options: PlanOptions, python: PythonOptions) -> ExitCode:
    """Write the file in the form that is wanted, whole or not at all, and list what it does not say.

    Raises:
        InputError: the file or an option cannot be used, or it cannot be said in that form.
        CompileError: the workcell cannot do it.
    """
    home = Home.find()
    given = read_any(wanted.file, options, python, home)
    planned = None if _needs_no_plan(given, wanted) else _plan(given, wanted, options, home)
    exported = _exported(given, planned, wanted)
    assumed = planned.notes if planned else given.worklist.assumptions if given.worklist else ()
    notes = tuple(dict.fromkeys((*exported.notes, *assumed)))
    findings = planned.verification.findings if planned else ()
    errors = [str(finding) for finding in findings if finding.severity == "error"]
    if wanted.out is not None:
        write_whole(wanted.out, exported.text.encode())
    else:
        _print(screen, exported.text)
    _tell(screen, wanted, notes, errors)
    shown: dict[str, Any] = {"text": exported.text} if wanted.out is None else {"out": str(wanted.out)}
    screen.give({"form": wanted.form, "notes": list(notes), "errors": errors, **shown})
    return ExitCode.FINDINGS if errors else ExitCode.OK


def _needs_no_plan(given: Input, wanted: Wanted) -> bool:
    """Whether the bench protocol alone says it all."""
    bench = wanted.form in ("yaml", "json") or (wanted.form in ("markdown", "html") and wanted.workcell is None)
    return given.protocol is not None and bench


def _plan(given: Input, wanted: Wanted, options: PlanOptions, home: Home) -> Planned:
    workcell = wanted.workcell
    brings_none = given.analysis is None and not isinstance(given, Scripted)
    if workcell is None and wanted.form == "opentrons" and brings_none:
        workcell = OPENTRONS_WORKCELL
    lab, brought = bring(given, wanted.file, workcell, home)
    return make_plan(wanted.file, given, lab, LabState.start(lab.spec), options, brought)


def _exported(given: Input, planned: Planned | None, wanted: Wanted) -> Exported:
    if planned is None:
        assert given.protocol is not None
        return _of_protocol(given.protocol, given, wanted.form)
    spec = planned.workcell.spec
    match wanted.form:
        case "opentrons":
            return export_opentrons(planned.program, spec, opentrons_definitions(planned.workcell))
        case "worklist":
            return export_worklist(planned.program, spec)
        case "program":
            return Exported(dump_program(planned.program))
        case "markdown" | "html":
            procedure = procedure_of_program(
                planned.program, spec, purpose=planned.description, setup=planned.setup, notes=planned.notes
            )
            return _page(procedure, wanted.form)
        case "yaml" | "json":
            return _lifted(planned, wanted.form)


def _lifted(planned: Planned, form: Form) -> Exported:
    """A program in bench steps, as far as its meaning is plain."""
    from protocols.lifting import lift

    inferred = planned.settled.set_up.inferred if planned.settled is not None else ()
    found = lift(planned.program, planned.workcell.spec, inferred=inferred)
    kept = tuple(f"Stays as a robot's instructions: {reason}" for reason in found.reasons)
    text = dump_protocol(found.protocol) if form == "yaml" else dump_protocol_json(found.protocol)
    return Exported(text, (*kept, *found.notes))


def _of_protocol(protocol: Protocol, given: Input, form: Form) -> Exported:
    if form == "yaml":
        return Exported(dump_protocol(protocol))
    if form == "json":
        return Exported(dump_protocol_json(protocol))
    notes = given.worklist.assumptions if given.worklist else ()
    return _page(procedure_of_protocol(protocol, notes=notes), form)


def _page(procedure: Procedure, form: Form) -> Exported:
    return html(procedure) if form == "html" else markdown(procedure)


def _print(screen: Screen, text: str) -> None:
    if screen.as_json:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        unread(sys.stdout)


def _tell(screen: Screen, wanted: Wanted, notes: Sequence[str], errors: Sequence[str]) -> None:
    """Say what was written and what it does not say; on stderr where the text itself goes to stdout."""
    lines = [f"Written: {wanted.out} ({wanted.form})"] if wanted.out is not None else []
    lines += _listed("To know, and what it does not say:", notes)
    lines += _listed("Verification finds errors, so it cannot run like this:", errors)
    for line in lines:
        if wanted.out is not None:
            screen.say(line, whole=line.startswith("Written"))
        elif not screen.as_json:
            print(line, file=sys.stderr)


def _listed(title: str, texts: Sequence[str]) -> list[str]:
    more = [f"  and {len(texts) - MOST_LINES} more; --json lists them"] if len(texts) > MOST_LINES else []
    return [title, *(f"  {text}" for text in texts[:MOST_LINES]), *more] if texts else []
