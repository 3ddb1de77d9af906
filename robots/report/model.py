"""The report of a run as plain data: what ``report.json`` holds and what the page is drawn from.

Volumes are µL, concentrations ng/µL, times s on the lab's clock since the run's start; wall times are UTC,
ISO 8601.
"""

from __future__ import annotations

from typing import Literal

from protocols.liquids import Amount, Name, Record
from protocols.verify import Finding

REPORT_VERSION: Literal[1] = 1

Status = Literal["planned", "running", "paused", "stopped", "failed", "completed"]
"""How far a run is."""


class UnreachableRow(Record):
    """A worklist row that cannot reach its target, why, and what was done about it."""

    row: str
    sample: str
    reason: str
    action: str


class Plan(Record):
    """What was known before the run began, kept beside it in the run folder as ``plan.json``.

    Attributes:
        source: the file the run was made from.
        options: what was chosen on the command line, in words, by name.
        tallies: how many of what the program needs, by what it is.
        setup: what a person had to put where.
        notes: the choices the compiler made, in words.
    """

    schema_version: Literal[1] = REPORT_VERSION
    source: str = ""
    description: str = ""
    options: dict[str, str] = {}
    tallies: dict[str, float] = {}
    setup: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unreachable: tuple[UnreachableRow, ...] = ()
    findings: tuple[Finding, ...] = ()


class RunFacts(Record):
    """Which run it is, how it ended, and who allowed it.

    Attributes:
        question: what the run waits for a person to say, if it does.
    """

    run: Name
    title: str
    status: Status
    workcell: str
    simulated: bool
    approved_by: str = ""
    program_digest: str
    workcell_digest: str
    started: str = ""
    ended: str = ""
    seconds: Amount = 0.0
    question: str = ""


class StepLine(Record):
    """A bench step in words and when it was done; ``None`` where it has not begun or not ended."""

    id: str
    text: str
    source: str = ""
    instructions: int
    done: int
    start: float | None = None
    end: float | None = None


class WellLine(Record):
    """What a well holds at the end: µL, µL of each liquid, ng/µL of each solute."""

    well: Name
    volume: Amount
    liquids: dict[str, float] = {}
    concentrations: dict[str, float] = {}


class LabwareLine(Record):
    """A piece of labware on the deck and what its wells hold at the end.

    Attributes:
        site: where it stands at the end; ``started_at``: where it stood before.
        wells: the wells that hold or held liquid.
        new_spots, used_spots: where a new and where a used tip stands, for a tip rack.
    """

    name: Name
    kind: Name
    category: str
    site: str | None
    started_at: str | None
    barcode: str | None = None
    wells: tuple[WellLine, ...] = ()
    new_spots: tuple[str, ...] = ()
    used_spots: tuple[str, ...] = ()


class SamplePart(Record):
    """One transfer on a sample's way into its final well, as asked of the robot, µL."""

    source: Name
    destination: Name
    volume: Amount


class SampleLine(Record):
    """One worklist row, from the row to its final well: what that holds at the end, µL and ng/µL.

    Attributes:
        sources: every well that the worklist says it is made from, the sample's own first.
        liquids: µL of each liquid in the final well.
        done: nothing on its way was given up or is still to come.
    """

    row: str
    sample: str
    destination: Name
    sources: tuple[SamplePart, ...]
    volume: Amount
    liquids: dict[str, float] = {}
    concentrations: dict[str, float] = {}
    done: bool


class ReagentLine(Record):
    """A liquid that stood ready, µL: at the start, and left at the end in the wells it came in."""

    liquid: str
    sample: str | None
    lot: str | None
    wells: int
    first_well: str
    start: Amount
    left: Amount


class TipLine(Record):
    """Tips of one kind: how many were used and put back into a rack, and racks exchanged by a person."""

    kind: str
    capacity: Amount
    used: int
    put_back: int
    racks_exchanged: int


class Deviation(Record):
    """Something that did not go as planned, or that a person decided, in words.

    Attributes:
        time: s on the lab's clock.
    """

    time: float
    kind: str
    instruction: str = ""
    step: str = ""
    message: str


class InstructionLine(Record):
    """One instruction as it went: what, when (s), how it ended, and the remark where there is one."""

    id: str
    step: str
    kind: str
    by_hand: bool = False
    text: str
    start: float | None = None
    end: float | None = None
    status: str = "not begun"
    remark: str = ""


class Report(Record):
    """Everything that ``report.json`` says of a run."""

    schema_version: Literal[1] = REPORT_VERSION
    labwright: str
    facts: RunFacts
    plan: Plan
    steps: tuple[StepLine, ...]
    labware: tuple[LabwareLine, ...]
    samples: tuple[SampleLine, ...]
    reagents: tuple[ReagentLine, ...]
    tips: tuple[TipLine, ...]
    waste: dict[str, float]
    spilled: dict[str, float]
    deviations: tuple[Deviation, ...]
    instructions: tuple[InstructionLine, ...]
