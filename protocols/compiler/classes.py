"""Shipped liquid classes: how each kind of liquid is pipetted with each size of tip.

Flow rates, transport air and settling times are those of Hamilton's STAR liquid classes as pylabrobot 0.2.2 carries
them (``pylabrobot/liquid_handling/liquid_classes/hamilton/star.py``): Water for liquids like water, Ethanol for
volatile ones, Glycerin 80 % for viscous ones, Serum for foaming ones; for tips of 10, 50, 300 and 1000 µL. What
Hamilton does not state there is an assumption, and says so beside the number.

Names follow Hamilton's: "jet" lets the liquid fall from above, "surface" touches the liquid; "empty"
blows the last of it out, "part" leaves some in the tip for the next well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from protocols.liquids import Behaviour, Behaviours, LiquidClass
from protocols.specs import TipSpec

LEAST_JET = 5.0
"""µL; a smaller stroke hangs at the tip instead of falling, so it is dispensed onto the surface. Assumption."""

BLOW_OUT = 0.05
"""Blow-out air as a fraction of the tip's capacity. Assumption: Hamilton states 30 to 50 µL for the air-filled
channel above the tip, where a tip here has to make room for it."""

_FILM: dict[Behaviour | None, float] = {None: 0.0005, "volatile": 0.0005, "foaming": 0.002, "viscous": 0.01}
"""What stays on the wall of an emptied tip, as a fraction of its capacity. Assumption."""

_PRE_WET: dict[Behaviour | None, int] = {"volatile": 3}
"""Cycles that fill the air of the tip with vapour, so that the liquid does not drip. Assumption."""

_SETTLE: dict[Behaviour | None, float] = {None: 1.0, "volatile": 0.5, "foaming": 1.0, "viscous": 2.0}
"""s to wait in the liquid after a stroke (Hamilton, the longest of its tip sizes)."""

_JETS: frozenset[Behaviour | None] = frozenset({None, "volatile"})
"""What may fall freely. A viscous liquid strings and a foaming one foams: these touch the surface. Assumption."""


@dataclass(frozen=True, slots=True)
class _Rates:
    """µL/s of aspirate, of jet and of surface dispense (no jet: ``None``), and µL of transport air."""

    aspirate: float
    jet: float | None
    surface: float
    transport_air: float


_RATES: dict[Behaviour | None, dict[int, _Rates]] = {
    None: {
        10: _Rates(100, None, 75, 0),
        50: _Rates(100, 180, 120, 5),
        300: _Rates(100, 180, 120, 5),
        1000: _Rates(250, 400, 120, 5),
    },
    "volatile": {
        10: _Rates(100, None, 75, 2),
        50: _Rates(50, 400, 75, 2),
        300: _Rates(100, 180, 150, 5),
        1000: _Rates(250, 400, 120, 5),
    },
    "foaming": {
        10: _Rates(100, None, 75, 0),
        50: _Rates(100, None, 100, 0),
        300: _Rates(100, None, 75, 5),
        1000: _Rates(250, None, 120, 5),
    },
    "viscous": {
        10: _Rates(50, None, 10, 0),
        50: _Rates(50, None, 50, 0),
        300: _Rates(50, None, 10, 0),
        1000: _Rates(150, None, 120, 0),
    },
}


def _size(tip: TipSpec) -> int:
    """The tip size, µL, whose classes suit ``tip``: the nearest of Hamilton's."""
    for size, largest in ((10, 25.0), (50, 90.0), (300, 500.0)):
        if tip.capacity <= largest:
            return size
    return 1000


def can_jet(behaviours: Behaviours, tip: TipSpec) -> bool:
    """Whether a liquid with these behaviours can fall freely from this tip."""
    kinds: set[Behaviour | None] = set(behaviours) or {None}
    return kinds <= _JETS and all(_RATES[kind][_size(tip)].jet is not None for kind in kinds)


@lru_cache(maxsize=1024)
def liquid_class_for(
    behaviours: Behaviours, tip: TipSpec, *, jet: bool = False, part: bool = False, pre_wet: int = 0
) -> LiquidClass:
    """The shipped class for a liquid with these behaviours in this tip.

    A liquid with several behaviours gets the gentlest of each: the slowest rate, the longest wait, the most film.

    Args:
        jet: dispense from above; where that does not suit liquid or tip, the class is a surface class all the same.
        part: leave liquid in the tip for the next well, so blow nothing out.
        pre_wet: cycles of wetting a fresh tip, beyond what the liquid needs anyway.
    """
    kinds: list[Behaviour | None] = [*sorted(behaviours)] or [None]
    rates = [_RATES[kind][_size(tip)] for kind in kinds]
    falls = jet and can_jet(behaviours, tip)
    wetting = max(pre_wet, *(_PRE_WET.get(kind, 0) for kind in kinds))
    words = [
        " ".join(kind or "water" for kind in kinds),
        f"{tip.capacity:g} µL tip",
        "jet" if falls else "surface",
        "part" if part else "empty",
        *([f"pre-wet {wetting}"] if wetting else []),
    ]
    return LiquidClass(
        name=", ".join(words),
        suits=behaviours,
        aspirate_flow_rate=min(rate.aspirate for rate in rates),
        dispense_flow_rate=min((rate.jet if falls and rate.jet else rate.surface) for rate in rates),
        transport_air=max(rate.transport_air for rate in rates),
        blow_out=0.0 if part or "foaming" in behaviours else round(BLOW_OUT * tip.capacity, 6),
        film=round(max(_FILM[kind] for kind in kinds) * tip.capacity, 6),
        jet=falls,
        pre_wet=wetting,
        settle=max(_SETTLE[kind] for kind in kinds),
    )
