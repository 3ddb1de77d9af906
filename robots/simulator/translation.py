"""pylabrobot's resources, channels and operations in the World's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pylabrobot.liquid_handling.standard import (
    Mix,
    MultiHeadAspirationContainer,
    MultiHeadAspirationPlate,
    MultiHeadDispenseContainer,
    MultiHeadDispensePlate,
    SingleChannelAspiration,
    SingleChannelDispense,
)
from pylabrobot.resources import ItemizedResource, Resource

from protocols.errors import DeviceError
from protocols.liquids import LiquidClass
from protocols.specs import PipetteSpec, SiteSpec, WorkcellSpec

HEAD_96 = 96
CO_RE = "Hamilton CO-RE"
"""The fitting of Hamilton's channels and heads."""
SITE_TOLERANCE = 15.0
"""mm, in x and in y, between a drop's coordinate and the corner of the site that is meant."""

SingleOperation: TypeAlias = SingleChannelAspiration | SingleChannelDispense
HeadOperation: TypeAlias = (
    MultiHeadAspirationPlate | MultiHeadAspirationContainer | MultiHeadDispensePlate | MultiHeadDispenseContainer
)


@dataclass(frozen=True, slots=True)
class Mixing:
    """How often, and how much (µL) on each channel."""

    cycles: int
    volumes: list[float]


def liquid_handler_of(workcell: WorkcellSpec, device: str | None) -> str:
    """The id of the liquid handler ``device``, or of the only one.

    Raises:
        DeviceError: there is no such device, or several and none is named.
    """
    found = [name for name, spec in workcell.devices.items() if spec.kind == "liquid handler"]
    if device is None and len(found) == 1:
        return found[0]
    if device is None or device not in found:
        known = ", ".join(found) or "none"
        raise DeviceError(f"which liquid handler of '{workcell.name}' is meant? It has: {known}")
    return device


def is_core_head(pipette: PipetteSpec) -> bool:
    """Whether it is a Hamilton CO-RE head, which pylabrobot moves by calls of its own (``aspirate96`` …).

    Those take all 96 channels. An Opentrons pipette of 96 channels also works with a part of them.
    """
    return pipette.channels == HEAD_96 and CO_RE in pipette.fits


def number_channels(pipettes: Sequence[PipetteSpec]) -> list[tuple[str, int]]:
    """The pipette and its own channel behind each of pylabrobot's channel numbers."""
    return [
        (pipette.id, channel)
        for pipette in pipettes
        if not is_core_head(pipette)
        for channel in range(pipette.channels)
    ]


def reference(resource: Resource) -> str:
    """ "labware/A1" of a well, a tube, a trough or a tip spot."""
    item: Resource = resource
    for parent in (resource.parent, resource.parent.parent if resource.parent is not None else None):
        if isinstance(parent, ItemizedResource):
            return f"{parent.name}/{parent.get_child_identifier(item)}"
        if parent is None:
            break
        item = parent
    return f"{resource.name}/A1"


def site_at(workcell: WorkcellSpec, x: float, y: float) -> str:
    """The id of the site whose corner is nearest to a coordinate, mm.

    Raises:
        DeviceError: none is within :data:`SITE_TOLERANCE`.
    """

    def distance(site: SiteSpec) -> float:
        return max(abs(site.x - x), abs(site.y - y))

    nearest = min(workcell.sites.values(), key=distance, default=None)
    if nearest is None or distance(nearest) > SITE_TOLERANCE:
        raise DeviceError(f"no site of the workcell lies at x {x:.1f} mm, y {y:.1f} mm")
    return nearest.id


def class_of(op: SingleOperation | HeadOperation, inwards: bool) -> LiquidClass:
    """A liquid class that says what a bare pylabrobot operation says."""
    values: dict[str, Any] = {"name": "pylabrobot"}
    if op.flow_rate is not None:
        values["aspirate_flow_rate" if inwards else "dispense_flow_rate"] = op.flow_rate
    if op.blow_out_air_volume is not None:
        values["blow_out"] = op.blow_out_air_volume
    return LiquidClass(**values)


def emptying(
    pipette: str, channels: Sequence[int], wells: Sequence[str], height: float | None, flow_rate: float | None
) -> dict[str, Any]:
    """The command for a blow-out at ``flow_rate``, or without one for touching the wells' walls."""
    stroke = {"pipette": pipette, "channels": list(channels), "wells": list(wells), "height": height}
    if flow_rate is None:
        return {**stroke, "kind": "touch_tip"}
    return {**stroke, "kind": "blow_out", "flow_rate": flow_rate}


def common_mix(mixes: Sequence[Mix | None]) -> Mixing | None:
    """The mixing that operations of one act ask for; ``None`` where none does.

    Raises:
        DeviceError: some channels mix and others do not, or another number of times.
    """
    cycles = {mix.repetitions if mix is not None else 0 for mix in mixes}
    if len(cycles) > 1:
        raise DeviceError(
            "the channels of one act mix alike", mend="Mix with some of the channels in a call of its own"
        )
    count = cycles.pop()
    return Mixing(count, [mix.volume for mix in mixes if mix is not None]) if count else None
