"""What the devices on a simulated deck can be told: heat, cool, shake, hold, close, lift.

The fields are those of the instructions in :mod:`protocols.device_instructions`; temperatures are °C, times s, speeds
revolutions a minute, heights mm.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from protocols.device_instructions import Celsius, ProfileStep
from protocols.liquids import Amount, Name, PositiveAmount, Record


class _OnDevice(Record):
    device: Name


class SetTemperature(_OnDevice):
    """See :class:`protocols.device_instructions.SetTemperature`."""

    kind: Literal["set_temperature"] = "set_temperature"
    celsius: Celsius | None
    part: Literal["block", "lid"] = "block"


class AwaitTemperature(_OnDevice):
    """See :class:`protocols.device_instructions.AwaitTemperature`."""

    kind: Literal["await_temperature"] = "await_temperature"
    celsius: Celsius | None = None
    part: Literal["block", "lid"] = "block"


class Shake(_OnDevice):
    """See :class:`protocols.device_instructions.Shake`."""

    kind: Literal["shake"] = "shake"
    rpm: PositiveAmount | None


class SetLatch(_OnDevice):
    """See :class:`protocols.device_instructions.SetLatch`."""

    kind: Literal["set_latch"] = "set_latch"
    open: bool


class SetLid(_OnDevice):
    """See :class:`protocols.device_instructions.SetLid`."""

    kind: Literal["set_lid"] = "set_lid"
    open: bool


class SetMagnet(_OnDevice):
    """See :class:`protocols.device_instructions.SetMagnet`."""

    kind: Literal["set_magnet"] = "set_magnet"
    raised: bool
    height: Annotated[float, Field(ge=-5, le=50)] | None = None


class RunProfile(_OnDevice):
    """See :class:`protocols.device_instructions.RunProfile`."""

    kind: Literal["run_profile"] = "run_profile"
    steps: Annotated[tuple[ProfileStep, ...], Field(min_length=1)]
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1
    volume: Amount | None = None


DeviceCommand = SetTemperature | AwaitTemperature | Shake | SetLatch | SetLid | SetMagnet | RunProfile
"""One act of a device on the deck."""
