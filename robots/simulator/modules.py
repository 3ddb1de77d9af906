"""pylabrobot backends for the devices that stand on a simulated deck.

Each call that changes something is one act of the World. What the device would not do is raised as
:class:`~robots.simulator.channel_errors.ChannelFault`. The lab's clock is virtual, so that a device waits for its
temperature by itself (``await_temperature``), and a profile is over when ``run_protocol`` returns.
"""

from __future__ import annotations

from typing import Any

from pylabrobot.heating_shaking import HeaterShakerBackend
from pylabrobot.machines.backend import MachineBackend
from pylabrobot.temperature_controlling.backend import TemperatureControllerBackend
from pylabrobot.thermocycling import ThermocyclerBackend
from pylabrobot.thermocycling.standard import BlockStatus, LidStatus, Protocol

from protocols.devices import DeviceState
from protocols.errors import DeviceError
from robots.magnetic import MagneticModuleBackend
from robots.simulator.acts import Acts
from robots.simulator.channel_errors import channel_error
from robots.simulator.port import WorldPort

ROOM = 22.0
"""°C of a device that is not heated or cooled: a laboratory's usual temperature."""


class SimulatedDevice(MachineBackend):  # type: ignore[misc]
    """A device on a simulated deck.

    Attributes:
        acts: what it is told, act by act.
    """

    def __init__(self, world: WorldPort, device: str) -> None:
        super().__init__()
        self.acts = Acts(world, device)

    async def setup(self) -> None:
        """Connect to the World.

        Raises:
            ConnectionLost: it does not answer.
        """
        await self.state()

    async def stop(self) -> None:
        """Let go of the device: it goes on with what it was told."""

    async def state(self) -> DeviceState:
        """What it is doing now, as its own sensors have it."""
        found = await self.acts.world.devices()
        return found[self.acts.device]

    async def tell(self, kind: str, **fields: Any) -> None:
        """One act of the World.

        Raises:
            ChannelFault: the device would not.
        """
        outcome = await self.acts.perform({"kind": kind, "device": self.acts.device, **fields})
        for fault in outcome.faults:
            raise channel_error(fault)


class SimulatedTemperatureModule(SimulatedDevice, TemperatureControllerBackend):  # type: ignore[misc]
    """A block that is heated and cooled."""

    @property
    def supports_active_cooling(self) -> bool:
        """Any set-point can be given at any time."""
        return True

    async def set_temperature(self, temperature: float) -> None:
        """See pylabrobot's ``TemperatureControllerBackend``."""
        await self.tell("set_temperature", celsius=temperature)

    async def deactivate(self) -> None:
        """See pylabrobot's ``TemperatureControllerBackend``."""
        await self.tell("set_temperature", celsius=None)

    async def await_temperature(self, temperature: float | None) -> None:
        """Wait on the lab's clock until the block has ``temperature``, or its set-point."""
        await self.tell("await_temperature", celsius=temperature)

    async def get_current_temperature(self) -> float:
        """See pylabrobot's ``TemperatureControllerBackend``."""
        return (await self.state()).celsius or ROOM


class SimulatedHeaterShaker(SimulatedTemperatureModule, HeaterShakerBackend):  # type: ignore[misc]
    """A heated plate that shakes, with a latch that holds the labware."""

    @property
    def supports_locking(self) -> bool:
        """It has a latch."""
        return True

    async def start_shaking(self, speed: float) -> None:
        """See pylabrobot's ``ShakerBackend``."""
        await self.tell("shake", rpm=speed)

    async def stop_shaking(self) -> None:
        """See pylabrobot's ``ShakerBackend``."""
        await self.tell("shake", rpm=None)

    async def lock_plate(self) -> None:
        """See pylabrobot's ``ShakerBackend``."""
        await self.tell("set_latch", open=False)

    async def unlock_plate(self) -> None:
        """See pylabrobot's ``ShakerBackend``."""
        await self.tell("set_latch", open=True)


