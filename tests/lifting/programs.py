"""Programs written down stroke by stroke, for a single channel and an eight-channel pipette on an OT-2."""

from __future__ import annotations

from typing import Any

from protocols.liquids import Liquid, LiquidClass
from protocols.program import (
    AirGap,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    PickUpTips,
    Program,
    TouchTip,
    Wait,
)
from protocols.specs import Fill, PlacedLabware
from tests.compiler.bench import spec_of

SPEC = spec_of("ot2")
WATER = LiquidClass(name="water")
KINDS = {"plate": "corning_96_wellplate_360ul_flat", "bath": "nest_12_reservoir_15ml"}
FILLS = (
    *(Fill(well=f"plate/A{column}", liquid=f"sample {column}", volume=100.0) for column in (1, 2, 3)),
    Fill(well="bath/A1", liquid="buffer", volume=10_000.0),
)


class Script:
    """Instructions of one channel, one after the other."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self._tips = 0

    def _add(self, kind: Any, **fields: Any) -> Script:
        self.said.append(kind(id=f"n{len(self.said) + 1}", **fields))
        return self

    def _on(self, kind: Any, **fields: Any) -> Script:
        return self._add(kind, pipette="p300", channels=(0,), **fields)

    def tip(self) -> Script:
        self._tips += 1
        return self._on(PickUpTips, spots=(f"tips_300_1/{chr(64 + self._tips)}1",))

    def draw(self, well: str, volume: float, **more: Any) -> Script:
        return self._on(Aspirate, wells=(well,), volumes=(volume,), liquid_class="water", **more)

    def put(self, well: str, volume: float) -> Script:
        return self._on(Dispense, wells=(well,), volumes=(volume,), liquid_class="water")

    def mix(self, well: str, volume: float, cycles: int) -> Script:
        return self._on(Mix, wells=(well,), volumes=(volume,), cycles=cycles, liquid_class="water")

    def by_hand(self, well: str, volume: float, cycles: int) -> Script:
        for _ in range(cycles):
            self.draw(well, volume).put(well, volume)
        return self

    def air(self, volume: float) -> Script:
        return self._on(AirGap, volumes=(volume,))

    def blow(self, well: str) -> Script:
        return self._on(BlowOut, wells=(well,))

    def touch(self, well: str) -> Script:
        return self._on(TouchTip, wells=(well,))

    def drop(self, spot: str | None = None) -> Script:
        return self._on(DropTips, spots=None if spot is None else (spot,))

    def wait(self, seconds: float) -> Script:
        return self._add(Wait, seconds=seconds)

    def other(self, kind: Any, **fields: Any) -> Script:
        return self._add(kind, **fields)

    def program(self, *fills: Fill) -> Program:
        contents = fills or FILLS
        return Program(
            title="by hand",
            liquids={fill.liquid: Liquid(name=fill.liquid) for fill in contents},
            liquid_classes={"water": WATER},
            labware={
                name: PlacedLabware(kind=kind, site=f"slot-{number}")
                for number, (name, kind) in enumerate(KINDS.items(), 1)
            },
            contents=contents,
            instructions=tuple(self.said),
        )
