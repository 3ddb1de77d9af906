"""Lanes put side by side on the channels of a pipette, so that each instruction moves as many as it can."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from itertools import pairwise

from protocols.compiler.contents import Contents
from protocols.compiler.geometry import Deck, Place, together
from protocols.compiler.lanes import Cycle, Lane, Stretch, lanes_for
from protocols.compiler.pairs import Pair
from protocols.compiler.tools import TipStock, Tool, head_shape
from protocols.specs import PipetteSpec


@dataclass(slots=True)
class Batch:
    """Lanes that run together: ``lanes[i]`` on channel ``i`` of their tool's pipette."""

    tool: Tool
    lanes: list[Lane]

    @property
    def rounds(self) -> int:
        """The cycles of the longest lane."""
        return max(len(lane.cycles) for lane in self.lanes)

    def active(self, number: int) -> list[tuple[int, Cycle]]:
        """Channel and cycle of the lanes that have a cycle of this number."""
        return [(i, lane.cycles[number]) for i, lane in enumerate(self.lanes) if number < len(lane.cycles)]


def stroke_groups(
    deck: Deck, contents: Contents, pipette: PipetteSpec, items: Sequence[tuple[int, str, str]]
) -> list[list[int]]:
    """Indices into ``items`` (channel, well, liquid class) of what one stroke does together."""
    places = [deck.place(well) for _, well, _ in items]
    keys = [(name, contents[well].floor) for _, well, name in items]
    return together(pipette, [channel for channel, _, _ in items], places, keys)


def count_acts(deck: Deck, contents: Contents, batch: Batch) -> int:
    """How many instructions a batch takes, with one each to pick up and drop its tips."""
    pipette = batch.tool.pipette
    if len(batch.lanes) == 1:
        return batch.lanes[0].acts + 2
    acts = 2

    def strokes(items: list[tuple[int, str, str]]) -> int:
        return len(stroke_groups(deck, contents, pipette, items)) if items else 0

    for number in range(batch.rounds):
        active = batch.active(number)
        acts += strokes([(i, cycle.source, cycle.draw_class.name) for i, cycle in active if cycle.source])
        acts += any(cycle.air_gap for _, cycle in active)
        for put in range(max(len(cycle.puts) for _, cycle in active)):
            acts += strokes(
                [(i, cycle.puts[put][0], cycle.put_class.name) for i, cycle in active if put < len(cycle.puts)]
            )
        for name in ("before", "after"):
            mixes = [(i, getattr(cycle, name), cycle.put_class.name) for i, cycle in active]
            acts += strokes([(i, mix.well, style) for i, mix, style in mixes if mix is not None])
    return acts


_SortKey = Callable[[Lane], tuple[int, ...]]


def _first(lane: Lane, *, destination: bool) -> str:
    for cycle in lane.cycles:
        if destination and cycle.puts:
            return cycle.puts[0][0]
        if cycle.source and not (destination and cycle.puts):
            return cycle.source
        mix = cycle.after or cycle.before
        if mix is not None:
            return mix.well
    raise AssertionError("a lane without a well")


def _in_order(batches: Sequence[Batch]) -> list[Batch]:
    """Batches by the first pair that they serve; the tips of one pair one after the other, so that mixing is last."""
    before: TopologicalSorter[int] = TopologicalSorter(dict.fromkeys(range(len(batches)), ()))
    parts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, batch in enumerate(batches):
        for pair, part in (part for lane in batch.lanes for part in lane.parts):
            parts[pair].append((part, number))
    for each in parts.values():
        for (_, one), (_, then) in pairwise(sorted(each)):
            if one != then:
                before.add(then, one)
    before.prepare()
    ready: list[tuple[int, int]] = []
    ordered: list[Batch] = []
    while before.is_active():
        for number in before.get_ready():
            heappush(ready, (min(lane.index for lane in batches[number].lanes), number))
        _, number = heappop(ready)
        ordered.append(batches[number])
        before.done(number)
    return ordered


