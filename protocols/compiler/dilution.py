"""The chain of a serial dilution: one tip from well to well, as it is wet with what it draws next. Volumes µL."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.compiler.batches import Batch
from protocols.compiler.classes import liquid_class_for
from protocols.compiler.contents import Contents
from protocols.compiler.lanes import Cycle, Lane, Mixing
from protocols.compiler.pairs import PLAIN
from protocols.compiler.tools import Tool
from protocols.liquids import Behaviours
from protocols.protocol import SerialDilution


def half_full(step: SerialDilution) -> float:
    """The mixing stroke: half of what a diluted well holds."""
    return step.volume / 2


def dilution_lanes(step: SerialDilution, contents: Contents, tools: Sequence[Tool]) -> list[Batch]:
    """The lanes of the chain, one after the other, with the tool that needs fewest tips, then fewest moves.

    Of tools alike in that, one that takes the whole mixing stroke goes before one that does not. Empty if no tool
    moves all of it.
    """
    choices: list[tuple[tuple[int, int, float, float, int], list[Lane]]] = []
    for tool in tools:
        lanes = _chain(step, contents, tool)
        if lanes is not None:
            acts = sum(lane.acts for lane in lanes)
            choices.append(((len(lanes), acts, _stroke_lacks(step, lanes), tool.tip.capacity, tool.rank), lanes))
    if not choices:
        return []
    _, best = min(choices, key=lambda choice: choice[0])
    return [Batch(lane.tool, [lane]) for lane in best]


def _chain(step: SerialDilution, contents: Contents, tool: Tool) -> list[Lane] | None:
    volume = step.volume / step.factor
    behaviours: Behaviours = contents.behaviours(step.wells[0])
    lanes: list[list[Cycle]] = [[]]
    for source, destination in zip(step.wells, step.wells[1:], strict=False):
        count = tool.strokes(volume, behaviours, PLAIN)
        if count is None:
            return None
        falls = tool.jets(volume / count, behaviours, PLAIN)
        for number in range(count):
            last = number == count - 1
            style = liquid_class_for(behaviours, tool.tip, jet=falls and not last)
            after = Mixing(destination, step.mix_cycles, half_full(step)) if last else None
            lanes[-1].append(Cycle(source, ((destination, volume / count),), style, style, after=after))
            if not last and not falls:  # this tip has touched the next well: it must not go back
                lanes.append([])
        behaviours |= contents.behaviours(destination)
    if step.discard:
        _take_off(step.wells[-1], volume, tool, behaviours, lanes)
    return [Lane(tool, cycles, 0) for cycles in lanes]


def _stroke_lacks(step: SerialDilution, lanes: Sequence[Lane]) -> float:
    """How much of the mixing stroke the tip has no room for."""
    rooms = [lane.tool.room(cycle.put_class, 0.0) for lane in lanes for cycle in lane.cycles if cycle.after]
    return max(0.0, half_full(step) - min(rooms))


def _take_off(well: str, volume: float, tool: Tool, behaviours: Behaviours, lanes: list[list[Cycle]]) -> None:
    """Draw the surplus of the last well, to leave with the tip."""
    count = tool.strokes(volume, behaviours, PLAIN) or 1
    style = liquid_class_for(behaviours, tool.tip)
    for number in range(count):
        if number:
            lanes.append([])
        lanes[-1].append(Cycle(well, (), style, style, reserve=volume / count))
