"""pylabrobot's front ends of devices on the deck, behind a guard.

What pylabrobot 0.2.2 lets through, and what closes it here:

13. Any number is a set-point: 1000 °C, not-a-number, -5 rpm: what lies outside the device's range is refused.
14. ``set_temperature`` with a lower set-point and ``passive`` tells the device nothing, so that it goes on holding the
    higher one; without ``passive`` it is an error for a heater that cools by itself: the set-point is passed on.
15. Waiting for a temperature that nobody set is an error after a restart, when pylabrobot has forgotten the set-point:
    the driver sets it from the record.
16. ``shake`` closes the latch unasked, and with a duration opens it afterwards: the latch is left alone; shaking with
    an open one and opening one that shakes are refused.
17. A profile with holds or temperatures that are no numbers, without holds, or repeated less than once: refused.
18. ``stop`` switches heating and shaking off: it only disconnects, and what is on stays on, as the record says.
"""

from __future__ import annotations

import math
from typing import Any

from pylabrobot.heating_shaking import HeaterShaker, HeaterShakerBackend
from pylabrobot.machines.machine import Machine
from pylabrobot.resources import Coordinate
from pylabrobot.temperature_controlling import TemperatureController
from pylabrobot.temperature_controlling.backend import TemperatureControllerBackend
from pylabrobot.thermocycling import Thermocycler, ThermocyclerBackend
from pylabrobot.thermocycling.standard import Protocol

from protocols.specs import DeviceSpec
from robots.guard.refusal import Refused, check_amount, check_range
from robots.magnetic import MagneticModule, MagneticModuleBackend

_FOOTPRINT = {"size_x": 127.76, "size_y": 85.48, "size_z": 0.0, "child_location": Coordinate.zero()}
"""The front ends stand beside the deck: labware stands on the deck's own holder at the device's site."""


class _Disconnects(Machine):  # type: ignore[misc]
    """A machine whose ``stop`` only disconnects."""

    async def stop(self) -> None:
        """Disconnect. What is on stays on."""
        await Machine.stop(self)


class _HoldsTemperature(_Disconnects):
    """The calls of pylabrobot's temperature controller, checked.

    Attributes:
        spec: what the device can do.
    """

    spec: DeviceSpec
    target_temperature: float | None

    async def set_temperature(self, temperature: float, passive: bool = False) -> None:
        """As pylabrobot's, within the device's range; a lower set-point reaches the device too."""
        check_range("temperature", temperature, self.spec.temperatures, "°C", self.spec.id)
        await self.backend.set_temperature(temperature)
        self.target_temperature = temperature

    async def wait_for_temperature(
        self, timeout: float = 300.0, tolerance: float = 0.5, *, temperature: float | None = None
    ) -> None:
        """As pylabrobot's, for ``temperature`` or the set-point; a device with a clock of its own waits by itself."""
        wanted = self.target_temperature if temperature is None else temperature
        if wanted is None:
            raise Refused("it was not set to a temperature", place=self.spec.id, mend="Set one first")
        if not math.isfinite(wanted):
            raise Refused(f"the temperature is {wanted}, not a number", place=self.spec.id)
        wait: Any = getattr(self.backend, "await_temperature", None)
        if wait is not None:
            await wait(temperature)
        else:
            self.target_temperature = wanted
            await TemperatureController.wait_for_temperature(self, timeout, tolerance)


class GuardedTemperatureController(_HoldsTemperature, TemperatureController):  # type: ignore[misc]
    """pylabrobot's temperature controller behind a guard; every method may raise ``Refused``."""

    def __init__(self, spec: DeviceSpec, backend: TemperatureControllerBackend) -> None:
        super().__init__(name=spec.id, backend=backend, **_FOOTPRINT)
        self.spec = spec


