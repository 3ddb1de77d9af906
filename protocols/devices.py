"""Devices that stand on the deck: the state of each, what instructions do to it, what it keeps from its labware.

``docs/explanations/semantics.md`` says what each instruction does. A device that refuses changes nothing. Temperatures
°C, speeds rpm, heights mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

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
from protocols.effects import Effect, EffectKind
from protocols.specs import DeviceKind, DeviceSpec

MODULES: frozenset[DeviceKind] = frozenset({"temperature module", "heater-shaker", "thermocycler", "magnetic module"})
"""The kinds of devices that have a state."""

Range = tuple[float, float] | None
"""The lowest and highest value of something; ``None`` where a device has no such thing."""


@dataclass(slots=True)
class DeviceState:
    """What a device does at the moment.

    Attributes:
        celsius: °C to which its block is set; ``None`` while it neither heats nor cools.
        lid_celsius: the same of a thermocycler's lid.
        lid_open: of a thermocycler; ``None`` if that is not known.
        latch_open: of a heater-shaker; ``None`` if that is not known.
        rpm: at which it shakes; ``None`` while it stands still.
        magnets_raised: of a magnetic module.
        magnet_height: mm to which they are raised; ``None`` while they are down, or if only their labware says.
    """

    celsius: float | None = None
    lid_celsius: float | None = None
    lid_open: bool | None = None
    latch_open: bool | None = None
    rpm: float | None = None
    magnets_raised: bool = False
    magnet_height: float | None = None

    @classmethod
    def before_a_run(cls, device: DeviceSpec) -> DeviceState:
        """The state in which ``device`` is switched on."""
        return cls(
            lid_open=device.starts_open if device.kind == "thermocycler" else None,
            latch_open=device.starts_open if device.kind == "heater-shaker" else None,
        )

    def snapshot(self) -> dict[str, Any]:
        """This state as plain JSON."""
        return asdict(self)


def obstacle(device: DeviceSpec, state: DeviceState) -> EffectKind | None:
    """What keeps a pipette from the labware on ``device``; ``None`` if nothing does."""
    if device.kind == "heater-shaker":
        if state.rpm is not None:
            return "device shakes"
        return None if state.latch_open is False else "latch not closed"
    if device.kind == "thermocycler":
        return None if state.lid_open is True else "thermocycler closed"
    return None


def holds_fast(device: DeviceSpec, state: DeviceState) -> EffectKind | None:
    """What keeps labware from being put onto ``device`` or taken off it; ``None`` if nothing does."""
    if device.kind == "heater-shaker" and state.latch_open is not True:
        return "latch not open"
    if device.kind == "thermocycler" and state.lid_open is not True:
        return "thermocycler closed"
    return None


def operate(
    device: DeviceSpec | None, state: DeviceState | None, instruction: DeviceInstruction
) -> tuple[DeviceState | None, Sequence[Effect]]:
    """What comes of ``instruction``: the state after it, and why the device refused, if it did.

    Args:
        device, state: the device that the instruction names; ``None`` where there is none of that name.
    """
    if device is None or state is None or not _is_able(device, instruction):
        return state, (Effect(kind="device cannot", place=instruction.device),)
    refused = _refusal(device, state, instruction)
    if refused is not None:
        return state, (refused,)
    return _changed(state, instruction), ()


def _is_able(device: DeviceSpec, instruction: DeviceInstruction) -> bool:
    """Whether a device of this kind can do this at all."""
    match instruction:
        case SetTemperature() | AwaitTemperature():
            return _range(device, instruction.part) is not None
        case Shake():
            return device.speeds is not None
        case SetLatch():
            return device.kind == "heater-shaker"
        case SetLid():
            return device.kind == "thermocycler"
        case SetMagnet():
            return device.kind == "magnetic module"
        case RunProfile():
            return device.kind == "thermocycler" and device.temperatures is not None


def _range(device: DeviceSpec, part: str) -> Range:
    return device.lid_temperatures if part == "lid" else device.temperatures


def _refusal(device: DeviceSpec, state: DeviceState, instruction: DeviceInstruction) -> Effect | None:
    kind: EffectKind | None = None
    match instruction:
        case SetTemperature():
            return _beyond(device.id, _range(device, instruction.part), instruction.celsius)
        case AwaitTemperature():
            if instruction.celsius is None and set_point(state, instruction.part) is None:
                kind = "no set-point"
            else:
                return _beyond(device.id, _range(device, instruction.part), instruction.celsius)
        case Shake():
            if device.kind == "heater-shaker" and state.latch_open is not False:
                kind = "latch not closed"
            else:
                return _beyond(device.id, device.speeds, instruction.rpm)
        case SetLatch():
            kind = "device shakes" if instruction.open and state.rpm is not None else None
        case SetMagnet():
            return _beyond(device.id, device.magnet_heights, instruction.height if instruction.raised else None)
        case RunProfile():
            steps = (_beyond(device.id, device.temperatures, step.celsius) for step in instruction.steps)
            return max((step for step in steps if step), key=lambda effect: effect.amount, default=None)
        case SetLid():
            pass
    return None if kind is None else Effect(kind=kind, place=device.id)


def _beyond(device: str, within: Range, value: float | None) -> Effect | None:
    """The refusal of a value that the device cannot be set to."""
    if value is None or within is None or within[0] <= value <= within[1]:
        return None
    return Effect(kind="set-point refused", place=device, amount=max(within[0] - value, value - within[1]))


def set_point(state: DeviceState, part: str) -> float | None:
    """°C to which a device's block or lid is set; ``None`` while it neither heats nor cools."""
    return state.lid_celsius if part == "lid" else state.celsius


def _changed(state: DeviceState, instruction: DeviceInstruction) -> DeviceState:
    changes: dict[str, Any] = {}
    match instruction:
        case SetTemperature(part="lid"):
            changes = {"lid_celsius": instruction.celsius}
        case SetTemperature():
            changes = {"celsius": instruction.celsius}
        case Shake():
            changes = {"rpm": instruction.rpm}
        case SetLatch():
            changes = {"latch_open": instruction.open}
        case SetLid():
            changes = {"lid_open": instruction.open}
        case SetMagnet():
            height = instruction.height if instruction.raised else None
            changes = {"magnets_raised": instruction.raised, "magnet_height": height}
        case RunProfile():
            changes = {"celsius": instruction.steps[-1].celsius}
        case AwaitTemperature():
            pass
    return DeviceState(**(asdict(state) | changes))
