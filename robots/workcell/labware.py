"""What a piece of labware is to Labwright, read off the pylabrobot resource that stands for it."""

from __future__ import annotations

from typing import Any

from pylabrobot.resources import (
    Container,
    Plate,
    Resource,
    ResourceHolder,
    TipRack,
    TipSpot,
    Trash,
    Trough,
    TubeRack,
)
from pylabrobot.resources.hamilton import HamiltonTip, TipSize
from pylabrobot.resources.tip import Tip

from protocols.errors import InputError
from protocols.specs import LabwareCategory, LabwareSpec, TipSpec, WellShape, WellSite
from protocols.wells import well_name, well_position
from robots.workcell.geometry import Profile, rising, sample_profile

HAMILTON_MINIMUM = {10.0: 0.5, 50.0: 1.0, 300.0: 10.0, 1000.0: 20.0, 4000.0: 400.0, 5000.0: 500.0}
"""µL, the least volume of a Hamilton CO-RE tip by its nominal volume, µL: for the tips of 10 to 1000 µL the lowest
volume that VENUS' surface (10, 50 and 300 µL tips) or jet (1000 µL) water class has a measured correction for
(pylabrobot.liquid_handling.liquid_classes.hamilton.star); for 4 and 5 mL tips a tenth of the nominal volume."""

_HAMILTON_FITTING = {TipSize.CORE_384_HEAD_TIP: "Hamilton CO-RE 384", TipSize.XL: "Hamilton CO-RE XL"}

OPENTRONS_FITTINGS = (
    (20.0, "OT-2 P20", 1.0),
    (300.0, "OT-2 P300", 5.0),
    (1000.0, "OT-2 P1000", 100.0),
)
"""Largest tip (µL), fitting and least volume (µL) of the OT-2's pipettes that take the tips up to that size:
``pipetteNameSpecs.json`` of opentrons_shared_data, ``minVolume`` and ``defaultTipracks``. The P50 takes the tips of
the P300 and moves 5 µL with them."""

FLEX_FITTING = "Opentrons Flex"
"""The fitting of every Flex tip; every Flex pipette takes it."""
FLEX_MINIMUM = ((50.0, 0.5), (200.0, 0.5), (1000.0, 5.0))
"""Largest tip (µL) and least volume (µL) that a Flex pipette moves with it: the pipettes' own definitions in
opentrons_shared_data, ``supportedTips`` and ``minVolume`` (the P50's low-volume mode and the 200 µL head reach 0.5)."""


def describe(
    kind: str,
    resource: Resource,
    *,
    source: str,
    category: LabwareCategory | None = None,
    dead_volume: float | None = None,
    min_volume: float | None = None,
    fits: str | None = None,
    grip_height: float | None = None,
    opentrons: str | None = None,
) -> LabwareSpec:
    """The specification of the labware that ``resource`` stands for.

    Args:
        category: in place of the one that the resource's type says.
        dead_volume: µL in each well that no tip reaches; ``None`` if unknown.
        min_volume: µL, the tips' least volume, where no table knows it.
        fits: the tips' fitting, where no table knows it.
        grip_height: mm above its underside at which a gripper holds it; ``None`` if it is not said.
        opentrons: what its Opentrons definition is called, "namespace/load name/version".

    Raises:
        InputError: a tip rack whose least volume or fitting is not known.
    """
    size = tuple(max(extent, 0.1) for extent in (resource.get_size_x(), resource.get_size_y(), resource.get_size_z()))
    common: dict[str, Any] = {
        "kind": kind,
        "size": size,
        "source": source,
        "grip_height": grip_height,
        "opentrons": opentrons,
    }
    if isinstance(resource, TipRack):
        tip = _tip_spec(kind, _first_tip(resource), min_volume, fits)
        return LabwareSpec(category="tip rack", tip=tip, **common, **_grid(_spot_sites(resource)))
    containers = containers_of(resource)
    shapes = {name: _shape(container, dead_volume) for name, container in containers.items()}
    named = {shape: f"well {number}" for number, shape in enumerate(dict.fromkeys(shapes.values()), 1)}
    sites = {name: _site(resource, container, named[shapes[name]]) for name, container in containers.items()}
    wells = {"shapes": {name: shape for shape, name in named.items()}, **_grid(sites)}
    return LabwareSpec(category=category or _category(resource), **common, **wells)


def containers_of(resource: Resource) -> dict[str, Container]:
    """The wells or tubes of a piece of labware by canonical name, down the columns; a trough's only one is "A1"."""
    if isinstance(resource, Trough | Trash):
        return {"A1": resource}
    if isinstance(resource, Plate):
        found = {resource.get_child_identifier(well): well for well in resource.get_all_items()}
    elif isinstance(resource, TubeRack):
        found = {
            resource.get_child_identifier(holder): holder.resource
            for holder in resource.get_all_items()
            if isinstance(holder.resource, Container)
        }
    else:
        return {}
    return {_canonical(name): well for name, well in found.items()}


