"""pylabrobot backends by the driver's name in the workcell file."""

from __future__ import annotations

from dataclasses import dataclass

from pylabrobot.liquid_handling.backends import LiquidHandlerBackend, STARBackend
from pylabrobot.liquid_handling.backends.hamilton.STAR_chatterbox import STARChatterboxBackend

from protocols.errors import DeviceError
from robots.driver.dialects import Dialect, Plain, Simulated
from robots.driver.hamilton import Star
from robots.driver.opentrons import OpentronsByMount
from robots.simulator import SimulatedLiquidHandler, WorldPort
from robots.workcell import Workcell
from robots.workcell.config import DeviceConfig


@dataclass(frozen=True, slots=True)
class Machine:
    """A backend, its dialect, whether it can say what happened, and whether it stops in the middle of a move.

    pylabrobot's ``STARBackend.halt`` discards commands that wait; a move under way is completed.
    """

    backend: LiquidHandlerBackend
    dialect: Dialect
    answers: bool
    halts_at_once: bool = True


def make_machine(workcell: Workcell, world: WorldPort | None) -> Machine:
    """The machine that the workcell's liquid handler is; nothing is connected yet.

    Raises:
        DeviceError: there is not exactly one liquid handler, its package is missing, or a simulated one has no world.
    """
    name, device = _handler(workcell)
    arm = workcell.config.devices.get(workcell.config.arm or "")
    if device.driver == "simulated":
        if world is None:
            raise DeviceError(f"'{name}' is simulated and there is no world for it", where=f"devices.{name}")
        return Machine(SimulatedLiquidHandler(world), Simulated(), device.answers and (arm is None or arm.answers))
    if device.driver == "OT-2":
        return Machine(_opentrons(name, device), Plain(), answers=False)
    channels = sum(pipette.channels for pipette in workcell.spec.pipettes.values() if pipette.independent)
    real = device.driver == "STAR"
    star = STARBackend() if real else STARChatterboxBackend(num_channels=channels)
    return Machine(star, Star(arm.gripper if arm else "iswap"), answers=False, halts_at_once=not real)


def _handler(workcell: Workcell) -> tuple[str, DeviceConfig]:
    handlers = [(name, device) for name, device in workcell.config.devices.items() if device.kind == "liquid handler"]
    if len(handlers) != 1:
        raise DeviceError(
            f"{len(handlers)} liquid handlers where one is needed", where=f"workcell {workcell.spec.name}"
        )
    return handlers[0]


def _opentrons(name: str, device: DeviceConfig) -> OpentronsByMount:
    try:
        return OpentronsByMount(host=device.host or "", port=device.port)
    except RuntimeError:
        raise DeviceError(
            f"'{name}' is an OT-2, and the package that speaks to it is missing",
            where=f"devices.{name}",
            mend="Install pylabrobot's own extra: pip install 'pylabrobot[opentrons]==0.2.2'",
        ) from None
