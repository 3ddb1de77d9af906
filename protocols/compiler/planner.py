"""From pairs to batches: which tool, which tips are shared, what runs side by side.

The aim is fewest tips, then fewest instructions, then the smallest tips, in this order. With ``favour="moves"``
one liquid that goes to many wells is moved with as many channels as there are, at a tip for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from protocols.compiler.batches import Arranger, Batch, block_batches
from protocols.compiler.geometry import Deck
from protocols.compiler.lanes import Lane, Stretch, lanes_for, single_lane, soils
from protocols.compiler.pairs import Pair
from protocols.compiler.tools import TipStock, Tool
from protocols.liquids import Behaviours
from protocols.protocol import Handling

Favour = Literal["tips", "moves"]
"""What to save first."""

_MOST_ORDERED = 4
"""Of how many liquids that go to the same wells every order is tried."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """One way of moving pairs of one liquid."""

    tool: Tool
    pairs: Sequence[Pair]
    lanes: list[Lane]

    @property
    def cost(self) -> tuple[int, int, float, int]:
        acts = sum(lane.acts for lane in self.lanes)
        return len(self.lanes), acts, self.tool.tip.capacity * len(self.lanes), self.tool.rank


def _fewest(parts: Sequence[Sequence[_Choice]]) -> tuple[int, int]:
    """The fewest tips that all parts take, and with these the fewest instructions."""
    costs = [min(choice.cost for choice in choices) for choices in parts]
    return sum(cost[0] for cost in costs), sum(cost[1] for cost in costs)


class Planner:
    """Chooses tools and batches for one stretch of pairs after the other."""

    def __init__(self, deck: Deck, stock: TipStock, tools: Sequence[Tool], favour: Favour) -> None:
        self._deck = deck
        self._stock = stock
        self._tools = tools
        self._plain = [tool for tool in tools if not tool.rigid]
        self._favour = favour
        self._arranger = Arranger(deck)

    def usable(self, volume: float, behaviours: Behaviours, handling: Handling) -> list[Tool]:
        """The tools that can move this volume into single wells."""
        return [tool for tool in self._plain if tool.strokes(volume, behaviours, handling) is not None]

    def plan(self, stretch: Stretch) -> list[Batch]:
        """The batches that move all pairs of a stretch; each pair must be usable by some tool."""
        pairs: Sequence[Pair] = stretch.pairs
        blocks: list[Batch] = []
        if any(tool.rigid for tool in self._tools):
            own = [pair for group in self._groups(stretch, pairs) for pair in self._needing_own_tips(stretch, group)]
            blocks = block_batches(self._deck, stretch, self._stock, self._tools, own)
            taken = {lane.index for batch in blocks for lane in batch.lanes}
            pairs = [pair for pair in pairs if pair.index not in taken]
        choices = [choice for group in self._groups(stretch, pairs) for choice in self._split(stretch, group)]
        return blocks + self._best_arrangement(stretch, choices)

    def going_first(self, stretch: Stretch) -> list[Pair]:
        """The pairs to move before the others of a stretch: all, unless one liquid by itself takes fewer tips.

        While a well is still empty, a tip that touches it carries nothing over; once another liquid is in, it does.
        Liquids are put in order whole: splitting one, which seldom saves a tip more, is not tried.
        """
        if stretch.handling.mix_after or all(len(liquids) == 1 for liquids in stretch.arriving.values()):
            return stretch.pairs
        rivals = self._rivals(stretch)
        fewest, first = self._best_order(stretch, rivals, frozenset())
        together = sum(self._fewest_tips(stretch, group) for group in rivals)
        return stretch.pairs if first is None or fewest >= together else rivals[first]

    def _rivals(self, stretch: Stretch) -> list[list[Pair]]:
        """The liquids that would each take fewer tips if they were first, those that save most."""
        saved: list[tuple[int, list[Pair]]] = []
        for group in self._groups(stretch, stretch.pairs):
            if any(len(stretch.arriving[pair.destination]) > 1 for pair in group):
                alone = Stretch(group, stretch.contents, stretch.handling)
                saved.append((self._fewest_tips(stretch, group) - self._fewest_tips(alone, group), group))
        saved.sort(key=lambda item: -item[0])
        return [group for count, group in saved[:_MOST_ORDERED] if count > 0]

    def _best_order(
        self, stretch: Stretch, groups: Sequence[list[Pair]], before: frozenset[int]
    ) -> tuple[int, int | None]:
        """The fewest tips for the groups that are not ``before``, one after the other, and which of them goes first."""
        best: tuple[int, int | None] = (0, None)
        for number, group in enumerate(groups):
            if number in before:
                continue
            alone = Stretch(group, stretch.contents, stretch.handling)
            for pair in (pair for other in before for pair in groups[other]):
                if pair.destination in alone.arriving:
                    alone.arriving[pair.destination].add(stretch.token(pair))
            tips = self._fewest_tips(alone, group) + self._best_order(stretch, groups, before | {number})[0]
            if best[1] is None or tips < best[0]:
                best = (tips, number)
        return best

    def _fewest_tips(self, stretch: Stretch, group: list[Pair]) -> int:
        return _fewest(self._split(stretch, group))[0]

    def _groups(self, stretch: Stretch, pairs: Sequence[Pair]) -> list[list[Pair]]:
        groups: dict[str | None, list[Pair]] = defaultdict(list)
        for pair in pairs:
            groups[stretch.token(pair)].append(pair)
        return list(groups.values())

    def _needing_own_tips(self, stretch: Stretch, group: list[Pair]) -> list[Pair]:
        """The pairs of one liquid that would get a tip each in any case, or that may."""
        if len(group) == 1 or stretch.handling.tips == "each transfer" or self._favour == "moves":
            return group
        return []

    def _split(self, stretch: Stretch, group: list[Pair]) -> list[list[_Choice]]:
        """Every way of moving each part of a group; pairs that take several tips are set apart if that saves some."""
        parts = self._parts(stretch, group)
        apart: dict[int, list[Pair]] = defaultdict(list)
        staying: list[Pair] = []
        for choices in parts:
            home = min(choices, key=lambda choice: choice.cost)
            for pair in home.pairs:
                tool = self._sparing(stretch, pair, home.tool)
                (staying if tool is home.tool else apart[self._plain.index(tool)]).append(pair)
        if not apart:
            return parts
        others = self._parts(stretch, staying)
        others += [[self._choice(stretch, self._plain[at], pairs)] for at, pairs in sorted(apart.items())]
        return others if _fewest(others) < _fewest(parts) else parts

    def _sparing(self, stretch: Stretch, pair: Pair, tool: Tool) -> Tool:
        """The tool that moves a pair which soils its tip with the fewest tips and instructions; ``tool`` if it does."""

        def cost(tool: Tool) -> tuple[int, int]:
            lanes = lanes_for(stretch, tool, [pair])
            return len(lanes), sum(lane.acts for lane in lanes)

        def strokes(tool: Tool) -> int | None:
            return tool.strokes(pair.volume, stretch.behaviours(pair), stretch.handling)

        if strokes(tool) == 1 or not soils(stretch, tool, pair):
            return tool
        return min(
            (each for each in self._plain if strokes(each) is not None), key=lambda each: (cost(each), each != tool)
        )

    def _parts(self, stretch: Stretch, group: list[Pair]) -> list[list[_Choice]]:
        """Every way of moving a group with one tool; the group is cut where no tool can move all of it."""
        left = group
        parts: list[list[_Choice]] = []
        while left:
            able = {
                tool.rank: {
                    pair.index
                    for pair in left
                    if tool.strokes(pair.volume, stretch.behaviours(pair), stretch.handling) is not None
                }
                for tool in self._plain
            }
            most = max(map(len, able.values()))
            covered = next(able[tool.rank] for tool in self._plain if len(able[tool.rank]) == most)
            part = [pair for pair in left if pair.index in covered]
            parts.append([self._choice(stretch, tool, part) for tool in self._plain if able[tool.rank] >= covered])
            left = [pair for pair in left if pair.index not in covered]
        return parts

    def _choice(self, stretch: Stretch, tool: Tool, pairs: Sequence[Pair]) -> _Choice:
        width = tool.pipette.channels if self._favour == "moves" else 1
        return _Choice(tool, pairs, lanes_for(stretch, tool, pairs, most=width))

    def _best_arrangement(self, stretch: Stretch, groups: Sequence[Sequence[_Choice]]) -> list[Batch]:
        """The best of: for each liquid the tool that suits it best, or one tool for all that it suits."""
        if not groups:
            return []
        best: tuple[tuple[int, int, float], list[Batch]] | None = None
        alone = [min(choices, key=lambda choice: choice.cost) for choices in groups]
        for favourite in (None, *self._plain):
            chosen = [self._prefer(favourite, choices, own) for choices, own in zip(groups, alone, strict=True)]
            if favourite is not None and all(a is b for a, b in zip(chosen, alone, strict=True)):
                continue
            lanes = [lane for choice in chosen for lane in choice.lanes]
            batches, acts = self._arranger.arrange(stretch.contents, lanes)
            cost = (len(lanes), acts, sum(lane.tool.tip.capacity for lane in lanes))
            if best is None or cost < best[0]:
                best = (cost, batches)
            if all(tool.pipette.channels == 1 for tool in self._plain):
                break
        assert best is not None
        return best[1]

    @staticmethod
    def _prefer(favourite: Tool | None, choices: Sequence[_Choice], own: _Choice) -> _Choice:
        if favourite is None:
            return own
        return next((choice for choice in choices if choice.tool == favourite), own)

    def plan_single(self, stretch: Stretch) -> Batch | None:
        """One tip for all pairs in order; ``None`` if no tool can move them all."""
        lanes = [
            single_lane(stretch, tool, stretch.pairs)
            for tool in self._plain
            if all(
                tool.strokes(pair.volume, stretch.behaviours(pair), stretch.handling) is not None
                for pair in stretch.pairs
            )
        ]
        if not lanes:
            return None
        best = min(lanes, key=lambda lane: (lane.acts, lane.tool.tip.capacity, lane.tool.rank))
        return Batch(best.tool, [best])
