"""Modules, moves and pauses in the words of Opentrons' API."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
from protocols.exporting.opentrons.names import call, dictionary, number, quoted
from protocols.exporting.opentrons.script import Script
from protocols.program import AnyInstruction, AskPerson, MoveLabware, ReplaceTipRack, Wait
from protocols.specs import OFF_DECK

BLOCKING = {"block": "set_block_temperature", "lid": "set_lid_temperature"}
"""A thermocycler's calls that set a temperature and wait for it."""
STARTING = {"block": "start_set_block_temperature", "lid": "start_set_lid_temperature"}
"""Those that go on at once."""
DEACTIVATE = {"block": "deactivate_block", "lid": "deactivate_lid"}


def write_bench(script: Script, instruction: MoveLabware | ReplaceTipRack | Wait | AskPerson) -> None:
    """Write what happens beside pipetting and modules."""
    match instruction:
        case Wait(seconds=seconds):
            script.write(call("protocol.delay", seconds=number(seconds)))
        case AskPerson(message=message):
            script.write(call("protocol.pause", quoted(message)))
        case ReplaceTipRack(rack=rack):
            if rack not in script.variables:
                script.refuse(instruction, "rack", f"there is no '{rack}' on this workcell")
                return
            script.write(call("protocol.pause", quoted(f"Put a full rack in the place of {rack}")))
            script.write(f"{script.variables[rack]}.reset()")
        case MoveLabware():
            _move(script, instruction)


def _move(script: Script, instruction: MoveLabware) -> None:
    script.over = None
    if instruction.labware not in script.variables:
        script.refuse(instruction, "labware", f"there is no '{instruction.labware}' on this workcell")
        return
    if instruction.by == "arm" and script.spec.robot != "Flex":
        script.refuse(instruction, "by", "an OT-2 has no gripper", "Let a person move it (by: person)")
        return
    target = place_of(script, instruction.site)
    if target is None:
        script.refuse(instruction, "site", f"'{instruction.site}' is no place that this robot's labware can stand on")
        return
    gripper = "True" if instruction.by == "arm" else "False"
    script.write(call("protocol.move_labware", script.variables[instruction.labware], target, use_gripper=gripper))


def place_of(script: Script, site: str) -> str | None:
    """The Python expression of a site; ``None`` if the robot has no such place."""
    if site == OFF_DECK:
        script.imports.add("OFF_DECK")
        return "OFF_DECK"
    if site in script.places:
        return script.places[site]
    return slot_of(script, site)


def slot_of(script: Script, site: str) -> str | None:
    """The slot whose name a site has, as the API is told."""
    if site not in script.spec.sites:
        return None
    if script.spec.robot == "OT-2":
        name = site.removeprefix("slot-")
        return name if name.isdecimal() and site != name else None
    return quoted(site) if len(site) == 2 and site[0] in "ABCD" and site[1] in "1234" else None


def write_device(script: Script, index: int, instruction: DeviceInstruction) -> int:
    """Write what a module does; returns how many instructions of the program that says."""
    device = script.devices.get(instruction.device)
    if device is None:
        script.refuse(instruction, "device", f"'{instruction.device}' is no module of this robot")
        return 1
    match instruction:
        case SetTemperature():
            return _set_temperature(script, index, device, instruction)
        case AwaitTemperature():
            _await_temperature(script, device, instruction)
        case Shake(rpm=rpm):
            _shake(script, device, instruction, rpm)
        case SetLatch(open=is_open):
            script.write(f"{device}.{'open' if is_open else 'close'}_labware_latch()")
        case SetLid(open=is_open):
            script.write(f"{device}.{'open' if is_open else 'close'}_lid()")
        case SetMagnet(raised=False):
            script.write(f"{device}.disengage()")
        case SetMagnet(height=height):
            script.write(call(f"{device}.engage", height_from_base=None if height is None else number(height)))
        case RunProfile():
            _profile(script, device, instruction)
    return 1


