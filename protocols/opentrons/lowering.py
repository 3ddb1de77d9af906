"""The commands of an analysis, one after the other, as Labwright's instructions on the deck that they build."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from protocols.errors import InputError
from protocols.opentrons import legacy, modules, pipetting, stackers, tips
from protocols.opentrons import parameters as p
from protocols.opentrons.analysis import Command, Read
from protocols.opentrons.deck import Deck
from protocols.opentrons.definition import read_definition
from protocols.opentrons.left_out import beside, reason
from protocols.opentrons.nozzles import Nozzles, channel_count, is_of_flex
from protocols.opentrons.walk import LONGEST_MESSAGE, Walk
from protocols.program import AskPerson, MoveLabware, Wait

Handler = Callable[[Walk, Any], None]

_HANDLERS: dict[str, Handler] = {
    "pickUpTip": tips.pick_up,
    "dropTip": tips.drop,
    "dropTipInPlace": tips.drop_in_place,
    "unsafe/dropTipInPlace": tips.drop_in_place,
    "aspirate": pipetting.aspirate,
    "aspirateWhileTracking": pipetting.aspirate_tracked,
    "aspirateInPlace": pipetting.aspirate_in_place,
    "airGapInPlace": pipetting.air_gap,
    "dispense": pipetting.dispense,
    "dispenseWhileTracking": pipetting.dispense_tracked,
    "dispenseInPlace": pipetting.dispense_in_place,
    "blowout": pipetting.blow_out,
    "blowOutInPlace": pipetting.blow_out_in_place,
    "unsafe/blowOutInPlace": pipetting.blow_out_in_place,
    "touchTip": pipetting.touch,
    "moveToWell": pipetting.move_to_well,
    "liquidProbe": pipetting.probe,
    "tryLiquidProbe": pipetting.probe,
    "moveRelative": pipetting.move_relative,
    "moveToCoordinates": pipetting.move_away,
    "moveToAddressableArea": pipetting.move_to_area,
    "moveToAddressableAreaForDropTip": pipetting.move_to_area,
    "configureNozzleLayout": pipetting.arrange_nozzles,
    "custom": legacy.custom,
    "createTimer": modules.create_timer,
    "waitForTasks": modules.wait_for_tasks,
    "temperatureModule/setTargetTemperature": modules.set_temperature,
    "temperatureModule/waitForTemperature": modules.await_temperature,
    "temperatureModule/deactivate": modules.switch_off,
    "heaterShaker/setTargetTemperature": modules.set_temperature,
    "heaterShaker/waitForTemperature": modules.await_temperature,
    "heaterShaker/deactivateHeater": modules.switch_off,
    "heaterShaker/setAndWaitForShakeSpeed": modules.shake,
    "heaterShaker/setShakeSpeed": modules.shake,
    "heaterShaker/deactivateShaker": modules.stop_shaking,
    "heaterShaker/openLabwareLatch": partial(modules.set_latch, opened=True),
    "heaterShaker/closeLabwareLatch": partial(modules.set_latch, opened=False),
    "magneticModule/engage": modules.engage,
    "magneticModule/disengage": modules.disengage,
    "thermocycler/setTargetBlockTemperature": modules.set_temperature,
    "thermocycler/waitForBlockTemperature": modules.await_block,
    "thermocycler/deactivateBlock": modules.switch_off,
    "thermocycler/setTargetLidTemperature": partial(modules.set_temperature, part="lid"),
    "thermocycler/waitForLidTemperature": partial(modules.await_block, part="lid"),
    "thermocycler/deactivateLid": partial(modules.switch_off, part="lid"),
    "thermocycler/openLid": partial(modules.set_lid, opened=True),
    "thermocycler/closeLid": partial(modules.set_lid, opened=False),
    "thermocycler/runProfile": modules.run_profile,
    "thermocycler/runExtendedProfile": modules.run_extended_profile,
    "thermocycler/startRunExtendedProfile": modules.start_extended_profile,
}


_WITH_RESULTS: dict[str, Callable[[Walk, Any, dict[str, Any]], None]] = {
    "flexStacker/setStoredLabware": stackers.set_stored,
    "flexStacker/retrieve": stackers.retrieve,
    "unsafe/flexStacker/manualRetrieve": stackers.retrieve,
    "flexStacker/store": stackers.store,
    "loadLid": stackers.load_lids,
    "loadLidStack": stackers.load_lids,
}
"""Commands whose results say what labware they bring."""


def lower(read: Read) -> Walk:
    """Go through an analysis.

    Raises:
        InputError: a labware definition in it cannot be used, or a pipette is not one of this robot's.
    """
    analysis = read.analysis
    walk = Walk(
        deck=Deck("OT-2" if analysis.robotType == "OT-2 Standard" else "Flex"), knows_heights=analysis.knows_heights
    )
    names = liquid_names(read)
    for walk.index, (command, params) in enumerate(zip(analysis.commands, read.params, strict=True)):
        kind = command.commandType
        if kind in _HANDLERS:
            _HANDLERS[kind](walk, params)
        elif kind in _WITH_RESULTS:
            _WITH_RESULTS[kind](walk, params, command.result or {})
        elif params is not None:
            _other(walk, command, params, names)
        else:
            walk.lose(kind, reason(kind))
            continue
        if beside(kind):
            walk.lose(kind, beside(kind))
    return walk


def liquid_names(read: Read) -> dict[str, str]:
    """Names of the liquids that are described, by Opentrons' id; two of one name are one liquid."""
    liquids = read.analysis.liquids
    return {liquid.id: (liquid.displayName.strip() or f"liquid {liquid.id}")[:100] for liquid in liquids}


