"""Acts: what a tip did, in the bench's terms. Volumes µL.

``at`` and ``drawn`` are positions of instructions in their program; ``tip`` numbers the tips in the order in which they
are picked up.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.program import AnyInstruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Liquid went from one well to another.

    Attributes:
        volume: µL.
        part: µL of it in the last stroke.
        at: where it was dispensed; ``drawn``: where it was first drawn.
        channel: the channel it went with.
        air_gap: µL drawn behind it.
        pre_wet: cycles of wetting the tip before it.
        rest: the source may hold less; then what there is moved.
        before, after: mixing in the source and in the destination with the same tip.
        strokes: positions of its aspirates and dispenses.
    """

    source: str
    destination: str
    volume: float
    part: float
    at: int
    drawn: int
    tip: int
    channel: int = 0
    air_gap: float = 0.0
    pre_wet: int = 0
    rest: bool = False
    before: Stirred | None = None
    after: Stirred | None = None
    strokes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stirred:
    """A well was mixed: ``cycles`` times ``volume`` µL."""

    well: str
    volume: float
    cycles: int
    at: int
    tip: int
    channel: int = 0
    strokes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """``volume`` µL were taken out of a well and thrown away; fields as for :class:`Moved`.

    Attributes:
        excess: it was drawn with more that went elsewhere.
    """

    well: str
    volume: float
    at: int
    drawn: int
    tip: int
    channel: int = 0
    air_gap: float = 0.0
    rest: bool = False
    excess: bool = False
    before: Stirred | None = None
    strokes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """An instruction that no pipette carries out, as it stands."""

    instruction: AnyInstruction
    at: int


Act = Moved | Stirred | Discarded | Other
"""One act of any kind."""
