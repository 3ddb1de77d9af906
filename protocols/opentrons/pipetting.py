"""Pipetting commands as instructions: strokes, air gaps, blow-out, touching the wall, nozzle layouts."""

from __future__ import annotations

from protocols.opentrons import parameters as p
from protocols.opentrons.nozzles import Nozzles
from protocols.opentrons.walk import BESIDE, Walk, Where
from protocols.program import AirGap, Aspirate, BlowOut, Dispense, TouchTip

NOWHERE = "where the pipette stands is not said in terms of wells, so what it draws from or pushes into is unknown"
PUSH_OUT = "how much air is pushed out after the liquid is left to the driver"


def aspirate(walk: Walk, params: p.Stroke) -> None:
    """Draw from a well; with the tip's end at its rim or above it, air."""
    height = walk.height(params.labwareId, params.wellName, params.wellLocation)
    _draw(walk, params, _stand(walk, params.pipetteId, params.labwareId, params.wellName, height))


def aspirate_tracked(walk: Walk, params: p.TrackedStroke) -> None:
    """Draw while going down with the surface: where it ends is what it can reach."""
    height = walk.height(params.labwareId, params.wellName, params.trackToLocation)
    _draw(walk, params, _stand(walk, params.pipetteId, params.labwareId, params.wellName, height))


def aspirate_in_place(walk: Walk, params: p.InPlace) -> None:
    """Draw where the pipette is."""
    where = walk.standing.get(params.pipetteId)
    if where is None:
        walk.lose("aspirateInPlace", NOWHERE)
        return
    _draw(walk, params, where)


def air_gap(walk: Walk, params: p.InPlace) -> None:
    """Draw air."""
    head = walk.nozzles(params.pipetteId)
    volumes = [params.volume] * len(head.working)
    walk.emit(AirGap, pipette=head.mount, channels=head.working, volumes=volumes)


def _draw(walk: Walk, params: p.Stroke | p.TrackedStroke | p.InPlace, where: Where) -> None:
    if walk.is_air(where.labware, where.well, where.height):
        head = walk.nozzles(params.pipetteId)
        volumes = [params.volume] * len(head.working)
        walk.emit(AirGap, pipette=head.mount, channels=head.working, volumes=volumes)
        return
    _stroke(walk, Aspirate, params, where)


def dispense(walk: Walk, params: p.Stroke) -> None:
    """Push out into a well."""
    height = walk.height(params.labwareId, params.wellName, params.wellLocation)
    _push(walk, "dispense", params, _stand(walk, params.pipetteId, params.labwareId, params.wellName, height))


def dispense_tracked(walk: Walk, params: p.TrackedStroke) -> None:
    """Push out while going up with the surface."""
    height = walk.height(params.labwareId, params.wellName, params.trackToLocation)
    where = _stand(walk, params.pipetteId, params.labwareId, params.wellName, height)
    _push(walk, "dispenseWhileTracking", params, where)


def dispense_in_place(walk: Walk, params: p.InPlace) -> None:
    """Push out where the pipette is."""
    where = walk.standing.get(params.pipetteId)
    if where is None:
        walk.lose("dispenseInPlace", NOWHERE)
        return
    _push(walk, "dispenseInPlace", params, where)


def _push(walk: Walk, kind: str, params: p.Stroke | p.TrackedStroke | p.InPlace, where: Where) -> None:
    if params.pushOut:
        walk.lose(f"{kind}: pushOut", PUSH_OUT)
    _stroke(walk, Dispense, params, where)


def _stroke(
    walk: Walk, make: type[Aspirate | Dispense], params: p.Stroke | p.TrackedStroke | p.InPlace, where: Where
) -> None:
    head = walk.nozzles(params.pipetteId)
    channels, wells = _over_wells(walk, head, where)
    above = where.labware is None or walk.is_air(where.labware, where.well, where.height)
    more = {"gives_rest": True} if make is Dispense and not walk.knows_heights else {}
    walk.emit(
        make,
        rate=params.flowRate,
        jet=above and make is Dispense,
        pipette=head.mount,
        channels=channels,
        wells=wells,
        volumes=[params.volume] * len(channels),
        height=where.height,
        **more,
    )