def _other(walk: Walk, command: Command, params: p.Params, names: dict[str, str]) -> None:
    """Loading, moving labware, waiting, and words."""
    result = command.result or {}
    match params:
        case p.LoadPipette():
            _load_pipette(walk, params, result)
        case p.LoadModule():
            module = str(params.moduleId or result.get("moduleId") or f"module of command {walk.index}")
            walk.deck.add_module(module, params.model, params.location, walk.index)
        case p.LoadLabware():
            raw = result.get("definition")
            labware = str(params.labwareId or result.get("labwareId") or f"labware of command {walk.index}")
            definition = read_definition(raw, walk.index)
            walk.deck.add_labware(labware, params, definition, raw if definition else None, walk.index)
        case p.LoadLiquid():
            _load_liquid(walk, params, names)
        case p.MoveLabware():
            _move_labware(walk, params)
        case p.WaitForDuration():
            step = walk.add_step(params.message) if params.message else walk.step
            walk.emit(Wait, seconds=params.seconds, step=step)
        case p.WaitForResume():
            walk.ask(params.message or "")
            walk.emit(AskPerson, message=(params.message or "Go on when ready")[:LONGEST_MESSAGE])
        case p.Comment():
            walk.begin_step(params.message)


def _load_pipette(walk: Walk, params: p.LoadPipette, result: dict[str, Any]) -> None:
    pipette = str(params.pipetteId or result.get("pipetteId") or f"pipette of command {walk.index}")
    if params.mount == "extension":
        walk.lose("loadPipette: extension", "this mount carries the gripper")
        return
    if is_of_flex(params.pipetteName) != (walk.deck.robot == "Flex"):
        raise InputError(
            f"it mounts a {params.pipetteName}, which no {walk.deck.robot} has",
            where=f"command {walk.index}",
            mend="Analyse the protocol for the robot that its pipettes belong to",
        )
    walk.pipettes[pipette] = Nozzles(params.mount, channel_count(params.pipetteName))
    walk.models[params.mount] = params.pipetteName


def _load_liquid(walk: Walk, params: p.LoadLiquid, names: dict[str, str]) -> None:
    """What is declared last is what is there at the start: many protocols declare their liquids at their end."""
    labware = walk.labware(params.labwareId)
    liquid = names.get(params.liquidId, params.liquidId[:100])
    for well, volume in params.volumeByWell.items():
        walk.declared[f"{labware}/{well}"] = (liquid, volume)


def _move_labware(walk: Walk, params: p.MoveLabware) -> None:
    deck, labware = walk.deck, params.labwareId
    by_arm = params.strategy == "usingGripper"
    walk.gripper |= by_arm
    if labware in deck.lids:
        walk.lose("moveLabware: a lid", "lids are not followed")
        return
    if labware in deck.adapters:
        walk.lose("moveLabware: an adapter", "adapters are taken to be fixed where they are loaded")
        return
    if not by_arm:
        walk.ask("")
    area = params.newLocation.get("addressableAreaName", "") if isinstance(params.newLocation, dict) else ""
    if deck.is_trash_area(str(area)):
        deck.throw(str(area))
    piece = deck.pieces.get(labware)
    site = deck.move(labware, params.newLocation, walk.index) if piece else deck.holder(params.newLocation)[1]
    walk.emit(MoveLabware, labware=walk.labware(labware), site=site, by="arm" if by_arm else "person")
    for pipette, where in walk.standing.items():
        if where is not None and where.labware == labware:
            walk.standing[pipette] = None
