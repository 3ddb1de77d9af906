"""The Program: what a robot is to do, instruction by instruction.

One instruction, one small class; together a plain union tagged by ``kind``, so that it is also the JSON
schema a model is given. Volumes are µL, heights mm above the cavity bottom, times s. Wells are written
"labware/A1", and the lists ``channels``, ``wells`` and ``volumes`` run in step: ``wells[i]`` and
``volumes[i]`` belong to ``channels[i]``. ``docs/explanations/semantics.md`` says what each one does.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from protocols.liquids import Amount, Liquid, LiquidClass, Name, Record
from protocols.specs import Fill, PlacedLabware

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

Channels = tuple[Annotated[int, Field(ge=0, lt=384)], ...]
"""Channel numbers of one pipette, from 0."""
References = tuple[Name, ...]
"""Wells or tip spots, "labware/A1"."""
Amounts = tuple[Amount, ...]
"""One number for each channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """When an instruction may start, s after the run's start; ``None`` leaves that end open."""

    earliest: float | None = None
    latest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Instruction:
    """What every instruction has.

    Attributes:
        id: stable and unique in its program.
        step: the id of the bench step it came from.
        after: ids of the instructions it waits for; ``None`` means the one before it.
        window: when it may start.
    """

    repeatable: ClassVar[bool] = False
    """Doing it twice does no harm."""

    id: Name
    step: Name | None = None
    after: tuple[Name, ...] | None = None
    window: TimeWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class PickUpTips(Instruction):
    """Put tips on channels: the tip at ``spots[i]`` on ``channels[i]``."""

    kind: Literal["pick_up_tips"] = "pick_up_tips"
    pipette: Name
    channels: Channels
    spots: References

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), spots=len(self.spots))


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class DropTips(Instruction):
    """Take tips off channels: into the spots named, or into the trash where ``spots`` is ``None``."""

    kind: Literal["drop_tips"] = "drop_tips"
    pipette: Name
    channels: Channels
    spots: References | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), spots=len(self.channels if self.spots is None else self.spots))


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Aspirate(Instruction):
    """Draw ``volumes[i]`` from ``wells[i]`` into the tip on ``channels[i]``.

    Attributes:
        liquid_class: a key of the program's ``liquid_classes``.
        height: of the tip's end, mm above the cavity bottom; ``None`` is "unknown". A liquid class with
            level detection follows the surface instead.
    """

    kind: Literal["aspirate"] = "aspirate"
    pipette: Name
    channels: Channels
    wells: References
    volumes: Amounts
    liquid_class: Name
    height: Amount | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Dispense(Instruction):
    """Push ``volumes[i]`` out of the tip on ``channels[i]`` into ``wells[i]``; fields as for :class:`Aspirate`."""

    kind: Literal["dispense"] = "dispense"
    pipette: Name
    channels: Channels
    wells: References
    volumes: Amounts
    liquid_class: Name
    height: Amount | None = None

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), wells=len(self.wells), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
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


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class AirGap(Instruction):
    """Draw ``volumes[i]`` of air into the tip on ``channels[i]``; a later dispense pushes it out like liquid."""

    kind: Literal["air_gap"] = "air_gap"
    pipette: Name
    channels: Channels
    volumes: Amounts

    def __post_init__(self) -> None:
        _in_step(self, channels=len(self.channels), volumes=len(self.volumes))


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class MoveLabware(Instruction):
    """Carry a piece of labware to a free site with the workcell's arm."""

    kind: Literal["move_labware"] = "move_labware"
    labware: Name
    site: Name


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class ReplaceTipRack(Instruction):
    """A person takes the rack away and puts a full one of the same kind in its place."""

    kind: Literal["replace_tip_rack"] = "replace_tip_rack"
    rack: Name


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
class Wait(Instruction):
    """Let ``seconds`` pass."""

    repeatable: ClassVar[bool] = True
    kind: Literal["wait"] = "wait"
    seconds: Amount


@dataclass(frozen=True, slots=True, kw_only=True, config=_STRICT)
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


AnyInstruction = (
    PickUpTips | DropTips | Aspirate | Dispense | Mix | AirGap | MoveLabware | ReplaceTipRack | Wait | AskPerson
)
"""One instruction of any kind."""

PipettingInstruction = PickUpTips | DropTips | Aspirate | Dispense | Mix | AirGap
"""An instruction that a pipette carries out."""


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
    """

    schema_version: Literal[1] = 1
    title: Annotated[str, Field(min_length=1, max_length=500)]
    liquids: dict[str, Liquid] = {}
    liquid_classes: dict[str, LiquidClass] = {}
    labware: dict[str, PlacedLabware] = {}
    contents: tuple[Fill, ...] = ()
    steps: dict[str, StepNote] = {}
    routes: tuple[Route, ...] = ()
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
