"""The door between the runner, which says what is to happen next, and the devices that do it."""

from __future__ import annotations

from typing import Protocol

from protocols.errors import DeviceError
from protocols.outcomes import Outcome
from protocols.program import AnyInstruction


class ConnectionLost(DeviceError):
    """Raised when a device stopped answering, so that nobody here knows whether the instruction happened."""


class Driver(Protocol):
    """Carries out instructions on a workcell, one after the other.

    An instruction consists of one act of the device or several; an act happens whole or not at all as far
    as the device can tell. What a device may foreseeably fail at is a returned
    :class:`~protocols.outcomes.Outcome`, never an exception.

    Attributes:
        answers: the liquid handler and its arm can say whether an act happened.
    """

    answers: bool

    async def setup(self) -> None:
        """Connect to the devices and make them ready.

        Raises:
            DeviceError: a device cannot be reached or refuses to start.
        """
        ...

    def acts(self, instruction: AnyInstruction) -> int:
        """How many acts the instruction consists of: 2 for an arm that moves labware (grip, release), otherwise 1."""
        ...

    async def execute(self, instruction: AnyInstruction, *, acts_done: int = 0) -> Outcome:
        """Carry out the instruction from its act number ``acts_done`` on (from 0).

        Raises:
            ConnectionLost: the device stopped answering; ask :meth:`acts_done` before trying again.
            DeviceError: the device is in a state in which nothing can be done with it.
        """
        ...

    async def acts_done(self, instruction: AnyInstruction) -> int | None:
        """Ask the device that carries it out how many acts of the instruction happened; ``None`` if it cannot say.

        Raises:
            ConnectionLost: the device does not answer.
        """
        ...

    async def make_safe(self) -> None:
        """Stop all motion now. May be called at any time, in any state, any number of times."""
        ...

    async def close(self) -> None:
        """Let go of the devices. What is mounted or held stays so and is in the record."""
        ...
