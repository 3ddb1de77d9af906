"""The devices on the deck, each through its guarded front end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pylabrobot.thermocycling.standard import Protocol, Stage, Step

from protocols.device_instructions import (
    AwaitTemperature,
    DeviceInstruction,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.errors import DeviceError
from protocols.labstate import LabState
from protocols.specs import DeviceSpec
from robots.guard import (
    GuardedHeaterShaker,
    GuardedMagneticModule,
    GuardedTemperatureController,
    GuardedThermocycler,
    Refused,
)
from robots.simulator import WorldPort
from robots.simulator.acts import Acts
from robots.simulator.modules import (
    SimulatedDevice,
    SimulatedHeaterShaker,
    SimulatedMagneticModule,
    SimulatedTemperatureModule,
    SimulatedThermocycler,
)
from robots.workcell import Workcell

FrontEnd: TypeAlias = GuardedTemperatureController | GuardedHeaterShaker | GuardedThermocycler | GuardedMagneticModule
_MAKE: dict[str, Callable[[DeviceSpec, WorldPort], FrontEnd]] = {
    "temperature module": lambda spec, world: GuardedTemperatureController(
        spec, SimulatedTemperatureModule(world, spec.id)
    ),
    "heater-shaker": lambda spec, world: GuardedHeaterShaker(spec, SimulatedHeaterShaker(world, spec.id)),
    "thermocycler": lambda spec, world: GuardedThermocycler(spec, SimulatedThermocycler(world, spec.id)),
    "magnetic module": lambda spec, world: GuardedMagneticModule(spec, SimulatedMagneticModule(world, spec.id)),
}


class Modules:
    """The devices on the deck of a workcell that hold temperatures, shake, close lids or lift magnets."""

    def __init__(self, workcell: Workcell, state: LabState, world: WorldPort | None) -> None:
        """Nothing is connected yet. ``state`` is read before each instruction and never written.

        Raises:
            DeviceError: a device is not simulated, or there is no world for it.
        """
        self._state = state
        self._fronts: dict[str, FrontEnd] = {}
        for name, spec in workcell.spec.devices.items():
            make = _MAKE.get(spec.kind)
            if make is None:
                continue
            if spec.driver != "simulated" or world is None:
                raise DeviceError(
                    f"'{name}' is simulated and there is no world for it"
                    if world is None
                    else f"nothing here drives a real {spec.kind}",
                    where=f"devices.{name}",
                    mend="Simulate the whole workcell, or take the device out of the workcell file",
                )
            self._fronts[name] = make(spec, world)

    async def setup(self) -> None:
        """Connect to each."""
        for front in self._fronts.values():
            await front.setup()

    async def close(self) -> None:
        """Let go of each: what is on stays on, as the record says."""
        for front in self._fronts.values():
            if front.setup_finished:
                await front.stop()

    def acts(self, device: str) -> Acts | None:
        """The acts of a device; ``None`` where there is no such device."""
        front = self._fronts.get(device)
        backend = front.backend if front is not None else None
        return backend.acts if isinstance(backend, SimulatedDevice) else None

    async def carry_out(self, instruction: DeviceInstruction) -> None:
        """Tell the device.

        Raises:
            Refused: there is no such device, it cannot do this, or the guard would not let it.
        """
        front = self._fronts.get(instruction.device)
        if front is None:
            raise Refused("there is no such device", place=instruction.device)
        match front:
            case GuardedMagneticModule():
                await self._move_magnet(front, instruction)
            case GuardedThermocycler():
                await self._cycle(front, instruction)
            case GuardedHeaterShaker():
                await self._shake(front, instruction)
            case _:
                await self._hold(front, instruction)

    async def _hold(
        self, front: GuardedTemperatureController | GuardedHeaterShaker, instruction: DeviceInstruction
    ) -> None:
        front.target_temperature = self._state.devices[instruction.device].celsius
        match instruction:
            case SetTemperature(celsius=None, part="block"):
                await front.deactivate()
            case SetTemperature(celsius=float() | int() as celsius, part="block"):
                await front.set_temperature(celsius)
            case AwaitTemperature(part="block"):
                await front.wait_for_temperature(temperature=instruction.celsius)
            case _:
                raise _cannot(instruction)

    async def _shake(self, front: GuardedHeaterShaker, instruction: DeviceInstruction) -> None:
        now = self._state.devices[instruction.device]
        front.latch_open, front.shaking = now.latch_open, now.rpm is not None
        match instruction:
            case Shake(rpm=None):
                await front.stop_shaking()
            case Shake(rpm=float() | int() as rpm):
                await front.shake(rpm)
            case SetLatch(open=True):
                await front.unlock_plate()
            case SetLatch():
                await front.lock_plate()
            case _:
                await self._hold(front, instruction)

    async def _cycle(self, front: GuardedThermocycler, instruction: DeviceInstruction) -> None:
        match instruction:
            case SetLid(open=True):
                await front.open_lid()
            case SetLid():
                await front.close_lid()
            case SetTemperature(celsius=None, part=part):
                await (front.deactivate_lid() if part == "lid" else front.deactivate_block())
            case SetTemperature(celsius=float() | int() as celsius, part=part):
                await (front.set_lid_temperature if part == "lid" else front.set_block_temperature)([celsius])
            case AwaitTemperature(celsius=celsius, part=part):
                await (front.wait_for_lid if part == "lid" else front.wait_for_block)(temperature=celsius)
            case RunProfile():
                holds = [Step(temperature=[step.celsius], hold_seconds=step.seconds) for step in instruction.steps]
                profile = Protocol(stages=[Stage(steps=holds, repeats=instruction.cycles)])
                await front.run_protocol(profile, instruction.volume or 0.0)
                await front.wait_for_profile_completion()
            case _:
                raise _cannot(instruction)

    async def _move_magnet(self, front: GuardedMagneticModule, instruction: DeviceInstruction) -> None:
        match instruction:
            case SetMagnet(raised=True):
                await front.engage(instruction.height)
            case SetMagnet():
                await front.disengage()
            case _:
                raise _cannot(instruction)


def _cannot(instruction: DeviceInstruction) -> Refused:
    return Refused(f"it cannot {instruction.kind.replace('_', ' ')}", place=instruction.device)
