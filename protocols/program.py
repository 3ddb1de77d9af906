"""The Program: what a robot is to do, instruction by instruction.

One instruction, one small class; together a plain union tagged by ``kind``, so that it is also the JSON
schema a model is given. Volumes are µL, heights mm above the cavity bottom, times s. Wells are written
"labware/A1", and the lists ``channels``, ``wells`` and ``volumes`` run in step: ``wells[i]`` and
``volumes[i]`` belong to ``channels[i]``. ``docs/explanations/semantics.md`` says what each one does.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from protocols.device_instructions import DeviceInstruction
from protocols.instruction import STRICT, Amounts, Channels, Instruction, References
from protocols.liquids import Amount, Liquid, LiquidClass, Name, PositiveAmount, Record
from protocols.specs import Fill, PlacedLabware


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class PickUpTips(Instruction):
    """Put tips on channels: the tip at ``spots[i]`` on ``channels[i]``."""

    kind: Literal["pick_up_tips"] = "pick_up_tips"
    pipette: Name
    channels: Channels
    spots: References

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), spots=len(self.spots))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class DropTips(Instruction):
    """Take tips off channels: into the spots named, or into the trash where ``spots`` is ``None``."""

    kind: Literal["drop_tips"] = "drop_tips"
    pipette: Name
    channels: Channels
    spots: References | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), spots=len(self.channels if self.spots is None else self.spots))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Aspirate(Instruction):
    """Draw ``volumes[i]`` from ``wells[i]`` into the tip on ``channels[i]``.

    Attributes:
        liquid_class: a key of the program's ``liquid_classes``.
        height: of the tip's end, mm above the cavity bottom; ``None`` is "unknown". A liquid class with
            level detection follows the surface instead.
        takes_rest: the well may hold less, as where a supernatant is taken off: air after the liquid is expected.
    """

    kind: Literal["aspirate"] = "aspirate"
    pipette: Name
    channels: Channels
    wells: References
    volumes: Amounts
    liquid_class: Name
    height: Amount | None = None
    takes_rest: bool = False

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Dispense(Instruction):
    """Push ``volumes[i]`` out of the tip on ``channels[i]`` into ``wells[i]``; fields as for :class:`Aspirate`.

    Attributes:
        gives_rest: the tip may hold less, as where more than was drawn is pushed out to empty it.
    """

    kind: Literal["dispense"] = "dispense"
    pipette: Name
    channels: Channels
    wells: References
    volumes: Amounts
    liquid_class: Name
    height: Amount | None = None
    gives_rest: bool = False

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Mix(Instruction):
    """Draw and return ``volumes[i]`` in ``wells[i]``, ``cycles`` times; fields as for :class:`Aspirate`."""

    kind: Literal["mix"] = "mix"
    pipette: Name
    channels: Channels
    wells: References
    volumes: Amounts
    cycles: Annotated[int, Field(ge=1, le=100)]
    liquid_class: Name
    height: Amount | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class AirGap(Instruction):
    """Draw ``volumes[i]`` of air into the tip on ``channels[i]``; a later dispense pushes it out like liquid."""

    kind: Literal["air_gap"] = "air_gap"
    pipette: Name
    channels: Channels
    volumes: Amounts

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class BlowOut(Instruction):
    """Push all liquid and air that a tip still holds out over ``wells[i]``.

    Attributes:
        flow_rate: µL/s.
        height: as for :class:`Aspirate`.
    """

    kind: Literal["blow_out"] = "blow_out"
    pipette: Name
    channels: Channels
    wells: References
    flow_rate: PositiveAmount = 100.0
    height: Amount | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class TouchTip(Instruction):
    """Touch the walls of ``wells[i]`` with the tips' ends, to shed drops that hang outside; no liquid is counted.

    Attributes:
        height: as for :class:`Aspirate`.
    """

    repeatable: ClassVar[bool] = True
    kind: Literal["touch_tip"] = "touch_tip"
    pipette: Name
    channels: Channels
    wells: References
    height: Amount | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells))


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class MoveLabware(Instruction):
    """Carry a piece of labware to a free site, or off the deck.

    Attributes:
        site: a site of the workcell, or :data:`protocols.specs.OFF_DECK`.
        by: who carries it; a person also reaches sites that the arm does not.
    """

    kind: Literal["move_labware"] = "move_labware"
    labware: Name
    site: Name
    by: Literal["arm", "person"] = "arm"


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class ReplaceTipRack(Instruction):
    """A person takes the rack away and puts a full one of the same kind in its place."""

    kind: Literal["replace_tip_rack"] = "replace_tip_rack"
    rack: Name


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Wait(Instruction):
    """Let ``seconds`` pass."""

    repeatable: ClassVar[bool] = True
    kind: Literal["wait"] = "wait"
    seconds: Amount


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class AskPerson(Instruction):
    """Show ``message`` to a person and go on when they confirm."""

    repeatable: ClassVar[bool] = True
    kind: Literal["ask_person"] = "ask_person"
    message: Annotated[str, Field(min_length=1, max_length=4000)]


def _in_step(instruction: Instruction, **lengths: int) -> None:
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{count} {name}" for name, count in lengths.items())
        raise ValueError(f"instruction '{instruction.id}': {said}; each channel needs exactly one of each")
    if "channels" in lengths:
        channels: Channels = getattr(instruction, "channels")  # noqa: B009
        if not channels or len(set(channels)) != len(channels):
            raise ValueError(f"instruction '{instruction.id}': channels must be named, each once")


PipettingInstruction = PickUpTips | DropTips | Aspirate | Dispense | Mix | AirGap | BlowOut | TouchTip
"""An instruction that a pipette carries out."""

AnyInstruction = PipettingInstruction | MoveLabware | ReplaceTipRack | Wait | AskPerson | DeviceInstruction
"""One instruction of any kind."""


class StepNote(Record):
    """A bench step in words, where it came from, and the samples (worklist rows) it serves."""

    text: str
    source: str = ""


class Route(Record):
    """One row of a worklist followed through: which sample went from where to where, how much (µL)."""

    row: str
    sample: str | None = None
    source: Name
    destination: Name
    volume: Amount
    step: Name | None = None


class Program(Record):
    """What a robot is to do, with all it refers to.

    Attributes:
        labware: what a person must place for this program, by instance id; the workcell's own labware
            need not be repeated.
        contents: what is in the wells at the start, beside the workcell's own contents.
        steps: the bench steps that the instructions refer to.
        routes: the rows of the worklist it came from.
        carry_over: whether liquid that a used tip carries into another well is an error, or only worth a warning, as
            in a protocol that somebody else wrote and ran.
        overflow: the same of a well that gets more than its labware's stated volume, which is often less than what
            runs over.
    """

    schema_version: Literal[1] = 1
    title: Annotated[str, Field(min_length=1, max_length=500)]
    liquids: dict[str, Liquid] = {}
    liquid_classes: dict[str, LiquidClass] = {}
    labware: dict[str, PlacedLabware] = {}
    contents: tuple[Fill, ...] = ()
    steps: dict[str, StepNote] = {}
    routes: tuple[Route, ...] = ()
    carry_over: Literal["error", "warning"] = "error"
    overflow: Literal["error", "warning"] = "error"
    instructions: tuple[Annotated[AnyInstruction, Field(discriminator="kind")], ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for instruction in self.instructions:
            if instruction.id in seen:
                raise ValueError(f"two instructions have the id '{instruction.id}'")
            seen.add(instruction.id)
        return self


instruction_adapter: TypeAdapter[AnyInstruction] = TypeAdapter(Annotated[AnyInstruction, Field(discriminator="kind")])
"""Reads and writes one instruction as JSON."""
