"""The exact oracle's devices: what each is set to, why it refuses, and what it keeps from its labware.

Written from docs/explanations/semantics.md alone; no code is shared with LabState.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from protocols.specs import OFF_DECK, DeviceSpec, WorkcellSpec
from tests.oracles.exact_parts import ExactEffect

SORTS = ("temperature module", "heater-shaker", "thermocycler", "magnetic module")


class Modules:
    """Every module of a workcell: what is known of each, by word ("open" is its lid or latch)."""

    def __init__(self, workcell: WorkcellSpec) -> None:
        self.workcell = workcell
        self.known: dict[str, dict[str, Any]] = {
            name: {"open": device.starts_open, "block": None, "lid": None, "rpm": None, "magnets": None}
            for name, device in workcell.devices.items()
            if device.kind in SORTS
        }

    def keeps_out(self, site: str, *, lid: bool, rack: bool) -> str | None:
        """What keeps pipettes from labware on ``site``."""
        spec = self.workcell.sites.get(site)
        if site == OFF_DECK or (spec is not None and not spec.pipettes):
            return "out of reach"
        device = self.workcell.devices.get(spec.device or "") if spec is not None else None
        if device is not None and device.kind == "heater-shaker":
            if self.known[device.id]["rpm"] is not None:
                return "device shakes"
            if self.known[device.id]["open"] is not False:
                return "latch not closed"
        if device is not None and device.kind == "thermocycler" and self.known[device.id]["open"] is not True:
            return "thermocycler closed"
        return "lid in the way" if lid and not rack else None

    def holds(self, *sites: str) -> ExactEffect | None:
        """The first device that keeps labware from being put on or taken off one of ``sites``."""
        for site in sites:
            spec = self.workcell.sites.get(site)
            device = self.workcell.devices.get(spec.device or "") if spec is not None else None
            words = {"heater-shaker": "latch not open", "thermocycler": "thermocycler closed"}
            if device is not None and device.kind in words and self.known[device.id]["open"] is not True:
                return ExactEffect(words[device.kind], device.id)
        return None

    def operate(self, step: Any) -> list[ExactEffect]:
        """Do one instruction for a device."""
        device, known = self.workcell.devices.get(step.device), self.known.get(step.device)
        if device is None or known is None or not _can(device, step):
            return [ExactEffect("device cannot", step.device)]
        refused = self._refuses(device, known, step)
        if refused:
            return [refused]
        self.known[step.device] = known | _after(step)
        return []

    def _refuses(self, device: DeviceSpec, known: dict[str, Any], step: Any) -> ExactEffect | None:
        if step.kind == "await_temperature" and step.celsius is None and known[step.part] is None:
            return ExactEffect("no set-point", device.id)
        if step.kind == "shake" and device.kind == "heater-shaker" and known["open"] is not False:
            return ExactEffect("latch not closed", device.id)
        if step.kind == "set_latch" and step.open and known["rpm"] is not None:
            return ExactEffect("device shakes", device.id)
        outside = max((_outside(span, value) for span, value in _asked(device, step)), default=Fraction(0))
        return ExactEffect("set-point refused", device.id, None, outside) if outside > 0 else None


def _can(device: DeviceSpec, step: Any) -> bool:
    if step.kind in ("set_temperature", "await_temperature"):
        return (device.temperatures if step.part == "block" else device.lid_temperatures) is not None
    if step.kind == "shake":
        return device.speeds is not None
    if step.kind == "run_profile" and device.temperatures is None:
        return False
    wanted = {"set_latch": "heater-shaker", "set_lid": "thermocycler", "run_profile": "thermocycler"}
    return device.kind == wanted.get(step.kind, "magnetic module")


def _asked(device: DeviceSpec, step: Any) -> list[tuple[tuple[float, float] | None, float | None]]:
    """What is asked of the device, and between what it must lie."""
    if step.kind in ("set_temperature", "await_temperature"):
        return [(device.temperatures if step.part == "block" else device.lid_temperatures, step.celsius)]
    if step.kind == "shake":
        return [(device.speeds, step.rpm)]
    if step.kind == "set_magnet":
        return [(device.magnet_heights, step.height if step.raised else None)]
    if step.kind == "run_profile":
        return [(device.temperatures, hold.celsius) for hold in step.steps]
    return []


def _outside(span: tuple[float, float] | None, value: float | None) -> Fraction:
    if span is None or value is None:
        return Fraction(0)
    return max(Fraction(span[0]) - Fraction(value), Fraction(value) - Fraction(span[1]), Fraction(0))


def _after(step: Any) -> dict[str, Any]:
    """What of a device is different after ``step``."""
    if step.kind == "set_temperature":
        return {step.part: step.celsius}
    if step.kind == "shake":
        return {"rpm": step.rpm}
    if step.kind in ("set_latch", "set_lid"):
        return {"open": step.open}
    if step.kind == "set_magnet":
        return {"magnets": (step.height if step.height is not None else "raised") if step.raised else None}
    if step.kind == "run_profile":
        return {"block": step.steps[-1].celsius}
    return {}
