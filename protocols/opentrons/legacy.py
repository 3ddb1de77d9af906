"""What protocols of Python API 2.13 and older, and JSON protocols up to schema 5, do beside pipetting.

Their analyses carry it as ``custom`` commands: a type and a sentence, in ``opentrons/legacy_commands/*.py`` of the
opentrons package. Where a number in a sentence is needed it is read from there.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from pydantic import TypeAdapter, ValidationError

from protocols.device_instructions import AwaitTemperature, SetLatch, SetLid, SetMagnet, SetTemperature, Shake
from protocols.opentrons import modules
from protocols.opentrons import parameters as p
from protocols.opentrons.parts import Measure, Part
from protocols.opentrons.walk import Walk
from protocols.program import AskPerson, Wait
from protocols.specs import DeviceKind

_NUMBER = r"(-?[0-9]+(?:\.[0-9]+)?)"
_TEMPERATURE = re.compile(rf" {_NUMBER} ?°C")
_SPEED = re.compile(rf" {_NUMBER} ?RPM")
_DELAY = re.compile(rf"Delaying for {_NUMBER} minutes and {_NUMBER} seconds(?:\. (.*))?", re.DOTALL)
_HOLD = re.compile(rf"hold time of (?:{_NUMBER} minutes and )?{_NUMBER} seconds")
_PROFILE = re.compile(r"([0-9]+) repetitions\s+of cycle composed of the following steps: (\[.*\])", re.DOTALL)
_PAUSE = re.compile(r"Pausing robot operation(?:: (.*))?", re.DOTALL)
_NOT_READ = "its words could not be read"


class _Step(Part):
    temperature: float
    hold_time_seconds: Measure | None = None
    hold_time_minutes: Measure | None = None


_STEPS: TypeAdapter[tuple[_Step, ...]] = TypeAdapter(tuple[_Step, ...])

_SIMPLE: dict[str, tuple[DeviceKind, Any, dict[str, Any]]] = {
    "MAGDECK_ENGAGE": ("magnetic module", SetMagnet, {"raised": True}),
    "MAGDECK_DISENGAGE": ("magnetic module", SetMagnet, {"raised": False}),
    "TEMPDECK_DEACTIVATE": ("temperature module", SetTemperature, {"celsius": None}),
    "THERMOCYCLER_OPEN": ("thermocycler", SetLid, {"open": True}),
    "THERMOCYCLER_CLOSE": ("thermocycler", SetLid, {"open": False}),
    "THERMOCYCLER_DEACTIVATE_LID": ("thermocycler", SetTemperature, {"celsius": None, "part": "lid"}),
    "THERMOCYCLER_DEACTIVATE_BLOCK": ("thermocycler", SetTemperature, {"celsius": None}),
    "THERMOCYCLER_WAIT_FOR_TEMP": ("thermocycler", AwaitTemperature, {}),
    "THERMOCYCLER_WAIT_FOR_LID_TEMP": ("thermocycler", AwaitTemperature, {"part": "lid"}),
    "HEATER_SHAKER_WAIT_FOR_TEMPERATURE": ("heater-shaker", AwaitTemperature, {}),
    "HEATER_SHAKER_OPEN_LABWARE_LATCH": ("heater-shaker", SetLatch, {"open": True}),
    "HEATER_SHAKER_CLOSE_LABWARE_LATCH": ("heater-shaker", SetLatch, {"open": False}),
    "HEATER_SHAKER_DEACTIVATE_SHAKER": ("heater-shaker", Shake, {"rpm": None}),
    "HEATER_SHAKER_DEACTIVATE_HEATER": ("heater-shaker", SetTemperature, {"celsius": None}),
}
"""What one sentence says in full."""
_TEMPERATURES: dict[str, tuple[DeviceKind, modules.TheirPart, bool, bool]] = {
    "TEMPDECK_SET_TEMP": ("temperature module", "block", True, False),
    "TEMPDECK_AWAIT_TEMP": ("temperature module", "block", False, True),
    "THERMOCYCLER_SET_BLOCK_TEMP": ("thermocycler", "block", True, True),
    "THERMOCYCLER_START_SET_BLOCK_TEMP": ("thermocycler", "block", True, False),
    "THERMOCYCLER_SET_LID_TEMP": ("thermocycler", "lid", True, True),
    "THERMOCYCLER_START_SET_LID_TEMP": ("thermocycler", "lid", True, False),
    "HEATER_SHAKER_SET_TARGET_TEMPERATURE": ("heater-shaker", "block", True, False),
}
"""Device, part, whether it is set, whether it is waited for. Old `set_temperature` calls wait; the Temperature
Module's says so with a sentence of its own in Python, and does not in JSON protocols."""
_POINTLESS = {
    "HOME": "nothing moves liquid; the driver homes by itself",
    "MOVE_TO": "nothing moves liquid, and each stroke says where it happens",
    "TOUCH_TIP": "the sentence does not say in which well; no liquid is counted",
    "BLOW_OUT": "the sentence does not say where",
    "AIR_GAP": "the air is drawn by a command of its own",
    "RETURN_TIP": "the tip is put back by a command of its own",
    "MAGDECK_CALIBRATE": "nothing moves liquid",
    "RESUME": "a pause ends when a person confirms",
    "THERMOCYCLER_WAIT_FOR_HOLD": "the hold is waited for where it is set",
    "MIX": "its strokes are commands of their own",
    "TRANSFER": "its strokes are commands of their own",
    "DISTRIBUTE": "its strokes are commands of their own",
    "CONSOLIDATE": "its strokes are commands of their own",
}