def spots_of(resource: Resource) -> dict[str, TipSpot]:
    """The tip spots of a rack by canonical name, down the columns; none for anything else."""
    if not isinstance(resource, TipRack):
        return {}
    return {_canonical(resource.get_child_identifier(spot)): spot for spot in resource.get_all_items()}


def reference_of(resource: Resource) -> str:
    """The reference, "labware/A1", of a well, tube, trough, trash or tip spot on a deck.

    Raises:
        ValueError: it is none of these, or part of nothing.
    """
    if isinstance(resource, Trough | Trash):
        return f"{resource.name}/A1"
    holder = resource.parent if isinstance(resource.parent, ResourceHolder) else resource
    rack = holder.parent
    if not isinstance(rack, Plate | TubeRack | TipRack):
        raise ValueError(f"'{resource.name}' is no part of a plate or a rack")
    return f"{rack.name}/{_canonical(rack.get_child_identifier(holder))}"


def _canonical(name: str) -> str:
    return well_name(*well_position(name))


def _category(resource: Resource) -> LabwareCategory:
    if isinstance(resource, TipRack):
        return "tip rack"
    if isinstance(resource, Trough):
        return "trough"
    if isinstance(resource, TubeRack):
        return "tube rack"
    if isinstance(resource, Plate):
        # pylabrobot calls a reservoir of a plate's size a "troughplate"
        return "trough" if "troughplate" in (resource.model or "").lower() else "plate"
    return {"lid": "lid", "trash": "trash"}.get(resource.category or "", "adapter")  # type: ignore[return-value]


def _grid(sites: dict[str, WellSite]) -> dict[str, Any]:
    positions = [well_position(name) for name in sites]
    return {
        "wells": sites,
        "rows": max((row for row, _ in positions), default=-1) + 1,
        "columns": max((column for _, column in positions), default=-1) + 1,
    }


def _first_tip(rack: TipRack) -> Tip:
    return rack.get_all_items()[0].make_tip()


def _spot_sites(rack: TipRack) -> dict[str, WellSite]:
    return {name: _site(rack, spot, "tip") for name, spot in spots_of(rack).items()}


def _site(labware: Resource, inside: Resource, shape: str) -> WellSite:
    """Centre of a well or spot, and the height of its cavity's bottom, from the labware's front left corner."""
    middle = inside.get_anchor("c", "c", "b")
    base = middle if inside is labware else inside.get_location_wrt(labware) + middle
    floor = getattr(inside, "_material_z_thickness", None) or 0.0
    return WellSite(x=round(base.x, 4), y=round(base.y, 4), z=round(base.z + floor, 4), shape=shape)


def _shape(container: Container, dead_volume: float | None) -> WellShape:
    depth = container.get_size_z()
    if isinstance(container, Trough):  # its size is the outside's, a well's is the cavity's
        depth -= container._material_z_thickness or 0.0
    return WellShape(
        max_volume=container.max_volume,
        depth=round(depth, 4) or None,
        dead_volume=dead_volume,
        profile=_profile(container, depth),
        opening=(container.get_size_x(), container.get_size_y()),
    )


def _profile(container: Container, depth: float) -> Profile | None:
    measured = container.height_volume_data
    if measured is not None:
        return rising([(0.0, 0.0), *sorted(measured.items())])
    if container._compute_volume_from_height is None:
        return None
    return sample_profile(container.compute_volume_from_height, depth)


def _tip_spec(kind: str, tip: Tip, min_volume: float | None, fits: str | None) -> TipSpec:
    known_fit, known_minimum = _fitting(tip)
    fits = fits or known_fit
    if fits == FLEX_FITTING:
        known_minimum = next((least for largest, least in FLEX_MINIMUM if tip.maximal_volume <= largest), None)
    minimum = known_minimum if min_volume is None else min_volume
    if fits is None or minimum is None:
        raise InputError(
            f"nothing is known of the tips of '{kind}': their fitting or the least volume they move",
            mend="Give 'fits' and 'min_volume' with the kind",
        )
    return TipSpec(
        kind=kind,
        capacity=tip.maximal_volume,
        min_volume=minimum,
        length=round(tip.total_tip_length - tip.fitting_depth, 4),
        filtered=tip.has_filter,
        fits=fits,
    )


def _fitting(tip: Tip) -> tuple[str | None, float | None]:
    if isinstance(tip, HamiltonTip):
        nominal = float(tip.nominal_volume or tip.maximal_volume)
        return _HAMILTON_FITTING.get(tip.tip_size, "Hamilton CO-RE"), HAMILTON_MINIMUM.get(nominal)
    for largest, fits, minimum in OPENTRONS_FITTINGS:
        if tip.maximal_volume <= largest:
            return fits, minimum
    return None, None
