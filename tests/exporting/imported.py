"""Real Opentrons protocols, imported: the program and the workcell that it is for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocols.formats.documents import load_document
from protocols.opentrons import Imported, import_analysis
from robots.workcell import Workcell, load_workcell
from robots.workcell.equipment import Equipment, Module, write_workcell
from tests.exporting.recording import Act, moves


def imported(analysis: Path, folder: Path) -> tuple[Imported, Workcell]:
    """What an analysis becomes, and its robot, written to ``folder``."""
    found = import_analysis(load_document(analysis))
    rig = found.rig
    equipment = Equipment(
        name="imported",
        robot=rig.robot,
        pipettes=rig.pipettes,
        modules=tuple(Module(module.name, module.model, module.site, module.starts_open) for module in rig.modules),
        adapters=rig.adapters,
        kinds={name: definition for name, definition in rig.kinds.items() if definition is not None},
        fits=rig.fits,
        trash=rig.trash,
        gripper=rig.gripper,
        staging=rig.staging,
    )
    return found, load_workcell(write_workcell(equipment, folder))


def raw_moves(analysis: dict[str, Any]) -> list[Act]:
    """Tips and liquid as the analysis says them, labware by load name and the slot where it was loaded."""
    slots: dict[str, str] = {}
    names = {"fixedTrash": "trash"}
    for command in analysis["commands"]:
        what, params, result = command["commandType"], command["params"], command.get("result") or {}
        if what == "loadModule":
            slots[result.get("moduleId") or params["moduleId"]] = _slot(params["location"], slots)
        elif what == "loadLabware":
            labware = result.get("labwareId") or params.get("labwareId") or ""
            slots[labware] = _slot(params["location"], slots)
            names[labware] = "trash" if "trash" in params["loadName"] else f"{params['loadName']} {slots[labware]}"
    found: list[Act] = []
    for command in analysis["commands"]:
        what, params = command["commandType"], command["params"]
        place = (names.get(params.get("labwareId", ""), "trash"), params.get("wellName", "A1"))
        match what:
            case "pickUpTip":
                found.append(("pick up", *place))
            case "dropTip" | "dropTipInPlace":
                found.append(("drop", *(("trash",) if place[0] == "trash" else place)))
            case "aspirate" | "dispense":
                found.append((what, *place, params["volume"]))
            case "dispenseInPlace":
                found.append(("dispense", "trash", "A1", params["volume"]))
    return found


def by_place(acts: list[Act], thermocycler: str) -> list[Act]:
    """The moves of a recording, labware named as in :func:`raw_moves`; ``thermocycler``: the slot it stands on."""
    names = {"trash": "trash"}
    for act in acts:
        if act[0] == "load":
            slot = str(act[3]).rpartition(" on ")[2]
            names[act[1]] = f"{act[2]} {thermocycler if slot == 'None' else slot}"
    return [(act[0], names[act[1]], *act[2:]) for act in moves(acts)]


def _slot(location: Any, slots: dict[str, str]) -> str:
    if isinstance(location, str):
        return location
    return str(location.get("slotName") or slots.get(location.get("moduleId") or location.get("labwareId"), location))
