"""Instructions for devices that stand on the deck: temperature module, heater-shaker, thermocycler, magnet.

Each names its device. Temperatures are °C, times s, speeds revolutions a minute, heights mm. All of them can be
repeated without harm: they set a state and do not add to one; a profile is the exception.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from protocols.instruction import STRICT, Instruction
from protocols.liquids import Amount, Name, PositiveAmount

Celsius = Annotated[float, Field(ge=-80, le=150, allow_inf_nan=False)]
"""A temperature, °C."""


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SetTemperature(Instruction):
    """Set a device's temperature and go on at once; ``None`` switches its heating and cooling off.

    Attributes:
        part: the lid of a thermocycler has a temperature of its own.
    """

    repeatable: ClassVar[bool] = True
    kind: Literal["set_temperature"] = "set_temperature"
    device: Name
    celsius: Celsius | None
    part: Literal["block", "lid"] = "block"


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class AwaitTemperature(Instruction):
    """Wait until a device has the temperature it was set to, or the one named here."""

    repeatable: ClassVar[bool] = True
    kind: Literal["await_temperature"] = "await_temperature"
    device: Name
    celsius: Celsius | None = None
    part: Literal["block", "lid"] = "block"


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class Shake(Instruction):
    """Shake at ``rpm``, going on once that speed is reached; ``None`` stops."""

    repeatable: ClassVar[bool] = True
    kind: Literal["shake"] = "shake"
    device: Name
    rpm: PositiveAmount | None


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SetLatch(Instruction):
    """Open or close the latch that holds labware on a heater-shaker."""

    repeatable: ClassVar[bool] = True
    kind: Literal["set_latch"] = "set_latch"
    device: Name
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SetLid(Instruction):
    """Open or close a thermocycler's lid."""

    repeatable: ClassVar[bool] = True
    kind: Literal["set_lid"] = "set_lid"
    device: Name
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class SetMagnet(Instruction):
    """Raise a magnetic module's magnets to ``height`` above their base; ``None`` lowers them.

    Attributes:
        height: mm; ``raised`` without a height is the labware's own engage height.
    """

    repeatable: ClassVar[bool] = True
    kind: Literal["set_magnet"] = "set_magnet"
    device: Name
    raised: bool
    height: Annotated[float, Field(ge=-5, le=50, allow_inf_nan=False)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileStep:
    """One hold of a thermocycler profile."""

    celsius: Celsius
    seconds: Amount


@dataclass(frozen=True, slots=True, kw_only=True, config=STRICT)
class RunProfile(Instruction):
    """Hold a thermocycler's block at one temperature after the other, ``cycles`` times over.

    Attributes:
        volume: µL in the fullest well, where it is said.
    """

    kind: Literal["run_profile"] = "run_profile"
    device: Name
    steps: Annotated[tuple[ProfileStep, ...], Field(min_length=1)]
    cycles: Annotated[int, Field(ge=1, le=1000)] = 1
    volume: Amount | None = None


DeviceInstruction = SetTemperature | AwaitTemperature | Shake | SetLatch | SetLid | SetMagnet | RunProfile
"""An instruction for a device on the deck."""