class Arranger:
    """Puts lanes on channels; keeps what it worked out about places."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck

    def _keys(self) -> tuple[_SortKey, ...]:
        def by(destination: bool) -> _SortKey:
            def key(lane: Lane) -> tuple[int, ...]:
                place: Place = self._deck.place(_first(lane, destination=destination))
                return (*place.order, lane.index)

            return key

        return (lambda lane: (lane.index,)), by(True), by(False)

    def arrange(self, contents: Contents, lanes: Iterable[Lane]) -> tuple[list[Batch], int]:
        """Batches of all lanes, and how many instructions they take together."""
        pools: dict[tuple[int, ...], list[Lane]] = defaultdict(list)
        for lane in lanes:
            kind = (1, lane.bundle) if lane.bundle is not None else (0, len(lane.cycles))
            pools[(lane.tool.rank, *kind)].append(lane)
        batches: list[Batch] = []
        acts = 0
        for pool in pools.values():
            chosen, count = self._pool(contents, pool)
            batches += chosen
            acts += count
        return _in_order(batches), acts

    def _pool(self, contents: Contents, pool: list[Lane]) -> tuple[list[Batch], int]:
        tool = pool[0].tool
        width = 1 if tool.rigid else tool.pipette.channels
        if width == 1 or len(pool) == 1:
            batches = [Batch(tool, [lane]) for lane in pool]
            return batches, sum(lane.acts + 2 for lane in pool)
        best: tuple[list[Batch], int] | None = None
        keys = self._keys()
        for key in keys:
            ordered = sorted(pool, key=key)
            found: list[Batch] = []
            acts = 0
            for start in range(0, len(ordered), width):
                batch, count = self._channels(contents, tool, ordered[start : start + width], keys)
                found.append(batch)
                acts += count
            if best is None or acts < best[1]:
                best = (found, acts)
        assert best is not None
        return best

    def _channels(
        self, contents: Contents, tool: Tool, lanes: list[Lane], keys: Sequence[_SortKey]
    ) -> tuple[Batch, int]:
        choices = [Batch(tool, sorted(lanes, key=key)) for key in keys]
        counts = [count_acts(self._deck, contents, choice) for choice in choices]
        best = counts.index(min(counts))
        return choices[best], counts[best]


def block_batches(
    deck: Deck, stretch: Stretch, stock: TipStock, tools: Sequence[Tool], pairs: Sequence[Pair]
) -> list[Batch]:
    """Whole columns or plates that a rigid head moves at once.

    A block goes from wells to the like wells of another plate, one volume, one liquid class, a tip of its own
    for each pair.
    """
    batches: list[Batch] = []
    left = list(pairs)
    heads = [tool for tool in tools if tool.rigid and stock.has_block(tool.tip.kind, *head_shape(tool.pipette))]
    for tool in sorted(heads, key=lambda tool: (-tool.pipette.channels, tool.tip.capacity, tool.rank)):
        found, left = _blocks_of(deck, stretch, tool, left)
        batches += found
    return batches


def _blocks_of(deck: Deck, stretch: Stretch, tool: Tool, pairs: Sequence[Pair]) -> tuple[list[Batch], list[Pair]]:
    rows, columns = head_shape(tool.pipette)
    groups: dict[tuple[object, ...], dict[tuple[int, int], list[Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        source, destination = deck.place(pair.source), deck.place(pair.destination)
        if source.row != destination.row or (source.column - destination.column) % columns:
            continue
        if tool.strokes(pair.volume, stretch.behaviours(pair), stretch.handling) is None:
            continue
        if any(deck.spec(place.labware).rows != rows for place in (source, destination)):
            continue
        key = (
            source.labware,
            destination.labware,
            source.column // columns,
            destination.column // columns,
            pair.volume,
            stretch.behaviours(pair),
            stretch.contents[pair.source].floor,
            stretch.contents[pair.destination].floor,
        )
        groups[key][(source.column % columns, source.row)].append(pair)
    batches: list[Batch] = []
    used: set[int] = set()
    for positions in groups.values():
        while len(positions) == rows * columns and all(positions.values()):
            block = [positions[(column, row)].pop(0) for column in range(columns) for row in range(rows)]
            lanes = [lanes_for(stretch, tool, [pair]) for pair in block]
            if any(len(own) > 1 or len(own[0].cycles) != len(lanes[0][0].cycles) for own in lanes):
                break
            if len({lane.cycles[0].put_class for own in lanes for lane in own}) > 1:
                break
            used |= {pair.index for pair in block}
            batches.append(Batch(tool, [lane for own in lanes for lane in own]))
    return batches, [pair for pair in pairs if pair.index not in used]