def _set_temperature(script: Script, index: int, device: str, instruction: SetTemperature) -> int:
    kind = script.spec.devices[instruction.device].kind
    script.set_points[instruction.device, instruction.part] = instruction.celsius
    script.tasks.pop((instruction.device, instruction.part), None)
    if instruction.celsius is None:
        ending = DEACTIVATE[instruction.part] if kind == "thermocycler" else "deactivate"
        script.write(f"{device}.{'deactivate_heater' if kind == 'heater-shaker' else ending}()")
        return 1
    celsius = number(instruction.celsius)
    if kind == "temperature module":
        script.write(f"{device}.start_set_temperature({celsius})")
    elif kind == "heater-shaker":
        script.write(f"{device}.set_target_temperature({celsius})")
    elif kind == "thermocycler":
        return _set_thermocycler(script, index, device, instruction, celsius)
    else:
        script.refuse(instruction, "device", f"'{instruction.device}' has no temperature")
    return 1


def _set_thermocycler(script: Script, index: int, device: str, instruction: SetTemperature, celsius: str) -> int:
    """Set and wait in one call where the wait comes next; else as a task that is waited for later."""
    after = script.program.instructions[index + 1 : index + 2]
    if after and _waits_for(after[0], instruction):
        script.write(f"{device}.{BLOCKING[instruction.part]}({celsius})")
        return 2
    task = script.names.take(f"{device}_{instruction.part}_task")
    script.tasks[instruction.device, instruction.part] = task
    script.write(f"{task} = {device}.{STARTING[instruction.part]}({celsius})")
    return 1


def _waits_for(later: object, instruction: SetTemperature) -> bool:
    return (
        isinstance(later, AwaitTemperature)
        and (later.device, later.part) == (instruction.device, instruction.part)
        and later.celsius in (None, instruction.celsius)
    )


def sets_apart(instructions: Sequence[AnyInstruction], thermocyclers: Collection[str]) -> bool:
    """Whether a thermocycler is set and not waited for at once, which takes a newer API."""
    return any(
        isinstance(here, SetTemperature)
        and here.device in thermocyclers
        and here.celsius is not None
        and not _waits_for(after, here)
        for here, after in zip(instructions, (*instructions[1:], None), strict=False)
    )


def _await_temperature(script: Script, device: str, instruction: AwaitTemperature) -> None:
    kind = script.spec.devices[instruction.device].kind
    target = script.set_points.get((instruction.device, instruction.part))
    wanted = target if instruction.celsius is None else instruction.celsius
    if wanted is None:
        script.refuse(instruction, "celsius", f"'{instruction.device}' was set to no temperature before")
    elif kind == "temperature module":
        script.write(f"{device}.await_temperature({number(wanted)})")
    elif wanted != target:
        what = f"'{instruction.device}' waits for the temperature that it was set to, and no other"
        script.refuse(instruction, "celsius", what, f"Set it to {number(wanted)} °C first")
    elif kind == "heater-shaker":
        script.write(f"{device}.wait_for_temperature()")
    elif kind == "thermocycler":
        task = script.tasks.pop((instruction.device, instruction.part), None)
        blocking = f"{device}.{BLOCKING[instruction.part]}({number(wanted)})"
        script.write(blocking if task is None else f"protocol.wait_for_tasks([{task}])")
    else:
        script.refuse(instruction, "device", f"'{instruction.device}' has no temperature")


def _shake(script: Script, device: str, instruction: Shake, rpm: float | None) -> None:
    if rpm is None:
        script.write(f"{device}.deactivate_shaker()")
    elif rpm != int(rpm):
        script.refuse(instruction, "rpm", f"{rpm:g} rpm: the shaker takes whole numbers", "Round it")
    else:
        script.write(f"{device}.set_and_wait_for_shake_speed({int(rpm)})")


def _profile(script: Script, device: str, instruction: RunProfile) -> None:
    steps = ", ".join(
        dictionary({"temperature": number(step.celsius), "hold_time_seconds": number(step.seconds)})
        for step in instruction.steps
    )
    script.set_points[instruction.device, "block"] = instruction.steps[-1].celsius
    volume = None if instruction.volume is None else number(instruction.volume)
    script.write(
        call(
            f"{device}.execute_profile",
            steps=f"[{steps}]",
            repetitions=str(instruction.cycles),
            block_max_volume=volume,
        )
    )
