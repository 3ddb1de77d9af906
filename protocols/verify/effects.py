"""What the effects of a fold mean to a person: codes, figures, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.effects import Effect, EffectKind
from protocols.labstate import LabState
from protocols.program import AnyInstruction, Aspirate, Dispense
from protocols.quantities import show_volume
from protocols.verify.device_words import explain_device
from protocols.verify.findings import Ledger

CODES: dict[EffectKind, str] = {
    "air drawn": "L01",
    "overflow": "L02",
    "dispensed short": "L03",
    "liquid discarded": "L07",
    "settled layer touched": "L10",
    "no tip": "T01",
    "no tip at spot": "T02",
    "channel has tip": "T03",
    "tip does not fit": "T04",
    "spot occupied": "T05",
    "tip overfilled": "T06",
    "immersed too deep": "T08",
    "unknown well": "P01",
    "unknown labware": "P02",
    "unknown site": "P03",
    "site occupied": "P04",
    "site unsuitable": "P05",
    "lid in the way": "P06",
    "unknown channel": "D01",
    "foreign liquid": "C01",
    "used tip": "C03",
    "out of reach": "P12",
    "tips in the way": "P11",
    "device cannot": "D10",
    "latch not closed": "D11",
    "latch not open": "D11",
    "device shakes": "D12",
    "thermocycler closed": "D13",
    "set-point refused": "D14",
    "no set-point": "D15",
}
"""The code of each kind of effect."""

LEAST_SAID = 1e-3
"""µL of discarded liquid that are worth a note; less is what rounding leaves in a tip."""


def report_effect(ledger: Ledger, state: LabState, instruction: AnyInstruction, effect: Effect) -> None:
    """Turn one effect of ``instruction`` into a finding; ``state`` is the state after it."""
    code = CODES[effect.kind]
    if code == "L01" and isinstance(instruction, Aspirate) and instruction.takes_rest:
        code = "L14"
    if code == "L03" and isinstance(instruction, Dispense) and instruction.gives_rest:
        code = "L16"
    if effect.kind == "liquid discarded" and effect.amount < LEAST_SAID:
        return
    if not ledger.again(code, instruction.step, effect.place):
        message, mend = _explain(state, effect)
        ledger.add(code, message, mend=mend, place=effect.place, step=instruction.step, at=instruction.id)


def _explain(state: LabState, effect: Effect) -> tuple[str, str]:
    amount = show_volume(effect.amount)
    channel = f"channel {effect.channel}"
    well = state.wells.get(effect.place)
    holds = show_volume(well.max_volume) if well else "?"
    match effect.kind:
        case "air drawn":
            left = show_volume(well.volume) if well else "nothing"
            dead = f", of which {show_volume(well.cavity.dead)} cannot be reached" if well and well.cavity.dead else ""
            return (
                f"{channel} lacks {amount} and draws air; {left} is left in the well{dead}",
                "put more liquid in, draw less, or go lower",
            )
        case "overflow":
            total = show_volume((well.max_volume if well else 0.0) + effect.amount)
            return f"makes it {total}, it holds {holds}", "use a deeper plate or split the addition"
        case "dispensed short":
            return f"{channel} is asked for {amount} more than its tip holds", "draw more or dispense less"
        case "liquid discarded":
            return f"{channel} drops its tip with {amount} of liquid in it", "dispense it first if it is needed"
        case "settled layer touched":
            return f"{channel} touches what has settled at the bottom", "stay higher, or leave more liquid"
        case "no tip":
            return f"{channel} has no tip", "pick up a tip first"
        case "no tip at spot":
            return f"{channel} finds no tip there", "use another spot or replace the rack"
        case "channel has tip":
            return f"{channel} already has a tip", "drop it first"
        case "tip does not fit":
            return f"the tip does not fit {channel}", "take a rack of tips that this pipette takes"
        case "spot occupied":
            return f"{channel} would put its tip onto another", "choose an empty spot or the trash"
        case "tip overfilled":
            return (
                f"the tip on {channel} is filled {amount} beyond its capacity",
                "split it or take a larger tip",
            )
        case "immersed too deep":
            return (
                f"the tip is {effect.amount:.3g} mm too deep, past its fitting",
                "go in higher or follow the surface",
            )
        case "unknown well":
            return (
                "there is no such well or spot on the deck",
                "check the name against the labware's rows and columns",
            )
        case "unknown labware":
            return "there is no such labware on the deck", "name it under labware"
        case "unknown site":
            return "there is no such site", "see 'labwright workcell show' for the sites"
        case "site occupied":
            return (
                f"'{state.labware_at(effect.place)}' stands there already",
                "move that away first, or choose a free site; leave out a move to where it stands",
            )
        case "site unsuitable":
            return (
                "this labware cannot be put there by the arm",
                "choose a site that takes it and that the arm reaches",
            )
        case "lid in the way":
            return f"{channel} would hit the lid", "take the lid off first"
        case "unknown channel":
            return f"there is no {channel} on it", "see 'labwright workcell show' for the pipettes"
        case "out of reach":
            return "no pipette reaches the labware where it stands", "put it on a site that the pipettes reach first"
        case "tips in the way":
            return (
                f"tips on the pipette reach {effect.amount:.3g} mm below the top of this labware in the gripper",
                "drop the tips before it is moved",
            )
        case "device cannot" | "latch not closed" | "latch not open" | "device shakes":
            return explain_device(state, effect)
        case "thermocycler closed" | "set-point refused" | "no set-point":
            return explain_device(state, effect)
        case "foreign liquid":
            return f"the tip on {channel} brings in {_some(effect.liquids)}", "take a new tip"
        case "used tip":
            message = (
                f"the tip on {channel} was in {_some(effect.liquids)}, of which its liquid class leaves nothing here"
            )
            return message, "take a new tip, or say in the liquid class what clings to it"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
