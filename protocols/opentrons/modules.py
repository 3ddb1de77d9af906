"""Commands of modules as instructions: temperatures, shaking, latches, lids, magnets, profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from protocols.device_instructions import (
    AwaitTemperature,
    RunProfile,
    SetLatch,
    SetLid,
    SetMagnet,
    SetTemperature,
    Shake,
)
from protocols.opentrons import parameters as p
from protocols.opentrons.walk import Walk
from protocols.program import Wait

TheirPart = Literal["block", "lid"]
_MOST_CYCLES = 1000


def device(walk: Walk, module_id: str) -> str:
    """The device that a module is; for one that is none, or was not loaded, what Opentrons calls it."""
    module = walk.deck.modules.get(module_id)
    if module is None:
        return module_id[:100]
    return module.name or f"{module.model}_{module.site}"


def set_temperature(walk: Walk, params: p.SetTemperature, part: TheirPart = "block") -> None:
    """Set it, and go on."""
    name = device(walk, params.moduleId)
    walk.emit(SetTemperature, device=name, celsius=params.celsius, part=part)
    walk.held_for.pop(name, None)
    if params.holdTimeSeconds:
        walk.held_for[name] = params.holdTimeSeconds
    if params.taskId:
        walk.tasks[params.taskId] = partial(_await, walk, name, None, part)


def await_temperature(walk: Walk, params: p.AwaitTemperature) -> None:
    """Wait until it has the temperature."""
    _await(walk, device(walk, params.moduleId), params.celsius, "block")


def await_block(walk: Walk, params: p.WithModule, part: TheirPart = "block") -> None:
    """Wait until a thermocycler's block or lid has the temperature, and has held it as long as was said."""
    _await(walk, device(walk, params.moduleId), None, part)


def _await(walk: Walk, name: str, celsius: float | None, part: TheirPart) -> None:
    walk.emit(AwaitTemperature, device=name, celsius=celsius, part=part)
    seconds = walk.held_for.pop(name, 0.0) if part == "block" else 0.0
    if seconds:
        walk.emit(Wait, seconds=seconds)


def switch_off(walk: Walk, params: p.WithModule, part: TheirPart = "block") -> None:
    """No more heating or cooling."""
    walk.held_for.pop(device(walk, params.moduleId), None)
    walk.emit(SetTemperature, device=device(walk, params.moduleId), celsius=None, part=part)


def shake(walk: Walk, params: p.ShakeSpeed) -> None:
    """Shake, going on when the speed is reached."""
    walk.emit(Shake, device=device(walk, params.moduleId), rpm=params.rpm or None)
    if params.taskId:
        walk.tasks[params.taskId] = _nothing


def stop_shaking(walk: Walk, params: p.WithModule) -> None:
    """Stop."""
    walk.emit(Shake, device=device(walk, params.moduleId), rpm=None)


def set_latch(walk: Walk, params: p.WithModule, *, opened: bool) -> None:
    """Open or close the latch."""
    walk.emit(SetLatch, device=device(walk, params.moduleId), open=opened)


def set_lid(walk: Walk, params: p.WithModule, *, opened: bool) -> None:
    """Open or close a thermocycler's lid."""
    walk.emit(SetLid, device=device(walk, params.moduleId), open=opened)


def engage(walk: Walk, params: p.EngageMagnet) -> None:
    """Raise the magnets."""
    walk.emit(SetMagnet, device=device(walk, params.moduleId), raised=True, height=params.height)


def disengage(walk: Walk, params: p.WithModule) -> None:
    """Lower the magnets."""
    walk.emit(SetMagnet, device=device(walk, params.moduleId), raised=False)


def run_profile(walk: Walk, params: p.RunProfile) -> None:
    """Holds, written as few of them repeated where they are."""
    holds, cycles = shortest_period(params.profile)
    _run(walk, device(walk, params.moduleId), holds, cycles, params.blockMaxVolumeUl)


def run_extended_profile(walk: Walk, params: p.RunExtendedProfile) -> None:
    """Holds and cycles, one after the other; single holds in a row are one profile."""
    name, single = device(walk, params.moduleId), list[p.Hold]()
    for element in params.profileElements:
        if isinstance(element, p.Hold):
            single.append(element)
            continue
        if single:
            _run(walk, name, single, 1, params.blockMaxVolumeUl)
            single = []
        if element.steps:
            _run(walk, name, element.steps, element.repetitions, params.blockMaxVolumeUl)
    if single:
        _run(walk, name, single, 1, params.blockMaxVolumeUl)


def start_extended_profile(walk: Walk, params: p.RunExtendedProfile) -> None:
    """As above; here what follows waits for its end."""
    walk.lose("thermocycler/startRunExtendedProfile: in the background", "what follows waits until the profile ends")
    run_extended_profile(walk, params)
    if params.taskId:
        walk.tasks[params.taskId] = _nothing


def _run(walk: Walk, name: str, holds: Sequence[p.Hold], cycles: int, volume: float | None) -> None:
    steps = [{"celsius": hold.celsius, "seconds": hold.holdSeconds} for hold in holds]
    walk.emit(RunProfile, device=name, steps=steps, cycles=cycles, volume=volume)


def shortest_period(holds: tuple[p.Hold, ...]) -> tuple[tuple[p.Hold, ...], int]:
    """``holds`` as the shortest run of them that, repeated, gives them all; and how often."""
    count = len(holds)
    for length in range(1, count + 1):
        repeats = count // length
        if count % length == 0 and repeats <= _MOST_CYCLES and holds[:length] * repeats == holds:
            return holds[:length], repeats
    return holds, 1


def create_timer(walk: Walk, params: p.CreateTimer) -> None:
    """A timer: waiting for it is waiting for all of its time, from when it is waited for."""
    walk.lose("createTimer", "it runs beside what follows; waiting for it waits its whole time instead")
    if params.task_id:
        walk.tasks[params.task_id] = partial(walk.emit, Wait, seconds=params.time)


def wait_for_tasks(walk: Walk, params: p.WaitForTasks) -> None:
    """Wait for each of them."""
    for task in params.task_ids:
        waiting: Callable[[], None] | None = walk.tasks.pop(task, None)
        if waiting is None:
            walk.lose("waitForTasks", "it waits for something that is not known")
        else:
            waiting()


def _nothing() -> None:
    """What is done already need not be waited for."""
