"""Transfers that are too small to be pipetted, and the intermediate dilution that makes each of them possible.

Volumes µL.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from protocols.errors import CompileError
from protocols.liquids import Amount, Name, Record
from protocols.quantities import show_volume

_LISTED = 20


class IntermediateDilution(Record):
    """A transfer below every tip's minimum, and the dilution to make first.

    Mix ``stock_volume`` of the source with ``diluent_volume`` of diluent; then move ``transfer_volume`` of that
    in place of ``volume`` of the source, and give the destination ``transfer_volume - volume`` less diluent.

    Attributes:
        step, row: where the transfer stands; ``row`` of its worklist, or ``None``.
        volume: what was asked.
        minimum: the smallest stroke of ``tip`` on ``pipette``, the finest that there is.
        factor: the smallest whole number that brings the transfer to the minimum.
        stock_volume: at least the minimum, and enough that the dilution, in a well like the source's, leaves the dead
            volume behind.
        fits: the destination, with all that it gets and without taking diluent away, holds the larger transfer;
            ``None`` if nothing is known of it.
        source_suffices: the source holds ``stock_volume`` above its dead volume; ``None`` if its volume is unknown.
    """

    step: Name
    row: str | None = None
    source: Name
    destination: Name
    volume: Amount
    pipette: Name
    tip: Name
    minimum: Amount
    factor: int
    transfer_volume: Amount
    stock_volume: Amount
    diluent_volume: Amount
    fits: bool | None = None
    source_suffices: bool | None = None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        mixed = f"{show_volume(self.stock_volume)} + {show_volume(self.diluent_volume)} diluent"
        said = (
            f"step '{self.step}'{row}: {show_volume(self.volume)} from {self.source} to {self.destination} "
            f"is less than {show_volume(self.minimum)}; dilute it 1 in {self.factor} ({mixed}) "
            f"and move {show_volume(self.transfer_volume)}"
        )
        if self.source_suffices is False:
            said += f"; but {self.source} does not hold {show_volume(self.stock_volume)}"
        if self.fits is False:
            said += (
                f"; only if {self.destination} gets {show_volume(self.transfer_volume - self.volume)} less of others"
            )
        return said


class BelowMinimumError(CompileError):
    """Raised when transfers are smaller than every usable tip moves; ``dilutions`` proposes one for each."""

    def __init__(self, dilutions: Sequence[IntermediateDilution]) -> None:
        self.dilutions = tuple(dilutions)
        count = len(self.dilutions)
        lines = [f"  {dilution}" for dilution in self.dilutions[:_LISTED]]
        if count > _LISTED:
            lines.append(f"  and {count - _LISTED} more")
        transfers = "1 transfer is" if count == 1 else f"{count} transfers are"
        super().__init__(
            f"{transfers} too small for every tip on the deck:\n" + "\n".join(lines),
            mend="\nMake the dilutions proposed, put finer tips on the deck, or leave so little out",
        )


def dilution_factor(volume: float, minimum: float) -> int:
    """The smallest whole number that brings ``volume`` > 0 to at least ``minimum``."""
    factor = max(1, math.ceil(minimum / volume - 1e-9))
    return factor if factor * volume >= minimum - 1e-9 else factor + 1
