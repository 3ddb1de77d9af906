"""Taking liquid off wells: it leaves with the tip. Volumes µL."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.compiler.batches import Arranger, Batch
from protocols.compiler.classes import liquid_class_for
from protocols.compiler.contents import Contents
from protocols.compiler.geometry import Deck
from protocols.compiler.lanes import Cycle, Lane, Mixing
from protocols.compiler.tools import Tool
from protocols.protocol import Remove


def removals(step: Remove) -> tuple[tuple[str, float], ...]:
    """(well, µL) of a step, in order; wells from which nothing is taken are left out."""
    volumes = step.volume if isinstance(step.volume, tuple) else (step.volume,) * len(step.wells)
    return tuple((well, volume) for well, volume in zip(step.wells, volumes, strict=True) if volume > 0)


def removal_lanes(
    step: Remove, deck: Deck, contents: Contents, tools: Sequence[Tool]
) -> list[Batch] | tuple[str, float]:
    """The batches that take off all wells of a step, a tip for each stroke; or a well and volume that no tool moves.

    Each well gets the tool that needs the fewest strokes; of those alike, the smallest tip.
    """
    lanes: list[Lane] = []
    for well, volume in removals(step):
        contents.source(well)
        behaviours = contents.behaviours(well)
        able = [(count, tool) for tool in tools if (count := tool.strokes(volume, behaviours, step.handling))]
        if not able:
            return well, volume
        count, tool = min(able, key=lambda choice: (choice[0], choice[1].tip.capacity, choice[1].rank))
        style = liquid_class_for(behaviours, tool.tip, pre_wet=step.handling.pre_wet)
        part = volume / count
        for number in range(count):
            cycles = 0 if number else step.handling.mix_before
            before = Mixing(well, cycles, step.handling.mix_volume or part) if cycles else None
            cycle = Cycle(
                well,
                (),
                style,
                style,
                reserve=part,
                air_gap=step.handling.air_gap,
                before=before,
                rest=step.handling.rest,
            )
            lanes.append(Lane(tool, [cycle], len(lanes)))
    batches, _ = Arranger(deck).arrange(contents, lanes)
    return batches
