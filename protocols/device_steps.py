"""Bench steps for a device: temperature module, heater-shaker, thermocycler, magnetic module.

Each names its device as the workcell does. Every quantity is written with its unit ("37 degC", "500 rpm", "30 s").
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from protocols.liquids import Name, Record
from protocols.quantities import Duration, Position, RotationalSpeed, Temperature, Volume
from protocols.step import Step


class DeviceStep(Step):
    """A step for a device; ``device`` is its name on the workcell."""

    device: Name


class HoldTemperature(DeviceStep):
    """Set a device's temperature; without one, switch its heating and cooling off.

    Attributes:
        temperature: of the block, or of the lid.
        wait: go on only when it is reached.
    """

    do: Literal["set_temperature"] = "set_temperature"
    temperature: Temperature | None = None
    part: Literal["block", "lid"] = "block"
    wait: bool = False


class ReachTemperature(DeviceStep):
    """Wait until a device has the temperature it was set to, or the one named here."""

    do: Literal["await_temperature"] = "await_temperature"
    temperature: Temperature | None = None
    part: Literal["block", "lid"] = "block"


class ShakeAt(DeviceStep):
    """Shake, going on once the speed is reached; without a speed, stop shaking."""

    do: Literal["shake"] = "shake"
    speed: RotationalSpeed | None = None


class Latch(DeviceStep):
    """Open or close the latch that holds labware on a heater-shaker."""

    do: Literal["set_latch"] = "set_latch"
    open: bool


class Lid(DeviceStep):
    """Open or close a thermocycler's lid."""

    do: Literal["set_lid"] = "set_lid"
    open: bool


class Magnet(DeviceStep):
    """Raise a magnetic module's magnets, to ``height`` above their base where it is said, or lower them."""

    do: Literal["set_magnet"] = "set_magnet"
    raised: bool
    height: Position | None = None


class Hold(Record):
    """One hold of a thermocycler's profile."""

    temperature: Temperature
    duration: Duration


class Thermocycle(DeviceStep):
    """Hold a thermocycler's block at one temperature after the other, ``cycles`` times over.

    Attributes:
        volume: in the fullest well, where it is said.
    """

    do: Literal["thermocycle"] = "thermocycle"
    profile: Annotated[tuple[Hold, ...], Field(min_length=1)]
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1
    volume: Volume | None = None


AnyDeviceStep = HoldTemperature | ReachTemperature | ShakeAt | Latch | Lid | Magnet | Thermocycle
"""A step for a device, of any kind."""
