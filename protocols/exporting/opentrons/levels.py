"""The lowest level of Opentrons' API that knows all that a program does."""

from __future__ import annotations

from collections import defaultdict

from protocols.exporting.opentrons.modules import sets_apart
from protocols.exporting.opentrons.nozzles import layout_of
from protocols.exporting.opentrons.script import REFUSES_SHORT, ApiLevel
from protocols.program import AirGap, Aspirate, BlowOut, Dispense, Mix, MoveLabware, PickUpTips, Program
from protocols.specs import OFF_DECK, WorkcellSpec

BASE: dict[str, ApiLevel] = {"OT-2": (2, 15), "Flex": (2, 16)}
"""What is used where nothing newer is needed: the first with adapters; of a Flex, the first with a trash by name."""
TASKS: ApiLevel = (2, 27)
"""From this level on a thermocycler can be set without waiting for it."""
CLAMPS: ApiLevel = (2, 13)
"""The last level that says a stroke as it was asked for where the tip holds less; it then dispenses what there is."""
SAME = 1e-9


def level_for(program: Program, spec: WorkcellSpec) -> ApiLevel:
    """The lowest level for ``program`` on an OT-2 or a Flex."""
    level = max(BASE[spec.robot or "OT-2"], _of_layouts(program, spec), _of_volumes(program))
    thermocyclers = [name for name, device in spec.devices.items() if device.kind == "thermocycler"]
    if sets_apart(program.instructions, thermocyclers):
        level = max(level, TASKS)
    if level == BASE["OT-2"] and spec.robot == "OT-2" and _is_plain(program, spec) and _dispenses_short(program):
        return CLAMPS
    return level


def _of_layouts(program: Program, spec: WorkcellSpec) -> ApiLevel:
    picks = [item for item in program.instructions if isinstance(item, PickUpTips) and item.pipette in spec.pipettes]
    layouts = [layout_of(item.channels, spec.pipettes[item.pipette].channels) for item in picks]
    return max((layout.api_level for layout in layouts if layout is not None), default=(2, 0))


def _of_volumes(program: Program) -> ApiLevel:
    strokes = [item for item in program.instructions if isinstance(item, Aspirate | Dispense | Mix)]
    return REFUSES_SHORT if any(not max(item.volumes) for item in strokes) else (2, 0)


def _is_plain(program: Program, spec: WorkcellSpec) -> bool:
    """Whether nothing needs adapters, labware beside the deck, moves or described liquids, which came later."""
    beside = any(placed.site == OFF_DECK for placed in (*spec.labware.values(), *program.labware.values()))
    adapters = any(site.adapter is not None for site in spec.sites.values())
    moved = any(isinstance(item, MoveLabware) for item in program.instructions)
    return not (beside or adapters or moved)


def _dispenses_short(program: Program) -> bool:
    """Whether a tip is asked for more than was drawn into it."""
    column: dict[str, float] = defaultdict(float)
    for item in program.instructions:
        match item:
            case PickUpTips(pipette=pipette) | BlowOut(pipette=pipette):
                column[pipette] = 0.0
            case Aspirate(pipette=pipette, volumes=volumes) | AirGap(pipette=pipette, volumes=volumes):
                column[pipette] += volumes[0]
            case Dispense(pipette=pipette, volumes=volumes):
                if volumes[0] > column[pipette] + SAME:
                    return True
                column[pipette] -= volumes[0]
    return False
