"""What is to go wrong in a simulated lab, as data.

A fault strikes at an instruction's act, at the n-th act of the World's life, or by chance. Chance is drawn from
the seed and the act's id alone, so that a resumed run meets the same faults as one that was never cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from protocols.liquids import Name, Record
from robots.simulator.commands import Aspirate, Command, Mix, within_run

PlannedKind = Literal[
    "missing tip",
    "short aspirate",
    "clog",
    "level not found",
    "gripper failed",
    "refused",
    "connection lost",
    "power cut",
]
"""The kinds of :data:`protocols.outcomes.FaultKind` that can be planned."""

_STRIKES: dict[PlannedKind, frozenset[str]] = {
    "missing tip": frozenset({"pick_up_tips"}),
    "short aspirate": frozenset({"aspirate"}),
    "clog": frozenset({"aspirate", "dispense", "mix"}),
    "level not found": frozenset({"aspirate", "mix"}),
    "gripper failed": frozenset({"grip"}),
    "refused": frozenset(
        {"set_temperature", "await_temperature", "shake", "set_latch", "set_lid", "set_magnet", "run_profile"}
    ),
}
_BY_CHANNEL = frozenset({"missing tip", "short aspirate", "clog", "level not found"})


class PlannedFault(Record):
    """One fault, and when it strikes: exactly one of ``instruction``, ``nth`` and ``probability`` is given.

    Attributes:
        instruction: the id of an instruction of the program.
        act: which act of it, from 0.
        nth: the n-th act that the World is told, from 1; a lab of recorded runs counts on from run to run.
        probability: at each act of a kind that the fault can strike, on each channel by itself.
        channels: where it strikes; ``None`` is the act's first channel, or any channel by chance.
        fraction: of the volume asked, what a short aspirate still draws.
        noticed: the device sees that a short aspirate is short.
        happened: the act is done before the connection or the power goes; otherwise it is not done.
    """

    kind: PlannedKind
    instruction: Name | None = None
    act: Annotated[int, Field(ge=0)] = 0
    nth: Annotated[int, Field(ge=1)] | None = None
    probability: Annotated[float, Field(ge=0, le=1)] | None = None
    channels: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    fraction: Annotated[float, Field(ge=0, lt=1)] = 0.5
    noticed: bool = True
    happened: bool = False

    @model_validator(mode="after")
    def _strikes_once(self) -> Self:
        given = [name for name in ("instruction", "nth", "probability") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of instruction, nth, probability")
        return self


class FaultPlan(Record):
    """Every fault that is to strike; empty for a lab in which all goes well."""

    faults: tuple[PlannedFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that strikes an act: on which channels; ``key`` names it in the record of faults that struck."""

    fault: PlannedFault
    channels: tuple[int, ...]
    key: str


def strikes(plan: FaultPlan, seed: int, act_id: str, nth: int, command: Command) -> tuple[Strike, ...]:
    """The faults that strike the act ``act_id`` ("RUN:INSTRUCTION#N"), the ``nth`` that the World is told."""
    found: list[Strike] = []
    for index, fault in enumerate(plan.faults):
        if not _can_strike(fault, command):
            continue
        channels = _struck(fault, index, seed, act_id, nth, command)
        if channels is not None:
            by_chance = f" {act_id}" if fault.probability is not None else ""
            found.append(Strike(fault, channels, fault.model_dump_json(exclude_defaults=True) + by_chance))
    return tuple(found)


def _can_strike(fault: PlannedFault, command: Command) -> bool:
    if fault.kind in _STRIKES and command.kind not in _STRIKES[fault.kind]:
        return False
    if fault.kind == "level not found" and fault.probability is not None:
        return isinstance(command, Aspirate | Mix) and command.liquid_class.level_detection
    return True


def _struck(
    fault: PlannedFault, index: int, seed: int, act_id: str, nth: int, command: Command
) -> tuple[int, ...] | None:
    """The channels it strikes (none for an act as a whole), or ``None`` if it does not strike."""
    own: tuple[int, ...] = getattr(command, "channels", ()) if fault.kind in _BY_CHANNEL else ()
    named = own if fault.channels is None else tuple(channel for channel in own if channel in fault.channels)
    if fault.probability is not None:
        chance = fault.probability
        if fault.kind not in _BY_CHANNEL:
            return () if _draw(seed, index, act_id, None) < chance else None
        by_chance = tuple(channel for channel in named if _draw(seed, index, act_id, channel) < chance)
        return by_chance or None
    if fault.nth != nth and not _is_act(act_id, fault):
        return None
    if fault.kind in _BY_CHANNEL:
        return (named[:1] if fault.channels is None else named) or None
    return ()


def _is_act(act_id: str, fault: PlannedFault) -> bool:
    if fault.instruction is None:
        return False
    run_instruction, _, number = act_id.rpartition("#")
    return number == str(fault.act) and (
        run_instruction == fault.instruction or run_instruction.endswith(f":{fault.instruction}")
    )


def _draw(seed: int, index: int, act_id: str, channel: int | None) -> float:
    return Random(f"{seed}|fault|{index}|{within_run(act_id)}|{channel}").random()
