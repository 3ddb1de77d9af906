"""Opentrons' labware definitions, as far as they are used here.

Schema 2 measures from the labware's front left bottom corner; schema 3 from the back left bottom corner of the
slot's footprint, y towards the front being negative. Both are one model here, which measures as schema 2 does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from protocols.liquids import Amount, Name, PositiveAmount
from protocols.specs import LabwareCategory
from protocols.wells import well_name, well_position
from robots.workcell.geometry import Profile, Section, profile_of_sections, rising, straight_walls

_CATEGORIES: dict[str, LabwareCategory] = {
    "wellPlate": "plate",
    "reservoir": "trough",
    "tubeRack": "tube rack",
    "tipRack": "tip rack",
    "lid": "lid",
    "trash": "trash",
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Metadata(_Part):
    displayName: str
    displayCategory: str


class _Parameters(_Part):
    loadName: Name
    isTiprack: bool = False
    quirks: tuple[str, ...] = ()
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
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=100)]


class _HeightVolume(_Part):
    height: Amount
    volume: Amount


class _MeasuredVolumes(_Part):
    heightToVolumeMap: Annotated[tuple[_HeightVolume, ...], Field(min_length=2, max_length=10_000)]


class _GroupMetadata(_Part):
    wellBottomShape: Literal["flat", "u", "v"] | None = None


class _Group(_Part):
    wells: tuple[str, ...]
    metadata: _GroupMetadata = _GroupMetadata()


class _Vector(_Part):
    x: float = 0.0
    y: float = 0.0
    z: float


def _as_second(data: Mapping[str, Any]) -> dict[str, Any]:
    """A definition of schema 3 with its lengths measured and named as in schema 2.

    Raises:
        ValueError: its ``extents`` or the place of a well cannot be read.
    """
    try:
        total = data["extents"]["total"]
        back, front = total["backLeftBottom"], total["frontRightTop"]
        size = {f"{axis}Dimension": abs(front[axis] - back[axis]) for axis in "xyz"}
        wells = {
            name: {**well, "x": well["x"] - back["x"], "y": well["y"] - front["y"], "z": well["z"] - back["z"]}
            for name, well in data["wells"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"schema 3: 'extents' or the place of a well cannot be read ({error})") from None
    grip = data.get("gripHeightFromLabwareOrigin")
    return {**data, "dimensions": size, "wells": wells, "gripHeightFromLabwareBottom": grip}


class OpentronsDefinition(_Part):
    """A labware definition of Opentrons' schema 2, as their Labware Creator writes it, or of schema 3."""

    schemaVersion: Literal[2, 3]
    namespace: Name = "custom_beta"
    version: int = 1
    metadata: _Metadata
    parameters: _Parameters
    dimensions: _Dimensions
    ordering: tuple[tuple[str, ...], ...]
    wells: dict[str, OpentronsWell]
    groups: tuple[_Group, ...] = ()
    innerLabwareGeometry: dict[str, _Sections | _MeasuredVolumes] | None = None
    gripHeightFromLabwareBottom: Amount | None = None
    allowedRoles: tuple[str, ...] = ()
    stackingOffsetWithLabware: dict[str, _Vector] = {}
    stackingOffsetWithModule: dict[str, _Vector] = {}

    @model_validator(mode="before")
    @classmethod
    def _one_measure(cls, data: Any) -> Any:
        third = isinstance(data, Mapping) and data.get("schemaVersion") == 3
        return _as_second(data) if third else data

    @model_validator(mode="after")
    def _ordering_holds(self) -> Self:
        ordered = [well for column in self.ordering for well in column]
        if sorted(ordered) != sorted(self.wells):
            raise ValueError("ordering: it must name each of the wells once")
        if self.category in ("plate", "trough", "tube rack"):
            for name, well in self.wells.items():
                if well.depth <= 0 or well.totalLiquidVolume <= 0:
                    raise ValueError(f"wells.{name}: depth and totalLiquidVolume must be greater than 0")
            for name in self.wells:
                self.profile(name)
        for name in self.wells:
            if well_name(*well_position(name)) != name:
                raise ValueError(f"wells.{name}: a well is called by its row and column, as A1")
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
        """Its category here; a block or an adapter that comes with its tubes or its plate is what it holds."""
        shown = self.metadata.displayCategory
        if self.parameters.isTiprack:
            return "tip rack"
        if shown in _CATEGORIES and "adapter" not in self.allowedRoles:
            return _CATEGORIES[shown]
        if "adapter" in self.allowedRoles or not any(well.totalLiquidVolume > 0 for well in self.wells.values()):
            return "lid" if "lid" in self.allowedRoles else "adapter"
        return "plate" if "plate" in self.parameters.loadName else "tube rack"

    @property
    def is_flex_tip_rack(self) -> bool:
        """Its tips fit Flex pipettes: Opentrons says so nowhere but in its name."""
        return self.parameters.isTiprack and "flex" in self.parameters.loadName.lower().split("_")

    @property
    def grip_height(self) -> float | None:
        """mm above its underside at which a gripper holds it; ``None`` where it is not said or cannot be gripped."""
        return None if "gripperIncompatible" in self.parameters.quirks else self.gripHeightFromLabwareBottom

    @property
    def overlaps(self) -> dict[str, float]:
        """mm by which it sinks into an adapter or a module, by load name or model."""
        stacked = {**self.stackingOffsetWithLabware, **self.stackingOffsetWithModule}
        return {name: offset.z for name, offset in stacked.items()}

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
