"""Batches written out as instructions, with tips from their racks, heights, and what it does to the wells.

Heights: a tip draws and touches 1 mm above the cavity bottom, or as low as half the surface that the stroke leaves
where that is lower, never below what has settled, and never so deep that the fitting would be wetted; it lets liquid
fall from the rim. Volumes µL, lengths mm.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from protocols.compiler.batches import Batch, stroke_groups
from protocols.compiler.contents import Contents
from protocols.compiler.findings import Findings, Overflow, Shortage
from protocols.compiler.geometry import Deck
from protocols.compiler.lanes import Cycle, Mixing
from protocols.compiler.tools import TipStock, Tool, head_shape
from protocols.errors import CompileError
from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    AnyInstruction,
    Aspirate,
    Dispense,
    DropTips,
    Mix,
    PickUpTips,
    ReplaceTipRack,
)

HEIGHT = 1.0
"""mm above the cavity bottom at which a tip draws; Opentrons' default for aspirate and dispense."""

MOST_INSTRUCTIONS = 500_000
"""How many instructions a program may have."""

_TOLERANCE = 1e-6
"""µL by which a well may fall short of what is asked before it is said."""


@dataclass(slots=True)
class _Mounted:
    """A tip that stays on between batches."""

    tool: Tool
    token: str | None
    held: float


@dataclass(slots=True)
class _Visit:
    """A person's visit to exchange racks of one kind: before which instruction, and which racks."""

    place: int
    step: str
    renewed: set[str] = field(default_factory=set)


