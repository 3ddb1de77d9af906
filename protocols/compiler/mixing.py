"""Mixing wells in place: a tip for each liquid, many wells at once. Volumes µL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from protocols.compiler.batches import Arranger, Batch
from protocols.compiler.classes import liquid_class_for
from protocols.compiler.contents import Contents
from protocols.compiler.geometry import Deck
from protocols.compiler.lanes import Cycle, Lane, Mixing
from protocols.compiler.tools import Tool
from protocols.errors import CompileError
from protocols.protocol import MixWells
from protocols.quantities import show_volume
from protocols.tips import DUST


def mixing_lanes(step: MixWells, deck: Deck, contents: Contents, tools: Sequence[Tool]) -> list[Batch]:
    """The batches that mix all wells of a step; wells that hold the same liquid share a tip.

    Raises:
        CompileError: a tip reaches nothing of what a well holds.
    """
    groups: dict[str | None, list[str]] = defaultdict(list)
    for well in dict.fromkeys(step.wells):
        _check_reach(step, deck, contents, well)
        groups[contents.source(well).token].append(well)
    lanes: list[Lane] = []
    for index, (token, wells) in enumerate(groups.items()):
        behaviours = contents.behaviours(wells[0])
        tool = min(tools, key=lambda tool: _unfitness(tool, step.volume, liquid_class_for(behaviours, tool.tip).film))
        style = liquid_class_for(behaviours, tool.tip)
        cycles = [Cycle(None, (), style, style, after=Mixing(well, step.cycles, step.volume)) for well in wells]
        lanes.append(Lane(tool, cycles, index, token=token, clean=True))
    batches, _ = Arranger(deck).arrange(contents, lanes)
    return batches


def _check_reach(step: MixWells, deck: Deck, contents: Contents, well: str) -> None:
    holds, dead = contents.source(well).volume, deck.place(well).shape.dead_volume or 0.0
    if holds is not None and holds - dead <= DUST:
        out_of_reach = f", of which no tip reaches {show_volume(dead)}" if holds else ""
        raise CompileError(
            f"{well} holds {show_volume(holds)}{out_of_reach}: there is nothing to mix",
            where=f"step '{step.id}'",
            mend="Mix it after something has come in, or leave it out.",
        )


def _unfitness(tool: Tool, volume: float, film: float) -> tuple[float, float, float, int]:
    """The smallest tip that takes the whole stroke; else the one that takes most of it; of fitting minimum."""
    short = max(0.0, volume + film - min(tool.tip.capacity, tool.pipette.max_volume))
    return (short, float(volume < tool.least), tool.tip.capacity, tool.rank)
