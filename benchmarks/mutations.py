"""Mistakes put into analyses of real protocols, and changes that are none.

Each function gives every place where its mistake can be made, as a changed copy of the commands; ``HARMFUL`` and
``HARMLESS`` name them. They know what the commands of an analysis mean physically and share no code with the import.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

Json = dict[str, Any]
Mutation = Callable[[Json], Iterator[Json]]

_MOVES_TIP = ("pickUpTip", "dropTip", "dropTipInPlace")


def _without(analysis: Json, index: int) -> Json:
    return {**analysis, "commands": [*analysis["commands"][:index], *analysis["commands"][index + 1 :]]}


def _changed(analysis: Json, index: int, **params: Any) -> Json:
    commands = list(analysis["commands"])
    command = copy.deepcopy(commands[index])
    command["params"] |= params
    commands[index] = command
    return {**analysis, "commands": commands}


def _inserted(analysis: Json, index: int, command: Json) -> Json:
    return {**analysis, "commands": [*analysis["commands"][:index], command, *analysis["commands"][index:]]}


def _of(analysis: Json, *kinds: str) -> Iterator[tuple[int, Json]]:
    return ((index, command) for index, command in enumerate(analysis["commands"]) if command["commandType"] in kinds)


def _id_of(command: Json, name: str) -> str:
    return str((command.get("result") or {}).get(name) or command["params"].get(name))


# -- mistakes ------------------------------------------------------------------------------------------


def pick_up_removed(analysis: Json) -> Iterator[Json]:
    """A tip is not picked up; a stroke of that pipette follows before the next pick-up."""
    for index, _ in _of(analysis, "pickUpTip"):
        if _next_of_pipette(analysis, index) in ("aspirate", "dispense"):
            yield _without(analysis, index)


def drop_removed(analysis: Json) -> Iterator[Json]:
    """A tip is kept, and another one is picked up over it."""
    for index, _ in _of(analysis, "dropTip", "dropTipInPlace"):
        if _next_of_pipette(analysis, index, _MOVES_TIP) == "pickUpTip":
            yield _without(analysis, index)


def tip_used_again(analysis: Json) -> Iterator[Json]:
    """A tip is picked up where one was taken before and none was put back."""
    returned = {
        (command["params"]["labwareId"], command["params"]["wellName"])
        for _, command in _of(analysis, "dropTip")
        if "labwareId" in command["params"]
    }
    before: dict[str, tuple[str, str]] = {}
    for index, command in _of(analysis, "pickUpTip"):
        spot = (command["params"]["labwareId"], command["params"]["wellName"])
        taken = before.get(command["params"]["pipetteId"])
        if taken is not None and taken != spot and taken not in returned:
            yield _changed(analysis, index, labwareId=taken[0], wellName=taken[1])
        before.setdefault(command["params"]["pipetteId"], spot)


def volume_oversized(analysis: Json) -> Iterator[Json]:
    """More is drawn than the tip holds."""
    holds: dict[str, float] = {}
    for index, command in enumerate(analysis["commands"]):
        if command["commandType"] == "pickUpTip" and command.get("result"):
            holds[command["params"]["pipetteId"]] = command["result"]["tipVolume"]
        if command["commandType"] == "aspirate" and command["params"]["pipetteId"] in holds:
            yield _changed(analysis, index, volume=holds[command["params"]["pipetteId"]] * 1.2 + 1)


def dispense_oversized(analysis: Json) -> Iterator[Json]:
    """More is dispensed than any tip of that kind holds."""
    for index, _ in _of(analysis, "dispense"):
        yield _changed(analysis, index, volume=2500.0)


def slot_swapped(analysis: Json) -> Iterator[Json]:
    """Labware is put where other labware or a module stands."""
    placed = [
        (index, command["params"]["location"]["slotName"])
        for index, command in _of(analysis, "loadLabware", "loadModule")
        if isinstance(command["params"]["location"], dict) and "slotName" in command["params"]["location"]
    ]
    kinds = [command["commandType"] for command in analysis["commands"]]
    for (first, slot), (second, _) in pairwise(placed):
        if kinds[second] == "loadLabware" and first != second:
            yield _changed(analysis, second, location={"slotName": slot})


def source_emptied(analysis: Json) -> Iterator[Json]:
    """A well from which the protocol draws before anything comes into it is declared empty."""
    touched: dict[tuple[str, str], str] = {}
    for _, command in _of(analysis, "aspirate", "dispense"):
        touched.setdefault((command["params"]["labwareId"], command["params"]["wellName"]), command["commandType"])
    for index, command in _of(analysis, "loadLiquid"):
        labware, volumes = command["params"]["labwareId"], command["params"]["volumeByWell"]
        drawn = [well for well in volumes if touched.get((labware, well)) == "aspirate" and volumes[well] > 0]
        if drawn:
            yield _changed(analysis, index, volumeByWell={**volumes, **dict.fromkeys(drawn, 0.0)})


def latch_left_open(analysis: Json) -> Iterator[Json]:
    """A heater-shaker shakes with its latch open, or not closed since it was switched on."""
    yield from _left(
        analysis, ("heaterShaker/openLabwareLatch", None), "heaterShaker/closeLabwareLatch", "setAndWaitForShake"
    )


def latch_left_closed(analysis: Json) -> Iterator[Json]:
    """The gripper takes labware from a heater-shaker, or puts it there, with the latch closed."""
    yield from _left(analysis, ("heaterShaker/closeLabwareLatch",), "heaterShaker/openLabwareLatch", "moveLabware")


def lid_left_closed(analysis: Json) -> Iterator[Json]:
    """The pipette or the gripper goes into a thermocycler whose lid is closed."""
    yield from _left(analysis, ("thermocycler/closeLid",), "thermocycler/openLid", "into it")


def _left(analysis: Json, before: tuple[str | None, ...], removed: str, then: str) -> Iterator[Json]:
    """``removed`` is left out where one of ``before`` came last and ``then`` comes next on that module."""
    states: dict[str, str] = {}
    for index, command in enumerate(analysis["commands"]):
        module = command["params"].get("moduleId")
        if command["commandType"] == removed and states.get(module) in before and _comes(analysis, index, then):
            yield _without(analysis, index)
        if command["commandType"] in (*before, removed):
            states[module] = command["commandType"]


def _comes(analysis: Json, index: int, what: str) -> bool:
    """Whether ``what`` happens on the module of the command at ``index`` before its state is set again."""
    module = analysis["commands"][index]["params"]["moduleId"]
    kind = analysis["commands"][index]["commandType"].partition("/")[0]
    standing = _standing_on(analysis, index, module)
    for command in analysis["commands"][index + 1 :]:
        name, params = command["commandType"], command["params"]
        if params.get("moduleId") == module and ("Latch" in name or ("Lid" in name and "Temp" not in name)):
            return False
        if name.startswith(kind) and what in name and params.get("moduleId") == module:
            return True
        if name == "moveLabware":
            gripped = params["strategy"] == "usingGripper"
            target = params["newLocation"]
            there = isinstance(target, dict) and module in (target.get("moduleId"), _under(analysis, target))
            if gripped and what in ("moveLabware", "into it") and (there or params["labwareId"] in standing):
                return True
            standing = (standing | {params["labwareId"]}) if there else standing - {params["labwareId"]}
        if what == "into it" and name in ("aspirate", "dispense") and params["labwareId"] in standing:
            return True
    return False


def _under(analysis: Json, location: Json) -> str | None:
    """The module under the adapter that ``location`` names."""
    for _, command in _of(analysis, "loadLabware"):
        if _id_of(command, "labwareId") == location.get("labwareId"):
            place = command["params"]["location"]
            return place.get("moduleId") if isinstance(place, dict) else None
    return None


def _standing_on(analysis: Json, index: int, module: str) -> set[str]:
    """The labware on a module, or on an adapter on it, before the command at ``index``."""
    standing: set[str] = set()
    for command in analysis["commands"][:index]:
        params = command["params"]
        if command["commandType"] == "loadLabware":
            name, place = _id_of(command, "labwareId"), params["location"]
        elif command["commandType"] == "moveLabware":
            name, place = params["labwareId"], params["newLocation"]
        else:
            continue
        there = isinstance(place, dict) and module in (place.get("moduleId"), _under(analysis, place))
        standing = standing | {name} if there else standing - {name}
    return standing


def latch_opened_while_shaking(analysis: Json) -> Iterator[Json]:
    """A heater-shaker is told to open its latch while it shakes."""
    for index, command in _of(analysis, "heaterShaker/deactivateShaker"):
        module = command["params"]["moduleId"]
        earlier = [c["commandType"] for c in analysis["commands"][:index] if c["params"].get("moduleId") == module]
        shaking = [name for name in earlier if "Shake" in name]
        later = [c["commandType"] for c in analysis["commands"][index:] if c["params"].get("moduleId") == module]
        if shaking and "setAndWait" in shaking[-1] and later[1:2] == ["heaterShaker/openLabwareLatch"]:
            yield _without(analysis, index)


def too_hot(analysis: Json) -> Iterator[Json]:
    """A device is set to a temperature that none of its kind reaches."""
    for index, _ in _of(
        analysis,
        "temperatureModule/setTargetTemperature",
        "heaterShaker/setTargetTemperature",
        "thermocycler/setTargetBlockTemperature",
        "thermocycler/setTargetLidTemperature",
    ):
        yield _changed(analysis, index, celsius=140.0)


def well_beyond(analysis: Json) -> Iterator[Json]:
    """A stroke goes to a well that the labware does not have."""
    for index, _ in _of(analysis, "aspirate", "dispense"):
        yield _changed(analysis, index, wellName="R40")


def labware_not_loaded(analysis: Json) -> Iterator[Json]:
    """Labware that the pipette goes to was never put on the deck."""
    used = {command["params"]["labwareId"] for _, command in _of(analysis, "aspirate", "dispense", "pickUpTip")}
    for index, command in _of(analysis, "loadLabware"):
        if _id_of(command, "labwareId") in used:
            yield _without(analysis, index)


def moved_onto_another(analysis: Json) -> Iterator[Json]:
    """The gripper puts labware onto other labware that stands in a slot."""
    slots = [
        command["params"]["location"]["slotName"]
        for _, command in _of(analysis, "loadLabware")
        if isinstance(command["params"]["location"], dict) and "slotName" in command["params"]["location"]
    ]
    moved = {command["params"]["labwareId"] for _, command in _of(analysis, "moveLabware")}
    still = [
        command["params"]["location"]["slotName"]
        for _, command in _of(analysis, "loadLabware")
        if isinstance(command["params"]["location"], dict)
        and command["params"]["location"].get("slotName") in slots
        and _id_of(command, "labwareId") not in moved
        and "adapter" not in command["params"]["loadName"]
    ]
    for index, _ in _of(analysis, "moveLabware"):
        if still:
            yield _changed(analysis, index, newLocation={"slotName": still[0]})


def _next_of_pipette(analysis: Json, index: int, among: tuple[str, ...] = ()) -> str | None:
    """The next command of the same pipette that moves liquid or a tip, or is ``among`` others."""
    pipette = analysis["commands"][index]["params"]["pipetteId"]
    wanted = among or ("aspirate", "dispense", *_MOVES_TIP)
    for command in analysis["commands"][index + 1 :]:
        if command["params"].get("pipetteId") == pipette and command["commandType"] in wanted:
            return str(command["commandType"])
    return None


# -- changes that are no mistake -----------------------------------------------------------------------


def unchanged(analysis: Json) -> Iterator[Json]:
    """The protocol as it is."""
    yield analysis


def comment_added(analysis: Json) -> Iterator[Json]:
    """A comment more."""
    said = {"commandType": "comment", "status": "succeeded", "params": {"message": "mind the beads"}, "result": {}}
    yield _inserted(analysis, len(analysis["commands"]) // 2, said)


def drawn_slower(analysis: Json) -> Iterator[Json]:
    """A stroke at half its flow rate."""
    for index, command in _of(analysis, "aspirate"):
        yield _changed(analysis, index, flowRate=command["params"]["flowRate"] / 2)


def renamed(analysis: Json) -> Iterator[Json]:
    """Ids of pipettes and labware are other ones."""
    text = copy.deepcopy(analysis)
    names = {
        _id_of(command, key): f"{key}-{index}-renamed"
        for index, command in _of(analysis, "loadLabware", "loadPipette")
        for key in ("labwareId", "pipetteId")
        if _id_of(command, key) != "None"
    }
    for command in text["commands"]:
        for part in (command["params"], command.get("result") or {}, command["params"].get("location") or {}):
            _rename(part, names)
        _rename(command["params"].get("newLocation") or {}, names)
    yield text


def _rename(part: Any, names: dict[str, str]) -> None:
    if isinstance(part, dict):
        for key in ("labwareId", "pipetteId"):
            if part.get(key) in names:
                part[key] = names[part[key]]


def slots_exchanged(analysis: Json) -> Iterator[Json]:
    """Two pieces of labware of one kind, both on plain slots, change places."""
    loads = [
        (index, command)
        for index, command in _of(analysis, "loadLabware")
        if isinstance(command["params"]["location"], dict) and "slotName" in command["params"]["location"]
    ]
    for (first, one), (second, other) in pairwise(loads):
        if one["params"]["loadName"] == other["params"]["loadName"]:
            changed = _changed(analysis, first, location=other["params"]["location"])
            yield _changed(changed, second, location=one["params"]["location"])


def waited_longer(analysis: Json) -> Iterator[Json]:
    """A minute more of waiting at the end."""
    wait = {"commandType": "waitForDuration", "status": "succeeded", "params": {"seconds": 60.0}, "result": {}}
    if analysis["commands"][-1].get("status") != "failed":
        yield _inserted(analysis, len(analysis["commands"]), wait)


HARMFUL: dict[str, Mutation] = {
    "tip pick-up removed": pick_up_removed,
    "tip not dropped": drop_removed,
    "used tip spot": tip_used_again,
    "volume oversized": volume_oversized,
    "dispense oversized": dispense_oversized,
    "slot swapped": slot_swapped,
    "source emptied": source_emptied,
    "latch left open": latch_left_open,
    "latch left closed": latch_left_closed,
    "lid left closed": lid_left_closed,
    "latch opened while shaking": latch_opened_while_shaking,
    "too hot": too_hot,
    "well beyond the plate": well_beyond,
    "labware not loaded": labware_not_loaded,
    "moved onto other labware": moved_onto_another,
}
"""Mistakes, by what they are called."""

HARMLESS: dict[str, Mutation] = {
    "unchanged": unchanged,
    "comment added": comment_added,
    "drawn slower": drawn_slower,
    "ids renamed": renamed,
    "like labware exchanged": slots_exchanged,
    "waited longer": waited_longer,
}
"""Changes that are none."""
