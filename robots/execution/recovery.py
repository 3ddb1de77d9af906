"""What is left of an instruction that failed, and what the policy says about it: pure functions."""

from __future__ import annotations

from dataclasses import replace

from protocols.errors import DeviceError
from protocols.fold import on_channels
from protocols.outcomes import Outcome
from protocols.ports import RecoveryChoice, RecoveryPolicy
from protocols.program import (
    AirGap,
    AnyInstruction,
    Aspirate,
    Dispense,
    Mix,
    PipettingInstruction,
)

VOLUME_TOLERANCE = 1e-9
"""µL below which nothing is left to move."""


def check_outcome(instruction: AnyInstruction, outcome: Outcome) -> None:
    """Make sure that ``outcome`` can be an outcome of ``instruction``: the record could not be read otherwise.

    Raises:
        DeviceError: it speaks of other channels, or of more or fewer than the instruction has.
    """
    if not isinstance(instruction, PipettingInstruction):
        return
    count = len(instruction.channels)
    lists = {"volumes": outcome.volumes, "tips": outcome.tips}
    wrong = [f"{len(value)} {name}" for name, value in lists.items() if value is not None and len(value) != count]
    named = {fault.channel for fault in outcome.faults} - {None, *instruction.channels}
    wrong += [
        f"a fault on channel {channel}" for channel in sorted(channel for channel in named if channel is not None)
    ]
    if wrong:
        raise DeviceError(
            f"the driver reported {' and '.join(wrong)} for channels {', '.join(map(str, instruction.channels))}",
            where=f"instruction {instruction.id}",
            mend="Look at the deck, then resume the run",
        )


def policy_choice(policy: RecoveryPolicy, outcome: Outcome, tries: int) -> RecoveryChoice:
    """What the policy says about the faults of ``outcome`` after ``tries`` recoveries of the same instruction.

    "ask" where the policy names no choice, where faults call for different ones, where the tries are used up,
    and for "replan", which needs a planner that this floor does not have.
    """
    choices = {policy.choices.get(fault.kind, "ask") for fault in outcome.faults}
    if len(choices) != 1:
        return "ask"
    (choice,) = choices
    if choice == "replan" or (choice in ("retry", "next tip") and tries >= policy.most_retries):
        return "ask"
    return choice


def what_remains(instruction: AnyInstruction, outcome: Outcome) -> AnyInstruction | None:
    """The part of ``instruction`` that ``outcome`` left undone, as an instruction of the same id; ``None`` if none."""
    if outcome.status == "done":
        return None
    if not isinstance(instruction, PipettingInstruction):
        return instruction
    if outcome.volumes is not None and isinstance(instruction, Aspirate | Dispense | Mix | AirGap):
        moved = outcome.volumes
        left = [index for index, asked in enumerate(instruction.volumes) if asked - moved[index] > VOLUME_TOLERANCE]
        if not left:
            return None
        rest = on_channels(instruction, left)
        if not isinstance(rest, Aspirate | Dispense | AirGap):
            return rest
        return replace(rest, volumes=tuple(instruction.volumes[index] - moved[index] for index in left))
    failed = {fault.channel for fault in outcome.faults}
    if not failed or None in failed:
        return instruction
    return on_channels(instruction, [i for i, channel in enumerate(instruction.channels) if channel in failed])
