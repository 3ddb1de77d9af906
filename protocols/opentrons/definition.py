"""Opentrons' labware definitions, as far as the meaning of commands depends on them. Lengths mm."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pydantic import ConfigDict, ValidationError

from protocols.errors import InputError
from protocols.opentrons.parts import Finite, Identity, Measure, Part

WITHIN = 0.6
"""mm by which a nozzle may stand off a well's edge and be over it: what :mod:`protocols.verify.reach` lets pass."""


class WellPart(Part):
    """A well or a tip spot: its centre, mm from the labware's front left corner; z of its bottom."""

    x: Finite
    y: Finite
    z: Finite = 0.0
    depth: Measure
    totalLiquidVolume: Measure = 0.0
    shape: Literal["circular", "rectangular"] = "rectangular"
    diameter: Measure | None = None
    xDimension: Measure | None = None
    yDimension: Measure | None = None

    @property
    def half(self) -> tuple[float, float]:
        """Half of the rim's width in x and y."""
        if self.diameter is not None and self.shape == "circular":
            return self.diameter / 2, self.diameter / 2
        return (self.xDimension or 0.0) / 2, (self.yDimension or 0.0) / 2


class ParametersPart(Part):
    """What a definition says of its use."""

    loadName: Identity
    isTiprack: bool = False
    quirks: tuple[str, ...] | None = None


class MetadataPart(Part):
    """What a definition says of what it is."""

    displayCategory: str = ""
    displayName: str = ""


class Definition(Part):
    """A labware definition."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, ignored_types=(cached_property,))

    namespace: str = "opentrons"
    version: int = 1
    parameters: ParametersPart
    metadata: MetadataPart = MetadataPart()
    ordering: tuple[tuple[str, ...], ...] = ()
    wells: dict[str, WellPart]
    allowedRoles: tuple[str, ...] | None = None

    @property
    def is_adapter(self) -> bool:
        """Whether other labware stands in it and it holds no liquid itself."""
        if any(well.totalLiquidVolume > 0 for well in self.wells.values()):
            return False
        category = self.metadata.displayCategory
        return "adapter" in (self.allowedRoles or ()) or category in ("adapter", "aluminumBlock")

    @property
    def is_lid(self) -> bool:
        """Whether it covers other labware."""
        return "lid" in (self.allowedRoles or ()) or self.metadata.displayCategory == "lid"

    @property
    def is_trash(self) -> bool:
        """Whether it is the robot's trash."""
        return self.metadata.displayCategory == "trash" or "fixedTrash" in (self.parameters.quirks or ())

    @cached_property
    def centres(self) -> tuple[bool, bool]:
        """Whether a pipette's nozzles are centred on a well, in x and in y, as Opentrons' motion planning does.

        That is so in wells that span the labware: in y where there is one well in a column, in both where one well (or
        a fine grid of them) is all there is.
        """
        if "centerMultichannelOnWells" not in (self.parameters.quirks or ()):
            return False, False
        both = len(self.wells) == 1 or len(self.wells) >= 96
        return both, True

    def well_at(self, x: float, y: float, first: str) -> str | None:
        """The well whose opening is over a point, ``first`` looked at first; ``None`` if there is none."""
        if _over(self.wells[first], x, y):
            return first
        return next((name for name, well in self.wells.items() if _over(well, x, y)), None)


def _over(well: WellPart, x: float, y: float) -> bool:
    half_x, half_y = well.half
    off_x, off_y = abs(x - well.x), abs(y - well.y)
    if well.shape == "circular":
        return bool((off_x**2 + off_y**2) ** 0.5 <= half_x + WITHIN)
    return off_x <= half_x + WITHIN and off_y <= half_y + WITHIN


def read_definition(raw: Any, index: int) -> Definition | None:
    """The definition that ``raw`` is; ``None`` where there is none. ``index`` is that of the command it stands in.

    Raises:
        InputError: it cannot be used.
    """
    if not isinstance(raw, dict):
        return None
    try:
        return Definition.model_validate(raw)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        field = ".".join(str(step) for step in detail["loc"])
        raise InputError(
            f"the labware definition cannot be used: {field}: {detail['msg'].lower()}", where=f"commands.{index}"
        ) from None
