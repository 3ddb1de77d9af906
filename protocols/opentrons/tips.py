"""Commands that pick up and drop tips, as instructions; and what is guessed of racks that are used twice."""

from __future__ import annotations

import re

from protocols.opentrons import parameters as p
from protocols.opentrons.nozzles import Nozzles
from protocols.opentrons.walk import Walk, Where
from protocols.program import DropTips, PickUpTips, ReplaceTipRack

_OF_TIPS = re.compile(r"\b(tips?|tip ?racks?|racks?|refill|replenish)\b", re.IGNORECASE)
"""Words by which a pause asks for tips."""


def pick_up(walk: Walk, params: p.AtWell) -> None:
    """Tips, onto the channels in use that come over spots of the rack with a tip in them."""
    head = walk.nozzles(params.pipetteId)
    definition = walk.definition(params.labwareId)
    channels = head.active
    if definition is not None:
        spots = head.wells(definition, params.wellName, channels)
        channels = tuple(channel for channel, spot in zip(channels, spots, strict=True) if spot) or channels
    references = walk.references(params.labwareId, params.wellName, head, channels)
    _renew_rack(walk, params.labwareId, references)
    channels, references = _over_tips(walk, head, channels, references)
    walk.used_spots.update(dict.fromkeys(references, walk.asked))
    walk.begun.add(walk.labware(params.labwareId))
    head.held = channels
    walk.standing[params.pipetteId] = None
    walk.emit(PickUpTips, pipette=head.mount, channels=channels, spots=references)


def _over_tips(
    walk: Walk, head: Nozzles, channels: tuple[int, ...], spots: list[str]
) -> tuple[tuple[int, ...], list[str]]:
    """Leave out the nozzles at the end that stand over spots emptied before.

    Protocols pick up one tip with eight nozzles that way, from the last row of a rack upwards. Where the leading
    nozzle finds no tip, or an emptied spot lies between two others, nothing is left out, and verification finds it.
    """
    full = [spot not in walk.used_spots for spot in spots]
    kept = full.index(False) if False in full else len(full)
    leads = kept > 0 and channels[0] == head.primary
    if kept == len(full) or not leads or any(full[kept:]):
        return channels, spots
    walk.note(
        f"'{head.mount}' picks up {kept} of {len(full)} tips before command {walk.index}: its other nozzles stand over "
        "spots that were emptied before"
    )
    return channels[:kept], spots[:kept]


def _renew_rack(walk: Walk, labware_id: str, spots: list[str]) -> None:
    """Guess that a person who was asked put a full rack there, where spots that were emptied before are used again.

    For that the rack must be begun anew, and either have too few tips left or be what the person was asked about.
    """
    piece = walk.deck.pieces.get(labware_id)
    if piece is None or not any(walk.used_spots.get(spot, walk.asked) < walk.asked for spot in spots):
        return
    rack = walk.labware(labware_id)
    emptied = [spot for spot in walk.used_spots if spot.startswith(f"{rack}/")]
    left = len(piece.definition.wells) - len(emptied) if piece.definition else 0
    if rack in walk.begun or not (left < len(spots) or _OF_TIPS.search(walk.last_asked)):
        return
    walk.emit(ReplaceTipRack, rack=rack)
    walk.note(
        f"guessed: '{rack}' is replaced by a full one before command {walk.index}, "
        "because its tips are used again after a person was asked"
    )
    for spot in emptied:
        del walk.used_spots[spot]


def drop(walk: Walk, params: p.AtWell) -> None:
    """Tips, back into the rack or into the trash."""
    head = walk.nozzles(params.pipetteId)
    if walk.is_trash(params.labwareId):
        walk.deck.throw(params.labwareId)
        _drop_into_trash(walk, head)
        walk.standing[params.pipetteId] = Where(None, "A1", None)
        return
    channels = head.working
    spots = walk.references(params.labwareId, params.wellName, head, channels)
    for spot in spots:
        walk.used_spots.pop(spot, None)
    head.held = ()
    walk.standing[params.pipetteId] = None
    walk.emit(DropTips, pipette=head.mount, channels=channels, spots=spots)


def drop_in_place(walk: Walk, params: p.WithPipette) -> None:
    """Tips, where the pipette is: over the trash."""
    where = walk.standing.get(params.pipetteId)
    if where is None or where.labware is not None:
        walk.note("tips that are dropped in place are taken to go into the trash")
    _drop_into_trash(walk, walk.nozzles(params.pipetteId))


def _drop_into_trash(walk: Walk, head: Nozzles) -> None:
    channels, head.held = head.working, ()
    walk.emit(DropTips, pipette=head.mount, channels=channels)
