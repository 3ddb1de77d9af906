"""What harm was done, by weighing, assaying and measuring with a ruler: no rule of verification is used.

Each function takes a :class:`~tests.agreement.bench.Bench` whose program was carried out and gives every harm of
one kind, with its size.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from protocols.program import Aspirate, Dispense, Mix
from protocols.specs import WellShape
from robots.simulator.measure import foreign_fraction
from tests.agreement.bench import Bench, Weighing
from tests.agreement.intent import Intent

ROUNDING = 1e-6
"""µL below which scales show nothing."""
TRACE = 1e-6
"""Fraction of a well below which an assay finds nothing (the meaning of instructions neglects it, too)."""


class Harm(NamedTuple):
    """One harm: in which instruction, where, and how much (µL, mm or a fraction of the well)."""

    kind: str
    instruction: str
    place: str
    amount: float


def level(shape: WellShape, volume: float) -> float:
    """mm above the cavity bottom at which ``volume`` µL stand, by the labware's own table."""
    return _interpolated([(v, h) for h, v in shape.profile or ()], volume)


def below(shape: WellShape, height: float) -> float:
    """µL that stand below ``height`` mm, by the labware's own table."""
    return _interpolated(list(shape.profile or ()), height)


def _interpolated(table: list[tuple[float, float]], x: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(table):
        if x <= x1 or (x1, y1) == table[-1]:
            return max(0.0, y0 + (x - x0) * (y1 - y0) / (x1 - x0))
    raise ValueError("the table has no two points")


def shape_of(bench: Bench, reference: str) -> WellShape:
    """The shape of a well on the bench."""
    labware, _, well = reference.rpartition("/")
    placed = {**bench.spec.labware, **bench.program.labware}[labware]
    return bench.spec.kinds[placed.kind].shape(well)


def failures(bench: Bench) -> list[Harm]:
    """Instructions that a device did not do as asked."""
    return [
        Harm("failed", instruction.id, fault.place, 1.0)
        for instruction, outcome in bench.outcomes
        if outcome.status != "done"
        for fault in outcome.faults
    ]


def air_drawn(bench: Bench) -> list[Harm]:
    """Aspirates after which the tip holds less liquid than the piston moved; mixes deeper than the liquid."""
    found = []
    for stroke in bench.weighings:
        missing = _missing(bench, stroke)
        if missing > ROUNDING:
            found.append(Harm("air drawn", stroke.instruction.id, stroke.well, missing))
    return found


def _missing(bench: Bench, stroke: Weighing) -> float:
    if stroke.tip_before is None or stroke.tip_after is None:
        return 0.0
    if isinstance(stroke.instruction, Aspirate):
        return stroke.moved - (stroke.tip_after.liquid - stroke.tip_before.liquid)
    if isinstance(stroke.instruction, Mix):
        shape = shape_of(bench, stroke.well)
        following = bench.program.liquid_classes[stroke.instruction.liquid_class].level_detection
        height = 0.0 if following else stroke.instruction.height or 0.0
        return stroke.asked - max(0.0, stroke.well_before - max(shape.dead_volume or 0.0, below(shape, height)))
    return 0.0


def undelivered(bench: Bench) -> list[Harm]:
    """Dispenses of more than the tip held."""
    return [
        Harm("undelivered", stroke.instruction.id, stroke.well, short)
        for stroke in bench.weighings
        if isinstance(stroke.instruction, Dispense) and stroke.tip_before is not None
        if (short := stroke.asked - stroke.tip_before.liquid - stroke.tip_before.air) > ROUNDING
    ]


def spilled(bench: Bench) -> list[Harm]:
    """Liquid on the deck."""
    lost = sum(bench.world.state.lost().values())
    return [Harm("spilled", "", "deck", lost)] if lost > ROUNDING else []


def overfilled(bench: Bench) -> list[Harm]:
    """Tips that held more than goes into them, after a stroke or in the middle of a mix."""
    found = []
    for stroke in bench.weighings:
        if stroke.tip_after is None or stroke.tip_before is None:
            continue
        most = stroke.tip_after.all + (stroke.asked if isinstance(stroke.instruction, Mix) else 0.0)
        if most > stroke.capacity + ROUNDING:
            found.append(Harm("overfilled", stroke.instruction.id, stroke.well, most - stroke.capacity))
    return found


def foreign(bench: Bench, least: float = TRACE) -> list[Harm]:
    """Wells in which an assay finds more than ``least`` of a liquid that the program did not mean to bring there."""
    intent, found = Intent(bench.program, bench.spec), []
    assays = iter(bench.assays)
    pending = next(assays, None)
    for instruction, _ in bench.outcomes:
        intent.follow(instruction)
        while pending is not None and pending[0] is instruction:
            _, well, composition = pending
            fraction = foreign_fraction(composition, intent.wells[well])
            if fraction > least:
                found.append(Harm("foreign", instruction.id, well, fraction))
            pending = next(assays, None)
    return found


def drowned(bench: Bench) -> list[Harm]:
    """Strokes in which liquid stood higher than the tip is long: the pipette itself got wet."""
    found = []
    for stroke in bench.weighings:
        following = bench.program.liquid_classes[stroke.instruction.liquid_class].level_detection
        height, shape = stroke.instruction.height, shape_of(bench, stroke.well)
        if following or height is None or stroke.tip_before is None:
            continue
        deep = level(shape, max(stroke.well_before, stroke.well_after)) - height - stroke.tip_length
        if deep > ROUNDING:
            found.append(Harm("drowned", stroke.instruction.id, stroke.well, deep))
    return found


EVERY_KIND: tuple[Callable[[Bench], list[Harm]], ...] = (
    failures,
    air_drawn,
    undelivered,
    spilled,
    overfilled,
    foreign,
    drowned,
)


def harms(bench: Bench) -> list[Harm]:
    """Every harm of every kind."""
    return [harm for measure in EVERY_KIND for harm in measure(bench)]