def _over_wells(walk: Walk, head: Nozzles, where: Where) -> tuple[tuple[int, ...], list[str]]:
    """The channels that come over wells, with the wells; the others stand beside the labware, and move nothing."""
    channels = head.working
    wells = walk.references(where.labware, where.well, head, channels)
    over = [(channel, well) for channel, well in zip(channels, wells, strict=True) if BESIDE not in well]
    if not over or len(over) == len(channels):
        return channels, wells
    labware = walk.labware(where.labware or "")
    walk.note(
        f"'{head.mount}' goes to {where.well} of '{labware}' with {len(channels)} tips, of which "
        f"{len(channels) - len(over)} stand beside it: they are taken to draw and push out nothing"
    )
    return tuple(channel for channel, _ in over), [well for _, well in over]


def blow_out(walk: Walk, params: p.BlowOut) -> None:
    """Push all out over a well."""
    height = walk.height(params.labwareId, params.wellName, params.wellLocation)
    where = _stand(walk, params.pipetteId, params.labwareId, params.wellName, height)
    _blow(walk, params.pipetteId, params.flowRate, where)


def blow_out_in_place(walk: Walk, params: p.BlowOutInPlace) -> None:
    """Push all out where the pipette is."""
    where = walk.standing.get(params.pipetteId)
    if where is None:
        walk.lose("blowOutInPlace", NOWHERE)
        return
    _blow(walk, params.pipetteId, params.flowRate, where)


def _blow(walk: Walk, pipette: str, flow_rate: float, where: Where) -> None:
    head = walk.nozzles(pipette)
    channels, wells = _over_wells(walk, head, where)
    walk.emit(BlowOut, pipette=head.mount, channels=channels, wells=wells, height=where.height, flow_rate=flow_rate)


def touch(walk: Walk, params: p.AtWell) -> None:
    """Touch the wall."""
    head = walk.nozzles(params.pipetteId)
    height = walk.height(params.labwareId, params.wellName, params.wellLocation)
    where = _stand(walk, params.pipetteId, params.labwareId, params.wellName, height)
    channels, wells = _over_wells(walk, head, where)
    walk.emit(TouchTip, pipette=head.mount, channels=channels, wells=wells, height=height)


def move_to_well(walk: Walk, params: p.AtWell) -> None:
    """Remember where the pipette is."""
    height = walk.height(params.labwareId, params.wellName, params.wellLocation)
    _stand(walk, params.pipetteId, params.labwareId, params.wellName, height)


def probe(walk: Walk, params: p.AtWell) -> None:
    """The pipette ends at the surface, at a height that is found only when it is done."""
    _stand(walk, params.pipetteId, params.labwareId, params.wellName, None)


def move_to_area(walk: Walk, params: p.MoveToArea) -> None:
    """The trash is where liquid may be thrown; other places have no well."""
    trash = walk.deck.is_trash_area(params.addressableAreaName)
    if trash:
        walk.deck.throw(params.addressableAreaName)
    walk.standing[params.pipetteId] = Where(None, "A1", None) if trash else None


def move_relative(walk: Walk, params: p.MoveRelative) -> None:
    """Up or down it stays over the same well."""
    where = walk.standing.get(params.pipetteId)
    if where is None or params.axis != "z":
        walk.standing[params.pipetteId] = None
        return
    height = None if where.height is None else max(0.0, where.height + params.distance)
    walk.standing[params.pipetteId] = Where(where.labware, where.well, height)


def move_away(walk: Walk, params: p.WithPipette) -> None:
    """The pipette is somewhere."""
    walk.standing[params.pipetteId] = None


def arrange_nozzles(walk: Walk, params: p.ConfigureNozzleLayout) -> None:
    """Which channels take tips from now on."""
    if not walk.nozzles(params.pipetteId).arrange(params.configurationParams):
        walk.lose("configureNozzleLayout", "it names nozzles that this pipette does not have")


def _stand(walk: Walk, pipette: str, labware: str, well: str, height: float | None) -> Where:
    where = Where(None if walk.is_trash(labware) else labware, well, height)
    if where.labware is None:
        walk.deck.throw(labware)
    walk.standing[pipette] = where
    return where
