"""How long instructions take, as far as can be said beforehand."""

from __future__ import annotations

from protocols.device_instructions import (
    AwaitTemperature,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
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
    Program,
    ReplaceTipRack,
    TouchTip,
    Wait,
)
from protocols.specs import WorkcellSpec

AIR_FLOW_RATE = 100.0
"""µL/s at which air is drawn; air needs no care."""
TOUCH_SECONDS = 0.5
"""s to touch a wall; assumption: two moves of 10 mm at 40 mm/s."""


def seconds(instruction: AnyInstruction, program: Program, workcell: WorkcellSpec) -> float:
    """The expected duration, s: the workcell's motion times, and strokes at their class's flow rates.

    Channels that go to their wells one line after the other (finding P09) count as if they went at once.

    Raises:
        KeyError: the instruction names a liquid class that the program lacks.
    """
    motion = workcell.motion
    match instruction:
        case Wait():
            return instruction.seconds
        case Aspirate() | Dispense() | Mix():
            return motion.approach + _stroke(instruction, program)
        case AirGap():
            return max(instruction.volumes) / AIR_FLOW_RATE
        case PickUpTips():
            return motion.pick_up_tips
        case DropTips():
            return motion.drop_tips
        case BlowOut():
            return motion.approach
        case TouchTip():
            return motion.approach + TOUCH_SECONDS
        case MoveLabware():
            return motion.move_labware if instruction.by == "arm" else motion.person
        case AskPerson() | ReplaceTipRack():
            return motion.person
        case RunProfile():
            return instruction.cycles * sum(step.seconds for step in instruction.steps)
        case SetTemperature() | AwaitTemperature() | Shake() | SetLatch() | SetLid() | SetMagnet():
            return motion.device


def _stroke(instruction: Aspirate | Dispense | Mix, program: Program) -> float:
    liquid_class = program.liquid_classes[instruction.liquid_class]
    volume = max(instruction.volumes)
    inwards = volume / liquid_class.aspirate_flow_rate
    outwards = volume / liquid_class.dispense_flow_rate
    match instruction:
        case Mix():
            return instruction.cycles * (inwards + outwards)
        case Aspirate():
            return inwards + liquid_class.pre_wet * (inwards + outwards) + liquid_class.settle
        case Dispense():
            return outwards + (TOUCH_SECONDS if liquid_class.touch_off else 0.0) + liquid_class.settle


def duration(program: Program, workcell: WorkcellSpec) -> float:
    """The expected duration of the whole program, s, its instructions one after another."""
    return sum(seconds(instruction, program, workcell) for instruction in program.instructions)
