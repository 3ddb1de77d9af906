"""Opentrons modules: where they may stand, where labware stands on them, and what they can be set to.

Places are those of the module definitions of ``opentrons_shared_data`` (``labwareOffset`` with the deck's
``slotTransforms``; on a Flex the deck definition's addressable areas, since modules sink into its deck).

What a module can be set to is what its maker's own software accepts, opentrons 9.0.0:
``protocol_engine/state/module_substates`` (temperature module −9 to 99 °C; heater-shaker up to 95 °C and 200 to
3000 rpm), ``drivers/thermocycler/driver.py`` (block 0 to 99 °C, lid 37 to 110 °C) and
``hardware_control/modules/magdeck.py`` (0 to 45 half mm, GEN2 0 to 25 mm, from 2.5 mm below the labware's base).
Opentrons' manuals promise less of some: the temperature module holds 4 to 95 °C, the heater-shaker heats from 37 °C.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from opentrons_shared_data.load import load_shared_data
from pylabrobot.resources import Coordinate

from protocols.specs import DeviceKind

Range = tuple[float, float]

MAGNETIC_BLOCK = "magneticBlockV1"
"""The Flex's magnetic block: it has no motor, so it is an adapter and no device."""
THERMOCYCLERS = frozenset({"thermocyclerModuleV1", "thermocyclerModuleV2"})
"""They stand over several slots."""


@dataclass(frozen=True, slots=True)
class ModuleModel:
    """A model of module.

    Attributes:
        kind: the kind of device that it is.
        temperatures, lid_temperatures, speeds, magnet_heights: as in :class:`protocols.specs.DeviceSpec`.
    """

    kind: DeviceKind
    temperatures: Range | None = None
    lid_temperatures: Range | None = None
    speeds: Range | None = None
    magnet_heights: Range | None = None


_BLOCK, _LID = (0.0, 99.0), (37.0, 110.0)

MODULES: dict[str, ModuleModel] = {
    "temperatureModuleV1": ModuleModel("temperature module", temperatures=(-9.0, 99.0)),
    "temperatureModuleV2": ModuleModel("temperature module", temperatures=(-9.0, 99.0)),
    "heaterShakerModuleV1": ModuleModel("heater-shaker", temperatures=(0.0, 95.0), speeds=(200.0, 3000.0)),
    "thermocyclerModuleV1": ModuleModel("thermocycler", temperatures=_BLOCK, lid_temperatures=_LID),
    "thermocyclerModuleV2": ModuleModel("thermocycler", temperatures=_BLOCK, lid_temperatures=_LID),
    "magneticModuleV1": ModuleModel("magnetic module", magnet_heights=(-2.5, 20.0)),
    "magneticModuleV2": ModuleModel("magnetic module", magnet_heights=(-2.5, 22.5)),
}
"""Every model that is a device, by Opentrons' name for it."""

_DECKS = {"OT-2": "ot2_standard", "Flex": "ot3_standard"}
_COVERED = {"OT-2": ("slot-8", "slot-10", "slot-11"), "Flex": ("A1",)}


@cache
def _definition(model: str) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(load_shared_data(f"module/definitions/3/{model}.json"))
    return definition


@cache
def flex_deck() -> dict[str, Any]:
    """Opentrons' definition of the Flex's deck, ``deck/definitions/5/ot3_standard.json``."""
    definition: dict[str, Any] = json.loads(load_shared_data("deck/definitions/5/ot3_standard.json"))
    return definition


def flex_area(name: str) -> dict[str, Any] | None:
    """The addressable area ``name`` of the Flex's deck; ``None`` if there is none of that name."""
    areas = flex_deck()["locations"]["addressableAreas"]
    return next((area for area in areas if area["id"] == name), None)


def slots_of(model: str, robot: str) -> tuple[str, ...]:
    """The slots of an ``robot`` ("OT-2" or "Flex") on which a module or a magnetic block may stand."""
    definition = _definition(model)
    if _DECKS[robot] in definition["incompatibleWithDecks"]:
        return ()
    slots = [name for name in definition["orientation"] if name.isdigit() == (robot == "OT-2")]
    return tuple(f"slot-{slot}" if robot == "OT-2" else slot for slot in slots)


def covered_slots(model: str, robot: str) -> tuple[str, ...]:
    """The slots that a module takes beside the one it is said to stand on."""
    return _COVERED[robot] if model in THERMOCYCLERS else ()


def offset_on(model: str, robot: str, slot: str) -> Coordinate:
    """From the front left corner of ``slot`` to where labware stands on the module, mm.

    Labware that the module's own wells or magnets reach into stands lower: see ``overlaps`` of a kind.
    """
    if robot == "Flex":
        name = model if model in THERMOCYCLERS else f"{model.replace('Module', '')}{slot}"
        area = flex_area(name) or flex_area(f"{model}{slot}")
        assert area is not None, f"no area of {model} at {slot}"
        return Coordinate(*area["offsetFromCutoutFixture"])
    definition = _definition(model)
    offset = definition["labwareOffset"]
    transforms = definition["slotTransforms"].get(_DECKS[robot], {}).get(slot.removeprefix("slot-"), {})
    vector = (offset["x"], offset["y"], offset["z"], 1.0)
    if "labwareOffset" not in transforms:
        return Coordinate(*vector[:3])
    rows = transforms["labwareOffset"]
    return Coordinate(*(sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows[:3]))


def size_of(model: str) -> tuple[float, float, float]:
    """The outside of a module, mm, as its definition's ``dimensions`` say."""
    size = _definition(model)["dimensions"]
    return size["xDimension"], size["yDimension"], size["bareOverallHeight"]
