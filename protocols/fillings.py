"""What stands in each well at the start: fills gathered by well, each looked at once."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.specs import Fill


class Filling:
    """What one well is filled with, all its fills together.

    Attributes:
        amounts: µL of each liquid; none that is 0.
        settled_height: the highest layer at the bottom, mm; ``None`` where nothing lies.
        short: less is declared than a fill needs.
    """

    __slots__ = ("amounts", "settled_height", "short")

    def __init__(self) -> None:
        self.amounts: dict[str, float] = {}
        self.settled_height: float | None = None
        self.short = False

    def settle(self, height: float) -> None:
        """Let a layer lie at the bottom; of several the highest counts."""
        self.settled_height = max(height, self.settled_height or 0.0)


def gathered(contents: Iterable[Fill]) -> dict[str, Filling]:
    """The fillings of wells, by reference."""
    wells: dict[str, Filling] = {}
    filling, last = Filling(), ""
    amounts = filling.amounts
    for fill in contents:
        if fill.well != last:  # the fills of one well mostly follow each other
            last = fill.well
            known = wells.get(last)
            filling = wells[last] = Filling() if known is None else known
            amounts = filling.amounts
        liquid, volume = fill.liquid, fill.volume
        if liquid in amounts:
            amounts[liquid] += volume
        elif volume > 0.0:
            amounts[liquid] = volume
        if fill.settled is not None:
            filling.settle(fill.settled_height)
        if fill.declared is not None and fill.declared < volume:
            filling.short = True
    return wells
