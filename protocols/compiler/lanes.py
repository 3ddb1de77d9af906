"""What one tip does from being picked up to being dropped: a lane, made of cycles of one draw and its dispenses.

A tip serves several pairs only where nothing is carried over: the same liquid all along, and every dispense
falls from above or touches nothing but that liquid. Volumes µL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from protocols.compiler.classes import liquid_class_for
from protocols.compiler.contents import Contents
from protocols.compiler.pairs import Pair
from protocols.compiler.tools import Tool
from protocols.liquids import Behaviours, LiquidClass
from protocols.protocol import Handling


@dataclass(frozen=True, slots=True)
class Mixing:
    """Mixing in a well: so many cycles of so much."""

    well: str
    cycles: int
    volume: float


@dataclass(frozen=True, slots=True)
class Cycle:
    """One draw and what is done with it.

    Attributes:
        source: the well drawn from; ``None`` where the tip still holds what is dispensed.
        puts: (well, volume) in order.
        draw_class, put_class: the liquid class of the draw, and of dispenses and mixing.
        reserve: what stays in the tip, above its film, after the last dispense.
        air_gap: drawn after the draw.
        rest: the source may hold less than is drawn.
    """

    source: str | None
    puts: tuple[tuple[str, float], ...]
    draw_class: LiquidClass
    put_class: LiquidClass
    reserve: float = 0.0
    air_gap: float = 0.0
    before: Mixing | None = None
    after: Mixing | None = None
    rest: bool = False


@dataclass(slots=True)
class Lane:
    """All that one tip does.

    Attributes:
        index: the first pair it serves, for a stable order.
        clean: afterwards the tip has touched nothing but the liquid ``token``.
        bundle: lanes of one bundle run side by side.
        parts: (pair, number) of each pair that takes several tips, one after the other, of which this is one.
    """

    tool: Tool
    cycles: list[Cycle]
    index: int
    token: str | None = None
    clean: bool = False
    bundle: int | None = None
    parts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def acts(self) -> int:
        """Instructions it takes on its own, without its tip's coming and going."""
        return sum(
            (cycle.source is not None)
            + (cycle.air_gap > 0)
            + (cycle.before is not None)
            + (cycle.after is not None)
            + len(cycle.puts)
            for cycle in self.cycles
        )