class SimulatedThermocycler(SimulatedDevice, ThermocyclerBackend):  # type: ignore[misc]
    """A block of one zone under a lid; nothing is asked of it while a profile runs."""

    async def open_lid(self) -> None:
        """See pylabrobot's ``ThermocyclerBackend``."""
        await self.tell("set_lid", open=True)

    async def close_lid(self) -> None:
        """See pylabrobot's ``ThermocyclerBackend``."""
        await self.tell("set_lid", open=False)

    async def set_block_temperature(self, temperature: list[float]) -> None:
        """See pylabrobot's ``ThermocyclerBackend``."""
        await self.tell("set_temperature", celsius=temperature[0])

    async def set_lid_temperature(self, temperature: list[float]) -> None:
        """See pylabrobot's ``ThermocyclerBackend``."""
        await self.tell("set_temperature", celsius=temperature[0], part="lid")

    async def deactivate_block(self) -> None:
        """See pylabrobot's ``ThermocyclerBackend``."""
        await self.tell("set_temperature", celsius=None)

    async def deactivate_lid(self) -> None:
        """See pylabrobot's ``ThermocyclerBackend``."""
        await self.tell("set_temperature", celsius=None, part="lid")

    async def await_temperature(self, temperature: float | None, part: str = "block") -> None:
        """Wait on the lab's clock until block or lid has ``temperature``, or its set-point."""
        await self.tell("await_temperature", celsius=temperature, part=part)

    async def run_protocol(self, protocol: Protocol, block_max_volume: float) -> None:
        """Hold one temperature after the other; returns when all is over.

        Raises:
            DeviceError: the profile has more than one stage.
        """
        if len(protocol.stages) != 1:
            raise DeviceError("a profile has one stage", mend="Give each stage as a profile of its own")
        (stage,) = protocol.stages
        steps = [{"celsius": step.temperature[0], "seconds": step.hold_seconds} for step in stage.steps]
        await self.tell("run_profile", steps=steps, cycles=stage.repeats, volume=block_max_volume or None)

    async def get_block_current_temperature(self) -> list[float]:
        """See pylabrobot's ``ThermocyclerBackend``."""
        return [(await self.state()).celsius or ROOM]

    async def get_block_target_temperature(self) -> list[float]:
        """See pylabrobot's ``ThermocyclerBackend``."""
        return [_set((await self.state()).celsius)]

    async def get_lid_current_temperature(self) -> list[float]:
        """See pylabrobot's ``ThermocyclerBackend``."""
        return [(await self.state()).lid_celsius or ROOM]

    async def get_lid_target_temperature(self) -> list[float]:
        """See pylabrobot's ``ThermocyclerBackend``."""
        return [_set((await self.state()).lid_celsius)]

    async def get_lid_open(self) -> bool:
        """See pylabrobot's ``ThermocyclerBackend``."""
        return bool((await self.state()).lid_open)

    async def get_lid_status(self) -> LidStatus:
        """See pylabrobot's ``ThermocyclerBackend``."""
        held = (await self.state()).lid_celsius is not None
        return LidStatus.HOLDING_AT_TARGET if held else LidStatus.IDLE

    async def get_block_status(self) -> BlockStatus:
        """See pylabrobot's ``ThermocyclerBackend``."""
        held = (await self.state()).celsius is not None
        return BlockStatus.HOLDING_AT_TARGET if held else BlockStatus.IDLE

    async def get_hold_time(self) -> float:
        """Nothing is being held: a profile is over when it returns."""
        return 0.0

    async def get_current_cycle_index(self) -> int:
        """See :meth:`get_hold_time`."""
        return 0

    async def get_total_cycle_count(self) -> int:
        """See :meth:`get_hold_time`."""
        return 0

    async def get_current_step_index(self) -> int:
        """See :meth:`get_hold_time`."""
        return 0

    async def get_total_step_count(self) -> int:
        """See :meth:`get_hold_time`."""
        return 0


class SimulatedMagneticModule(SimulatedDevice, MagneticModuleBackend):
    """Magnets that rise and sink."""

    async def engage(self, height: float | None) -> None:
        """See :class:`robots.magnetic.MagneticModuleBackend`."""
        await self.tell("set_magnet", raised=True, height=height)

    async def disengage(self) -> None:
        """See :class:`robots.magnetic.MagneticModuleBackend`."""
        await self.tell("set_magnet", raised=False)


def _set(celsius: float | None) -> float:
    if celsius is None:
        raise RuntimeError("no temperature is set")  # what pylabrobot's front end asks for
    return celsius
