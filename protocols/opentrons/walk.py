"""What is known while an analysis is gone through, command by command, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from protocols.instruction import Instruction
from protocols.opentrons.deck import TRASH_WELL, Deck
from protocols.opentrons.definition import Definition, WellPart
from protocols.opentrons.nozzles import Nozzles
from protocols.opentrons.parameters import WellLocation
from protocols.program import StepNote

RIM = 1e-6
"""mm below a well's rim from which a tip that draws is taken to draw air: liquid stands no higher."""
LONGEST_MESSAGE = 4000
BESIDE = "beside "
"""Begins the name of a place where there is no well."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Commands of one kind that are not carried over, or not in all.

    Attributes:
        kind: Opentrons' name of the command, with the part that is lost where it is not all of it.
        count: how many there are.
        reason: why, and what that means.
        first: the number of the first one in the analysis, from 0.
    """

    kind: str
    count: int
    reason: str
    first: int

    def __str__(self) -> str:
        return f"{self.kind} ({self.count:,}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A value with which no instruction can be made.

    Attributes:
        code: the finding's.
        instruction: the id that the instruction would have had.
    """

    code: str
    instruction: str
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class Where:
    """Where a pipette stands.

    Attributes:
        labware: Opentrons' id of it; ``None`` over the trash.
        height: mm above the well's bottom; ``None`` if unknown.
    """

    labware: str | None
    well: str
    height: float | None


@dataclass(slots=True)
class Draft:
    """An instruction to be; a stroke gets its liquid class when all strokes are known.

    Attributes:
        rate: of a stroke, µL/s.
        jet: the tip's end is above the well.
    """

    make: type[Instruction]
    fields: dict[str, Any]
    rate: float | None = None
    jet: bool = False


@dataclass(slots=True)
class Walk:
    """One walk over an analysis.

    Attributes:
        knows_heights: whether strokes say at which height they happen. Software of before that was known also let more
            be dispensed than a tip held.
        index: of the command at hand.
        pipettes: by Opentrons' id.
        models: pipettes' names as Opentrons gives them, by mount.
        standing: where each pipette is.
        declared: µL that the file says are in wells at the start, with the liquid, by well.
        held_for: s that a device is to hold the temperature that it was last set to.
        tasks: what runs beside, by task id: what waiting for it means.
        stored: the definition of what each stacker holds, by module.
        used_spots: tip spots that are empty, with ``asked`` when they became so.
        asked: how many times a person was asked, so far; what was said last stands in ``last_asked``.
        begun: racks from which tips were taken since then.
    """

    deck: Deck
    knows_heights: bool
    index: int = 0
    pipettes: dict[str, Nozzles] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    standing: dict[str, Where | None] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    steps: dict[str, StepNote] = field(default_factory=dict)
    step: str | None = None
    declared: dict[str, tuple[str, float]] = field(default_factory=dict)
    held_for: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, Callable[[], None]] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=dict)
    used_spots: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    last_asked: str = ""
    begun: set[str] = field(default_factory=set)
    gripper: bool = False
    notes: dict[str, None] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    _lost: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    _numbered: tuple[int, int] = (-1, 0)

    # -- what comes of it -----------------------------------------------------------------------------

    def emit(self, make: type[Instruction], *, rate: float | None = None, jet: bool = False, **said: Any) -> None:
        """Add an instruction, a stroke with its flow rate; a value that it does not take is noted as refused."""
        said = {"id": self._next_id(), "step": self.step, **said}
        if rate is None:
            try:
                make(**said)
            except ValidationError as error:
                self._refuse(said, error)
                return
        self.drafts.append(Draft(make, said, rate, jet))

    def _next_id(self) -> str:
        number = self._numbered[1] + 1 if self._numbered[0] == self.index else 0
        self._numbered = (self.index, number)
        return f"c{self.index}" if number == 0 else f"c{self.index}.{number}"

    def _refuse(self, said: Mapping[str, Any], error: ValidationError) -> None:
        detail = error.errors(include_url=False)[0]
        name = ".".join(str(step) for step in detail["loc"])
        message = f"{name} {detail['input']}: {detail['msg'].lower()}"
        self.refused.append(Refused("D14", said["id"], said.get("device", ""), message))

    def lose(self, kind: str, reason: str) -> None:
        """Note that the command at hand is not carried over, or a part of it."""
        self._lost.setdefault((kind, reason), [0, self.index])[0] += 1

    @property
    def lost(self) -> tuple[Lost, ...]:
        """What is not carried over, in the order in which it was met."""
        return tuple(Lost(kind, count, reason, first) for (kind, reason), (count, first) in self._lost.items())

    def ask(self, message: str) -> None:
        """A person is asked; what they change on the deck is not said."""
        self.asked += 1
        self.last_asked = message
        self.begun.clear()

    def note(self, text: str) -> None:
        """Note something that a person should know, once."""
        self.notes.setdefault(text)

    def begin_step(self, text: str) -> None:
        """A comment begins a bench step."""
        self.step = self.add_step(text)

    def add_step(self, text: str) -> str:
        """A bench step, and its id."""
        name = f"step-{len(self.steps) + 1}"
        self.steps[name] = StepNote(text=text[:LONGEST_MESSAGE] or "-", source=f"command {self.index}")
        return name

    # -- questions ------------------------------------------------------------------------------------

    def nozzles(self, pipette: str) -> Nozzles:
        """A pipette's nozzles; one that was not loaded has one, and verification finds no such pipette."""
        return self.pipettes.get(pipette) or Nozzles(pipette[:100], 1)

    def labware(self, labware_id: str) -> str:
        """Labware's instance id; for labware that was not loaded, what Opentrons calls it."""
        piece = self.deck.pieces.get(labware_id) or self.deck.adapters.get(labware_id)
        return piece.name if piece else labware_id.replace("/", "_")[:80]

    def definition(self, labware_id: str) -> Definition | None:
        """Labware's definition, if it is known."""
        piece = self.deck.pieces.get(labware_id)
        return piece.definition if piece else None

    def is_trash(self, labware_id: str | None) -> bool:
        """Whether it is the trash."""
        return labware_id is None or labware_id in self.deck.trash_ids

    def well_part(self, labware_id: str, well: str) -> WellPart | None:
        """A well's geometry, if it is known."""
        definition = self.definition(labware_id)
        return definition.wells.get(well) if definition else None

    def references(self, labware_id: str | None, well: str, head: Nozzles, channels: tuple[int, ...]) -> list[str]:
        """The well or spot under each channel; where there is none, a name that verification does not find."""
        if labware_id is None or self.is_trash(labware_id):
            return [TRASH_WELL] * len(channels)
        name, definition = self.labware(labware_id), self.definition(labware_id)
        if definition is None:
            return [f"{name}/{well}"] * len(channels)
        wells = head.wells(definition, well, channels)
        return [
            f"{name}/{found}" if found else f"{name}/{BESIDE}{well}, channel {channel}"
            for channel, found in zip(channels, wells, strict=True)
        ]

    def height(self, labware_id: str, well: str, location: WellLocation) -> float | None:
        """mm above the well's bottom; ``None`` if the analysis does not say it."""
        part = self.well_part(labware_id, well)
        if not self.knows_heights or part is None or self.is_trash(labware_id):
            return None
        z = location.offset.z
        match location.origin:
            case "bottom":
                height = z
            case "center":
                height = part.depth / 2 + z
            case "meniscus":
                return None
            case _:
                height = part.depth + z
        if height < -RIM:
            self.note(f"strokes below the bottom of '{self.labware(labware_id)}' are taken to be at its bottom")
        return round(max(0.0, height), 6)

    def is_air(self, labware_id: str | None, well: str, height: float | None) -> bool:
        """Whether a tip that draws there draws air: its end is at the rim or above it."""
        if labware_id is None:
            return True
        part = self.well_part(labware_id, well)
        return part is not None and height is not None and height >= part.depth - RIM
