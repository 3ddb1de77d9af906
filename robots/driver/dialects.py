"""How an instruction's liquid class, height and pipette reach each backend.

pylabrobot's front end carries wells, volumes, flow rates and heights; everything else goes to the backend as
keyword arguments, and each backend has its own.
"""

from __future__ import annotations

from typing import Any, Protocol

from robots.driver.stroke import HEIGHT_UNKNOWN, Stroke


class Dialect(Protocol):
    """The keyword arguments that a backend takes beyond pylabrobot's own."""

    def tips(self, pipette: str) -> dict[str, Any]:
        """For picking up and dropping tips with single channels."""
        ...

    def aspirate(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """For aspirating, mixing and drawing air; ``head``: with the 96 head."""
        ...

    def dispense(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """For dispensing; ``head``: with the 96 head."""
        ...

    def height(self, stroke: Stroke, index: int, *, dispensing: bool) -> float | None:
        """pylabrobot's ``liquid_height`` of one channel, mm above the cavity bottom."""
        ...

    def grip(self) -> dict[str, Any]:
        """For picking up labware."""
        ...

    def release(self, site: str) -> dict[str, Any]:
        """For putting labware down."""
        ...


class Simulated:
    """The simulated liquid handler takes the instruction's own words."""

    def tips(self, pipette: str) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {"pipette": pipette}

    def aspirate(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {**self._stroke(stroke, head), "air_gap": stroke.air}

    def dispense(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return self._stroke(stroke, head)

    def height(self, stroke: Stroke, index: int, *, dispensing: bool) -> float | None:
        """See :class:`Dialect`."""
        return above_rim(stroke, index) if stroke.air else _within(stroke, index, stroke.height, dispensing)

    def grip(self) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def release(self, site: str) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {"site": site}

    def _stroke(self, stroke: Stroke, head: bool) -> dict[str, Any]:
        own = {} if head else self.tips(stroke.pipette)
        return {**own, "liquid_class": stroke.liquid_class, "height": stroke.height}


class Plain:
    """A backend that takes nothing beyond pylabrobot's own arguments, such as the OT-2's."""

    def tips(self, pipette: str) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def aspirate(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def dispense(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def height(self, stroke: Stroke, index: int, *, dispensing: bool) -> float | None:
        """See :class:`Dialect`; a real tip is never sent to a height that nobody knows."""
        if stroke.air:
            return above_rim(stroke, index)
        if stroke.height is not None:
            return _within(stroke, index, stroke.height, dispensing)
        if dispensing and stroke.liquid_class.jet:
            return float(stroke.wells[index].get_size_z())
        return HEIGHT_UNKNOWN

    def grip(self) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def release(self, site: str) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}


ABOVE_RIM = 5.0
"""mm over the rim at which an air gap is drawn."""


def above_rim(stroke: Stroke, index: int) -> float:
    """Where air is drawn over a well, mm above its cavity bottom."""
    return float(stroke.wells[index].get_size_z()) + ABOVE_RIM


def _within(stroke: Stroke, index: int, height: float | None, dispensing: bool) -> float | None:
    """A jet falls from the rim at the highest: channels over wells of unlike depth share one height."""
    if height is None or not (dispensing and stroke.liquid_class.jet):
        return height
    return min(height, float(stroke.wells[index].get_size_z()))
