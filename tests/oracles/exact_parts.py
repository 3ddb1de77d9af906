"""What the exact oracle is made of: mixtures, tips and wells in fractions, and the few laws of each.

Written from docs/explanations/semantics.md alone; no code is shared with LabState. Volumes µL, heights mm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from protocols.specs import TipSpec, WellShape

Amounts = dict[str, Fraction]
"""µL of each liquid."""

NOTHING = Fraction(1, 10**9)
"""What is not more than this, µL or mm, counts as nothing."""
ONE_IN_A_MILLION = Fraction(1, 10**6)


class ExactEffect(NamedTuple):
    """One effect, as in ``protocols.effects``, with an exact amount."""

    kind: str
    place: str
    channel: int | None = None
    amount: Fraction = Fraction(0)
    liquids: tuple[str, ...] = ()


@dataclass
class Segment:
    """A piece of a tip's column: liquid, or air where ``liquid`` is ``None``."""

    liquid: Amounts | None
    air: Fraction = Fraction(0)

    @property
    def volume(self) -> Fraction:
        return self.air if self.liquid is None else total(self.liquid)


@dataclass
class Tip:
    """A tip; the last segment of ``column`` is at the orifice."""

    spec: TipSpec
    column: list[Segment] = field(default_factory=list)
    transport_air: Fraction = Fraction(0)
    blow_out: Fraction = Fraction(0)
    wet: Amounts | None = None
    film: Fraction = Fraction(0)
    given: frozenset[str] = frozenset()
    dispensed: bool = False

    def liquid(self) -> Amounts:
        """All liquid of the column."""
        amounts: Amounts = {}
        for segment in self.column:
            pour(amounts, segment.liquid or {})
        return amounts

    def orifice(self) -> Amounts:
        """The liquid of the segment at the orifice (the dictionary itself), empty if that is air."""
        return (self.column[-1].liquid or {}) if self.column else {}

    def overfill(self, extra: Fraction = Fraction(0)) -> Fraction:
        """How much less room there is than none."""
        held = sum((segment.volume for segment in self.column), extra)
        return held + self.transport_air + self.blow_out - Fraction(self.spec.capacity)

    def air(self) -> Fraction:
        """All air segments of the column."""
        return sum((segment.air for segment in self.column), Fraction(0))

    def draw(self, liquid: Amounts) -> None:
        """Draw liquid: it mixes with the orifice segment if that is liquid."""
        self.column.append(Segment(liquid))
        self._join()
        self.pass_by(self.orifice())

    def draw_air(self, volume: Fraction) -> None:
        """Draw air, to the orifice."""
        self.column.append(Segment(None, volume))
        self._join()

    def push(self, volume: Fraction, film: Fraction) -> list[Amounts]:
        """Push ``volume`` out, from the orifice on; what is delivered of each segment. The ``film`` farthest stays."""
        delivered: list[Amounts] = []
        spare = max(total(self.liquid()) - film, Fraction(0))
        for segment in reversed(self.column):
            if segment.liquid is None:
                leaving = min(volume, segment.air)
                segment.air -= leaving
            else:
                leaving = min(volume, segment.volume, spare)
                spare -= leaving
                liquid = take(segment.liquid, leaving)
                self.pass_by(liquid)
                delivered.append(liquid)
            volume -= leaving
        self._join()
        self.pass_by(self.orifice())
        return delivered

    def vent(self) -> None:
        """Let all air out."""
        self.column = [segment for segment in self.column if segment.liquid is not None]
        self.transport_air = self.blow_out = Fraction(0)
        self._join()
        self.pass_by(self.orifice())

    def pass_by(self, liquid: Amounts) -> None:
        """Be wet with what passes the orifice or stands at it, if that is anything."""
        if liquid:
            self.wet = dict(liquid)

    def _join(self) -> None:
        joined: list[Segment] = []
        for segment in self.column:
            if not segment.volume:
                continue
            if joined and (joined[-1].liquid is None) == (segment.liquid is None):
                joined[-1].air += segment.air
                pour(joined[-1].liquid if joined[-1].liquid is not None else {}, segment.liquid or {})
            else:
                joined.append(segment)
        self.column = joined


@dataclass
class Well:
    """A well and what it holds."""

    shape: WellShape
    is_trash: bool
    holds: Amounts = field(default_factory=dict)
    settled_height: Fraction | None = None

    def below(self, height: Fraction) -> Fraction | None:
        """µL below ``height``; ``None`` without a profile."""
        return None if self.shape.profile is None else along(self.shape.profile, height, 0)

    def surface(self, less: Fraction = Fraction(0)) -> Fraction | None:
        """Height of the surface when ``less`` is drawn; ``None`` without a profile."""
        return None if self.shape.profile is None else along(self.shape.profile, total(self.holds) - less, 1)


class Use(NamedTuple):
    """One channel of an aspirate, dispense or mix that can act."""

    channel: int
    tip: Tip
    place: str
    well: Well
    volume: Fraction


def total(amounts: Amounts) -> Fraction:
    return sum(amounts.values(), Fraction(0))


def pour(into: Amounts, amounts: Amounts) -> None:
    for liquid, volume in amounts.items():
        into[liquid] = into.get(liquid, Fraction(0)) + volume


def portion(mixture: Amounts, volume: Fraction) -> Amounts:
    """What ``volume`` of a mixture consists of."""
    whole = total(mixture)
    return {name: held * volume / whole for name, held in mixture.items()} if whole and volume else {}


def remove(amounts: Amounts, part: Amounts) -> None:
    for name, volume in part.items():
        amounts[name] -= volume
        if not amounts[name]:
            del amounts[name]


def take(amounts: Amounts, volume: Fraction) -> Amounts:
    """Take ``volume`` of the mixture out of ``amounts``."""
    taken = portion(amounts, volume)
    remove(amounts, taken)
    return taken


def along(profile: tuple[tuple[float, float], ...], x: Fraction, known: int) -> Fraction:
    """Read a (height, volume) profile from its column ``known`` to the other one; its last line goes on."""
    if x <= 0:
        return Fraction(0)
    points = [(Fraction(point[known]), Fraction(point[1 - known])) for point in profile]
    lines = list(pairwise(points))
    (x0, y0), (x1, y1) = next((line for line in lines if x <= line[1][0]), lines[-1])
    return y0 + (x - x0) * (y1 - y0) / (x1 - x0)


def named(amounts: Amounts) -> frozenset[str]:
    """The liquids that a composition holds: each is more than one part in a million of it."""
    least = total(amounts) * ONE_IN_A_MILLION
    return frozenset(name for name, held in amounts.items() if held > least)


def foreign(incoming: Amounts, present: Amounts) -> tuple[str, ...]:
    """Liquids that ``incoming`` holds and ``present`` does not."""
    return tuple(sorted(named(incoming) - named(present)))
