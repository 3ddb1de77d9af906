"""Labware from Opentrons' labware definitions: those of the ``opentrons_shared_data`` package and a lab's own.

pylabrobot fetches these definitions from the web when its Opentrons labware is constructed; here they are read
from the installed package, so that everything works offline.
"""

from __future__ import annotations

import json
import math
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from opentrons_shared_data.load import get_shared_data_root
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pylabrobot.resources import (
    Container,
    Coordinate,
    Plate,
    Resource,
    ResourceHolder,
    Tip,
    TipRack,
    TipSpot,
    Tube,
    TubeRack,
    Well,
)
from pylabrobot.resources.well import CrossSectionType, WellBottomType

from protocols.errors import InputError, UnknownNameError
from protocols.liquids import Amount, PositiveAmount
from protocols.specs import LabwareCategory
from robots.workcell.geometry import Profile, Section, profile_of_sections, rising, straight_walls
from robots.workcell.names import nearest

_CATEGORIES: dict[str, LabwareCategory] = {
    "wellPlate": "plate",
    "reservoir": "trough",
    "tubeRack": "tube rack",
    "aluminumBlock": "tube rack",
    "tipRack": "tip rack",
    "adapter": "adapter",
    "lid": "lid",
    "trash": "trash",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Metadata(_Part):
    displayName: str
    displayCategory: str


class _Parameters(_Part):
    loadName: str
    isTiprack: bool = False
    tipLength: PositiveAmount | None = None
    tipOverlap: Amount | None = None


class _Dimensions(_Part):
    xDimension: PositiveAmount
    yDimension: PositiveAmount
    zDimension: PositiveAmount


class OpentronsWell(_Part):
    """A well, tube or tip spot; lengths mm from the labware's front left bottom corner, volumes µL."""

    shape: Literal["circular", "rectangular"]
    depth: Amount
    totalLiquidVolume: Amount
    x: Amount
    y: Amount
    z: Amount
    diameter: PositiveAmount | None = None
    xDimension: PositiveAmount | None = None
    yDimension: PositiveAmount | None = None
    geometryDefinitionId: str | None = None

    @model_validator(mode="after")
    def _has_size(self) -> Self:
        needed = (self.diameter,) if self.shape == "circular" else (self.xDimension, self.yDimension)
        if None in needed:
            raise ValueError(f"a {self.shape} well needs its diameter or its xDimension and yDimension")
        return self

    @property
    def opening(self) -> tuple[float, float]:
        """The rim's width in x and y, mm."""
        if self.diameter is not None and self.shape == "circular":
            return self.diameter, self.diameter
        return self.xDimension or 0.0, self.yDimension or 0.0

    @property
    def area(self) -> float:
        """The rim's area, mm²."""
        x, y = self.opening
        return math.pi * x**2 / 4 if self.shape == "circular" else x * y


class _Sections(_Part):
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]


class _HeightVolume(_Part):
    height: Amount
    volume: Amount


class _MeasuredVolumes(_Part):
    heightToVolumeMap: Annotated[tuple[_HeightVolume, ...], Field(min_length=2)]


class _GroupMetadata(_Part):
    wellBottomShape: Literal["flat", "u", "v"] | None = None


class _Group(_Part):
    wells: tuple[str, ...]
    metadata: _GroupMetadata = _GroupMetadata()


class OpentronsDefinition(_Part):
    """A labware definition of Opentrons' schema 2, as their Labware Creator writes it."""

    schemaVersion: Literal[2]
    namespace: str = "custom_beta"
    version: int = 1
    metadata: _Metadata
    parameters: _Parameters
    dimensions: _Dimensions
    ordering: tuple[tuple[str, ...], ...]
    wells: dict[str, OpentronsWell]
    groups: tuple[_Group, ...] = ()
    innerLabwareGeometry: dict[str, _Sections | _MeasuredVolumes] | None = None

    @model_validator(mode="after")
    def _ordering_holds(self) -> Self:
        ordered = [well for column in self.ordering for well in column]
        if sorted(ordered) != sorted(self.wells):
            raise ValueError("ordering: it must name each of the wells once")
        if self.category in ("plate", "trough", "tube rack"):
            for name, well in self.wells.items():
                if well.depth <= 0 or well.totalLiquidVolume <= 0:
                    raise ValueError(f"wells.{name}: depth and totalLiquidVolume must be greater than 0")
        rack = self.parameters.isTiprack
        if rack and (self.parameters.tipLength is None or not self.wells):
            raise ValueError("parameters.tipLength: a tip rack needs it, and at least one tip")
        return self

    @property
    def uri(self) -> str:
        """Opentrons' name for it, "namespace/load name/version"."""
        return f"{self.namespace}/{self.parameters.loadName}/{self.version}"

    @property
    def category(self) -> LabwareCategory:
        """Its category here; an aluminium block holds tubes, or is an adapter that plates stand in."""
        holds_liquid = any(well.totalLiquidVolume > 0 for well in self.wells.values())
        if self.metadata.displayCategory == "aluminumBlock" and not holds_liquid:
            return "adapter"
        return _CATEGORIES.get(self.metadata.displayCategory, "adapter")

    def bottom(self, well: str) -> str | None:
        """The shape of the bottom of ``well``: "flat", "u", "v" or ``None``."""
        for group in self.groups:
            if well in group.wells:
                return group.metadata.wellBottomShape
        return None

    def profile(self, name: str) -> tuple[Profile | None, str]:
        """The profile of the well ``name``, and where it comes from; ``None`` if its geometry is not given."""
        well = self.wells[name]
        inner = (self.innerLabwareGeometry or {}).get(well.geometryDefinitionId or "")
        if isinstance(inner, _Sections):
            return _profile_of(inner.sections), "inner geometry of the definition"
        if isinstance(inner, _MeasuredVolumes):
            pairs = [(0.0, 0.0), *((point.height, point.volume) for point in inner.heightToVolumeMap)]
            return rising(sorted(pairs)), "height to volume map of the definition"
        if self.bottom(name) == "flat":
            return straight_walls(well.area, well.depth), "guessed: straight walls, flat bottom"
        return None, "unknown"


@lru_cache(maxsize=256)
def _profile_of(sections: tuple[Section, ...]) -> Profile:
    return profile_of_sections(sections)


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.name for path in (get_shared_data_root() / "labware" / "definitions" / "2").iterdir()))


def opentrons_names() -> tuple[str, ...]:
    """Load names of the definitions that the ``opentrons_shared_data`` package has."""
    return _names()


@cache
def load_opentrons(name: str, version: int | None = None) -> OpentronsDefinition:
    """The definition with load name ``name``, newest version unless one is asked for.

    Raises:
        UnknownNameError: there is no such definition or version.
    """
    folder = get_shared_data_root() / "labware" / "definitions" / "2" / name
    if name not in _names():
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
    """The pylabrobot resource ``name`` of a definition: a tip rack, a tube rack, a plate or a plain block."""
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
