"""Tips of a head that stand beside the labware while others are in its wells: they move nothing if they are empty."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.labstate import LabState
from protocols.specs import PipetteSpec
from protocols.tips import DUST
from protocols.verify.reach import nozzle


def stand_beside(
    state: LabState, pipette: PipetteSpec, channels: Sequence[int], wells: Sequence[str], others: Sequence[int]
) -> bool:
    """Whether ``others``, empty, come over no well of the labware in which ``channels`` are at ``wells``.

    So an eight-channel pipette at the last row of a plate has seven tips in front of the plate.
    """
    labware, _, first = wells[0].rpartition("/")
    instance = state.labware.get(labware)
    if instance is None or first not in instance.spec.wells or instance.spec.tip is not None:
        return False
    origin, at = instance.spec.wells[first], nozzle(pipette, channels[0])
    for channel in others:
        tip = state.tip_on(pipette.id, channel)
        if tip is not None and tip.liquid() > DUST:
            return False
        column, row = nozzle(pipette, channel)
        x = origin.x + (column - at[0]) * pipette.pitch
        y = origin.y - (row - at[1]) * pipette.pitch
        if any(
            _over(instance.spec.shape(name).opening, x - well.x, y - well.y)
            for name, well in instance.spec.wells.items()
        ):
            return False
    return True


def _over(opening: tuple[float, float] | None, off_x: float, off_y: float) -> bool:
    return opening is None or (abs(off_x) <= opening[0] / 2 and abs(off_y) <= opening[1] / 2)
