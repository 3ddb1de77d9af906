"""Labware that comes out of a stacker, or goes back: here a person stands it on the shuttle, and takes it away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.opentrons import parameters as p
from protocols.opentrons.definition import read_definition
from protocols.opentrons.walk import Walk
from protocols.program import MoveLabware
from protocols.specs import OFF_DECK

BY_HAND = "stackers are not among the devices that are followed: a person does it"
_UNKNOWN = "what comes out is not said, so it is unknown here"


def set_stored(walk: Walk, params: p.WithModule, result: Mapping[str, Any]) -> None:
    """Remember what sort of labware a stacker holds."""
    walk.stored[params.moduleId] = result.get("primaryLabwareDefinition")


def retrieve(walk: Walk, params: p.WithModule, result: Mapping[str, Any]) -> None:
    """The next piece of labware stands on the shuttle; until then it was beside the deck."""
    labware, raw = result.get("labwareId"), walk.stored.get(params.moduleId)
    definition = read_definition(raw, walk.index)
    if not isinstance(labware, str) or definition is None:
        walk.lose("flexStacker/retrieve", _UNKNOWN)
        return
    if labware not in walk.deck.pieces:
        load = p.LoadLabware(
            location="offDeck",
            loadName=definition.parameters.loadName,
            namespace=definition.namespace,
            version=definition.version,
        )
        walk.deck.add_labware(labware, load, definition, raw, walk.index)
    if result.get("adapterId") or result.get("lidId"):
        walk.lose("flexStacker/retrieve: adapter or lid", "it is not followed")
    site = walk.deck.move(labware, {"moduleId": params.moduleId}, walk.index)
    walk.lose("flexStacker/retrieve: by the stacker", BY_HAND)
    walk.emit(MoveLabware, labware=walk.labware(labware), site=site, by="person")


def store(walk: Walk, params: p.WithModule, result: Mapping[str, Any]) -> None:
    """What stands on the shuttle is taken off the deck."""
    labware = walk.deck.on_module(params.moduleId)
    if labware is None:
        walk.lose("flexStacker/store", "nothing is known to stand on its shuttle")
        return
    walk.deck.move(labware, "offDeck", walk.index)
    walk.lose("flexStacker/store: by the stacker", BY_HAND)
    walk.emit(MoveLabware, labware=walk.labware(labware), site=OFF_DECK, by="person")


def load_lids(walk: Walk, _: p.Params | None, result: Mapping[str, Any]) -> None:
    """Remember which pieces are lids: they are not followed."""
    several = result.get("labwareIds")
    found = [result.get("labwareId"), result.get("stackLabwareId"), *(several if isinstance(several, list) else ())]
    walk.deck.lids.update(item for item in found if isinstance(item, str))
