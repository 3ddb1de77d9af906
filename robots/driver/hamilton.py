"""Liquid classes for a Hamilton STAR: ours turned into Hamilton's own, and into its backend's arguments.

A class without a correction curve gets Hamilton's for the liquid, tip and way of dispensing, from the classes
that pylabrobot carries; flow rates, air and times are ours in either case.
"""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from pylabrobot.liquid_handling.backends.hamilton.STAR_backend import STARBackend
from pylabrobot.liquid_handling.liquid_classes.hamilton import HamiltonLiquidClass, get_star_liquid_class
from pylabrobot.resources import Container, Tip
from pylabrobot.resources.liquid import Liquid

from protocols.liquids import Behaviours, LiquidClass
from protocols.program import PipettingInstruction, TouchTip
from protocols.specs import WorkcellSpec
from robots.driver.dialects import Plain
from robots.driver.stroke import Stroke
from robots.simulator.translation import is_core_head

TOUCH_OFF_CLEARANCE = 0.5
"""mm that the tip's axis stays away from the wall while it touches off."""
MOST_TOUCH_OFF = 4.5
"""mm, the firmware's largest side touch-off."""

_LLD = STARBackend.LLDMode


class Star(Plain):
    """The arguments of pylabrobot's STAR backend; ``gripper`` moves the labware."""

    def __init__(self, gripper: Literal["iswap", "core"]) -> None:
        self._gripper = gripper

    def aspirate(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """See :class:`~robots.driver.dialects.Dialect`."""
        own, count = stroke.liquid_class, len(stroke.channels)
        quiet = stroke.air or not any(stroke.volumes)  # air gaps and mixes carry no transport air
        classes = [hamilton_class(own, tip, head=head, carries=not quiet) for tip in stroke.tips]
        detect = own.level_detection and not stroke.air
        transport = 0.0 if quiet else own.transport_air
        if head:
            return {
                "hlc": classes[0],
                "jet": own.jet,
                "blow_out": own.blow_out > 0,
                "use_lld": detect,
                "immersion_depth": own.immersion if detect else 0.0,
                "transport_air_volume": transport,
                "pre_wetting_volume": 0.0,
                "settling_time": own.settle,
                "disable_volume_correction": stroke.air,
            }
        return {
            "hamilton_liquid_classes": classes,
            "jet": [own.jet] * count,
            "blow_out": [own.blow_out > 0] * count,
            "lld_mode": [_LLD.GAMMA if detect else _LLD.OFF] * count,
            "immersion_depth": [own.immersion if detect else 0.0] * count,
            "surface_following_distance": self._following(stroke, -1.0) if detect else [0.0] * count,
            "transport_air_volume": [transport] * count,
            "settling_time": [own.settle] * count,
            "disable_volume_correction": [stroke.air] * count,
        }

    def dispense(self, stroke: Stroke, *, head: bool) -> dict[str, Any]:
        """See :class:`~robots.driver.dialects.Dialect`."""
        own, count = stroke.liquid_class, len(stroke.channels)
        if stroke.sort != "plain":
            return self._beyond_strokes(stroke, head)
        empties = [empties_tip(stroke, index) for index in range(count)]
        classes = [
            hamilton_class(own, tip, head=head, blow_out=own.blow_out if empties[index] else 0.0)
            for index, tip in enumerate(stroke.tips)
        ]
        filled = all(well.tracker.volume > 0 for well in stroke.wells)
        detect = own.level_detection and not own.jet and filled  # there is no surface to find in an empty well
        if head:
            return {
                "hlc": classes[0],
                "jet": own.jet,
                "blow_out": all(empties),
                "use_lld": detect,
                "immersion_depth": own.immersion if detect else 0.0,
                "transport_air_volume": own.transport_air,
                "settling_time": own.settle,
            }
        return {
            "hamilton_liquid_classes": classes,
            "jet": [own.jet] * count,
            "blow_out": empties,
            "lld_mode": [_LLD.GAMMA if detect else _LLD.OFF] * count,
            "immersion_depth": [own.immersion if detect else 0.0] * count,
            "surface_following_distance": self._following(stroke, 1.0) if detect else [0.0] * count,
            "transport_air_volume": [own.transport_air] * count,
            "settling_time": [own.settle] * count,
            "side_touch_off_distance": self._touch_off(stroke) if own.touch_off else 0.0,
        }

    def _beyond_strokes(self, stroke: Stroke, head: bool) -> dict[str, Any]:
        """A blow-out is the firmware's "empty tip" (dispensing mode 4); a dispense of nothing ends at the wall."""
        count = len(stroke.channels)
        quiet = {"jet": [False] * count, "blow_out": [False] * count, "transport_air_volume": [0.0] * count}
        empties = stroke.sort == "blown out"
        if head:
            return {"hlc": None, "jet": False, "blow_out": False, "empty": empties, "transport_air_volume": 0.0}
        return {
            **quiet,
            "lld_mode": [_LLD.OFF] * count,
            "empty": [empties] * count,
            "disable_volume_correction": [True] * count,
            "side_touch_off_distance": 0.0 if empties else self._touch_off(stroke),
        }

    def refusal(self, instruction: PipettingInstruction, workcell: WorkcellSpec) -> str:
        """See :class:`~robots.driver.dialects.Dialect`."""
        if isinstance(instruction, TouchTip) and is_core_head(workcell.pipettes[instruction.pipette]):
            return "a CO-RE head has no way to touch the walls of 96 wells"
        return ""

    def grip(self) -> dict[str, Any]:
        """See :class:`~robots.driver.dialects.Dialect`."""
        return {"use_arm": self._gripper}

    def release(self, site: str) -> dict[str, Any]:
        """See :class:`~robots.driver.dialects.Dialect`."""
        return {"use_arm": self._gripper}

    def _following(self, stroke: Stroke, sign: float) -> list[float]:
        """mm by which each surface moves in the stroke; 0 where the geometry is unknown."""
        return [_surface_moves(well, sign * volume) for well, volume in zip(stroke.wells, stroke.volumes, strict=True)]

    def _touch_off(self, stroke: Stroke) -> float:
        narrowest = min(float(well.get_size_x()) for well in stroke.wells)
        return min(max(narrowest / 2 - TOUCH_OFF_CLEARANCE, 0.0), MOST_TOUCH_OFF)


def empties_tip(stroke: Stroke, index: int) -> bool:
    """Whether a dispense blows the tip out: what it leaves beside the film is within the blow-out air."""
    own, column = stroke.liquid_class, stroke.columns[index]
    left = column.column() - stroke.volumes[index] - own.film
    return own.blow_out > 0 and left <= own.blow_out


def hamilton_class(
    own: LiquidClass, tip: Tip, *, head: bool, carries: bool = True, blow_out: float = 0.0
) -> HamiltonLiquidClass:
    """Hamilton's liquid class for ours in ``tip``.

    Args:
        carries: the stroke is drawn with transport air.
        blow_out: µL that a dispense pushes out at its end.
    """
    shipped = _shipped(own, tip, head)
    made = copy(shipped) if shipped is not None else _neutral()
    if own.correction:
        made.curve = {0.0: 0.0, **dict(own.correction)}
    elif shipped is None:
        made.curve = None
    made.aspiration_flow_rate = made.aspiration_mix_flow_rate = own.aspirate_flow_rate
    made.dispense_flow_rate = made.dispense_mix_flow_rate = own.dispense_flow_rate
    made.aspiration_air_transport_volume = own.transport_air if carries else 0.0
    made.dispense_air_transport_volume = own.transport_air
    made.aspiration_blow_out_volume = 0.0  # the driver gives the blow-out air with each stroke that draws it
    made.dispense_blow_out_volume = blow_out
    made.aspiration_settling_time = made.dispense_settling_time = own.settle
    return made


def _shipped(own: LiquidClass, tip: Tip, head: bool) -> HamiltonLiquidClass | None:
    for liquid in (_liquid(own.suits), Liquid.WATER):
        found = get_star_liquid_class(
            tip_volume=tip.maximal_volume,
            is_core=head,
            is_tip=True,
            has_filter=tip.has_filter,
            liquid=liquid,
            jet=own.jet,
            blow_out=own.blow_out > 0,
        )
        if found is not None:
            return found
    return None


def _liquid(suits: Behaviours) -> Liquid:
    """The liquid of Hamilton's whose behaviour is nearest; several behaviours take the slowest."""
    if "viscous" in suits:
        return Liquid.GLYCERIN80
    if "foaming" in suits:
        return Liquid.SERUM
    return Liquid.ETHANOL if "volatile" in suits else Liquid.WATER


def _neutral() -> HamiltonLiquidClass:
    """A class without correction, with the backend's own defaults where Hamilton states nothing."""
    return HamiltonLiquidClass(
        curve={},
        aspiration_flow_rate=100.0,
        aspiration_mix_flow_rate=100.0,
        aspiration_air_transport_volume=0.0,
        aspiration_blow_out_volume=0.0,
        aspiration_swap_speed=100.0,
        aspiration_settling_time=0.0,
        aspiration_over_aspirate_volume=0.0,
        aspiration_clot_retract_height=0.0,
        dispense_flow_rate=120.0,
        dispense_mode=0.0,
        dispense_mix_flow_rate=1.0,
        dispense_air_transport_volume=0.0,
        dispense_blow_out_volume=0.0,
        dispense_swap_speed=10.0,
        dispense_settling_time=0.0,
        dispense_stop_flow_rate=0.0,
        dispense_stop_back_volume=0.0,
    )


def _surface_moves(well: Container, change: float) -> float:
    if not well.supports_compute_height_volume_functions():
        return 0.0
    now = well.tracker.volume
    try:
        before = well.compute_height_from_volume(max(now, 0.0))
        after = well.compute_height_from_volume(max(now + change, 0.0))
    except ValueError:  # beyond what was measured
        return 0.0
    return float(abs(after - before))
