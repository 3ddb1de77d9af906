"""A small STARlet lab for the simulator's tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from pylabrobot.liquid_handling import LiquidHandler
from pylabrobot.resources import Deck

from protocols.liquids import Liquid, LiquidClass
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from robots.simulator import LocalWorld, Noise, SimulatedLiquidHandler, World
from robots.workcell import Workcell, load_workcell

WATER = LiquidClass(name="water", film=1.0, blow_out=5.0, aspirate_flow_rate=100.0, dispense_flow_rate=100.0)
BARE = LiquidClass(name="bare")
LABWARE = {
    "plate": PlacedLabware(kind="flat_96_360ul", site="plates-a-1"),
    "target": PlacedLabware(kind="flat_96_360ul", site="plates-a-2"),
}
LIQUIDS = {name: Liquid(name=name) for name in ("red", "blue")}
CONTENTS = (
    *(Fill(well=f"plate/{row}1", liquid="red", volume=200.0) for row in "ABCDEFGH"),
    *(Fill(well=f"plate/{row}2", liquid="blue", volume=150.0) for row in "ABCDEFGH"),
)


@cache
def starlet() -> Workcell:
    return load_workcell("starlet")


def spec(**changes: Any) -> WorkcellSpec:
    return starlet().spec.model_copy(update=changes)


def small_world(**options: Any) -> World:
    """A World with two plates, red and blue in the first; exact unless told otherwise."""
    workcell = options.pop("workcell", None) or spec()
    world = World(workcell, **{"noise": Noise.off(), **options})
    world.prepare(LABWARE, CONTENTS, LIQUIDS)
    return world


def deck() -> Deck:
    return starlet().build_deck({**starlet().spec.labware, **LABWARE})


async def handler(world: World, **options: Any) -> tuple[LiquidHandler, SimulatedLiquidHandler]:
    backend = SimulatedLiquidHandler(LocalWorld(world), **options)
    lh = LiquidHandler(backend, deck())
    await lh.setup()
    return lh, backend


def pick(rows: str = "A", column: int = 1, rack: str = "tips_300_1") -> dict[str, Any]:
    spots = [f"{rack}/{row}{column}" for row in rows]
    return {"kind": "pick_up_tips", "pipette": "channels", "channels": list(range(len(rows))), "spots": spots}


def drop(count: int = 1, spots: list[str] | None = None) -> dict[str, Any]:
    return {"kind": "drop_tips", "pipette": "channels", "channels": list(range(count)), "spots": spots}


def stroke(
    kind: str,
    wells: list[str],
    volumes: list[float],
    liquid_class: LiquidClass = WATER,
    height: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "pipette": "channels",
        "channels": list(range(len(wells))),
        "wells": wells,
        "volumes": volumes,
        "liquid_class": liquid_class.model_dump(mode="json"),
        "height": height,
        **more,
    }
