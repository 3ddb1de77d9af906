"""How an instruction's liquid class, height and pipette reach each backend.

pylabrobot's front end carries wells, volumes, flow rates and heights; everything else goes to the backend as
keyword arguments, and each backend has its own.
"""

from __future__ import annotations

from typing import Any, Protocol

from protocols.program import BlowOut, PipettingInstruction, TouchTip
from protocols.specs import WorkcellSpec
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

    def refusal(self, instruction: PipettingInstruction, workcell: WorkcellSpec) -> str:
        """Why the machine cannot carry ``instruction`` out; empty if it can."""
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
        words = self._stroke(stroke, head)
        if stroke.sort in _BEYOND_STROKES:
            del words["liquid_class"]
            words[_BEYOND_STROKES[stroke.sort]] = True
        return words

    def height(self, stroke: Stroke, index: int, *, dispensing: bool) -> float | None:
        """See :class:`Dialect`."""
        return above_rim(stroke, index) if stroke.air else _within(stroke, index, stroke.height, dispensing)

    def refusal(self, instruction: PipettingInstruction, workcell: WorkcellSpec) -> str:
        """See :class:`Dialect`."""
        return ""

    def grip(self) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def release(self, site: str) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {"site": site}

    def _stroke(self, stroke: Stroke, head: bool) -> dict[str, Any]:
        own = {} if head else self.tips(stroke.pipette.id)
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
        if stroke.sort == "touch":
            return max(float(stroke.wells[index].get_size_z()) - BELOW_RIM, 0.0)
        if dispensing and stroke.liquid_class.jet:
            return float(stroke.wells[index].get_size_z())
        return HEIGHT_UNKNOWN

    def refusal(self, instruction: PipettingInstruction, workcell: WorkcellSpec) -> str:
        """See :class:`Dialect`."""
        if isinstance(instruction, BlowOut):
            return "pylabrobot has no way to let this machine blow a tip out"
        if isinstance(instruction, TouchTip):
            return "pylabrobot has no way to let this machine touch a well's wall"
        if workcell.pipettes[instruction.pipette].channels > 1:
            return f"pylabrobot moves single channels of this machine, and '{instruction.pipette}' has more"
        return ""

    def grip(self) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}

    def release(self, site: str) -> dict[str, Any]:
        """See :class:`Dialect`."""
        return {}


_BEYOND_STROKES = {"blown out": "blow_out", "touch": "touch_tip"}
"""What the simulated liquid handler calls a dispense that is no plain stroke."""
BELOW_RIM = 1.0
"""mm below the rim where a wall is touched if the height is unknown: the default of Opentrons' ``touch_tip``."""
ABOVE_RIM = 5.0
"""mm over the rim at which an air gap is drawn."""


def above_rim(stroke: Stroke, index: int) -> float:
    """Where air is drawn over a well, mm above its cavity bottom."""
    return float(stroke.wells[index].get_size_z()) + ABOVE_RIM


def _within(stroke: Stroke, index: int, height: float | None, dispensing: bool) -> float | None:
    """A jet or a blow-out falls from the rim at the highest: channels over unlike wells share one height."""
    falls = stroke.liquid_class.jet or stroke.sort != "plain"
    if height is None or not (dispensing and falls):
        return height
    return min(height, float(stroke.wells[index].get_size_z()))
