"""The kinds of labware of a workcell: from a line in its file to a maker of pylabrobot resources and a spec."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pylabrobot.resources
from pydantic import ValidationError
from pylabrobot.resources import Carrier, Coordinate, Lid, Plate, Resource, TipRack, Trough, TubeRack, Well
from pylabrobot.resources.well import CrossSectionType, WellBottomType

from protocols.errors import InputError, UnknownNameError
from protocols.formats import load_document, validate
from protocols.specs import LabwareCategory, LabwareSpec
from protocols.wells import well_name
from robots.workcell.config import (
    FileKind,
    KindConfig,
    ModuleKind,
    OpentronsKind,
    OwnKind,
    PylabrobotKind,
    WellsConfig,
)
from robots.workcell.geometry import (
    CuboidalFrustum,
    Frustum,
    Profile,
    SphericalCap,
    profile_of_sections,
    rising,
    straight_walls,
)
from robots.workcell.labware import FLEX_FITTING, describe
from robots.workcell.modules import offset_on, size_of
from robots.workcell.names import nearest
from robots.workcell.opentrons import build_opentrons, load_opentrons
from robots.workcell.opentrons_definition import OpentronsDefinition

Maker = Callable[[str], Resource]
"""Makes a pylabrobot resource of the name it is given."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of labware: what Labwright knows of it, and what makes pylabrobot's picture of it.

    Attributes:
        load_name: what Opentrons' definitions of other labware call it.
        stands_at: mm above its own underside, the height on which labware stands on it.
        overlaps: by load name of an adapter or model of a module, mm by which it sinks into it.
    """

    spec: LabwareSpec
    make: Maker
    load_name: str = ""
    stands_at: float = 0.0
    overlaps: Mapping[str, float] = field(default_factory=dict)


def read_kind(name: str, config: KindConfig, folder: Path) -> Kind:
    """The kind called ``name``; ``folder`` is where the workcell file stands.

    Raises:
        InputError: there is no such definition, or it cannot be used.
    """
    try:
        return _read_kind(name, config, folder)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"its geometry cannot be used: {place}: {first['msg']}") from None


def _read_kind(name: str, config: KindConfig, folder: Path) -> Kind:
    if isinstance(config, ModuleKind):
        return _module(name, config)
    if isinstance(config, FileKind):
        return _from_file(name, config, folder)
    if isinstance(config, PylabrobotKind):
        return _from_pylabrobot(name, config)
    if isinstance(config, OpentronsKind):
        return _from_opentrons(name, config, load_opentrons(config.opentrons, config.version))
    return _own(name, config)


@cache
def pylabrobot_names(base: type = Resource) -> tuple[str, ...]:
    """pylabrobot's functions that make labware (or what derives from ``base``) from a name alone."""
    wanted = (Plate, TipRack, Trough, TubeRack) if base is Resource else (base,)
    return tuple(sorted(name for name in dir(pylabrobot.resources) if _makes(name, wanted)))


def _makes(name: str, wanted: tuple[type, ...]) -> bool:
    function = getattr(pylabrobot.resources, name)
    if not inspect.isfunction(function) or (function.__doc__ or "").startswith("Deprecated"):
        return False
    annotated = inspect.signature(function).return_annotation
    returned = getattr(pylabrobot.resources, annotated, None) if isinstance(annotated, str) else annotated
    return inspect.isclass(returned) and issubclass(returned, wanted)


def pylabrobot_maker(name: str, base: type = Resource) -> Maker:
    """The pylabrobot function called ``name``.

    Raises:
        UnknownNameError: it has none that makes a ``base`` from a name alone.
    """
    if name not in pylabrobot_names(base):
        what = "carrier" if base is Carrier else "labware"
        raise UnknownNameError(f"pylabrobot has no {what} '{name}'", mend=nearest(name, pylabrobot_names(base)))
    function: Maker = getattr(pylabrobot.resources, name)
    return function


def is_fetched(function: str) -> bool:
    """pylabrobot would fetch this labware's definition from the web."""
    module: str = getattr(getattr(pylabrobot.resources, function, None), "__module__", "")
    return module.startswith("pylabrobot.resources.opentrons")


def _from_pylabrobot(name: str, config: PylabrobotKind) -> Kind:
    function = config.pylabrobot
    if is_fetched(function):
        definition = load_opentrons(function)
        return _from_opentrons(name, OpentronsKind(opentrons=function, **_shared(config)), definition)
    make = pylabrobot_maker(function)
    try:
        sample = make(name)
    except NotImplementedError as error:
        raise InputError(f"pylabrobot's '{function}' cannot be made: {error}", mend="Choose another") from None
    spec = describe(name, sample, source=f"pylabrobot {function}", **_shared(config))
    return Kind(spec, make, stands_at=sample.get_size_z())


def _from_opentrons(name: str, config: OpentronsKind | FileKind, definition: OpentronsDefinition) -> Kind:
    known = _shared(config)
    known["category"] = known["category"] or definition.category
    holds_liquid = definition.category in ("plate", "trough", "tube rack")
    profiles = sorted({definition.profile(well)[1] for well in definition.wells}) if holds_liquid else ()
    geometry = "; " + ", ".join(profiles) if profiles else ""
    load_name = definition.parameters.loadName
    source = f"Opentrons {load_name}/{definition.version}{geometry}"
    known["fits"] = known["fits"] or (FLEX_FITTING if definition.is_flex_tip_rack else None)

    def make(resource_name: str) -> Resource:
        return build_opentrons(definition, resource_name)

    spec = describe(
        name,
        make(name),
        source=_guessed_first(source),
        grip_height=definition.grip_height,
        opentrons=definition.uri,
        **known,
    )
    return Kind(spec, make, load_name, definition.dimensions.zDimension, definition.overlaps)


