"""The equipment that somebody else's file asks for, as a workcell file with its labware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from protocols.errors import InputError
from robots.workcell.modules import MAGNETIC_BLOCK, MODULES
from robots.workcell.pipettes import fitting_of_pipette
from robots.workcell.writing import LABWARE_FOLDER, write_folder


@dataclass(frozen=True, slots=True)
class Module:
    """A module on the deck: what it is called, its model ("heaterShakerModuleV1") and its site ("D1", "slot-1").

    Attributes:
        starts_open: its lid or latch stands open before a run; ``None`` if that is not known.
    """

    name: str
    model: str
    slot: str
    starts_open: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What a protocol needs of an OT-2 or a Flex before it can run; no labware stands on the workcell itself.

    Attributes:
        name: what the workcell is called.
        pipettes: by mount, Opentrons' name for each ("p300_multi_gen2"); they are called by their mounts.
        modules: a magnetic block is named among them, and becomes an adapter.
        adapters: by site, the kind that is fixed there.
        kinds: every kind of labware and adapter, each with its Opentrons labware definition.
        fits: by kind of tip rack, Opentrons' name of the pipette that takes its tips; only needed where the tips are
            none that Opentrons' own library has.
        trash: on a Flex the slot of its bin, ``"waste chute"``, or several of them, of which tips go to the first;
            none at all for a Flex without.
        gripper: a Flex has its gripper.
        staging: a Flex has its staging area slots, A4 to D4.
    """

    name: str
    robot: Literal["OT-2", "Flex"]
    pipettes: Mapping[str, str]
    modules: tuple[Module, ...] = ()
    adapters: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fits: Mapping[str, str] = field(default_factory=dict)
    trash: tuple[str, ...] = ("A3",)
    gripper: bool = False
    staging: bool = False


def write_workcell(equipment: Equipment, folder: Path) -> Path:
    """Write the workcell file and its labware to ``folder``, all of it or none, and return the file's path.

    ``folder`` is made if it is not there; it may hold other files, but no workcell.

    Raises:
        InputError: a name that cannot be a file's name, a workcell that stands there already, or a folder that
            cannot be written.
        FileProblemsError: the equipment makes no workcell: a definition that cannot be used, a module where none
            can stand; each is listed.
    """
    return write_folder(folder, _document(equipment), equipment.kinds)


def _document(equipment: Equipment) -> dict[str, Any]:
    """The workcell file as plain data."""
    blocks = {module.slot: module for module in equipment.modules if module.model == MAGNETIC_BLOCK}
    return {
        "schema_version": 1,
        "name": equipment.name,
        "deck": _deck(equipment),
        "kinds": {
            **{kind: _kind(equipment, kind) for kind in equipment.kinds},
            **{module.name: {"module": module.model} for module in blocks.values()},
        },
        **_given(adapters={**{slot: module.name for slot, module in blocks.items()}, **equipment.adapters}),
        "devices": _devices(equipment),
        "pipettes": {
            mount: {"device": "handler", "type": name, "mount": mount}
            for mount, name in sorted(equipment.pipettes.items())
        },
        **_given(arm="gripper" if equipment.gripper else None),
    }


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _deck(equipment: Equipment) -> dict[str, Any]:
    if equipment.robot == "OT-2":
        return {"type": "OT-2"}
    return {"type": "Flex", "trash": list(equipment.trash), **_given(staging=equipment.staging)}


def _kind(equipment: Equipment, kind: str) -> dict[str, Any]:
    pipette = equipment.fits.get(kind)
    return {
        "file": f"{LABWARE_FOLDER}/{kind}.json",
        **_given(fits=None if pipette is None else fitting_of_pipette(pipette)),
    }


def _devices(equipment: Equipment) -> dict[str, Any]:
    devices: dict[str, Any] = {"handler": {"kind": "liquid handler", "driver": "simulated"}}
    if equipment.gripper:
        devices["gripper"] = {"kind": "arm", "driver": "simulated"}
    devices["operator"] = {"kind": "person"}
    for module in equipment.modules:
        if module.model == MAGNETIC_BLOCK:
            continue
        if module.model not in MODULES:
            known = ", ".join((*MODULES, MAGNETIC_BLOCK))
            raise InputError(f"a workcell cannot have a module '{module.model}'", mend=f"It can have: {known}")
        kind = MODULES[module.model].kind
        placed: dict[str, Any] = {"model": module.model, "slot": module.slot}
        if module.starts_open is not None:
            placed["starts_open"] = module.starts_open
        devices[module.name] = {"kind": kind, "driver": "simulated", **placed}
    return devices
