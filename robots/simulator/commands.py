"""What the World can be told to do: one act of one device each.

The fields are those of the instructions in :mod:`protocols.program`, with the liquid class itself in place of its
name; volumes are µL, heights mm, times s. An arm carries labware in two acts, ``grip`` and ``release``; a person in
one, ``carry``.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from protocols import program
from protocols.instruction import Amounts, Channels, References
from protocols.liquids import Amount, LiquidClass, Name, PositiveAmount, Record
from robots.simulator.device_commands import DeviceCommand


class _Pipetting(Record):
    pipette: Name
    channels: Channels

    @model_validator(mode="after")
    def _in_step(self) -> Self:
        if not self.channels or len(set(self.channels)) != len(self.channels):
            raise ValueError("channels must be named, each once")
        for name in ("spots", "wells", "volumes"):
            given = getattr(self, name, None)
            if given is not None and len(given) != len(self.channels):
                raise ValueError(f"{len(given)} {name} for {len(self.channels)} channels")
        return self


class PickUpTips(_Pipetting):
    """See :class:`protocols.program.PickUpTips`."""

    kind: Literal["pick_up_tips"] = "pick_up_tips"
    spots: References


class DropTips(_Pipetting):
    """See :class:`protocols.program.DropTips`."""

    kind: Literal["drop_tips"] = "drop_tips"
    spots: References | None = None


class _Stroke(_Pipetting):
    wells: References
    volumes: Amounts
    liquid_class: LiquidClass
    height: Amount | None = None


class Aspirate(_Stroke):
    """See :class:`protocols.program.Aspirate`."""

    kind: Literal["aspirate"] = "aspirate"


class Dispense(_Stroke):
    """See :class:`protocols.program.Dispense`."""

    kind: Literal["dispense"] = "dispense"


class Mix(_Stroke):
    """See :class:`protocols.program.Mix`."""

    kind: Literal["mix"] = "mix"
    cycles: Annotated[int, Field(ge=1, le=100)]


class AirGap(_Pipetting):
    """See :class:`protocols.program.AirGap`."""

    kind: Literal["air_gap"] = "air_gap"
    volumes: Amounts


class BlowOut(_Pipetting):
    """See :class:`protocols.program.BlowOut`."""

    kind: Literal["blow_out"] = "blow_out"
    wells: References
    flow_rate: PositiveAmount = 100.0
    height: Amount | None = None


class TouchTip(_Pipetting):
    """See :class:`protocols.program.TouchTip`."""

    kind: Literal["touch_tip"] = "touch_tip"
    wells: References
    height: Amount | None = None


class Grip(Record):
    """Take hold of a piece of labware and lift it: the first act of moving labware."""

    kind: Literal["grip"] = "grip"
    labware: Name


class Release(Record):
    """Carry what is held to a site and let go of it there: the second act of moving labware."""

    kind: Literal["release"] = "release"
    labware: Name
    site: Name


class Carry(Record):
    """A person carries a piece of labware to a site, or off the deck: one act."""

    kind: Literal["carry"] = "carry"
    labware: Name
    site: Name


class ReplaceTipRack(Record):
    """See :class:`protocols.program.ReplaceTipRack`."""

    kind: Literal["replace_tip_rack"] = "replace_tip_rack"
    rack: Name


class Wait(Record):
    """See :class:`protocols.program.Wait`."""

    kind: Literal["wait"] = "wait"
    seconds: Amount


class AskPerson(Record):
    """See :class:`protocols.program.AskPerson`; in the lab it only takes time."""

    kind: Literal["ask_person"] = "ask_person"
    message: str = ""


Stroke = Aspirate | Dispense | Mix
"""An act that moves liquid."""
PipetteCommand = PickUpTips | DropTips | Aspirate | Dispense | Mix | AirGap | BlowOut | TouchTip
"""An act of a pipette."""
Command = Annotated[
    PipetteCommand | Grip | Release | Carry | ReplaceTipRack | Wait | AskPerson | DeviceCommand,
    Field(discriminator="kind"),
]
"""One act of any kind."""

command_adapter: TypeAdapter[Command] = TypeAdapter(Command)
"""Reads and writes one command as JSON."""


def within_run(act_id: str) -> str:
    """What is left of "RUN:INSTRUCTION#N" without the run: chance depends on that alone, so that a run that is made
    again with the same seed meets what the first one met."""
    return act_id.partition(":")[2] or act_id


def as_instruction(command: Command) -> tuple[program.AnyInstruction, program.Program]:
    """The instruction that ``command`` carries out, or is part of, and a program that knows its liquid class."""
    data = command.model_dump(exclude={"liquid_class"})
    classes: dict[str, LiquidClass] = {}
    if isinstance(command, Aspirate | Dispense | Mix):
        data["liquid_class"] = command.liquid_class.name
        classes[command.liquid_class.name] = command.liquid_class
    if isinstance(command, Grip):
        data = {"kind": "move_labware", "labware": command.labware, "site": "in hand"}
    elif isinstance(command, Release):
        data["kind"] = "move_labware"
    elif isinstance(command, Carry):
        data |= {"kind": "move_labware", "by": "person"}
    elif isinstance(command, AskPerson):
        data["message"] = command.message or "?"
    instruction = program.instruction_adapter.validate_python({"id": "act", **data})
    return instruction, program.Program.model_construct(title="act", liquid_classes=classes, instructions=())
