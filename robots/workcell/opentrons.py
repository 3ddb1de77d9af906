"""Labware from Opentrons' labware definitions: those of the ``opentrons_shared_data`` package and a lab's own.

pylabrobot fetches these definitions from the web when its Opentrons labware is constructed; here they are read
from the installed package, so that everything works offline.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from opentrons_shared_data.load import get_shared_data_root
from pydantic import ValidationError
from pylabrobot.resources import (
    Container,
    Coordinate,
    Plate,
    Resource,
    ResourceHolder,
    Tip,
    TipRack,
    TipSpot,
    Trash,
    Tube,
    TubeRack,
    Well,
)
from pylabrobot.resources.well import CrossSectionType, WellBottomType

from protocols.errors import InputError, UnknownNameError
from robots.workcell.names import nearest
from robots.workcell.opentrons_definition import OpentronsDefinition, OpentronsWell


def _folder(name: str) -> Path | None:
    """Where the definitions called ``name`` stand; schema 2 wins, of which the library has nearly all."""
    root = get_shared_data_root() / "labware" / "definitions"
    return next((root / schema / name for schema in ("2", "3") if name in _names_of(schema)), None)


@cache
def _names_of(schema: str) -> frozenset[str]:
    return frozenset(path.name for path in (get_shared_data_root() / "labware" / "definitions" / schema).iterdir())


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(_names_of("2") | _names_of("3")))


def opentrons_names() -> tuple[str, ...]:
    """Load names of the definitions that the ``opentrons_shared_data`` package has."""
    return _names()


@cache
def load_opentrons(name: str, version: int | None = None) -> OpentronsDefinition:
    """The definition with load name ``name``, newest version unless one is asked for.

    Raises:
        UnknownNameError: there is no such definition or version.
    """
    folder = _folder(name)
    if folder is None:
        raise UnknownNameError(f"Opentrons has no labware '{name}'", mend=nearest(name, _names()))
    versions = sorted(int(path.stem) for path in folder.glob("*.json"))
    if version is not None and version not in versions:
        known = ", ".join(str(known) for known in versions)
        raise UnknownNameError(f"Opentrons' '{name}' has no version {version}", mend=f"Its versions are {known}")
    return _read(folder / f"{version or versions[-1]}.json")


def _read(path: Path) -> OpentronsDefinition:
    data: Any = json.loads(path.read_text(encoding="utf-8"))
    try:
        return OpentronsDefinition.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"the labware definition {path.parent.name} cannot be used: {field}: {first['msg']}") from None


def build_opentrons(definition: OpentronsDefinition, name: str) -> Resource:
    """The pylabrobot resource ``name`` of a definition: a tip rack, a tube rack, a plate, a bin or a plain block."""
    size = definition.dimensions
    extent = {"size_x": size.xDimension, "size_y": size.yDimension, "size_z": size.zDimension}
    model = definition.parameters.loadName
    order = [well for column in definition.ordering for well in column]
    if definition.parameters.isTiprack:
        spots = {well: _tip_spot(definition, well) for well in order}
        return TipRack(name=name, **extent, ordered_items=spots, model=model, with_tips=True)
    if definition.category == "tube rack":
        holders = {well: _tube_holder(definition, name, well) for well in order}
        return TubeRack(name=name, **extent, ordered_items=holders, model=model)
    if definition.category in ("plate", "trough"):
        wells = {well: _well(definition, well) for well in order}
        return Plate(name=name, **extent, ordered_items=wells, model=model)
    if definition.category == "trash":
        volume = max((well.totalLiquidVolume for well in definition.wells.values()), default=0.0)
        return Trash(name=name, **extent, model=model, max_volume=volume or float("inf"))
    return Resource(name=name, **extent, model=model, category=definition.category)


def _tip_spot(definition: OpentronsDefinition, name: str) -> TipSpot:
    well = definition.wells[name]
    parameters, display = definition.parameters, definition.metadata.displayName

    def make_tip(name: str) -> Tip:
        return Tip(
            name=name,
            total_tip_length=parameters.tipLength or 0.0,
            has_filter="filter" in display.lower(),
            maximal_volume=well.totalLiquidVolume,
            fitting_depth=parameters.tipOverlap or 0.0,
        )

    x, y = well.opening
    spot = TipSpot(name=name, size_x=x, size_y=y, make_tip=make_tip)
    spot.location = Coordinate(well.x - x / 2, well.y - y / 2, well.z)
    return spot


def _container_arguments(definition: OpentronsDefinition, name: str) -> dict[str, Any]:
    well = definition.wells[name]
    x, y = well.opening
    profile, _ = definition.profile(name)
    return {
        "size_x": x,
        "size_y": y,
        "size_z": well.depth,
        "max_volume": well.totalLiquidVolume,
        "material_z_thickness": 0.0,  # Opentrons measures z to the cavity's bottom
        "height_volume_data": dict(profile) if profile else None,
    }


def _place(container: Container | ResourceHolder, well: OpentronsWell) -> None:
    x, y = well.opening
    container.location = Coordinate(well.x - x / 2, well.y - y / 2, well.z)


def _well(definition: OpentronsDefinition, name: str) -> Well:
    shape = definition.wells[name].shape
    bottoms = {"flat": WellBottomType.FLAT, "u": WellBottomType.U, "v": WellBottomType.V}
    well = Well(
        name=name,
        bottom_type=bottoms.get(definition.bottom(name) or "", WellBottomType.UNKNOWN),
        cross_section_type=CrossSectionType.CIRCLE if shape == "circular" else CrossSectionType.RECTANGLE,
        **_container_arguments(definition, name),
    )
    _place(well, definition.wells[name])
    return well


def _tube_holder(definition: OpentronsDefinition, rack: str, name: str) -> ResourceHolder:
    well = definition.wells[name]
    x, y = well.opening
    holder = ResourceHolder(name=name, size_x=x, size_y=y, size_z=well.depth)
    _place(holder, well)
    tube = Tube(name=f"{rack}_tube_{name}", **_container_arguments(definition, name))
    holder.assign_child_resource(tube, location=Coordinate.zero())
    return holder