def custom(walk: Walk, params: p.Custom) -> None:
    """One ``custom`` command."""
    kind = params.legacyCommandType.removeprefix("command.")
    text = params.legacyCommandText
    if kind in _SIMPLE:
        device_kind, make, said = _SIMPLE[kind]
        _emit(walk, kind, device_kind, make, said)
    elif kind in _TEMPERATURES:
        _temperature(walk, kind, text)
    elif kind == "THERMOCYCLER_DEACTIVATE":
        _emit(walk, kind, "thermocycler", SetTemperature, {"celsius": None})
        _emit(walk, kind, "thermocycler", SetTemperature, {"celsius": None, "part": "lid"})
    elif kind in ("HEATER_SHAKER_SET_AND_WAIT_FOR_SHAKE_SPEED", "HEATER_SHAKER_SET_SHAKE_SPEED"):
        speed = _SPEED.search(text)
        if speed is None:
            walk.lose(f"custom {kind}", _NOT_READ)
        else:
            _emit(walk, kind, "heater-shaker", Shake, {"rpm": float(speed[1]) or None})
    elif kind in ("THERMOCYCLER_EXECUTE_PROFILE", "THERMOCYCLER_START_EXECUTE_PROFILE"):
        _profile(walk, kind, text)
    elif kind == "DELAY":
        _delay(walk, text)
    elif kind == "PAUSE":
        said_to = _PAUSE.fullmatch(text)
        walk.ask(text)
        walk.emit(AskPerson, message=((said_to[1] if said_to else None) or text or "Go on when ready")[:4000])
    elif kind == "COMMENT":
        walk.begin_step(text)
    else:
        walk.lose(f"custom {kind or '(without a type)'}", _POINTLESS.get(kind, "its meaning is not known"))


def _device(walk: Walk, kind: str, device_kind: DeviceKind) -> str | None:
    """The one device of its kind: the sentences do not say which one is meant."""
    names = [module.name for module in walk.deck.modules.values() if module.kind == device_kind]
    if len(names) == 1:
        return names[0]
    why = "no such module was loaded" if not names else "the sentence does not say which of several modules is meant"
    walk.lose(f"custom {kind}", why)
    return None


def _emit(walk: Walk, kind: str, device_kind: DeviceKind, make: Any, said: dict[str, Any]) -> None:
    name = _device(walk, kind, device_kind)
    if name is not None:
        walk.emit(make, device=name, **said)


def _temperature(walk: Walk, kind: str, text: str) -> None:
    device_kind, part, sets, waits = _TEMPERATURES[kind]
    found = _TEMPERATURE.search(text)
    if found is None:
        walk.lose(f"custom {kind}", _NOT_READ)
        return
    name, celsius = _device(walk, kind, device_kind), float(found[1])
    if name is None:
        return
    if sets:
        walk.emit(SetTemperature, device=name, celsius=celsius, part=part)
    if waits:
        walk.emit(AwaitTemperature, device=name, celsius=None if sets else celsius, part=part)
    hold = _HOLD.search(text)
    if hold is not None:
        walk.emit(Wait, seconds=60 * float(hold[1] or 0) + float(hold[2]))


def _profile(walk: Walk, kind: str, text: str) -> None:
    found = _PROFILE.search(text)
    steps = _read_steps(found[2]) if found else None
    name = _device(walk, kind, "thermocycler")
    if found is None or not steps:
        walk.lose(f"custom {kind}", _NOT_READ)
    elif name is not None:
        cycle = p.Cycle(steps=steps, repetitions=min(1000, max(1, int(found[1][:6]))))
        modules.run_extended_profile(walk, p.RunExtendedProfile(moduleId=_id_of(walk, name), profileElements=(cycle,)))


def _id_of(walk: Walk, name: str) -> str:
    return next(module.id for module in walk.deck.modules.values() if module.name == name)


def _read_steps(text: str) -> tuple[p.Hold, ...] | None:
    """The steps as Python wrote them: a list of dictionaries of plain values."""
    try:
        steps = _STEPS.validate_python(ast.literal_eval(text[:100_000]))
    except (ValueError, SyntaxError, RecursionError, MemoryError, ValidationError):
        return None
    return tuple(
        p.Hold(celsius=step.temperature, holdSeconds=(step.hold_time_seconds or 0) + 60 * (step.hold_time_minutes or 0))
        for step in steps
    )


def _delay(walk: Walk, text: str) -> None:
    found = _DELAY.fullmatch(text)
    if found is None:
        walk.lose("custom DELAY", _NOT_READ)
        return
    message = (found[3] or "").strip()
    step = walk.add_step(message) if message else walk.step
    walk.emit(Wait, seconds=60 * float(found[1]) + float(found[2]), step=step)
