"""Programs of many transfers, for the measurements of verification.

A fresh tip, 20 µL from one plate to another and, round by round, back.
"""

from __future__ import annotations

from protocols.liquids import Liquid, LiquidClass
from protocols.program import AnyInstruction, Aspirate, Dispense, DropTips, PickUpTips, Program, ReplaceTipRack
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from protocols.wells import well_name

VOLUME = 20.0
FILM = 0.05
"""µL that leave with each tip; a million operations must not drain the plates."""
COLUMNS = [[well_name(row, column) for row in range(8)] for column in range(12)]
PLATES = {
    "here": PlacedLabware(kind="flat_96_360ul", site="plates-a-1"),
    "there": PlacedLabware(kind="flat_96_360ul", site="plates-a-2"),
}
RACK = "tips_300_1"


def groups(operations: int, channels: int) -> list[tuple[int, list[str]]]:
    """Rounds of wells to transfer, ``channels`` at a time, until ``operations`` channel-operations are made."""
    chunks = [column[i : i + channels] for column in COLUMNS for i in range(0, 8, channels)]
    count = operations // (4 * channels)
    return [(number // len(chunks), chunks[number % len(chunks)]) for number in range(count)]


def program(operations: int, channels: int, components: int) -> Program:
    """The transfers as a program; every well starts with ``components`` liquids."""
    instructions: list[AnyInstruction] = []
    used = tuple(range(channels))
    for number, (round_, wells) in enumerate(groups(operations, channels)):
        source, target = ("here", "there") if round_ % 2 == 0 else ("there", "here")
        if number and wells[0] == "A1":
            instructions.append(ReplaceTipRack(id=f"rack {number}", rack=RACK))
        stroke = {"pipette": "channels", "channels": used, "volumes": (VOLUME,) * channels, "liquid_class": "water"}
        instructions += [
            PickUpTips(
                id=f"pick {number}", pipette="channels", channels=used, spots=tuple(f"{RACK}/{well}" for well in wells)
            ),
            Aspirate(id=f"draw {number}", wells=tuple(f"{source}/{well}" for well in wells), height=1.0, **stroke),
            Dispense(id=f"push {number}", wells=tuple(f"{target}/{well}" for well in wells), height=1.0, **stroke),
            DropTips(id=f"drop {number}", pipette="channels", channels=used),
        ]
    liquids = [f"liquid {number}" for number in range(components)]
    fills = [
        Fill(well=f"{plate}/{well}", liquid=liquid, volume=180 / components)
        for plate in PLATES
        for column in COLUMNS
        for well in column
        for liquid in liquids
    ]
    return Program(
        title="transfers",
        liquids={liquid: Liquid(name=liquid) for liquid in liquids},
        liquid_classes={"water": LiquidClass(name="water", film=FILM)},
        labware=PLATES,
        contents=fills,
        instructions=instructions,
    )


def pool(sources: int) -> Program:
    """Every one of ``sources`` wells gives 1 µL to one well, with contact; each source is a liquid of its own."""
    spots = [f"{RACK}/{well}" for column in COLUMNS for well in column]
    wells = [f"{plate}/{well}" for plate in (f"source {n}" for n in range(16)) for column in COLUMNS for well in column]
    stroke = {"pipette": "channels", "channels": (0,), "liquid_class": "water", "height": 1.0}
    instructions: list[AnyInstruction] = []
    for number, well in enumerate(wells[:sources]):
        if number and number % 96 == 0:
            instructions.append(ReplaceTipRack(id=f"rack {number}", rack=RACK))
        instructions += [
            PickUpTips(id=f"pick {number}", pipette="channels", channels=(0,), spots=(spots[number % 96],)),
            Aspirate(id=f"draw {number}", wells=(well,), volumes=(1.15,), **stroke),
            Dispense(id=f"push {number}", wells=("pool/A1",), volumes=(1.0,), **stroke),
            DropTips(id=f"drop {number}", pipette="channels", channels=(0,)),
        ]
    plates = {
        f"source {n}": PlacedLabware(kind="flat_96_360ul", site=f"shelf {n}") for n in range((sources + 95) // 96)
    }
    return Program(
        title="pool",
        liquids={well: Liquid(name=well) for well in wells[:sources]},
        liquid_classes={"water": LiquidClass(name="water", film=0.15)},
        labware=plates | {"pool": PlacedLabware(kind="deepwell_96_2ml", site="plates-a-1")},
        contents=[Fill(well=well, liquid=well, volume=100) for well in wells[:sources]],
        instructions=instructions,
    )


def with_shelf(workcell: WorkcellSpec) -> WorkcellSpec:
    """The workcell with 16 more plate sites, for pooling from more plates than the deck holds."""
    site = workcell.sites["plates-a-1"]
    shelf = {f"shelf {n}": site.model_copy(update={"id": f"shelf {n}", "x": 3000 + 150 * n}) for n in range(16)}
    return workcell.model_copy(update={"sites": workcell.sites | shelf})
