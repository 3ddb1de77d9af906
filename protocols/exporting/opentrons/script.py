"""The Python protocol while it is written: its lines, and what the robot will have done by then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.exporting.exported import Remarks
from protocols.exporting.opentrons.names import Names
from protocols.instruction import Instruction
from protocols.program import Program
from protocols.specs import LabwareSpec, PipetteSpec, PlacedLabware, WorkcellSpec
from protocols.wells import split_well

ApiLevel = tuple[int, int]
"""A version of Opentrons' Python API."""
TRASH_IS_NO_LABWARE: ApiLevel = (2, 16)
"""From this level on the trash of an OT-2 is a bin and not labware with a well."""
REFUSES_SHORT: ApiLevel = (2, 17)
"""From this level on dispensing more than a tip holds is an error, and a stroke of 0 µL is none and not "all"."""


@dataclass(slots=True)
class Held:
    """A pipette as it stands at one point of the protocol.

    Attributes:
        variable: what the Python calls it.
        layout: what its nozzles are configured to, as the API is told.
        channels: those that carry tips, in the order of pick-up.
        rates: µL/s that it was told, by "aspirate", "dispense" and "blow_out".
        column: µL that each tip holds, liquid and air gaps.
    """

    spec: PipetteSpec
    variable: str
    layout: tuple[str, ...] = ("ALL",)
    primary: int = 0
    channels: tuple[int, ...] = ()
    rates: dict[str, float] = field(default_factory=dict)
    column: float = 0.0


@dataclass(slots=True)
class Script:
    """One protocol being written.

    Attributes:
        level: the API level it is written for.
        labware: every piece on the deck, by instance id.
        variables: what the Python calls each labware, by instance id.
        devices: the same for modules.
        places: the Python expression of each site that is not a plain slot.
        pipettes: by name.
        over: the well over which the last stroke was, as long as the API remembers it.
        set_points: °C that devices were set to, by device and part; ``None`` for off.
        tasks: variables of what a device was told to reach and nobody waited for yet, likewise.
    """

    program: Program
    spec: WorkcellSpec
    level: ApiLevel
    remarks: Remarks
    labware: Mapping[str, PlacedLabware]
    names: Names = field(default_factory=Names)
    imports: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    pipettes: dict[str, Held] = field(default_factory=dict)
    over: str | None = None
    set_points: dict[tuple[str, str], float | None] = field(default_factory=dict)
    tasks: dict[tuple[str, str], str] = field(default_factory=dict)

    def write(self, line: str) -> None:
        """One line of the protocol's body."""
        self.lines.append(line)

    def refuse(self, instruction: Instruction, fields: str, what: str, mend: str = "") -> None:
        """An instruction that cannot be said."""
        self.remarks.refuse(f"instruction {instruction.id}, {fields}", what, mend)

    def kind(self, labware: str) -> LabwareSpec | None:
        """The kind of a piece of labware; ``None`` for one that is not on the deck."""
        placed = self.labware.get(labware)
        return None if placed is None else self.spec.kinds.get(placed.kind)

    def is_trash(self, reference: str) -> bool:
        """Whether a well is that of the trash."""
        return split_well(reference)[0] == self.spec.trash

    def well(self, instruction: Instruction, reference: str) -> str:
        """The Python expression of a well or spot."""
        labware, well = split_well(reference)
        if labware == self.spec.trash:
            return "trash" if self.level >= TRASH_IS_NO_LABWARE else 'trash["A1"]'
        kind = self.kind(labware)
        if kind is None or well not in kind.wells:
            self.refuse(instruction, "wells", f"there is no '{reference}' on this workcell")
            return "None"
        return f'{self.variables[labware]}["{well}"]'

    def depth(self, reference: str) -> float | None:
        """mm from the cavity bottom of a well to its rim; ``None`` if unknown."""
        labware, well = split_well(reference)
        kind = self.kind(labware)
        if kind is None or well not in kind.wells or kind.wells[well].shape not in kind.shapes:
            return None
        return kind.shape(well).depth
