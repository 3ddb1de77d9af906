"""A program of every kind of instruction for devices on the deck, for pipettes that move together, and for a person."""

from __future__ import annotations

from typing import Any

from protocols.device_instructions import (
    AwaitTemperature,
    ProfileStep,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.liquids import Liquid, LiquidClass
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    MoveLabware,
    PickUpTips,
    Program,
    TouchTip,
    Wait,
)
from protocols.specs import OFF_DECK, Fill, PlacedLabware

ROWS = "ABCDEFGH"
FLAT, PCR = "corning_96_wellplate_360ul_flat", "nest_96_wellplate_100ul_pcr_full_skirt"
_SHAKER, _CYCLER, _MAGNET, _BLOCK = "heater_shaker", "thermocycler", "magnetic_module", "temperature_module"


def every_device() -> Program:
    """About 40 instructions for the workcell ``ot2-modules.yaml``."""
    written: list[AnyInstruction] = []

    def add(kind: type[Any], **fields: Any) -> None:
        written.append(kind(id=f"i{len(written) + 1}", **fields))

    def on(rows: str, labware: str, column: int) -> tuple[str, ...]:
        return tuple(f"{labware}/{row}{column}" for row in rows)

    def left(kind: type[Any], rows: str = ROWS, **fields: Any) -> None:
        add(kind, pipette="left", channels=tuple(ROWS.index(row) for row in rows), **fields)

    def stroke(kind: type[Any], wells: tuple[str, ...], rows: str = ROWS, **fields: Any) -> None:
        left(kind, rows, wells=wells, volumes=(60.0,) * len(rows), liquid_class="water", height=1.0, **fields)

    add(SetLid, device=_CYCLER, open=True)
    add(SetTemperature, device=_BLOCK, celsius=4.0)
    add(AwaitTemperature, device=_BLOCK)
    add(SetLatch, device=_SHAKER, open=False)
    left(PickUpTips, spots=on(ROWS, "tips_300", 1))
    stroke(Aspirate, ("reservoir/A1",) * 8)
    stroke(Dispense, on(ROWS, "beads", 1))
    left(TouchTip, wells=on(ROWS, "beads", 1), height=9.0)
    left(BlowOut, wells=("trash/A1",) * 8, flow_rate=80.0)
    left(DropTips)
    add(SetTemperature, device=_SHAKER, celsius=40.0)
    add(AwaitTemperature, device=_SHAKER, celsius=40.0)
    add(Shake, device=_SHAKER, rpm=500.0)
    add(Wait, seconds=60.0)
    add(Shake, device=_SHAKER, rpm=None)
    add(SetTemperature, device=_SHAKER, celsius=None)
    add(SetLatch, device=_SHAKER, open=True)
    add(MoveLabware, labware="beads", site=OFF_DECK, by="person")
    add(MoveLabware, labware="beads", site="slot-4", by="person")
    add(SetMagnet, device=_MAGNET, raised=True, height=6.0)
    front, back = "DEFGH", "ABCDE"  # nozzles at the front over rows at the back: the others hang beside the rack
    left(PickUpTips, front, spots=on(back, "tips_300", 2))
    stroke(Aspirate, on(back, "beads", 1), front, takes_rest=True)
    stroke(Dispense, on(back, "cycled", 2), front)
    left(BlowOut, front, wells=on(back, "cycled", 2), height=5.0)
    left(DropTips, front)
    add(SetMagnet, device=_MAGNET, raised=False)
    add(SetLid, device=_CYCLER, open=False)
    add(SetTemperature, device=_CYCLER, celsius=105.0, part="lid")
    add(AwaitTemperature, device=_CYCLER, part="lid")
    holds = (ProfileStep(celsius=95.0, seconds=10.0), ProfileStep(celsius=60.0, seconds=30.0))
    add(RunProfile, device=_CYCLER, steps=holds, cycles=3, volume=60.0)
    add(SetTemperature, device=_CYCLER, celsius=None, part="lid")
    add(SetTemperature, device=_CYCLER, celsius=None)
    add(SetLid, device=_CYCLER, open=True)
    single: dict[str, Any] = {"pipette": "right", "channels": (0,)}
    add(PickUpTips, **single, spots=("tips_20/A1",))
    add(AirGap, **single, volumes=(5.0,))
    add(DropTips, **single, spots=("tips_20/A1",))
    add(AskPerson, message="Is the plate sealed?")
    plates = {"beads": (FLAT, "slot-3"), "cycled": (PCR, "slot-7"), "cold": (FLAT, "slot-1")}
    return Program(
        title="Every kind of device",
        liquids={"buffer": Liquid(name="buffer")},
        liquid_classes={"water": LiquidClass(name="water", aspirate_flow_rate=94.0, dispense_flow_rate=94.0)},
        labware={name: PlacedLabware(kind=kind, site=site) for name, (kind, site) in plates.items()},
        contents=(Fill(well="reservoir/A1", liquid="buffer", volume=20_000.0),),
        instructions=tuple(written),
    )
