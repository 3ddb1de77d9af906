"""What a device says of an instruction it was given."""

from __future__ import annotations

from typing import Literal

from protocols.liquids import Amount, Record

FaultKind = Literal[
    "missing tip",
    "short aspirate",
    "clog",
    "level not found",
    "connection lost",
    "power cut",
    "refused",
    "gripper failed",
]
"""What can go wrong with an instruction, in a device's own words; "refused" is a device that would not begin."""


class Fault(Record):
    """One thing that went wrong: on which channel, where, and what the device said."""

    kind: FaultKind
    channel: int | None = None
    place: str = ""
    message: str


class Outcome(Record):
    """How an instruction ended.

    Attributes:
        status: "done"; "failed" (nothing moved on the channels named in ``faults``); "partial" (less moved
            than asked, see ``volumes``).
        volumes: µL that the device reports it moved, a number for each channel; ``None`` is "as asked".
        tips: for tip instructions, which channels hold a tip afterwards, a flag for each channel of the
            instruction; ``None`` is "as asked".
        seconds: how long it took on the lab's clock.
        answer: what a person answered.
    """

    status: Literal["done", "failed", "partial"] = "done"
    volumes: tuple[Amount, ...] | None = None
    tips: tuple[bool, ...] | None = None
    faults: tuple[Fault, ...] = ()
    seconds: Amount = 0.0
    answer: str | None = None
