"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_WORKLIST = "Worklists"
_SIMULATION = "Simulation"
_OUTPUT = "Output"
_PYTHON = "Protocols in Python"

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A worklist (CSV), a protocol (YAML, JSON or Python), an Opentrons analysis or a compiled program (JSON).",
    ),
]
First = Annotated[Path, typer.Argument(metavar="FIRST", help="A file that verify reads.")]
Second = Annotated[Path, typer.Argument(metavar="SECOND", help="Another one.")]
WorkcellName = Annotated[
    str | None,
    typer.Option(
        "--workcell",
        "-w",
        metavar="NAME|FILE",
        envvar="LABWRIGHT_WORKCELL",
        help="A workcell file, or one that comes with Labwright: starlet (unless another is named), ot2. An Opentrons "
        "protocol brings its own.",
    ),
]
WorkcellArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE",
        envvar="LABWRIGHT_WORKCELL",
        help="A workcell file, or one that comes with Labwright: starlet, ot2, flex.",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON object, for machines.", rich_help_panel=_OUTPUT),
]
Form = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORM",
        help="opentrons, worklist, markdown, html, yaml, json or program; without it, what the name of --out says.",
    ),
]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write it there, whole or not at all; without it, it is printed.")
]
RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, any part of it that only one run has, or 'last'.")
]

All = Annotated[bool, typer.Option("--all", help="Show everything, however long.", rich_help_panel=_OUTPUT)]
Approve = Annotated[str | None, typer.Option(metavar="NAME", help="Approve the run by this name, without being asked.")]

Favour = Annotated[str, typer.Option(metavar="tips|moves", help="What to save first where both cannot be saved.")]
Margin = Annotated[
    float,
    typer.Option(
        metavar="PERCENT",
        min=0,
        max=50,
        help="Pipetting error, all to one side, that the plan must bear.",
    ),
]
AllowCarryOver = Annotated[
    bool, typer.Option("--allow-carry-over", help="Liquid carried into another well is a warning, not an error.")
]
OnFault = Annotated[
    list[str],
    typer.Option(
        "--on-fault",
        metavar="FAULT=CHOICE",
        help="What to do about a fault without asking, e.g. 'missing tip=next tip'. Choices: retry, next tip, skip, "
        "ask (default), make safe. May be given several times.",
    ),
]

Shortfall = Annotated[
    str,
    typer.Option(
        metavar="POLICY",
        help="Samples that cannot reach their target: stop, neat, 'smaller volume' or skip.",
        rich_help_panel=_WORKLIST,
    ),
]
TooDilute = Annotated[
    str | None,
    typer.Option(metavar="POLICY", help="The same for samples that are too dilute.", rich_help_panel=_WORKLIST),
]
SourceVolume = Annotated[
    str | None,
    typer.Option(metavar="VOLUME", help="What each source well of a cherry-pick holds.", rich_help_panel=_WORKLIST),
]
DeadVolume = Annotated[
    str | None,
    typer.Option(
        metavar="VOLUME",
        help="What no tip reaches in a source well. A normalisation's available volumes are then all that is in the "
        "wells; without it, what can be drawn.",
        rich_help_panel=_WORKLIST,
    ),
]
LeastDiluent = Annotated[
    str | None,
    typer.Option(
        metavar="VOLUME",
        help="Less diluent than this is left out, and said, instead of asking for a dilution.",
        rich_help_panel=_WORKLIST,
    ),
]
DiluentWell = Annotated[
    str,
    typer.Option(metavar="WELL", help="Where the diluent of a normalisation stands.", rich_help_panel=_WORKLIST),
]
Diluent = Annotated[str, typer.Option(metavar="LIQUID", help="What the diluent is.", rich_help_panel=_WORKLIST)]
Plates = Annotated[
    list[str],
    typer.Option(
        "--plate",
        metavar="NAME=KIND",
        help="The kind of a plate that the worklist names, with its site if it matters: NAME=KIND@SITE.",
        rich_help_panel=_WORKLIST,
    ),
]
DecimalComma = Annotated[
    bool, typer.Option("--decimal-comma", help="Numbers are written with a decimal comma.", rich_help_panel=_WORKLIST)
]
Pool = Annotated[
    bool, typer.Option("--pool", help="Several rows may fill one destination well.", rich_help_panel=_WORKLIST)
]

Seed = Annotated[
    int, typer.Option(min=0, max=2**32 - 1, help="Of the simulated lab's chance.", rich_help_panel=_SIMULATION)
]
NoiseLevel = Annotated[
    float,
    typer.Option(
        "--noise",
        metavar="FACTOR",
        min=0,
        max=10,
        help="Pipetting error of the simulated lab, as a multiple of what ISO 8655-2 permits; 0 is exact.",
        rich_help_panel=_SIMULATION,
    ),
]
Faults = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A fault plan (YAML or JSON): what is to go wrong.", rich_help_panel=_SIMULATION),
]
Pace = Annotated[
    float,
    typer.Option(
        metavar="FACTOR",
        min=0,
        max=1000,
        help="Real seconds for each second of the lab's clock; 0 lets no time pass.",
        rich_help_panel=_SIMULATION,
    ),
]

Beside = Annotated[
    list[Path],
    typer.Option(
        "--with",
        metavar="FILE|FOLDER",
        help="What a protocol in Python needs beside itself: labware definitions, tables. May be given several times.",
        rich_help_panel=_PYTHON,
    ),
]
Parameters = Annotated[
    list[str],
    typer.Option(
        "--parameter",
        metavar="NAME=VALUE",
        help="A runtime parameter of an Opentrons protocol in Python. May be given several times.",
        rich_help_panel=_PYTHON,
    ),
]
TimeLimit = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=1, max=86400, help="How long its Python may take.", rich_help_panel=_PYTHON),
]
TrustSource = Annotated[
    bool,
    typer.Option(
        "--trust-source",
        help="Run its Python even where it cannot be confined: it may then read and write all that you may.",
        rich_help_panel=_PYTHON,
    ),
]

DeckFile = Annotated[
    Path, typer.Argument(metavar="DECK", help="A deck or a liquid handler that pylabrobot saved, JSON.")
]
"""What a workcell is made of."""

WorkcellFolder = Annotated[
    Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the workcell is written; there must be none yet.")
]
"""A workcell's new folder."""