def _module(name: str, config: ModuleKind) -> Kind:
    x, y, z = size_of(config.module)

    def make(resource_name: str) -> Resource:
        return Resource(name=resource_name, size_x=x, size_y=y, size_z=z, model=config.module, category="adapter")

    source = f"Opentrons {config.module}"
    spec = describe(name, make(name), source=source, category="adapter", opentrons=config.module)
    return Kind(spec, make, config.module, offset_on(config.module, "Flex", "D2").z)


def _guessed_first(source: str) -> str:
    """A guess is said first, as :class:`LabwareSpec` has it."""
    if "guessed: " not in source:
        return source
    return f"guessed: {source.replace('guessed: ', '')}"


def _from_file(name: str, config: FileKind, folder: Path) -> Kind:
    path = folder / config.file
    document = load_document(path)
    if path.suffix.lower() == ".json":
        return _from_opentrons(name, config, validate(document, OpentronsDefinition))
    own = validate(document, OwnKind)
    given = {field: value for field, value in _shared(config).items() if value is not None}
    return _own(name, own.model_copy(update=given))


def _shared(config: Any) -> dict[str, Any]:
    """The fields that every definition has."""
    return {field: getattr(config, field) for field in ("dead_volume", "min_volume", "fits", "category")}


def _own(name: str, config: OwnKind) -> Kind:
    profile, guess = _own_profile(config.wells, name)
    wells = config.wells
    opening = _opening(wells, name)
    category: LabwareCategory = config.category or "plate"

    def make(resource_name: str) -> Resource:
        items: dict[str, Well] = {}
        for column in range(wells.columns):
            for row in range(wells.rows):
                well = Well(
                    name=well_name(row, column),
                    size_x=opening[0],
                    size_y=opening[1],
                    size_z=wells.depth,
                    material_z_thickness=0.0,
                    max_volume=wells.max_volume,
                    bottom_type=WellBottomType.UNKNOWN,
                    cross_section_type=(
                        CrossSectionType.RECTANGLE if wells.diameter is None else CrossSectionType.CIRCLE
                    ),
                    height_volume_data=dict(profile) if profile else None,
                )
                x = wells.first[0] + column * wells.pitch[0]
                y = wells.first[1] - row * wells.pitch[1]
                well.location = Coordinate(x - opening[0] / 2, y - opening[1] / 2, wells.floor)
                items[well_name(row, column)] = well
        size_x, size_y, size_z = config.size
        return Plate(name=resource_name, size_x=size_x, size_y=size_y, size_z=size_z, ordered_items=items, model=name)

    source = f"{guess}{config.source or 'described in the workcell file'}"
    known = {**_shared(config), "category": category}
    return Kind(describe(name, make(name), source=source, **known), make)


def _opening(wells: WellsConfig, kind: str) -> tuple[float, float]:
    if wells.diameter is not None:
        return wells.diameter, wells.diameter
    if wells.width is None or wells.length is None:
        raise InputError(f"the wells of '{kind}' have no size", mend="Give 'diameter', or 'width' and 'length'")
    return wells.width, wells.length


def _own_profile(wells: WellsConfig, kind: str) -> tuple[Profile | None, str]:
    """The wells' profile, and "guessed: …" where their shape was given only in words."""
    if wells.measured:
        try:
            return rising([(0.0, 0.0), *sorted(wells.measured)]), ""
        except ValueError:
            raise InputError(f"'measured' of '{kind}': heights and volumes must rise") from None
    if wells.bottom is None:
        return None, ""
    return _plain_profile(wells, kind), "guessed: straight walls; "


def _plain_profile(wells: WellsConfig, kind: str) -> Profile:
    x, y = _opening(wells, kind)
    area = x * y if wells.diameter is None else math.pi * x**2 / 4
    if wells.bottom == "flat":
        return straight_walls(area, wells.depth)
    low = wells.cone_height if wells.bottom == "cone" else x / 2
    if low is None or not 0 < low < wells.depth or (wells.diameter is None and wells.bottom == "round"):
        raise InputError(
            f"the {wells.bottom} bottom of '{kind}' does not fit its wells",
            mend="A cone needs a 'cone_height' below 'depth', a round bottom a round well deeper than its radius",
        )
    top = wells.depth
    bottom: Frustum | CuboidalFrustum | SphericalCap
    walls: Frustum | CuboidalFrustum
    if wells.diameter is None:
        sides = {"topXDimension": x, "topYDimension": y}
        bottom = CuboidalFrustum(
            shape="cuboidal", bottomHeight=0, topHeight=low, bottomXDimension=0, bottomYDimension=0, **sides
        )
        walls = CuboidalFrustum(
            shape="cuboidal", bottomHeight=low, topHeight=top, bottomXDimension=x, bottomYDimension=y, **sides
        )
    else:
        walls = Frustum(shape="conical", bottomHeight=low, topHeight=top, bottomDiameter=x, topDiameter=x)
        bottom = (
            SphericalCap(shape="spherical", bottomHeight=0, topHeight=low, radiusOfCurvature=x / 2)
            if wells.bottom == "round"
            else Frustum(shape="conical", bottomHeight=0, topHeight=low, bottomDiameter=0, topDiameter=x)
        )
    return profile_of_sections((bottom, walls))


def make_lid(plate: Plate) -> Lid:
    """A lid for ``plate``: its footprint, 8 mm high, 6 mm of it over the plate, as plate lids commonly are."""
    return Lid(
        name=f"{plate.name}_lid",
        size_x=plate.get_size_x(),
        size_y=plate.get_size_y(),
        size_z=8.0,
        nesting_z_height=6.0,
    )