class Emitter:
    """Writes instructions one after the other."""

    def __init__(self, deck: Deck, contents: Contents, stock: TipStock) -> None:
        self._deck = deck
        self._contents = contents
        self._stock = stock
        self._written: list[tuple[type[Any], dict[str, Any]]] = []
        self._mounted: _Mounted | None = None
        self._visits: dict[str, _Visit] = {}
        self._given: dict[str, float] = defaultdict(float)  # µL, by wells that nobody declared, less what they got
        self.step = ""
        self.classes: dict[str, LiquidClass] = {}
        self.tips: Counter[str] = Counter()
        self.racks_exchanged = 0
        self.strokes = 0
        self.findings = Findings()

    def write(self, kind: type[Any], **fields: Any) -> None:
        """Add one instruction of the step at hand.

        Raises:
            CompileError: there are too many.
        """
        if len(self._written) >= MOST_INSTRUCTIONS:
            raise CompileError(
                f"the program would have more than {MOST_INSTRUCTIONS:,} instructions",
                where=f"step '{self.step}'",
                mend="Split the protocol",
            )
        self._written.append((kind, {"step": self.step, **fields}))

    @property
    def written(self) -> int:
        """How many instructions there are."""
        return len(self._written)

    def instructions(self) -> tuple[AnyInstruction, ...]:
        """All instructions, numbered."""
        return tuple(kind(id=f"i{number}", **fields) for number, (kind, fields) in enumerate(self._written, 1))

    # -- tips ---------------------------------------------------------------------------------------

    def put_down(self) -> None:
        """Drop the tip that stayed on from the batch before, if there is one."""
        if self._mounted is not None:
            self.write(DropTips, pipette=self._mounted.tool.pipette.id, channels=(0,))
            self._mounted = None

    def _mount(self, batch: Batch, *, keep: bool) -> list[float | None]:
        """Put tips on the channels of a batch; what each tip holds, ``None`` for a dry one."""
        mounted = self._mounted
        if mounted is not None:
            lane = batch.lanes[0]
            same = mounted.tool == batch.tool and mounted.token == lane.token
            if keep and same and len(batch.lanes) == 1:
                self._mounted = None
                return [mounted.held]
            self.put_down()
        tool, wanted = batch.tool, len(batch.lanes)
        if tool.rigid:
            self._mount_block(batch)
        else:
            picked = 0
            while picked < wanted:
                picked += self._pick_up(tool, picked, wanted - picked)
        self.tips[tool.tip.kind] += wanted
        return [None] * wanted

    def _pick_up(self, tool: Tool, first: int, count: int) -> int:
        """Pick up tips on the channels from ``first`` on; how many."""
        kind = tool.tip.kind
        if not self._stock.left(kind):
            self._exchange(kind)
        picked = 0
        for spots in self._stock.take(kind, count, tool.pipette.pitch):
            channels = tuple(range(first + picked, first + picked + len(spots)))
            self.write(PickUpTips, pipette=tool.pipette.id, channels=channels, spots=tuple(spots))
            picked += len(spots)
        return picked

    def _mount_block(self, batch: Batch) -> None:
        tool = batch.tool
        rows, columns = head_shape(tool.pipette)
        spots = self._stock.take_block(tool.tip.kind, rows, columns)
        if spots is None:
            self._exchange(tool.tip.kind)
            spots = self._stock.take_block(tool.tip.kind, rows, columns)
        assert spots is not None
        self.write(PickUpTips, pipette=tool.pipette.id, channels=tuple(range(len(spots))), spots=tuple(spots))

    def _exchange(self, kind: str) -> None:
        """Have a person put a full rack where one of this kind is used up.

        Racks that were used up together are exchanged in one visit: the instruction goes to where the first of
        them was exchanged.
        """
        self.racks_exchanged += 1
        visit = self._visits.get(kind)
        if self._stock.left(kind):
            rack = self._stock.fewest(kind)
            self._visits.pop(kind, None)
        else:
            racks = self._stock.racks(kind)
            rack = next((name for name in racks if visit is not None and name not in visit.renewed), racks[0])
            if visit is None or rack in visit.renewed:
                visit = self._visits[kind] = _Visit(len(self._written), self.step)
            visit.renewed.add(rack)
        self._stock.renew(rack)
        place, step = (len(self._written), self.step) if visit is None else (visit.place, visit.step)
        self._written.insert(place, (ReplaceTipRack, {"step": step, "rack": rack}))
        for other in self._visits.values():
            other.place += other.place >= place

    # -- batches ------------------------------------------------------------------------------------

    def run(self, batch: Batch, *, keep: bool) -> None:
        """Write a batch; ``keep`` lets its single clean tip stay on for the next one of the same liquid."""
        held = self._mount(batch, keep=keep)
        for number in range(batch.rounds):
            active = batch.active(number)
            self._mix(batch.tool, [(i, cycle, cycle.before) for i, cycle in active], held)
            self._draw(batch.tool, active, held)
            self._gap(batch.tool, active)
            for put in range(max(len(cycle.puts) for _, cycle in active)):
                self._put(batch.tool, [(i, cycle) for i, cycle in active if put < len(cycle.puts)], put, held)
            self._mix(batch.tool, [(i, cycle, cycle.after) for i, cycle in active], held)
        lane = batch.lanes[0]
        if keep and len(batch.lanes) == 1 and lane.clean:
            self._mounted = _Mounted(batch.tool, lane.token, held[0] or 0.0)
        else:
            self.write(DropTips, pipette=batch.tool.pipette.id, channels=tuple(range(len(batch.lanes))))

    def _groups(self, tool: Tool, items: Sequence[tuple[int, str, str]]) -> list[list[int]]:
        return stroke_groups(self._deck, self._contents, tool.pipette, items) if items else []

    def _draw(self, tool: Tool, active: Sequence[tuple[int, Cycle]], held: list[float | None]) -> None:
        draws: list[tuple[int, Cycle, float]] = []
        for channel, cycle in active:
            if cycle.source is None:
                continue
            target = sum(volume for _, volume in cycle.puts) + cycle.draw_class.film + cycle.reserve
            draws.append((channel, cycle, round(target - (held[channel] or 0.0), 9)))
            held[channel] = target
        items = [(channel, cycle.source or "", cycle.draw_class.name) for channel, cycle, _ in draws]
        for group in self._groups(tool, items):
            chosen = [draws[index] for index in group]
            wells = [cycle.source or "" for _, cycle, _ in chosen]
            volumes = [volume for _, _, volume in chosen]
            before = {well: self._contents.source(well).volume for well in wells}
            for well, volume in zip(wells, volumes, strict=True):
                self._contents.take(well, volume)
                self.findings.drawn[well] += volume
            height = self._height_in(tool, wells, before)
            cycle = chosen[0][1]
            more = {"takes_rest": True} if cycle.rest else {}
            if not cycle.rest:
                self._check(wells, volumes, before, height)
            self._stroke(Aspirate, tool, [c for c, _, _ in chosen], wells, volumes, cycle.draw_class, height, **more)

    def _gap(self, tool: Tool, active: Sequence[tuple[int, Cycle]]) -> None:
        gaps = [(channel, cycle.air_gap) for channel, cycle in active if cycle.air_gap > 0]
        if gaps:
            channels, volumes = zip(*gaps, strict=True)
            self.write(AirGap, pipette=tool.pipette.id, channels=channels, volumes=volumes)

    def _put(self, tool: Tool, active: Sequence[tuple[int, Cycle]], put: int, held: list[float | None]) -> None:
        items = [(channel, cycle.puts[put][0], cycle.put_class.name) for channel, cycle in active]
        for group in self._groups(tool, items):
            chosen = [active[index] for index in group]
            wells = [cycle.puts[put][0] for _, cycle in chosen]
            volumes: list[float] = []
            for channel, cycle in chosen:
                well, volume = cycle.puts[put]
                source = self._contents[cycle.source or well]
                self._contents.receive(well, volume, source.token, source.liquids)
                if self._contents[well].volume is None:
                    self._given[well] -= volume
                self._check_room(well)
                held[channel] = (held[channel] or 0.0) - volume
                volumes.append(volume + (cycle.air_gap if put == 0 else 0.0))
            put_class = chosen[0][1].put_class
            height = self._height_over(wells) if put_class.jet else self._height_in(tool, wells, {})
            self._stroke(Dispense, tool, [c for c, _ in chosen], wells, volumes, put_class, height)

    def _mix(self, tool: Tool, active: Sequence[tuple[int, Cycle, Mixing | None]], held: list[float | None]) -> None:
        stirring = [(channel, cycle, mixing) for channel, cycle, mixing in active if mixing is not None]
        items = [(c, mixing.well, f"{cycle.put_class.name} {mixing.cycles}") for c, cycle, mixing in stirring]
        for group in self._groups(tool, items):
            chosen = [stirring[index] for index in group]
            wells = [mixing.well for _, _, mixing in chosen]
            put_class = chosen[0][1].put_class
            volumes = [self._mix_volume(tool, put_class, m.well, m.volume, held[c]) for c, _, m in chosen]
            before = {well: self._contents.source(well).volume for well in wells}
            for well, volume in zip(wells, volumes, strict=True):
                self._contents.take(well, volume)
            height = self._height_in(tool, wells, before)
            for (channel, _, mixing), volume in zip(chosen, volumes, strict=True):
                kept = max(held[channel] or 0.0, put_class.film)
                holding = self._contents[mixing.well]
                if holding.volume is not None:
                    holding.volume += volume + (held[channel] or 0.0) - kept
                held[channel] = kept
            self._stroke(
                Mix,
                tool,
                [c for c, _, _ in chosen],
                wells,
                volumes,
                put_class,
                height,
                cycles=chosen[0][2].cycles,
            )

    def _mix_volume(self, tool: Tool, liquid_class: LiquidClass, well: str, wanted: float, held: float | None) -> float:
        """The mixing stroke: what was asked, as far as tip and well allow."""
        room = tool.room(liquid_class, 0.0) + liquid_class.film - max(held or 0.0, liquid_class.film)
        volume = min(wanted, room)
        holding = self._contents[well]
        if holding.volume is not None:
            shape = self._deck.place(well).shape
            rest = max(shape.dead_volume or 0.0, (shape.volume_below(holding.floor) or 0.0))
            volume = min(volume, max(0.0, holding.volume - rest))
        if volume < wanted - _TOLERANCE:
            self.findings.lowered_mixes.add(self.step)
        return volume

    def _stroke(
        self,
        kind: type[Any],
        tool: Tool,
        channels: Sequence[int],
        wells: Sequence[str],
        volumes: Sequence[float],
        liquid_class: LiquidClass,
        height: float | None,
        **more: Any,
    ) -> None:
        self.classes[liquid_class.name] = self._within_limits(liquid_class)
        self.strokes += len(channels) if kind is Aspirate else 0
        self.write(
            kind,
            pipette=tool.pipette.id,
            channels=tuple(channels),
            wells=tuple(wells),
            volumes=tuple(volumes),
            liquid_class=liquid_class.name,
            height=height,
            **more,
        )

    def _within_limits(self, liquid_class: LiquidClass) -> LiquidClass:
        fastest = self._deck.workcell.limits.flow_rate
        if max(liquid_class.aspirate_flow_rate, liquid_class.dispense_flow_rate) <= fastest:
            return liquid_class
        self.findings.slowed.add(liquid_class.name)
        slower = {
            name: min(getattr(liquid_class, name), fastest) for name in ("aspirate_flow_rate", "dispense_flow_rate")
        }
        return liquid_class.model_copy(update=slower)

    # -- heights ------------------------------------------------------------------------------------

    def _height_in(self, tool: Tool, wells: Sequence[str], before: dict[str, float | None]) -> float:
        """The height of tips in liquid, by what the wells hold now (after the stroke) and held before it."""
        low, high = 0.0, HEIGHT
        for well in wells:
            holding, shape = self._contents[well], self._deck.place(well).shape
            low = max(low, holding.floor)
            if shape.profile is None or holding.volume is None:
                self.findings.without_geometry.add(well)
                continue
            high = min(high, 0.5 * (shape.surface(holding.volume) or 0.0))
            fullest = shape.surface(max(holding.volume, before.get(well) or 0.0)) or 0.0
            low = max(low, min(fullest, shape.depth or fullest) - tool.tip.length)
        return math.floor(high * 1000) / 1000 if high > low else math.ceil(low * 1000 - 1e-6) / 1000

    def _height_over(self, wells: Sequence[str]) -> float:
        places = [self._deck.place(well) for well in wells]
        self.findings.without_geometry |= {place.reference for place in places if not place.rim_known}
        return max(place.rim for place in places)

    def _check_room(self, well: str) -> None:
        held, most = self._contents[well].volume, self._deck.place(well).shape.max_volume
        if held is not None and held > most + _TOLERANCE:
            self.findings.overflows[well] = Overflow(self.step, well, held, most)

    def _check(
        self,
        wells: Sequence[str],
        volumes: Sequence[float],
        before: dict[str, float | None],
        height: float,
    ) -> None:
        """Note wells that cannot give what is asked."""
        for well in dict.fromkeys(wells):
            asked = sum(volume for name, volume in zip(wells, volumes, strict=True) if name == well)
            held, shape = before[well], self._deck.place(well).shape
            if held is None:
                asked += self._given[well]
                held, self._given[well] = shape.max_volume, asked
                self.findings.undeclared[well] = max(self.findings.undeclared.get(well, 0.0), asked)
            rest = max(shape.dead_volume or 0.0, shape.volume_below(height) or 0.0)
            reachable = max(0.0, held - rest)
            if asked > reachable + _TOLERANCE:
                self.findings.shortages.append(Shortage(self.step, well, asked, reachable, rest))
