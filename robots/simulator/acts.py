"""The acts of one simulated device, numbered within the instruction that they carry out."""

from __future__ import annotations

from typing import Any

from protocols.errors import DeviceError
from protocols.outcomes import Outcome
from robots.simulator.port import WorldPort


class Acts:
    """What a device of ``world`` is told, act by act, and what it answered."""

    def __init__(self, world: WorldPort, device: str) -> None:
        self.world = world
        self.device = device
        self._instruction: str | None = None
        self._next_act = 0
        self._outcomes: list[Outcome] = []

    def begin(self, run_instruction: str, first_act: int = 0) -> None:
        """Say that the next acts carry out "RUN:INSTRUCTION", from its act ``first_act`` on."""
        self._instruction = run_instruction
        self._next_act = first_act
        self._outcomes = []

    def outcome(self) -> Outcome:
        """What the device said of the acts since :meth:`begin`: the last one's word, and the time of all."""
        if not self._outcomes:
            return Outcome()
        last = self._outcomes[-1]
        return last.model_copy(update={"seconds": sum(outcome.seconds for outcome in self._outcomes)})

    async def done(self, run_instruction: str) -> int | None:
        """How many acts of "RUN:INSTRUCTION" the device did; ``None`` if it cannot say."""
        return await self.world.acts_done(run_instruction, self.device)

    async def perform(self, command: dict[str, Any]) -> Outcome:
        """One act; outside of an instruction it counts on from the last act that was told so.

        Raises:
            ActRefused, ConnectionLost: as the World's ``act``.
            DeviceError: no instruction was begun, and the device cannot say how many acts it has done.
        """
        if self._instruction is None:
            done = await self.done("direct")
            if done is None:
                raise DeviceError(
                    "this device cannot say what it has done", mend="Call begin() before each instruction"
                )
            self.begin("direct", done)
        outcome = await self.world.act(f"{self._instruction}#{self._next_act}", command)
        self._next_act += 1
        self._outcomes.append(outcome)
        return outcome
