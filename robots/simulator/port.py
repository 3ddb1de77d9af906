"""The World as devices see it: in this process or in one of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from protocols.devices import DeviceState
from protocols.liquids import Liquid
from protocols.outcomes import Outcome
from protocols.specs import Fill, PlacedLabware, WorkcellSpec
from robots.simulator.record import ActRecord
from robots.simulator.world import World


class WorldPort(Protocol):
    """What :class:`~robots.simulator.world.World` offers, without waiting in the event loop.

    Every call may raise :class:`~robots.ports.ConnectionLost`; the other errors are those of the World's methods.

    Attributes:
        workcell: what the lab has.
    """

    workcell: WorkcellSpec

    async def act(self, act_id: str, command: Mapping[str, Any]) -> Outcome:
        """See :meth:`World.act`."""
        ...

    async def acts_done(self, run_instruction: str, device: str | None = None) -> int | None:
        """See :meth:`World.acts_done`."""
        ...

    async def prepare(
        self,
        labware: Mapping[str, PlacedLabware],
        contents: Sequence[Fill],
        liquids: Mapping[str, Liquid],
        *,
        run: str = "setup",
    ) -> None:
        """See :meth:`World.prepare`."""
        ...

    async def tips(self) -> dict[str, list[bool]]:
        """See :meth:`World.tips`."""
        ...

    async def devices(self) -> dict[str, DeviceState]:
        """See :meth:`World.devices`."""
        ...

    async def make_safe(self) -> None:
        """See :meth:`World.make_safe`; it acts while another call is under way."""
        ...

    async def log(self, after: int = 0) -> tuple[ActRecord, ...]:
        """See :meth:`World.log`."""
        ...

    async def snapshot(self) -> dict[str, Any]:
        """See :meth:`World.snapshot`."""
        ...

    async def close(self) -> None:
        """Let go of the World. One in this process is closed; one in its own process lives on."""
        ...


class LocalWorld:
    """A World in this process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.workcell = world.workcell

    async def act(self, act_id: str, command: Mapping[str, Any]) -> Outcome:
        """See :meth:`World.act`. With a pace of 0 it answers at once, else in a thread of its own."""
        if self.world.pace <= 0.0:
            return self.world.act(act_id, command)
        return await asyncio.to_thread(self.world.act, act_id, command)

    async def acts_done(self, run_instruction: str, device: str | None = None) -> int | None:
        """See :meth:`World.acts_done`."""
        return self.world.acts_done(run_instruction, device)

    async def prepare(
        self,
        labware: Mapping[str, PlacedLabware],
        contents: Sequence[Fill],
        liquids: Mapping[str, Liquid],
        *,
        run: str = "setup",
    ) -> None:
        """See :meth:`World.prepare`."""
        self.world.prepare(labware, contents, liquids, run=run)

    async def tips(self) -> dict[str, list[bool]]:
        """See :meth:`World.tips`."""
        return self.world.tips()

    async def devices(self) -> dict[str, DeviceState]:
        """See :meth:`World.devices`."""
        return self.world.devices()

    async def make_safe(self) -> None:
        """See :meth:`World.make_safe`."""
        self.world.make_safe()

    async def log(self, after: int = 0) -> tuple[ActRecord, ...]:
        """See :meth:`World.log`."""
        return self.world.log(after)

    async def snapshot(self) -> dict[str, Any]:
        """See :meth:`World.snapshot`."""
        return self.world.snapshot()

    async def close(self) -> None:
        """Close the World and its log."""
        self.world.close()
