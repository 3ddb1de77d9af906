"""Steps for devices lowered to their instructions, on workcells that have such a device."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocols.compiler.geometry import nearest
from protocols.device_instructions import (
    AwaitTemperature,
    ProfileStep,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.device_steps import (
    AnyDeviceStep,
    DeviceStep,
    HoldTemperature,
    Latch,
    Lid,
    Magnet,
    ReachTemperature,
    ShakeAt,
    Thermocycle,
)
from protocols.errors import CompileError, UnknownNameError
from protocols.specs import DeviceKind, WorkcellSpec

_HEATING: tuple[DeviceKind, ...] = ("temperature module", "heater-shaker", "thermocycler")
_KINDS: dict[type[DeviceStep], tuple[DeviceKind, ...]] = {
    HoldTemperature: _HEATING,
    ReachTemperature: _HEATING,
    ShakeAt: ("heater-shaker",),
    Latch: ("heater-shaker",),
    Lid: ("thermocycler",),
    Magnet: ("magnetic module",),
    Thermocycle: ("thermocycler",),
}
"""Kinds of devices that can do a step."""


def device_instructions(step: AnyDeviceStep, workcell: WorkcellSpec) -> Iterator[tuple[type[Any], dict[str, Any]]]:
    """The instructions of a step: their types, and their fields beside id and step.

    Raises:
        UnknownNameError: the workcell has no such device.
        CompileError: the device is of a kind that cannot do this.
    """
    _check(step, workcell)
    yield from lowered(step)


def lowered(step: AnyDeviceStep) -> Iterator[tuple[type[Any], dict[str, Any]]]:
    """The instructions of a step, on whatever workcell."""
    match step:
        case HoldTemperature():
            yield SetTemperature, {"device": step.device, "celsius": step.temperature, "part": step.part}
            if step.wait and step.temperature is not None:
                yield AwaitTemperature, {"device": step.device, "celsius": step.temperature, "part": step.part}
        case ReachTemperature():
            yield AwaitTemperature, {"device": step.device, "celsius": step.temperature, "part": step.part}
        case ShakeAt():
            yield Shake, {"device": step.device, "rpm": step.speed or None}
        case Latch():
            yield SetLatch, {"device": step.device, "open": step.open}
        case Lid():
            yield SetLid, {"device": step.device, "open": step.open}
        case Magnet():
            yield SetMagnet, {"device": step.device, "raised": step.raised, "height": step.height}
        case Thermocycle():
            holds = tuple(ProfileStep(celsius=hold.temperature, seconds=hold.duration) for hold in step.profile)
            yield RunProfile, {"device": step.device, "steps": holds, "cycles": step.cycles, "volume": step.volume}


def _check(step: AnyDeviceStep, workcell: WorkcellSpec) -> None:
    where = f"step '{step.id}'"
    device = workcell.devices.get(step.device)
    able = _KINDS[type(step)]
    if device is None:
        fitting = [name for name, spec in workcell.devices.items() if spec.kind in able]
        raise UnknownNameError(
            f"the workcell has no device '{step.device}'",
            where=where,
            mend=nearest(step.device, fitting)
            if fitting
            else f"It has no {' or '.join(able)} at all: leave the step out",
        )
    if device.kind not in able:
        raise CompileError(
            f"'{step.device}' is a {device.kind}, and {step.do} needs a {' or '.join(able)}", where=where
        )