@dataclass(slots=True)
class Stretch:
    """Pairs whose order does not matter, with what is known about their wells before the first of them."""

    pairs: list[Pair]
    contents: Contents
    handling: Handling
    arriving: dict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set))
    spare: dict[str, float] = field(default_factory=dict)
    """µL that each source of known volume has beyond what the pairs ask, its dead volume and films not counted."""

    def __post_init__(self) -> None:
        asked: defaultdict[str, float] = defaultdict(float)
        for pair in self.pairs:
            self.arriving[pair.destination].add(self.contents.source(pair.source).token)
            asked[pair.source] += pair.volume
        for well, volume in asked.items():
            held = self.contents[well].volume
            if held is not None:
                self.spare[well] = held - volume

    def token(self, pair: Pair) -> str | None:
        """The token of the liquid that the pair moves."""
        return self.contents.source(pair.source).token

    def behaviours(self, pair: Pair) -> Behaviours:
        """How that liquid departs from water."""
        return self.contents.behaviours(pair.source)

    def harmless(self, pair: Pair) -> bool:
        """Touching the destination carries nothing over: it holds, and gets, nothing but the same liquid."""
        token = self.token(pair)
        return self.contents[pair.destination].token in (None, token) and self.arriving[pair.destination] == {token}


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A part of a pair that one stroke moves; ``first`` and ``last`` of its pair."""

    pair: Pair
    volume: float
    jet: bool
    first: bool
    last: bool


def _strokes(stretch: Stretch, tool: Tool, pair: Pair) -> list[_Stroke]:
    behaviours = stretch.behaviours(pair)
    count = tool.strokes(pair.volume, behaviours, stretch.handling)
    if count is None:
        raise ValueError(f"{tool.tip.kind} cannot move {pair.volume} µL")
    part = pair.volume / count
    jet = tool.jets(part, behaviours, stretch.handling)
    stir = stretch.handling.mix_after > 0
    return [
        _Stroke(pair, part, jet and not (stir and number == count - 1), number == 0, number == count - 1)
        for number in range(count)
    ]


def _cycle(stretch: Stretch, tool: Tool, strokes: Sequence[_Stroke], *, fresh: bool, reserve: float | None) -> Cycle:
    """The cycle of one draw for these strokes; ``reserve`` is given where liquid stays in the tip throughout."""
    handling, first, last = stretch.handling, strokes[0], strokes[-1]
    behaviours = stretch.behaviours(first.pair)
    put_class = liquid_class_for(behaviours, tool.tip, jet=first.jet, part=reserve is not None)
    draw_class = put_class
    if fresh and handling.pre_wet:
        draw_class = liquid_class_for(
            behaviours, tool.tip, jet=first.jet, part=reserve is not None, pre_wet=handling.pre_wet
        )
    before = after = None
    if handling.mix_before and first.first:
        before = Mixing(first.pair.source, handling.mix_before, handling.mix_volume or first.volume)
    if handling.mix_after and last.last:
        after = Mixing(last.pair.destination, handling.mix_after, handling.mix_volume or last.volume)
    return Cycle(
        source=first.pair.source,
        puts=tuple((stroke.pair.destination, stroke.volume) for stroke in strokes),
        draw_class=draw_class,
        put_class=put_class,
        reserve=reserve or 0.0,
        air_gap=handling.air_gap,
        before=before,
        after=after,
        rest=handling.rest,
    )


def _one_by_one(stretch: Stretch, tool: Tool, strokes: Iterable[_Stroke], *, fresh: bool) -> list[Cycle]:
    return [
        _cycle(stretch, tool, [stroke], fresh=fresh and number == 0, reserve=None)
        for number, stroke in enumerate(strokes)
    ]


def _shared_draws(stretch: Stretch, tool: Tool, strokes: Sequence[_Stroke]) -> list[Cycle] | None:
    """One draw for several dispenses, with a reserve that goes back to the source; ``None`` if it cannot be.

    The reserve is the tip's least volume: first and last part of a series are the inexact ones. (Opentrons'
    ``distribute`` keeps the pipette's least volume as its disposal volume.)
    """
    first = strokes[0]
    part = liquid_class_for(stretch.behaviours(first.pair), tool.tip, jet=True, part=True)
    room = tool.room(part, stretch.handling.air_gap)
    reserve = min(tool.least, room / 4)
    if reserve <= 0 or stretch.spare.get(first.pair.source, reserve) < reserve:
        return None
    cycles: list[Cycle] = []
    draw: list[_Stroke] = []
    total = 0.0
    for stroke in strokes:
        fits = stroke.pair.source == first.pair.source and total + stroke.volume <= room - reserve + 1e-9
        if draw and not (fits and stroke.jet and draw[0].jet):
            cycles.append(_cycle(stretch, tool, draw, fresh=not cycles, reserve=reserve))
            draw, total = [], 0.0
        if stroke.pair.source != first.pair.source or stroke.volume > room - reserve + 1e-9:
            return None
        draw.append(stroke)
        total += stroke.volume
    cycles.append(_cycle(stretch, tool, draw, fresh=not cycles, reserve=reserve))
    cycles.append(Cycle(None, ((first.pair.source, reserve),), part, part))
    return cycles


def _sweep(stretch: Stretch, tool: Tool, pairs: Sequence[Pair], bundle: int | None) -> Lane:
    """One tip for pairs of one liquid, none of which soils it: by shared draws where that takes fewer moves."""
    strokes = [stroke for pair in pairs for stroke in _strokes(stretch, tool, pair)]
    single = Lane(
        tool,
        _one_by_one(stretch, tool, strokes, fresh=True),
        pairs[0].index,
        token=stretch.token(pairs[0]),
        clean=True,
        bundle=bundle,
    )
    if len(strokes) < 2 or stretch.handling.mix_before:
        return single
    by_source: dict[str, list[_Stroke]] = defaultdict(list)
    for stroke in strokes:
        by_source[stroke.pair.source].append(stroke)
    cycles: list[Cycle] = []
    for group in by_source.values():
        shared = _shared_draws(stretch, tool, group) if len(group) > 1 else None
        alone = _one_by_one(stretch, tool, group, fresh=not cycles)
        if shared is not None and replace(single, cycles=shared).acts < replace(single, cycles=alone).acts:
            cycles += shared
        else:
            cycles += alone
    return replace(single, cycles=cycles)


def _soiling(stretch: Stretch, tool: Tool, pair: Pair, *, fresh: bool) -> list[list[Cycle]]:
    """The cycles of a pair that soils its tip, in one list for each tip: only the last stroke may soil."""
    strokes = _strokes(stretch, tool, pair)
    if len(strokes) == 1 or strokes[0].jet or stretch.harmless(pair):
        return [_one_by_one(stretch, tool, strokes, fresh=fresh)]
    return [_one_by_one(stretch, tool, [stroke], fresh=fresh or number > 0) for number, stroke in enumerate(strokes)]


def soils(stretch: Stretch, tool: Tool, pair: Pair) -> bool:
    """Whether the tip touches another liquid than the one it carries."""
    if stretch.handling.mix_after:
        return True
    if stretch.harmless(pair):
        return False
    return not all(stroke.jet for stroke in _strokes(stretch, tool, pair))


def lanes_for(stretch: Stretch, tool: Tool, pairs: Sequence[Pair], *, most: int = 1) -> list[Lane]:
    """The lanes of pairs that carry one liquid: as few tips as can be, or up to ``most`` side by side."""
    if stretch.handling.tips == "each transfer":
        return [lane for pair in pairs for lane in _own(stretch, tool, pair)]
    clean = [pair for pair in pairs if not soils(stretch, tool, pair)]
    dirty = [pair for pair in pairs if soils(stretch, tool, pair)]
    lanes: list[Lane] = []
    if clean:
        width = max(1, min(most, len(clean)))
        bundle = clean[0].index if width > 1 else None
        lanes = [_sweep(stretch, tool, clean[start::width], bundle) for start in range(width)]
    for pair in dirty:
        rider = next((lane for lane in lanes if lane.clean), None)
        own = _own_lanes(stretch, tool, pair, fresh=rider is None)
        if rider is not None:
            rider.cycles += own[0].cycles
            rider.parts += own[0].parts
            rider.clean = False
            own = own[1:]
        lanes += own
    return lanes


def _own(stretch: Stretch, tool: Tool, pair: Pair) -> list[Lane]:
    """The lanes of a pair that gets a new tip whatever it carries."""
    if not soils(stretch, tool, pair):
        return [_sweep(stretch, tool, [pair], None)]
    return _own_lanes(stretch, tool, pair, fresh=True)


def _own_lanes(stretch: Stretch, tool: Tool, pair: Pair, *, fresh: bool) -> list[Lane]:
    """The lanes of a pair that soils its tips."""
    token, every = stretch.token(pair), _soiling(stretch, tool, pair, fresh=fresh)
    lanes = [Lane(tool, cycles, pair.index, token=token) for cycles in every]
    if len(lanes) > 1:
        for number, lane in enumerate(lanes):
            lane.parts.append((pair.index, number))
    return lanes


def single_lane(stretch: Stretch, tool: Tool, pairs: Sequence[Pair]) -> Lane:
    """One tip for everything, in order, at the writer's own risk."""
    strokes = [stroke for pair in pairs for stroke in _strokes(stretch, tool, pair)]
    return Lane(tool, _one_by_one(stretch, tool, strokes, fresh=True), pairs[0].index)
