"""The Protocol: what a biologist would write, typed, with units and sources.

Every quantity is written with its unit ("200 uL"); wells as "plate/A1", "plate/A1:H12" or a list.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from protocols.device_steps import AnyDeviceStep
from protocols.liquids import Liquid, LiquidClass, Name, Record
from protocols.program import AnyInstruction
from protocols.quantities import Duration, Volume
from protocols.specs import LabwareCategory
from protocols.step import Sentence, Step
from protocols.wells import Well, Wells

MOST_STEPS = 100_000


class LabwareNeed(Record):
    """A piece of labware the protocol needs.

    Attributes:
        category: what sort of thing; the workcell's own kind of that sort is taken if ``kind`` is not given.
        kind: the exact kind.
        positions: how many wells it must have.
        holds: what each of its wells must hold at least.
        site: where it must stand; else the compiler finds a free place.
        barcode: what is printed on it.
        lid: it comes with its lid on.
    """

    category: LabwareCategory = "plate"
    kind: Name | None = None
    positions: Annotated[int, Field(ge=1, le=1536)] | None = None
    holds: Volume | None = None
    site: Name | None = None
    barcode: str | None = None
    lid: bool = False


class Material(Record):
    """Liquid that stands ready: ``volume`` in each of ``wells``.

    Attributes:
        reachable: ``volume`` is what can be drawn; what no tip reaches, and what clings to tips, comes on top.
    """

    liquid: Name
    wells: Wells
    volume: Volume
    reachable: bool = False
    settled: Literal["monolayer", "pellet", "bead ring"] | None = None


class Handling(Record):
    """How liquid is moved, beyond how much.

    Attributes:
        tips: "as needed" changes a tip only where something would be carried over; "each transfer" always
            takes a new one; "one" uses a single tip throughout, at the writer's own risk.
        mix_before, mix_after: cycles of mixing in the source and in the destination.
        mix_volume: of each cycle; default: the volume moved.
        touch: touch the destination's liquid instead of dispensing from above.
        air_gap: drawn after each aspirate.
        pre_wet: cycles of wetting a fresh tip.
        rest: the source may hold less than is asked: then all that can be drawn of it is moved, and air follows.
    """

    tips: Literal["as needed", "each transfer", "one"] = "as needed"
    mix_before: Annotated[int, Field(ge=0, le=100)] = 0
    mix_after: Annotated[int, Field(ge=0, le=100)] = 0
    mix_volume: Volume | None = None
    touch: bool = False
    air_gap: Volume = 0.0
    pre_wet: Annotated[int, Field(ge=0, le=20)] = 0
    rest: bool = False


class Transfer(Step):
    """Move ``volume[i]`` from ``source[i]`` to ``destination[i]``; a single entry serves all.

    Attributes:
        samples: the sample of each pair, where the pairs are rows of a worklist.
        rows: the worklist row of each pair.
    """

    do: Literal["transfer"] = "transfer"
    source: Wells
    destination: Wells
    volume: Volume | tuple[Volume, ...]
    samples: tuple[str | None, ...] = ()
    rows: tuple[str, ...] = ()
    handling: Handling = Handling()

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        count = max(len(self.source), len(self.destination))
        for name, length in (
            ("source", len(self.source)),
            ("destination", len(self.destination)),
            ("volume", len(self.volume) if isinstance(self.volume, tuple) else 1),
        ):
            if length not in (1, count):
                raise ValueError(f"{name} has {length} entries where 1 or {count} are needed")
        for name, rows in (("samples", self.samples), ("rows", self.rows)):
            if rows and len(rows) != count:
                raise ValueError(f"{name} has {len(rows)} entries where none or {count} are needed")
        return self


class Distribute(Step):
    """Move ``volume[i]`` (or one volume for all) from one source to each of ``destination``."""

    do: Literal["distribute"] = "distribute"
    source: Well
    destination: Wells
    volume: Volume | tuple[Volume, ...]
    handling: Handling = Handling()

    @model_validator(mode="after")
    def _volumes(self) -> Self:
        if isinstance(self.volume, tuple) and len(self.volume) != len(self.destination):
            raise ValueError(f"volume has {len(self.volume)} entries for {len(self.destination)} destinations")
        return self


class Consolidate(Step):
    """Move ``volume[i]`` (or one volume for all) from each of ``source`` into one destination."""

    do: Literal["consolidate"] = "consolidate"
    source: Wells
    destination: Well
    volume: Volume | tuple[Volume, ...]
    handling: Handling = Handling()

    @model_validator(mode="after")
    def _volumes(self) -> Self:
        if isinstance(self.volume, tuple) and len(self.volume) != len(self.source):
            raise ValueError(f"volume has {len(self.volume)} entries for {len(self.source)} sources")
        return self


class SerialDilution(Step):
    """Dilute from well to well along ``wells``; the first holds the stock.

    Every other well is filled with ``volume`` * (1 - 1/``factor``) of diluent, then receives
    ``volume`` / ``factor`` from the well before it and is mixed.

    Attributes:
        wells: in the order of dilution, the stock first.
        diluent: the well or trough of diluent.
        factor: each well is this many times thinner than the one before.
        volume: what each diluted well holds after mixing, before it passes liquid on.
        discard: take the last well's surplus off too, so that all diluted wells end alike.
        mix_cycles: in each well after it received liquid.
    """

    do: Literal["serial_dilution"] = "serial_dilution"
    wells: Annotated[Wells, Field(min_length=2)]
    diluent: Well
    factor: Annotated[float, Field(gt=1, le=10_000, allow_inf_nan=False)]
    volume: Volume
    discard: bool = True
    mix_cycles: Annotated[int, Field(ge=1, le=100)] = 5


class Remove(Step):
    """Take ``volume[i]`` (or one volume for all) out of each of ``wells`` and throw it away.

    Of the handling, what concerns a destination has no meaning here; each well takes a new tip.
    """

    do: Literal["remove"] = "remove"
    wells: Wells
    volume: Volume | tuple[Volume, ...]
    handling: Handling = Handling()

    @model_validator(mode="after")
    def _volumes(self) -> Self:
        if isinstance(self.volume, tuple) and len(self.volume) != len(self.wells):
            raise ValueError(f"volume has {len(self.volume)} entries for {len(self.wells)} wells")
        return self


class MixWells(Step):
    """Mix each of ``wells`` with ``cycles`` strokes of ``volume``."""

    do: Literal["mix"] = "mix"
    wells: Wells
    volume: Volume
    cycles: Annotated[int, Field(ge=1, le=100)] = 5


class WaitFor(Step):
    """Let ``duration`` pass."""

    do: Literal["wait"] = "wait"
    duration: Duration


class Ask(Step):
    """Show ``message`` to a person and go on when they confirm."""

    do: Literal["ask"] = "ask"
    message: Sentence


class Move(Step):
    """Carry ``labware`` to ``site``.

    Attributes:
        by: who carries it: the workcell's arm, or a person, who also reaches sites that the arm does not.
    """

    do: Literal["move"] = "move"
    labware: Name
    site: Name
    by: Literal["arm", "person"] = "arm"


class Instructions(Step):
    """A robot's own instructions, carried out as they stand on a workcell that has all that they name.

    Attributes:
        instructions: in order; tips that they pick up they drop again.
        liquid_classes: those that the instructions name.
        why: why no bench step says it.
    """

    do: Literal["instructions"] = "instructions"
    instructions: Annotated[tuple[Annotated[AnyInstruction, Field(discriminator="kind")], ...], Field(min_length=1)]
    liquid_classes: dict[str, LiquidClass] = {}
    why: str = ""

    @model_validator(mode="after")
    def _classes(self) -> Self:
        for instruction in self.instructions:
            style = getattr(instruction, "liquid_class", None)
            if style is not None and style not in self.liquid_classes:
                raise ValueError(f"instruction '{instruction.id}': no liquid class '{style}' under liquid_classes")
        return self


AnyStep = (
    Transfer
    | Distribute
    | Consolidate
    | SerialDilution
    | Remove
    | MixWells
    | WaitFor
    | Ask
    | Move
    | AnyDeviceStep
    | Instructions
)
"""One step of any kind."""


class Protocol(Record):
    """What is to be done, at the bench's level.

    Attributes:
        labware: what the steps refer to and the workcell does not have on its deck, by name.
        liquids: what they are, by name.
        materials: where they stand at the start.
    """

    schema_version: Literal[1] = 1
    title: Annotated[str, Field(min_length=1, max_length=500)]
    description: str = ""
    labware: dict[Name, LabwareNeed] = {}
    liquids: dict[Name, Liquid] = {}
    materials: tuple[Material, ...] = ()
    steps: Annotated[tuple[Annotated[AnyStep, Field(discriminator="do")], ...], Field(max_length=MOST_STEPS)]

    @model_validator(mode="after")
    def _names_hold(self) -> Self:
        twice = [step_id for step_id, count in Counter(step.id for step in self.steps).items() if count > 1]
        if twice:
            raise ValueError(f"two steps have the id '{twice[0]}'")
        for key, liquid in self.liquids.items():
            if key != liquid.name:
                raise ValueError(f"liquids.{key}: its name says '{liquid.name}'")
        for material in self.materials:
            if material.liquid not in self.liquids:
                raise ValueError(f"materials: no liquid '{material.liquid}' is described under liquids")
        return self
