"""What is done in place of an instruction that failed: child instructions, which the journal records.

The program stays frozen; a child carries out what is left of its parent, with other tips if need be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from protocols.ports import RecoveryChoice
from protocols.program import (
    AnyInstruction,
    Aspirate,
    DropTips,
    Mix,
    PickUpTips,
    PipettingInstruction,
    ReplaceTipRack,
)
from robots.execution.progress import Progress
from robots.execution.recovery import VOLUME_TOLERANCE


def children(choice: RecoveryChoice, progress: Progress, rest: AnyInstruction) -> tuple[AnyInstruction, ...] | None:
    """The instructions that carry out ``choice`` for ``rest``, what is left of the first in the queue.

    ``None`` if the choice cannot be carried out: a head whose channels move together cannot do some of its
    channels again, there is no tip to spare, or the tip to be changed holds liquid.
    """
    ids = progress.child_ids(progress.current or rest.id)
    if choice == "skip":
        return ()
    if choice == "retry" and _can_do_alone(progress, rest):
        return (_child(rest, ids),)
    if choice == "next tip" and _can_do_alone(progress, rest):
        return _with_next_tips(progress, rest, ids)
    return None


def _child(rest: AnyInstruction, ids: Iterator[str]) -> AnyInstruction:
    return replace(rest, id=next(ids), after=None, window=None)


def _can_do_alone(progress: Progress, rest: AnyInstruction) -> bool:
    """Whether the pipette can do ``rest`` although other channels are not part of it."""
    whole = progress.queue[0]
    if not isinstance(rest, PipettingInstruction) or not isinstance(whole, PipettingInstruction):
        return True
    return rest.channels == whole.channels or progress.state.workcell.pipettes[rest.pipette].independent


def _with_next_tips(progress: Progress, rest: AnyInstruction, ids: Iterator[str]) -> tuple[AnyInstruction, ...] | None:
    if not isinstance(rest, PickUpTips | Aspirate | Mix):
        return None
    origins = list(rest.spots) if isinstance(rest, PickUpTips) else _mounted(progress, rest)
    spots = _spare_tips(progress, origins) if origins is not None else None
    if spots is None or not progress.state.workcell.pipettes[rest.pipette].independent:
        return None
    drop = DropTips(id="drop", step=rest.step, pipette=rest.pipette, channels=rest.channels)
    pick_up = PickUpTips(id="pick up", step=rest.step, pipette=rest.pipette, channels=rest.channels, spots=spots)
    if isinstance(rest, PickUpTips):
        return (_child(pick_up, ids),)
    return (_child(drop, ids), _child(pick_up, ids), _child(rest, ids))


def _mounted(progress: Progress, rest: Aspirate | Mix) -> list[str] | None:
    """The spots that the tips on the channels came from; ``None`` if one holds liquid or is missing."""
    film = progress.program.liquid_classes[rest.liquid_class].film
    origins: list[str] = []
    for channel in rest.channels:
        tip = progress.state.tip_on(rest.pipette, channel)
        if tip is None or tip.liquid() > film + VOLUME_TOLERANCE:
            return None
        origins.append(tip.spot)
    return origins


def _spare_tips(progress: Progress, origins: list[str]) -> tuple[str, ...] | None:
    """For each spot in ``origins`` a new tip of the same rack that nothing to come needs; ``None`` if too few."""
    needed = _needed_spots(progress, {_rack(spot) for spot in origins})
    taken: list[str] = []
    for origin in origins:
        free = (
            spot
            for spot in progress.state.spots
            if _rack(spot) == _rack(origin)
            and progress.state.tip_is_new(spot)
            and spot not in needed
            and spot not in origins
            and spot not in taken
        )
        spot = next(free, None)
        if spot is None:
            return None
        taken.append(spot)
    return tuple(taken)


def _needed_spots(progress: Progress, racks: set[str]) -> set[str]:
    """Spots of ``racks`` that are picked from, or put back to, before the rack is replaced.

    Where instructions say what they wait for, what stands after a replacement may still come before it.
    """
    open_racks, needed = set(racks), set[str]()
    to_come = (*progress.queue[1:], *progress.coming())
    in_order = all(instruction.after is None for instruction in to_come)
    for instruction in to_come:
        if isinstance(instruction, ReplaceTipRack) and in_order:
            open_racks.discard(instruction.rack)
        elif isinstance(instruction, PickUpTips | DropTips) and instruction.spots is not None:
            needed.update(spot for spot in instruction.spots if _rack(spot) in open_racks)
    return needed


def _rack(spot: str) -> str:
    return spot.rpartition("/")[0]
