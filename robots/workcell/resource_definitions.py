"""Labware of pylabrobot as an Opentrons labware definition, for labware that no library names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pylabrobot.resources import Container, Resource, TipRack, TipSpot, Trough, TubeRack, Well
from pylabrobot.resources.well import CrossSectionType, WellBottomType

from robots.workcell.labware import containers_of, spots_of

Json = dict[str, Any]

NAMESPACE = "pylabrobot"
"""Of the definitions that are made here."""

_BOTTOMS = {WellBottomType.FLAT: "flat", WellBottomType.U: "u", WellBottomType.V: "v"}


@dataclass(frozen=True, slots=True)
class MadeDefinition:
    """A definition of schema 2, and what of it had to be guessed, in words."""

    definition: Json
    guesses: tuple[str, ...]


def definition_of(resource: Resource, name: str) -> MadeDefinition:
    """The definition, called ``name``, of a plate, trough, tube rack or tip rack.

    Raises:
        ValueError: it has no wells, tubes or tips, or one without a size.
    """
    guesses: list[str] = []
    spots = spots_of(resource)
    inside: dict[str, Resource] = dict(spots) or dict(containers_of(resource))
    if not inside:
        raise ValueError("it has no wells, tubes or tips")
    geometries: dict[str, Json] = {}
    wells = {
        well: _tip(resource, part) if isinstance(part, TipSpot) else _well(resource, part, geometries, guesses)
        for well, part in inside.items()
    }
    definition = {
        "schemaVersion": 2,
        "version": 1,
        "namespace": NAMESPACE,
        "metadata": {"displayName": resource.model or name, "displayCategory": _category(resource)},
        "parameters": {"loadName": name, **_tip_parameters(resource)},
        "dimensions": {
            "xDimension": resource.get_size_x(),
            "yDimension": resource.get_size_y(),
            "zDimension": resource.get_size_z(),
        },
        "ordering": _columns(list(inside)),
        "wells": wells,
        "groups": _groups(inside),
        **({"innerLabwareGeometry": geometries} if geometries else {}),
    }
    return MadeDefinition(definition, tuple(dict.fromkeys(guesses)))


def _category(resource: Resource) -> str:
    if isinstance(resource, TipRack):
        return "tipRack"
    if isinstance(resource, TubeRack):
        return "tubeRack"
    troughs = isinstance(resource, Trough) or "troughplate" in (resource.model or "").lower()
    return "reservoir" if troughs else "wellPlate"


def _tip_parameters(resource: Resource) -> Json:
    if not isinstance(resource, TipRack):
        return {"isTiprack": False}
    tip = resource.get_all_items()[0].make_tip()
    return {"isTiprack": True, "tipLength": tip.total_tip_length, "tipOverlap": tip.fitting_depth}


def _columns(names: list[str]) -> list[list[str]]:
    columns: dict[str, list[str]] = {}
    for name in names:
        columns.setdefault(name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), []).append(name)
    return list(columns.values())


def _place(resource: Resource, part: Resource) -> Json:
    middle = part.get_anchor("c", "c", "b")
    base = middle if part is resource else part.get_location_wrt(resource) + middle
    return {"x": round(base.x, 4), "y": round(base.y, 4), "z": round(base.z, 4)}


def _tip(resource: Resource, spot: TipSpot) -> Json:
    size = {"shape": "rectangular", "xDimension": spot.get_size_x(), "yDimension": spot.get_size_y()}
    place = _place(resource, spot)
    tip = spot.make_tip()
    depth = tip.total_tip_length
    volume = tip.maximal_volume
    return {**size, **place, "z": max(place["z"], 0.0), "depth": depth, "totalLiquidVolume": volume}


def _well(resource: Resource, part: Resource, geometries: dict[str, Json], guesses: list[str]) -> Json:
    assert isinstance(part, Container)
    floor = part._material_z_thickness or 0.0
    depth = round(part.get_size_z() - (floor if isinstance(part, Trough) else 0.0), 4)
    x, y = part.get_size_x(), part.get_size_y()
    if depth <= 0 or x <= 0 or y <= 0:
        raise ValueError("a well has no size")
    circular = _is_circular(part)
    place = _place(resource, part)
    well: Json = {
        "shape": "circular" if circular else "rectangular",
        **({"diameter": x} if circular else {"xDimension": x, "yDimension": y}),
        **place,
        "z": round(place["z"] + floor, 4),
        "depth": depth,
        "totalLiquidVolume": part.max_volume,
    }
    if abs(part.max_volume - x * y * part.get_size_z()) < 1e-6:  # pylabrobot's own guess, where nobody said it
        well["totalLiquidVolume"] = round((math.pi * x * x / 4 if circular else x * y) * depth, 3)
        guesses.append("what its wells hold is guessed: straight walls")
    measured = measured_of(part)
    if measured:
        pairs = [{"height": height, "volume": volume} for height, volume in measured]
        known = next((name for name, kept in geometries.items() if kept["heightToVolumeMap"] == pairs), None)
        well["geometryDefinitionId"] = known or f"geometry {len(geometries) + 1}"
        geometries[well["geometryDefinitionId"]] = {"heightToVolumeMap": pairs}
    return well


def _is_circular(part: Container) -> bool:
    if isinstance(part, Well):
        return bool(part.cross_section_type == CrossSectionType.CIRCLE)
    return not isinstance(part, Trough)


def measured_of(container: Container) -> list[tuple[float, float]]:
    """Heights and the volumes that stand so high, as numbers: a file has them as text."""
    data = container.height_volume_data or {}
    return sorted((float(height), float(volume)) for height, volume in data.items())


def _groups(inside: dict[str, Resource]) -> list[Json]:
    by_bottom: dict[str | None, list[str]] = {}
    for name, part in inside.items():
        bottom = _BOTTOMS.get(part.bottom_type) if isinstance(part, Well) else None
        by_bottom.setdefault(bottom, []).append(name)
    return [
        {"wells": names, "metadata": {} if bottom is None else {"wellBottomShape": bottom}}
        for bottom, names in by_bottom.items()
    ]
