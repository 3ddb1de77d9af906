"""Liquids, and how a pipette must handle them.

Volumes are µL, flow rates µL/s, lengths mm, times s, concentrations ng/µL.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A plain number, finite and not negative; the unit is said by the field."""
PositiveAmount = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A plain number, finite and greater than 0; the unit is said by the field."""
Name = Annotated[str, Field(min_length=1, max_length=128)]
"""An identifier that a person can read."""

Behaviour = Literal["viscous", "volatile", "foaming"]
"""How a liquid departs from water in a pipette tip."""


SORTED = PlainSerializer(sorted)
"""Writes a set in sorted order, so that equal values have equal JSON and equal hashes."""
Behaviours = Annotated[frozenset[Behaviour], SORTED]
"""A set of behaviours; empty says "like water"."""


class Record(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Liquid(Record):
    """One liquid as it comes to the deck: a reagent, a diluent, one sample.

    Attributes:
        sample: the sample id it is, where it is one.
        lot: the lot or batch on the bottle.
        behaviours: how it departs from water; an empty set says "like water".
        solutes: mass concentration of each dissolved substance that is followed, ng/µL.
    """

    name: Name
    sample: str | None = None
    lot: str | None = None
    behaviours: Behaviours = frozenset()
    solutes: dict[Name, Amount] = {}


class LiquidClass(Record):
    """How to pipette a kind of liquid with a kind of tip: data on every aspirate and dispense.

    Attributes:
        suits: the behaviours this class is made for.
        aspirate_flow_rate: µL/s.
        dispense_flow_rate: µL/s.
        correction: (wanted, piston) pairs, µL, rising: the piston's stroke that moves the wanted volume,
            linear between the pairs; empty where the device corrects by itself.
        transport_air: µL of air drawn after the liquid for the way, let out before the next dispense.
        blow_out: µL of air drawn before the first liquid and pushed out after the last of it.
        film: µL that stay on the wall of an emptied tip, also after ``blow_out``; the instruction of that name takes
            them along.
        jet: dispense from above the liquid, without touching it.
        level_detection: find the surface and follow it, ``immersion`` below it.
        immersion: mm below the surface while following it.
        touch_off: touch the wall or the surface to shed the last drop.
        pre_wet: cycles of drawing and returning the volume before the stroke that counts.
        settle: s to wait in the liquid after the stroke.
    """

    name: Name
    suits: Behaviours = frozenset()
    aspirate_flow_rate: PositiveAmount = 100.0
    dispense_flow_rate: PositiveAmount = 120.0
    correction: tuple[tuple[Amount, Amount], ...] = ()
    transport_air: Amount = 0.0
    blow_out: Amount = 0.0
    film: Amount = 0.0
    jet: bool = False
    level_detection: bool = False
    immersion: Amount = 2.0
    touch_off: bool = False
    pre_wet: Annotated[int, Field(ge=0, le=20)] = 0
    settle: Amount = 0.0

    @model_validator(mode="after")
    def _correction_rises(self) -> Self:
        wanted = [pair[0] for pair in self.correction]
        if wanted != sorted(set(wanted)):
            raise ValueError("correction: the wanted volumes must rise from pair to pair")
        return self

    def piston_volume(self, volume: float) -> float:
        """The piston's stroke, µL, that moves ``volume`` µL of liquid."""
        if not self.correction:
            return volume
        points = ((0.0, 0.0), *self.correction) if self.correction[0][0] > 0 else self.correction
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            if volume <= x1:
                return y0 + (volume - x0) * (y1 - y0) / (x1 - x0)
        x, y = points[-1]
        return volume * y / x if x else volume
