"""The holes of pylabrobot 0.2.2's front ends of devices on the deck, each on the bare one first, then closed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pylabrobot.heating_shaking import HeaterShaker, HeaterShakerBackend
from pylabrobot.resources import Coordinate
from pylabrobot.temperature_controlling import TemperatureController
from pylabrobot.thermocycling import Thermocycler
from pylabrobot.thermocycling.standard import Protocol, Stage, Step

from protocols.specs import DeviceSpec
from robots.guard import (
    GuardedHeaterShaker,
    GuardedMagneticModule,
    GuardedTemperatureController,
    GuardedThermocycler,
    Refused,
)
from robots.magnetic import MagneticModule, MagneticModuleBackend

SHAKER = DeviceSpec(id="shaker", kind="heater-shaker", temperatures=(37.0, 95.0), speeds=(200.0, 3000.0))
BLOCK = DeviceSpec(id="block", kind="temperature module", temperatures=(4.0, 95.0))
CYCLER = DeviceSpec(id="cycler", kind="thermocycler", temperatures=(4.0, 99.0), lid_temperatures=(37.0, 110.0))
MAGNET = DeviceSpec(id="magnet", kind="magnetic module", magnet_heights=(0.0, 20.0))
PLACE: dict[str, Any] = {"size_x": 1.0, "size_y": 1.0, "size_z": 1.0, "child_location": Coordinate.zero()}


class Hardware(HeaterShakerBackend, MagneticModuleBackend):  # type: ignore[misc]
    """Does as it is told and writes it down; it cools by itself only, and is at 60 °C."""

    supports_active_cooling = False
    supports_locking = True

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Any] = []

    async def setup(self) -> None:
        pass

    async def stop(self) -> None:
        self.told.append("stop")

    async def set_temperature(self, temperature: float) -> None:
        self.told.append(temperature)

    async def get_current_temperature(self) -> float:
        return 60.0

    async def deactivate(self) -> None:
        self.told.append("off")

    async def start_shaking(self, speed: float) -> None:
        self.told.append(f"shake {speed}")

    async def stop_shaking(self) -> None:
        self.told.append("stand still")

    async def lock_plate(self) -> None:
        self.told.append("lock")

    async def unlock_plate(self) -> None:
        self.told.append("unlock")

    async def engage(self, height: float | None) -> None:
        self.told.append(height)

    async def disengage(self) -> None:
        self.told.append("down")

    def __getattr__(self, name: str) -> Any:
        """What a thermocycler's backend is told beside the lid and the block."""

        async def tell(*args: Any) -> None:
            self.told.append((name, *args))

        if name in ("set_block_temperature", "set_lid_temperature", "run_protocol"):
            return tell
        raise AttributeError(name)


Story = Callable[[Any], Awaitable[None]]


def told(front: Any, story: Story) -> list[Any]:
    """What the machine was told."""

    async def run() -> None:
        await front.setup()
        await story(front)

    asyncio.run(run())
    return list(front.backend.told)


def refused(front: Any, story: Story, words: str) -> None:
    async def run() -> None:
        await front.setup()
        with pytest.raises(Refused, match=words):
            await story(front)

    asyncio.run(run())
    assert front.backend.told == []


def bare_shaker() -> HeaterShaker:
    return HeaterShaker(name="shaker", backend=Hardware(), **PLACE)


def shaker(*, latch_open: bool | None = False, shaking: bool = False) -> GuardedHeaterShaker:
    front = GuardedHeaterShaker(SHAKER, Hardware())
    front.latch_open, front.shaking = latch_open, shaking
    return front


@pytest.mark.parametrize("celsius", [1000.0, math.nan, -300.0])
def test_13_a_set_point_is_a_temperature_that_the_device_has(celsius: float) -> None:
    async def story(front: Any) -> None:
        await front.set_temperature(celsius, passive=False)

    bare = TemperatureController(name="block", backend=Hardware(), **PLACE)
    if not celsius < 60.0:
        assert len(told(bare, story)) == 1
    refused(GuardedTemperatureController(BLOCK, Hardware()), story, "outside its range|not a number")


@pytest.mark.parametrize("rpm", [-5.0, math.nan, 1e6])
def test_13_a_speed_is_one_that_the_device_has(rpm: float) -> None:
    async def story(front: Any) -> None:
        await front.shake(rpm)

    assert told(bare_shaker(), story)[-1] == f"shake {rpm}"
    refused(shaker(), story, "outside its range|not a number")


