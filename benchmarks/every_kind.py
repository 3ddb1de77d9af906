"""A program of every kind of instruction for pipettes, arm and person, and a lab's log held against a program."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from protocols.liquids import Liquid, LiquidClass
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
    ReplaceTipRack,
    TouchTip,
    Wait,
    instruction_adapter,
)
from protocols.specs import OFF_DECK, Fill, PlacedLabware
from protocols.wells import well_name
from robots.simulator.record import ActRecord

_COLUMN = tuple("ABCDEFGH")
_WATER = LiquidClass(name="water", film=0.2, blow_out=5.0, transport_air=2.0)
_JET = LiquidClass(name="water jet", film=0.2, blow_out=5.0, jet=True)


def every_kind() -> Program:
    """About 45 instructions of every kind for pipettes, arm and person, with 1, 8 and 96 channels."""
    written: list[AnyInstruction] = []

    def add(kind: type[Any], **fields: Any) -> None:
        written.append(kind(id=f"i{len(written) + 1}", **fields))

    def pipette(
        kind: type[Any], channels: int, wells: tuple[str, ...] | None, volume: float | None, **more: Any
    ) -> None:
        name = "head96" if channels == 96 else "channels"
        fields: dict[str, Any] = {"pipette": name, "channels": tuple(range(channels)), **more}
        if wells is not None:
            fields["wells"] = wells
        if volume is not None:
            fields["volumes"] = (volume,) * channels
        add(kind, **fields)

    def transfer(channels: int, source: tuple[str, ...], target: tuple[str, ...], spots: tuple[str, ...]) -> None:
        pipette(PickUpTips, channels, None, None, spots=spots)
        pipette(Aspirate, channels, source, 20.0, liquid_class="water", height=1.0)
        pipette(Dispense, channels, target, 20.0, liquid_class="water jet", height=10.0)

    def column(labware: str, number: int) -> tuple[str, ...]:
        return tuple(f"{labware}/{row}{number}" for row in _COLUMN)

    def whole(labware: str) -> tuple[str, ...]:
        return tuple(f"{labware}/{well_name(row, place)}" for place in range(12) for row in range(8))

    transfer(1, ("here/A1",), ("there/A1",), ("tips_300_1/A1",))
    pipette(TouchTip, 1, ("there/A1",), None, height=10.0)
    pipette(AirGap, 1, None, 5.0)
    pipette(DropTips, 1, None, None)
    add(Wait, seconds=30.0)
    for number in (2, 3):
        transfer(8, column("here", number), column("there", number), column("tips_300_1", number))
        pipette(Mix, 8, column("there", number), 15.0, cycles=3, liquid_class="water", height=1.0)
        pipette(BlowOut, 8, column("there", number), None, flow_rate=50.0)
        pipette(DropTips, 8, None, None)
    add(AskPerson, message="Is all well?")
    pipette(PickUpTips, 1, None, None, spots=("tips_300_1/A4",))
    pipette(DropTips, 1, None, None, spots=("tips_300_1/A4",))
    add(ReplaceTipRack, rack="tips_300_1")
    transfer(96, whole("here"), whole("there"), whole("tips_300_2"))
    pipette(BlowOut, 96, whole("there"), None)
    pipette(DropTips, 96, None, None)
    add(MoveLabware, labware="there", site="plates-a-3")
    transfer(8, column("here", 5), column("there", 5), column("tips_300_1", 2))
    pipette(DropTips, 8, None, None)
    add(MoveLabware, labware="there", site="plates-a-2")
    for number in (6, 7):
        transfer(1, (f"here/B{number}",), (f"there/B{number}",), (f"tips_300_1/B{number}",))
        pipette(DropTips, 1, None, None)
    add(MoveLabware, labware="there", site=OFF_DECK, by="person")
    add(MoveLabware, labware="there", site="plates-b-1", by="person")
    add(Wait, seconds=5.0)
    plates = {"here": "plates-a-1", "there": "plates-a-2"}
    return Program(
        title="Every kind of instruction",
        liquids={"dye": Liquid(name="dye"), "buffer": Liquid(name="buffer")},
        liquid_classes={"water": _WATER, "water jet": _JET},
        labware={name: PlacedLabware(kind="flat_96_360ul", site=site) for name, site in plates.items()},
        contents=tuple(
            Fill(well=well, liquid=liquid, volume=150.0)
            for labware, liquid in (("here", "dye"), ("there", "buffer"))
            for well in whole(labware)
        ),
        instructions=tuple(written),
    )


def expected_acts(program: Program) -> list[dict[str, Any]]:
    """What a lab has to be told, act by act, read off the program alone."""
    acts: list[dict[str, Any]] = []
    for instruction in program.instructions:
        asked = {name: value for name, value in _plain(instruction).items() if name in _COMPARED and value is not None}
        if not isinstance(instruction, MoveLabware):
            acts.append({"of": instruction.id, "kind": instruction.kind} | asked)
        elif instruction.by == "person":
            acts.append({"of": instruction.id, "kind": "carry"} | asked)
        else:
            acts.append({"of": instruction.id, "kind": "grip", "labware": instruction.labware})
            acts.append({"of": instruction.id, "kind": "release"} | asked)
    return acts


_COMPARED = frozenset(
    {
        *("pipette", "channels", "spots", "wells", "volumes", "cycles", "height", "flow_rate", "rack", "seconds"),
        *("message", "labware", "site", "device", "celsius", "part", "rpm", "open", "raised", "steps", "volume"),
    }
)


def _plain(instruction: AnyInstruction) -> dict[str, Any]:
    plain: dict[str, Any] = instruction_adapter.dump_python(instruction, mode="json")
    return plain


@dataclass(frozen=True)
class Comparison:
    """What the lab was told beside the program: acts done twice, not at all, or out of order.

    Attributes:
        again: acts done twice whose instruction may be repeated without harm.
    """

    repeated: int
    lost: int
    reordered: int
    again: int = 0

    @property
    def equal(self) -> bool:
        """Whether the lab's log is the program."""
        return not (self.repeated or self.lost or self.reordered)


def compare(program: Program, log: tuple[ActRecord, ...]) -> Comparison:
    """Hold a lab's log against the program."""
    harmless = {item.id for item in program.instructions if item.repeatable}
    expected = [json.dumps(act, sort_keys=True) for act in expected_acts(program)]
    told = [json.dumps(_told(act), sort_keys=True) for act in log if act.command["kind"] != "prepare"]
    more, less = Counter(told) - Counter(expected), Counter(expected) - Counter(told)
    again = sum(count for act, count in more.items() if act in expected and json.loads(act)["of"] in harmless)
    in_order = [act for act in dict.fromkeys(told) if act in set(expected)]
    left = [act for act in expected if act in set(told)]
    reordered = sum(a != b for a, b in zip(in_order, left, strict=False))
    return Comparison(more.total() - again, less.total(), reordered, again)


def _told(act: ActRecord) -> dict[str, Any]:
    kept = {name: act.command[name] for name in ("kind", *_COMPARED) if act.command.get(name) is not None}
    return {"of": act.instruction.rpartition(":")[2], **kept}
