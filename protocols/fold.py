"""The fold: one instruction, and what is known of its outcome, applied to a LabState."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from protocols.effects import Effect
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    BlowOut,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    PipettingInstruction,
    Program,
    ReplaceTipRack,
    TouchTip,
    Wait,
)


def apply(
    state: LabState, program: Program, instruction: AnyInstruction, outcome: Outcome | None = None
) -> Sequence[Effect]:
    """Apply ``instruction`` to ``state``: as asked, or as far as ``outcome`` says it was done.

    Without an outcome the clock advances only for a wait; with one, by the time it took.

    Raises:
        KeyError: the instruction names a liquid class that the program lacks.
    """
    seconds = outcome.seconds if outcome else instruction.seconds if isinstance(instruction, Wait) else 0.0
    if seconds:
        state.advance_time(seconds)
    if outcome is not None and outcome.status != "done":
        return _apply_partly(state, program, instruction, outcome)
    volumes = None if outcome is None else outcome.volumes
    return _apply(state, program, instruction, volumes)


def _apply(
    state: LabState, program: Program, instruction: AnyInstruction, reported: tuple[float, ...] | None
) -> Sequence[Effect]:
    match instruction:
        case Aspirate() | Dispense() | Mix():
            stroke = getattr(state, instruction.kind)
            effects: Sequence[Effect] = stroke(
                instruction.pipette,
                instruction.channels,
                instruction.wells,
                instruction.volumes if reported is None else reported,
                program.liquid_classes[instruction.liquid_class],
                instruction.height,
            )
            return effects
        case PickUpTips():
            return state.pick_up_tips(instruction.pipette, instruction.channels, instruction.spots)
        case DropTips():
            return state.drop_tips(instruction.pipette, instruction.channels, instruction.spots)
        case AirGap():
            volumes = instruction.volumes if reported is None else reported
            return state.air_gap(instruction.pipette, instruction.channels, volumes)
        case BlowOut():
            return state.blow_out(instruction.pipette, instruction.channels, instruction.wells, instruction.height)
        case TouchTip():
            return state.touch_tip(instruction.pipette, instruction.channels, instruction.wells, instruction.height)
        case MoveLabware():
            return state.move_labware(instruction.labware, instruction.site, instruction.by)
        case ReplaceTipRack():
            return state.replace_tip_rack(instruction.rack)
        case Wait() | AskPerson():
            return ()
        case _:
            return state.operate(instruction)


def _apply_partly(state: LabState, program: Program, instruction: AnyInstruction, outcome: Outcome) -> Sequence[Effect]:
    """Apply what still happened: nothing on the channels that failed, the reported volumes on the others."""
    if not isinstance(instruction, PipettingInstruction):
        return ()
    failed = {fault.channel for fault in outcome.faults}
    if outcome.volumes is not None:
        kept = [
            index
            for index, (channel, volume) in enumerate(zip(instruction.channels, outcome.volumes, strict=True))
            if volume > 0.0 or (failed and None not in failed and channel not in failed)
        ]
    elif not failed or None in failed:
        kept = []
    else:
        kept = [index for index, channel in enumerate(instruction.channels) if channel not in failed]
    reported = None if outcome.volumes is None else tuple(outcome.volumes[index] for index in kept)
    effects = _apply(state, program, on_channels(instruction, kept), reported) if kept else ()
    if isinstance(instruction, PickUpTips):
        _empty_spots(state, instruction, outcome)
    return effects


def _empty_spots(state: LabState, instruction: PickUpTips, outcome: Outcome) -> None:
    """Where a device found no tip there is none: trying the same spot again will not help."""
    for fault in outcome.faults:
        if fault.kind == "missing tip" and fault.channel in instruction.channels:
            spot = instruction.spots[instruction.channels.index(fault.channel)]
            if spot in state.spots:
                state.spots[spot] = None


def on_channels(instruction: PipettingInstruction, kept: list[int]) -> PipettingInstruction:
    """The same instruction on some of its channels alone: those at the positions ``kept`` of its lists."""
    lists: dict[str, Any] = {
        name: tuple(values[index] for index in kept)
        for name in ("channels", "wells", "volumes", "spots")
        if (values := getattr(instruction, name, None)) is not None
    }
    return replace(instruction, **lists)
