"""A small lab for verification's tests: an eight-channel arm, a 96 head, plates, a trough, a gripper."""

from collections.abc import Sequence
from typing import Any

from protocols.liquids import Liquid, LiquidClass
from protocols.program import AnyInstruction, Aspirate, Dispense, DropTips, PickUpTips, Program
from protocols.specs import (
    DeviceSpec,
    Fill,
    LabwareSpec,
    Limits,
    PipetteSpec,
    PlacedLabware,
    SiteSpec,
    TipSpec,
    WellShape,
    WellSite,
    WorkcellSpec,
)
from protocols.wells import well_name

TIP = TipSpec(kind="300 µL tip", capacity=300, min_volume=5, length=8, fits="cone")
WATER = LiquidClass(name="water")
GRID = [well_name(row, column) for column in range(12) for row in range(8)]


def grid(shape: str) -> dict[str, WellSite]:
    return {
        well_name(row, column): WellSite(x=14 + 9 * column, y=74 - 9 * row, z=1, shape=shape)
        for column in range(12)
        for row in range(8)
    }


def plate(kind: str = "plate", **shape: Any) -> LabwareSpec:
    cavity = {"max_volume": 360, "depth": 10, "dead_volume": 10, "profile": ((0, 0), (10, 360))} | shape
    return LabwareSpec(
        kind=kind,
        category="plate",
        size=(127, 85, 14),
        rows=8,
        columns=12,
        wells=grid("well"),
        shapes={"well": WellShape(**cavity)},
    )


TROUGH = LabwareSpec(
    kind="trough",
    category="trough",
    size=(127, 85, 60),
    rows=1,
    columns=1,
    wells={"A1": WellSite(x=60, y=42, z=1, shape="basin")},
    shapes={
        "basin": WellShape(
            max_volume=60_000, depth=50, dead_volume=1000, profile=((0, 0), (50, 60_000)), opening=(20, 72)
        )
    },
)
RACK = LabwareSpec(kind="rack", category="tip rack", size=(127, 85, 60), rows=8, columns=12, wells=grid("tip"), tip=TIP)
OTHER_RACK = RACK.model_copy(update={"kind": "other rack", "tip": TIP.model_copy(update={"fits": "other cone"})})
TRASH = LabwareSpec(kind="trash", category="trash", size=(200, 80, 100))


def workcell(**changes: Any) -> WorkcellSpec:
    kinds = [plate(), plate("vague plate", profile=None, dead_volume=None), TROUGH, RACK, OTHER_RACK, TRASH]
    places = {"tips": "rack", "odd tips": "other rack", "trash": "trash", "plate": "plate", "trough": "trough"}
    sites = {
        f"site {number}": SiteSpec(
            id=f"site {number}", x=number * 130, y=0, z=100, accepts={"plate", "trough", "tip rack", "trash"}
        )
        for number in range(8)
    }
    sites["shelf"] = SiteSpec(id="shelf", x=2000, y=0, z=100, accepts={"plate"}, gripper=False)
    spec = {
        "name": "small lab",
        "devices": {"arm": DeviceSpec(id="arm", kind="liquid handler")},
        "pipettes": {
            "p8": PipetteSpec(
                id="p8", device="arm", channels=8, independent=True, min_volume=1, max_volume=300, fits={"cone"}
            ),
            "head": PipetteSpec(
                id="head", device="arm", channels=96, independent=False, min_volume=1, max_volume=300, fits={"cone"}
            ),
        },
        "sites": sites,
        "kinds": {kind.kind: kind for kind in kinds},
        "labware": {
            name: PlacedLabware(kind=kind, site=f"site {number}") for number, (name, kind) in enumerate(places.items())
        },
        "trash": "trash",
        "arm": "arm",
        "limits": Limits(flow_rate=500, wait=86_400),
    }
    return WorkcellSpec(**(spec | changes))


def program(*instructions: AnyInstruction, fills: dict[str, float] | None = None, **changes: Any) -> Program:
    fills = {"plate/A1": 200.0} if fills is None else fills
    spec = {
        "title": "a small program",
        "liquids": {"water": Liquid(name="water"), "dye": Liquid(name="dye")},
        "liquid_classes": {"water": WATER, "film": LiquidClass(name="film", film=1)},
        "contents": [
            Fill(well=well, liquid="dye" if well.endswith("12") else "water", volume=volume)
            for well, volume in fills.items()
        ],
        "instructions": instructions,
    }
    return Program(**(spec | changes))


def pick(spot: str = "tips/A1", channel: int = 0, name: str = "pick", **changes: Any) -> PickUpTips:
    return PickUpTips(**({"id": name, "pipette": "p8", "channels": (channel,), "spots": (spot,)} | changes))


def drop(channels: Sequence[int] = (0,), name: str = "drop", **changes: Any) -> DropTips:
    return DropTips(**({"id": name, "pipette": "p8", "channels": channels} | changes))


def draw(well: str = "plate/A1", volume: float = 50, name: str = "draw", **changes: Any) -> Aspirate:
    stroke = {"pipette": "p8", "channels": (0,), "wells": (well,), "volumes": (volume,), "liquid_class": "water"}
    return Aspirate(**({"id": name, "height": 0.1} | stroke | changes))


def push(well: str = "plate/B1", volume: float = 50, name: str = "push", **changes: Any) -> Dispense:
    stroke = {"pipette": "p8", "channels": (0,), "wells": (well,), "volumes": (volume,), "liquid_class": "water"}
    return Dispense(**({"id": name, "height": 5.0} | stroke | changes))
