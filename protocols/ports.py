"""Doors between the floors: declared here, filled above, wired together in ``console/``."""

from __future__ import annotations

from typing import Literal, Protocol

from protocols.events import Event
from protocols.liquids import Amount, Name, Record
from protocols.outcomes import FaultKind, Outcome
from protocols.program import AnyInstruction

RecoveryChoice = Literal["retry", "next tip", "skip", "replan", "ask", "make safe"]
"""What may be done about an instruction that failed."""


class Camera(Protocol):
    """Something that takes pictures."""

    name: str

    def frame(self) -> bytes:
        """One picture, PNG."""
        ...


class CheckpointHook(Protocol):
    """Looks at the lab before or after an instruction; a returned sentence pauses the run and is shown."""

    def __call__(self, instruction: AnyInstruction, outcome: Outcome | None) -> str | None:
        """``outcome`` is ``None`` before the instruction."""
        ...


class RecoveryHook(Protocol):
    """Chooses what to do about an instruction that failed; it must be a pure function."""

    def __call__(self, instruction: AnyInstruction, outcome: Outcome) -> RecoveryChoice:
        """The choice; "ask" when in doubt."""
        ...


class Person(Protocol):
    """Someone who answers questions while a run goes on."""

    def __call__(self, question: str, choices: tuple[str, ...]) -> str | None:
        """One of ``choices``, or ``None`` when nobody is there to answer."""
        ...


class EventListener(Protocol):
    """Is told of each event after it is stored."""

    def __call__(self, event: Event) -> None:
        """Must return at once."""
        ...


class Approval(Record):
    """A person's word that exactly this program may run on exactly this workcell.

    Attributes:
        program, workcell, limits, recovery_policy: SHA-256 digests (:func:`protocols.digests.digest`).
        by: who approved.
        at: UTC, ISO 8601.
    """

    program: Name
    workcell: Name
    limits: Name
    recovery_policy: Name
    by: Name
    at: Name


class RecoveryPolicy(Record):
    """What may be done about a fault without asking: the choice by fault kind, ``ask`` for all others.

    Attributes:
        choices: fault kind to choice.
        most_retries: how often one instruction is tried again before a person is asked.
    """

    choices: dict[FaultKind, RecoveryChoice] = {}
    most_retries: Amount = 1
