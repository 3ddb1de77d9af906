"""The exact oracle's carrying of labware. Written from docs/explanations/semantics.md alone. Lengths mm."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from protocols.program import MoveLabware
from protocols.specs import OFF_DECK
from tests.oracles.exact_parts import ExactEffect

if TYPE_CHECKING:
    from tests.oracles.exact import ExactLab


def carry(lab: ExactLab, step: MoveLabware) -> Iterator[ExactEffect]:
    """Carry labware where it can be, or say why not."""
    reason = _reason(lab, step)
    if reason is not None:
        yield reason
    else:
        lab.sites[step.labware] = step.site


def _reason(lab: ExactLab, step: MoveLabware) -> ExactEffect | None:
    site = lab.workcell.sites.get(step.site)
    if step.labware not in lab.placed:
        return ExactEffect("unknown labware", step.labware)
    if step.site != OFF_DECK and site is None:
        return ExactEffect("unknown site", step.site)
    stands = [name for name, at in lab.sites.items() if site is not None and at == step.site]
    if lab.workcell.robot not in ("OT-2", "Flex"):
        stands = [name for name in stands if name != step.labware]
    if stands:
        return ExactEffect("site occupied", step.site)
    kind, here = lab.workcell.kinds[lab.placed[step.labware].kind], lab.sites[step.labware]
    taken = site is None or kind.category in site.accepts
    ends = [lab.workcell.sites.get(end) for end in (here, step.site)]
    grips = [end is not None and end.gripper for end in ends]
    reached = step.by == "person" or all(grips) or (grips[0] and step.site == OFF_DECK and lab.workcell.chute)
    if not taken or not reached:
        return ExactEffect("site unsuitable", step.site)
    if held := lab.modules.holds(here, step.site):
        return held
    if step.by == "arm" and lab.workcell.robot == "Flex":
        lengths = [
            Fraction(str(tip.spec.length))
            for (pipette, _), tip in lab.channels.items()
            if tip is not None and lab.workcell.pipettes[pipette].channels == 96
        ]
        height = Fraction(str(kind.size[2]))
        grip = height / 2 if kind.grip_height is None else Fraction(str(kind.grip_height))
        lower = Fraction("166.125") + height - grip - 248 + max(lengths, default=Fraction(0))
        if lengths and lower > 0:
            return ExactEffect("tips in the way", step.labware, None, lower)
    return None
