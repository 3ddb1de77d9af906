"""The inside of wells: how much liquid stands how high.

A profile is a list of (height mm, volume µL) pairs, both rising, from (0, 0), read as linear between the
pairs. It is sampled more densely where the true curve bends more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from protocols.liquids import Amount, PositiveAmount

Profile = tuple[tuple[float, float], ...]

_RELATIVE_ERROR = 0.005
"""Of the volume, at most, that linear interpolation may be off."""
_ABSOLUTE_ERROR = 0.05
"""µL that linear interpolation may be off in any case."""
_DEEPEST_HALVING = 9


class _Section(BaseModel):
    """A part of a well between two heights, mm above the cavity bottom, repeated ``xCount * yCount`` times.

    Field names are those of Opentrons' labware schema (``innerLabwareGeometry``).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    topHeight: PositiveAmount
    bottomHeight: Amount
    xCount: Annotated[int, Field(ge=1, le=384)] = 1
    yCount: Annotated[int, Field(ge=1, le=384)] = 1

    def area(self, height: float) -> float:
        """Cross-section of one, mm², at ``height`` mm above the section's bottom."""
        raise NotImplementedError

    def volume(self, height: float) -> float:
        """µL below ``height`` mm above the section's bottom, all repetitions together.

        Simpson's rule on the halves of the section: exact for frusta and caps, whose cross-section is a
        polynomial of degree 2 in the height.
        """
        whole = self.topHeight - self.bottomHeight
        h = min(max(height, 0.0), whole)
        steps = 64
        width = h / steps
        areas = [self.area(index * width) for index in range(steps + 1)]
        weighted = areas[0] + areas[-1] + 4 * sum(areas[1:-1:2]) + 2 * sum(areas[2:-1:2])
        return weighted * width / 3 * self.xCount * self.yCount

    def _fraction(self, height: float) -> float:
        return height / (self.topHeight - self.bottomHeight)


class Frustum(_Section):
    """A circular section whose diameter changes linearly."""

    shape: Literal["conical"]
    bottomDiameter: Amount
    topDiameter: Amount

    def area(self, height: float) -> float:
        """mm² at ``height`` mm above the section's bottom."""
        diameter = self.bottomDiameter + (self.topDiameter - self.bottomDiameter) * self._fraction(height)
        return math.pi * diameter**2 / 4


class CuboidalFrustum(_Section):
    """A rectangular section whose sides change linearly."""

    shape: Literal["cuboidal"]
    bottomXDimension: Amount
    bottomYDimension: Amount
    topXDimension: Amount
    topYDimension: Amount

    def area(self, height: float) -> float:
        """mm² at ``height`` mm above the section's bottom."""
        fraction = self._fraction(height)
        x = self.bottomXDimension + (self.topXDimension - self.bottomXDimension) * fraction
        y = self.bottomYDimension + (self.topYDimension - self.bottomYDimension) * fraction
        return x * y


class SphericalCap(_Section):
    """The bottom of a sphere."""

    shape: Literal["spherical"]
    radiusOfCurvature: PositiveAmount

    def area(self, height: float) -> float:
        """mm² at ``height`` mm above the section's bottom: π(2Rh − h²)."""
        return math.pi * max(2 * self.radiusOfCurvature * height - height**2, 0.0)


class SquaredCone(_Section):
    """A cone cut by a cuboid: a circle at one end, a rectangle at the other."""

    shape: Literal["squaredcone"]
    bottomCrossSection: Literal["circular", "rectangular"]
    circleDiameter: PositiveAmount
    rectangleXDimension: PositiveAmount
    rectangleYDimension: PositiveAmount

    def area(self, height: float) -> float:
        """mm² at ``height`` mm above the section's bottom: a circle of growing radius inside the rectangle."""
        fraction = self._fraction(height)
        if self.bottomCrossSection == "rectangular":
            fraction = 1 - fraction
        half_x, half_y = self.rectangleXDimension / 2, self.rectangleYDimension / 2
        corner = math.hypot(half_x, half_y)
        radius = self.circleDiameter / 2 + (corner - self.circleDiameter / 2) * fraction
        over_y = math.sqrt(radius**2 - half_y**2) if half_y < radius else 0.0
        over_x = math.sqrt(radius**2 - half_x**2) if half_x < radius else 0.0
        arcs = math.pi / 2 - math.asin(min(over_y / radius, 1)) - math.asin(min(over_x / radius, 1))
        return 2 * radius**2 * max(arcs, 0.0) + 2 * half_y * over_y + 2 * half_x * over_x


Section = Annotated[Frustum | CuboidalFrustum | SphericalCap | SquaredCone, Field(discriminator="shape")]


def profile_of_sections(sections: Sequence[Frustum | CuboidalFrustum | SphericalCap | SquaredCone]) -> Profile:
    """The profile of a well made of ``sections``, in any order.

    Raises:
        ValueError: the sections leave a gap or overlap, or hold nothing.
    """
    points: list[tuple[float, float]] = [(0.0, 0.0)]
    for section in sorted(sections, key=lambda section: section.bottomHeight):
        height, below = points[-1]
        if abs(section.bottomHeight - height) > 0.01 or section.topHeight <= section.bottomHeight:
            raise ValueError(f"the section from {section.bottomHeight} mm does not join the one below it")
        part = sample_profile(section.volume, section.topHeight - section.bottomHeight)
        points += [(height + h, below + v) for h, v in part[1:]]
    return rising(points)


def sample_profile(volume_below: Callable[[float], float], depth: float) -> Profile:
    """The profile of ``volume_below`` (µL below a height in mm) from 0 to ``depth`` mm.

    Interpolation is off by at most 0.5 % or 0.05 µL, whichever is more.
    """

    def between(low: tuple[float, float], high: tuple[float, float], halvings: int) -> list[tuple[float, float]]:
        middle = (low[0] + high[0]) / 2
        true = volume_below(middle)
        off = abs(true - (low[1] + high[1]) / 2)
        if halvings == 0 or off <= max(_ABSOLUTE_ERROR, _RELATIVE_ERROR * true):
            return [high]
        point = (middle, true)
        return between(low, point, halvings - 1) + between(point, high, halvings - 1)

    bottom = (0.0, 0.0)
    return rising([bottom, *between(bottom, (depth, volume_below(depth)), _DEEPEST_HALVING)])


def rising(points: Sequence[tuple[float, float]]) -> Profile:
    """``points`` rounded to 1 nm and 1 pL, without those that do not rise above the one before.

    Raises:
        ValueError: fewer than two are left.
    """
    kept: list[tuple[float, float]] = []
    for height, volume in points:
        point = (round(height, 6), round(volume, 6))
        if not kept or (point[0] > kept[-1][0] and point[1] > kept[-1][1]):
            kept.append(point)
    if len(kept) < 2:
        raise ValueError("the well holds nothing")
    return tuple(kept)


def straight_walls(area: float, depth: float) -> Profile:
    """The profile of a well with a flat bottom and straight walls: ``area`` mm², ``depth`` mm."""
    return rising([(0.0, 0.0), (depth, area * depth)])