def test_13_magnets_rise_as_far_as_they_go() -> None:
    async def story(front: Any) -> None:
        await front.engage(500.0)

    assert told(MagneticModule(name="magnet", backend=Hardware(), **PLACE), story) == [500.0]
    refused(GuardedMagneticModule(MAGNET, Hardware()), story, "It goes from 0 to 20 mm")


@pytest.mark.parametrize("passive", [True, False])
def test_14_a_lower_set_point_reaches_the_device(passive: bool) -> None:
    async def story(front: Any) -> None:
        await front.set_temperature(40.0, passive=passive)

    bare = TemperatureController(name="block", backend=Hardware(), **PLACE)
    if passive:
        assert told(bare, story) == []  # and it goes on heating to what it was told before
    else:
        with pytest.raises(ValueError, match="does not support active cooling"):
            told(bare, story)
    assert told(GuardedTemperatureController(BLOCK, Hardware()), story) == [40.0]


def test_15_waiting_needs_a_set_point() -> None:
    async def story(front: Any) -> None:
        await front.wait_for_temperature()

    refused(GuardedTemperatureController(BLOCK, Hardware()), story, "not set to a temperature")

    async def remembered(front: Any) -> None:
        front.target_temperature = 60.0
        await front.wait_for_temperature()

    assert told(GuardedTemperatureController(BLOCK, Hardware()), remembered) == []


def test_16_shaking_leaves_the_latch_alone() -> None:
    async def story(front: Any) -> None:
        await front.shake(500.0)

    assert told(bare_shaker(), story) == ["lock", "shake 500.0"]
    assert told(shaker(), story) == ["shake 500.0"]
    refused(shaker(latch_open=True), story, "latch is not closed")
    refused(shaker(latch_open=None), story, "latch is not closed")

    async def for_a_time(front: Any) -> None:
        await front.shake(500.0, 0.0)

    assert told(bare_shaker(), for_a_time)[-1] == "unlock"
    refused(shaker(), for_a_time, "ends with an open latch")


def test_16_a_latch_stays_closed_while_it_shakes() -> None:
    async def story(front: Any) -> None:
        await front.shake(500.0)
        await front.unlock_plate()

    assert told(bare_shaker(), story)[-1] == "unlock"
    with pytest.raises(Refused, match="its latch stays closed"):
        told(shaker(), story)


BAD_PROFILES = [
    Protocol(stages=[Stage(steps=[Step(temperature=[500.0], hold_seconds=10.0)], repeats=1)]),
    Protocol(stages=[Stage(steps=[Step(temperature=[95.0], hold_seconds=math.nan)], repeats=1)]),
    Protocol(stages=[Stage(steps=[Step(temperature=[95.0], hold_seconds=-1.0)], repeats=1)]),
    Protocol(stages=[Stage(steps=[Step(temperature=[95.0], hold_seconds=1.0)], repeats=0)]),
]


@pytest.mark.parametrize("profile", BAD_PROFILES)
def test_17_a_profile_holds_real_temperatures_for_real_times(profile: Protocol) -> None:
    async def story(front: Any) -> None:
        await front.run_protocol(profile, 50.0)

    assert told(Thermocycler(name="cycler", backend=Hardware(), **PLACE), story) == [("run_protocol", profile, 50.0)]
    refused(GuardedThermocycler(CYCLER, Hardware()), story, "outside its range|not a number|negative|nothing to hold")


@pytest.mark.parametrize("call", ["set_block_temperature", "set_lid_temperature"])
def test_13_block_and_lid_have_ranges_of_their_own(call: str) -> None:
    async def story(front: Any) -> None:
        await getattr(front, call)([105.0])

    assert told(Thermocycler(name="cycler", backend=Hardware(), **PLACE), story) == [(call, [105.0])]
    if call == "set_block_temperature":
        refused(GuardedThermocycler(CYCLER, Hardware()), story, "It goes from 4 to 99 °C")
    else:
        assert told(GuardedThermocycler(CYCLER, Hardware()), story) == [(call, [105.0])]


def test_18_letting_go_of_a_device_leaves_it_on() -> None:
    async def story(front: Any) -> None:
        await front.stop()

    assert told(bare_shaker(), story) == ["off", "stand still", "stop"]
    assert told(shaker(), story) == ["stop"]
