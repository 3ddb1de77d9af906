"""Small programs on the shipped workcells, and the strokes they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.liquids import LiquidClass
from protocols.program import (
    AnyInstruction,
    Aspirate,
    Dispense,
    DropTips,
    PickUpTips,
    Program,
)
from protocols.specs import Fill, PlacedLabware
from tests.agreement.programs import CLASSES, OT2, ROWS, STARLET, Rig, program, wells

FULL = {f"a/{row}{column}": 200.0 for column in range(1, 4) for row in ROWS}
HEAD = {"pipette": "head96", "channels": tuple(range(96))}


def pick(*spots: str, name: str = "pick", channels: tuple[int, ...] = (), **fields: Any) -> PickUpTips:
    spots = spots or ("tips_300_1/A1",)
    return PickUpTips(
        id=name, spots=spots, **{"pipette": "channels", "channels": channels or tuple(range(len(spots))), **fields}
    )


def drop(*spots: str, name: str = "drop", channels: tuple[int, ...] = (0,), **fields: Any) -> DropTips:
    return DropTips(id=name, spots=spots or None, **{"pipette": "channels", "channels": channels, **fields})


def stroke(kind: Any, name: str, places: tuple[str, ...], volumes: tuple[float, ...], **fields: Any) -> Any:
    given = {"pipette": "channels", "channels": tuple(range(len(places))), "liquid_class": "bare", "height": 0.5}
    return kind(id=name, wells=places, volumes=volumes, **{**given, **fields})


def draw(well: str = "a/A1", volume: float = 50.0, name: str = "draw", **fields: Any) -> Aspirate:
    made: Aspirate = stroke(Aspirate, name, (well,), (volume,), **fields)
    return made


def push(well: str = "b/B1", volume: float = 50.0, name: str = "push", **fields: Any) -> Dispense:
    made: Dispense = stroke(Dispense, name, (well,), (volume,), **{"height": 5.0, **fields})
    return made


def made(
    *instructions: AnyInstruction,
    fills: Mapping[str, float] = FULL,
    rig: Rig = STARLET,
    classes: Mapping[str, LiquidClass] | None = None,
    labware: Mapping[str, PlacedLabware] | None = None,
    **fields: Any,
) -> Program:
    """A program on plates "a" and "b"; columns 1 and 3 of "a" hold red and column 2 blue unless told otherwise."""
    contents = [
        Fill(well=well, liquid="blue" if well.endswith("2") else "red", volume=volume) for well, volume in fills.items()
    ]
    given = {"liquid_classes": {**CLASSES, **(classes or {})}, "labware": {**rig.plates, **(labware or {})}, **fields}
    return program(rig, given.pop("contents", contents), instructions, **given)


TRANSFER = (pick(), draw(), push(), drop())
BOTH = ("tips_300_1/A1", "tips_300_1/B1")
CELLS = Fill(well="a/A1", liquid="red", volume=200.0, settled="monolayer", settled_height=1.0)
BLUE = Fill(well="a/A2", liquid="blue", volume=200.0)
OUTER: dict[str, Any] = {"channels": (0, 2)}
TURNED = tuple(reversed(range(96)))
RACK = tuple(f"tips_300_1/{row}{column}" for column in range(1, 13) for row in ROWS)
PLATE = wells(96, "a/1")
EVERY = dict.fromkeys(PLATE, 200.0)


def head(*instructions: AnyInstruction, **fields: Any) -> Program:
    return made(pick(*RACK, **HEAD), *instructions, drop(**HEAD), fills=EVERY, **fields)


def two(kind: Any, name: str, first: str, second: str, **fields: Any) -> Any:
    return stroke(kind, name, (first, second), (50.0, 50.0), **fields)


def ot2(*instructions: AnyInstruction, **fields: Any) -> Program:
    return made(*instructions, rig=OT2, fills={"a/A1": 200.0}, **fields)


P300 = {"pipette": "p300", "channels": (0,)}
