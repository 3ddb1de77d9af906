"""What a person must have ready before an imported protocol runs, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from protocols.opentrons.importing import Imported
from protocols.opentrons.inference import SetUp
from protocols.opentrons.rig import WASTE_CHUTE
from protocols.program import PickUpTips, Program
from protocols.quantities import show_volume
from protocols.specs import OFF_DECK
from protocols.wording import show_places


def set_up_in_words(imported: Imported, set_up: SetUp) -> tuple[str, ...]:
    """Pipettes, modules, adapters, labware, tips and liquids, each with its place."""
    return (*_robot(imported), *_labware(set_up.program), *_liquids(set_up))


def _robot(imported: Imported) -> Iterator[str]:
    rig = imported.rig
    for mount, model in sorted(rig.pipettes.items()):
        yield f"Mount {model} on the {mount}"
    for module in rig.modules:
        opened = ", its lid open" if module.starts_open else ""
        yield f"Put {module.name} ({module.model}) on {module.site}{opened}"
    for site, kind in rig.adapters.items():
        yield f"Put the adapter {kind} on {site}"
    for place in rig.trash:
        yield "Have the waste chute at D3" if place == WASTE_CHUTE else f"Have a trash bin in {place}"


def _labware(program: Program) -> Iterator[str]:
    used: dict[str, set[str]] = defaultdict(set)
    for item in program.instructions:
        if isinstance(item, PickUpTips):
            for spot in item.spots:
                used[spot.rpartition("/")[0]].add(spot)
    for name, placed in program.labware.items():
        tips = f"; {len(used[name])} of its tips are used" if name in used else ""
        if placed.site == OFF_DECK:
            yield f"Keep {name} ({placed.kind}) ready beside the deck{tips}"
        else:
            yield f"Put {name} ({placed.kind}) on {placed.site}{tips}"


def _liquids(set_up: SetUp) -> Iterator[str]:
    inferred = set(set_up.inferred)
    declared: dict[tuple[str, float, str], list[str]] = defaultdict(list)
    guessed: dict[tuple[str, float], list[str]] = defaultdict(list)
    for fill in set_up.program.contents:
        labware, _, _ = fill.well.rpartition("/")
        if fill.well in inferred:
            guessed[labware, fill.volume].append(fill.well)
        else:
            declared[labware, fill.volume, fill.liquid].append(fill.well)
    for (_, volume, liquid), wells in declared.items():
        yield f"Fill {show_places(wells)} with {show_volume(volume)}{_each(wells)} of {liquid}"
    for (_, volume), wells in guessed.items():
        yield (
            f"Fill {show_places(wells)} with at least {show_volume(volume)}{_each(wells)} of what belongs there: "
            "the file does not say what it is, nor how much"
        )


def _each(wells: list[str]) -> str:
    return " each" if len(wells) > 1 else ""