class GuardedHeaterShaker(_HoldsTemperature, HeaterShaker):  # type: ignore[misc]
    """pylabrobot's heater-shaker behind a guard; every method may raise ``Refused``.

    Attributes:
        latch_open: ``None`` where nobody knows.
        shaking: it shakes now.
    """

    def __init__(self, spec: DeviceSpec, backend: HeaterShakerBackend) -> None:
        super().__init__(name=spec.id, backend=backend, **_FOOTPRINT)
        self.spec = spec
        self.latch_open: bool | None = None
        self.shaking = False

    async def shake(self, speed: float, duration: float | None = None, **backend_kwargs: Any) -> None:
        """As pylabrobot's without a duration, within the device's range, with the latch closed."""
        check_range("speed", speed, self.spec.speeds, "rpm", self.spec.id)
        if duration is not None:
            raise Refused(
                "shaking for a time ends with an open latch", place=self.spec.id, mend="Shake, wait, stop shaking"
            )
        if self.latch_open is not False:
            raise Refused("the latch is not closed", place=self.spec.id, mend="Close it first")
        await self.backend.start_shaking(speed=speed, **backend_kwargs)
        self.shaking = True

    async def stop_shaking(self, **backend_kwargs: Any) -> None:
        """As pylabrobot's."""
        await super().stop_shaking(**backend_kwargs)
        self.shaking = False

    async def lock_plate(self, **backend_kwargs: Any) -> None:
        """As pylabrobot's."""
        await super().lock_plate(**backend_kwargs)
        self.latch_open = False

    async def unlock_plate(self, **backend_kwargs: Any) -> None:
        """As pylabrobot's, while it does not shake."""
        if self.shaking:
            raise Refused("it shakes, and its latch stays closed", place=self.spec.id, mend="Stop shaking first")
        await super().unlock_plate(**backend_kwargs)
        self.latch_open = True


class GuardedThermocycler(_Disconnects, Thermocycler):  # type: ignore[misc]
    """pylabrobot's thermocycler, of one zone, behind a guard; every method may raise ``Refused``."""

    def __init__(self, spec: DeviceSpec, backend: ThermocyclerBackend) -> None:
        super().__init__(name=spec.id, backend=backend, **_FOOTPRINT)
        self.spec = spec

    async def set_block_temperature(self, temperature: list[float], **backend_kwargs: Any) -> None:
        """As pylabrobot's, within the block's range."""
        self._check_zone(temperature, self.spec.temperatures)
        await super().set_block_temperature(temperature, **backend_kwargs)

    async def set_lid_temperature(self, temperature: list[float], **backend_kwargs: Any) -> None:
        """As pylabrobot's, within the lid's range."""
        self._check_zone(temperature, self.spec.lid_temperatures)
        await super().set_lid_temperature(temperature, **backend_kwargs)

    async def wait_for_block(
        self, timeout: float = 600, tolerance: float = 0.5, *, temperature: float | None = None, **backend_kwargs: Any
    ) -> None:
        """As pylabrobot's; a device with a clock of its own waits by itself, for ``temperature`` or the set-point."""
        wait: Any = getattr(self.backend, "await_temperature", None)
        if wait is not None:
            await wait(temperature, "block")
        else:
            await super().wait_for_block(timeout, tolerance, **backend_kwargs)

    async def wait_for_lid(
        self, timeout: float = 1200, tolerance: float = 0.5, *, temperature: float | None = None, **backend_kwargs: Any
    ) -> None:
        """As :meth:`wait_for_block`."""
        wait: Any = getattr(self.backend, "await_temperature", None)
        if wait is not None:
            await wait(temperature, "lid")
        else:
            await super().wait_for_lid(timeout, tolerance, **backend_kwargs)

    async def run_protocol(self, protocol: Protocol, block_max_volume: float, **backend_kwargs: Any) -> None:
        """As pylabrobot's, with temperatures within the block's range and holds that are times."""
        check_amount("volume", block_max_volume, place=self.spec.id)
        if not protocol.stages or any(not stage.steps or stage.repeats < 1 for stage in protocol.stages):
            raise Refused("the profile has nothing to hold", place=self.spec.id)
        for stage in protocol.stages:
            for step in stage.steps:
                self._check_zone(step.temperature, self.spec.temperatures)
                check_amount("hold", step.hold_seconds, place=self.spec.id)
        await super().run_protocol(protocol, block_max_volume, **backend_kwargs)

    def _check_zone(self, temperature: list[float], allowed: tuple[float, float] | None) -> None:
        if len(temperature) != 1:
            raise Refused(f"{len(temperature)} temperatures for one block", place=self.spec.id)
        check_range("temperature", temperature[0], allowed, "°C", self.spec.id)


class GuardedMagneticModule(_Disconnects, MagneticModule):
    """A magnetic module behind a guard; every method may raise ``Refused``."""

    def __init__(self, spec: DeviceSpec, backend: MagneticModuleBackend) -> None:
        super().__init__(name=spec.id, backend=backend, **_FOOTPRINT)
        self.spec = spec

    async def engage(self, height: float | None = None) -> None:
        """Raise the magnets, within the device's range."""
        if height is not None:
            check_range("height", height, self.spec.magnet_heights, "mm", self.spec.id)
        await super().engage(height)
