"""Measurements of harm: each gives the size of it, 0 where there is none.

They look at the World's scales, log and clock, at what devices, pylabrobot or its genuine STAR and OT-2 code refuse, or
at raw coordinates. They know nothing of verification.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

from pylabrobot.liquid_handling.channel_positioning import MIN_SPACING_BETWEEN_CHANNELS
from pylabrobot.resources import ResourceHolder

from protocols.fold import apply
from protocols.labstate import LabState
from protocols.outcomes import Outcome
from protocols.program import (
    Aspirate,
    Mix,
    PickUpTips,
    Program,
)
from robots.driver.dialects import Plain
from robots.driver.driver import PyLabRobotDriver
from robots.driver.machines import Machine
from robots.simulator import Noise
from robots.simulator.measure import lost_volume
from robots.workcell import Workcell
from tests.agreement.bench import Bench, Weighing
from tests.agreement.harm import (
    air_drawn,
    failures,
    level,
    overfilled,
    shape_of,
    spilled,
)
from tests.driver.lab import Bench as StarBench
from tests.driver.lab import numbers
from tests.driver.test_ot2_witness import RecordingOpentrons

Measure = Callable[[Program, Workcell], float]


@cache
def told(measure: Callable[[Bench], Any]) -> Measure:
    """Measure after the World was told everything, whatever failed."""

    def measured(wanted: Program, lab: Workcell) -> float:
        return _size(measure, Bench(wanted, lab.spec).tell())

    return named(measured, measure)


@cache
def driven(measure: Callable[[Bench], Any]) -> Measure:
    """Measure after a run through driver, guard and pylabrobot."""

    def measured(wanted: Program, lab: Workcell) -> float:
        return _size(measure, Bench(wanted, lab.spec).drive(lab))

    return named(measured, measure, "driven ")


def named(measured: Measure, after: Callable[..., Any], prefix: str = "") -> Measure:
    measured.__name__ = prefix + after.__name__
    return measured


def _size(measure: Callable[[Bench], Any], bench: Bench) -> float:
    found = measure(bench)
    bench.world.close()
    return found if isinstance(found, float) else max((harm.amount for harm in found), default=0.0)


def lost(bench: Bench) -> float:
    """µL run over, or thrown away with tips."""
    return lost_volume(bench.world.log(), bench.world.state.lost())


def tipless(bench: Bench) -> float:
    """How many pick-ups and strokes left or found their channel without a tip, by the channels' own sensors."""
    told = [act for act in bench.world.log() if act.command["kind"] in ("pick_up_tips", "aspirate", "dispense")]
    bare = [fault for act in told for fault in act.answer["faults"] if fault["channel"] is not None]
    return float(len(bare)) if failures(bench) else 0.0


def in_layer(bench: Bench) -> float:
    """mm by which a tip's end came below the top of what lies at the bottom of its well."""
    tops = {fill.well: fill.settled_height for fill in bench.program.contents if fill.settled}
    deep = [tops[weighed.well] - _end(bench, weighed) for weighed in bench.weighings if weighed.well in tops]
    return max(deep, default=0.0)


def _end(bench: Bench, weighed: Weighing) -> float:
    """Where a tip's end was at the lowest; that of a channel that follows the surface, when that was lowest."""
    made = weighed.instruction
    own = bench.program.liquid_classes[made.liquid_class]
    if not own.level_detection:
        assert made.height is not None
        return made.height
    lowest = min(weighed.well_before, weighed.well_after) - (weighed.asked if isinstance(made, Mix) else 0.0)
    return max(0.0, level(shape_of(bench, weighed.well), lowest) - own.immersion)


def above_rim(wanted: Program, lab: Workcell) -> float:
    """µL that stand above the rim of a well at the start, as the labware's own maximum says."""
    bench = Bench(wanted, lab.spec)
    return max(fill.volume - shape_of(bench, fill.well).max_volume for fill in wanted.contents)


def past_the_rim(bench: Bench) -> float:
    """mm that a tip is above the well whose wall it is to touch, or to draw or dispense in."""
    told = [made for made in bench.program.instructions if getattr(made, "height", None) is not None]
    deep = [(made.height, shape_of(bench, well).depth) for made in told for well in made.wells]
    return max((height - depth for height, depth in deep if depth is not None), default=0.0)


FRAME = 6.0
"""mm that the frame of a standard plate is longer than pylabrobot draws the places for tip racks, rounded up."""


def beyond(wanted: Program, lab: Workcell) -> float:
    """mm, beside :data:`FRAME`, by which labware reaches beyond its place, by pylabrobot's drawing of the carrier."""
    deck = lab.build_deck()
    holders = [held for held in deck.get_all_children() if isinstance(held, ResourceHolder)]
    rooms = {(round(at.x, 1), round(at.y, 1)): held for held in holders if (at := held.get_location_wrt(deck))}
    over = []
    for placed in wanted.labware.values():
        site, (wide, long, _) = lab.spec.sites[placed.site], lab.spec.kinds[placed.kind].size
        room = rooms[round(site.x, 1), round(site.y, 1)]
        over += [wide - room.get_size_x(), long - room.get_size_y()]
    return max(over) - FRAME


def nowhere(wanted: Program, lab: Workcell) -> float:
    """How many pieces of labware of the program stand nowhere, or µL of its liquids that are nowhere, at the start."""
    state = Bench(wanted, lab.spec).world.state
    gone = [name for name in wanted.labware if state.site_of(name) not in lab.spec.sites]
    lacking = [fill.volume - state.composition(fill.well).get(fill.liquid, 0.0) for fill in wanted.contents]
    return max([float(len(gone)), *lacking])


def astray(wanted: Program, lab: Workcell) -> float:
    """mm from where a STAR is sent to draw, to where the program says that its labware stands."""
    star = StarBench(lab, wanted)
    asyncio.run(star.run())
    drawn = star.backend.last("C0AS")
    aspirate = next(made for made in wanted.instructions if isinstance(made, Aspirate))
    labware, _, well = aspirate.wells[0].rpartition("/")
    placed = {**lab.spec.labware, **wanted.labware}[labware]
    site, at = lab.spec.sites[placed.site], lab.spec.kinds[placed.kind].wells[well]
    return math.dist((numbers(drawn, "xp")[0] / 10, numbers(drawn, "yp")[0] / 10), (site.x + at.x, site.y + at.y))


def another_kind(wanted: Program, lab: Workcell) -> float:
    """µL by which tips that a STAR is told of hold more or less than the program says."""
    star = StarBench(lab, wanted)
    asyncio.run(star.run())
    holds = numbers(star.backend.last("C0TT"), "tv")[0] / 10
    rack = next(made for made in wanted.instructions if isinstance(made, PickUpTips)).spots[0].rpartition("/")[0]
    tip = lab.spec.kinds[{**lab.spec.labware, **wanted.labware}[rack].kind].tip
    assert tip is not None
    return abs(holds - tip.capacity)


def overlap(wanted: Program, lab: Workcell) -> float:
    """mm² of the deck that two pieces of labware would both take, from the sites' corners and the labware's sizes."""
    placed = {**wanted.labware, **lab.spec.labware}
    boxes = []
    for labware in placed.values():
        site, (wide, long, _) = lab.spec.sites[labware.site], lab.spec.kinds[labware.kind].size
        boxes.append((site.x, site.x + wide, site.y, site.y + long))
    return max(_shared(one, other) for index, one in enumerate(boxes) for other in boxes[:index])


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    wide = min(one[1], other[1]) - max(one[0], other[0])
    long = min(one[3], other[3]) - max(one[2], other[2])
    return max(0.0, wide) * max(0.0, long)


def squeezed(wanted: Program, lab: Workcell) -> float:
    """mm that channels lack between them, in the tightest of the moves that a STAR is sent.

    The channels of a STAR slide along one arm, channel 0 at the back, each as wide as pylabrobot says. They cannot
    pass each other, and those between two that are used stand between them, too.
    """
    star = StarBench(lab, wanted)
    asyncio.run(star.run())
    lacking = 0.0
    for sent in (sent for sent in star.backend.sent if sent[:4] in ("C0TP", "C0AS", "C0DS")):
        xs, ys, used = (numbers(sent, field) for field in ("xp", "yp", "tm"))
        there = [(x, channel, y / 10) for channel, (x, y, uses) in enumerate(zip(xs, ys, used, strict=True)) if uses]
        for (x, back, y0), (other, front, y1) in pairwise(sorted(there)):
            if x == other:
                lacking = max(lacking, (front - back) * MIN_SPACING_BETWEEN_CHANNELS - (y0 - y1))
    return lacking


def star_refuses(wanted: Program, lab: Workcell) -> float:
    """How many instructions pylabrobot's genuine STAR code refuses."""
    outcomes = asyncio.run(StarBench(lab, wanted).run())
    return float(sum(outcome.status != "done" for outcome in outcomes))


def ot2_refuses(wanted: Program, lab: Workcell) -> float:
    """How many instructions pylabrobot's genuine OT-2 code refuses."""
    state = LabState.start(lab.spec, wanted)
    machine = Machine(RecordingOpentrons(verbose=False), Plain(), answers=False)
    driver = PyLabRobotDriver(lab, wanted, state, "run", machine)

    async def run() -> list[Outcome]:
        await driver.setup()
        outcomes = []
        for instruction in wanted.instructions:
            outcomes.append(await driver.execute(instruction))
            apply(state, wanted, instruction, outcomes[-1])
        return outcomes

    return float(sum(outcome.status != "done" for outcome in asyncio.run(run())))


def overlong(bench: Bench) -> float:
    """s by which the longest wait on the World's clock is longer than the workcell allows."""
    waits = [act.end - act.start for act in bench.world.log() if act.command["kind"] == "wait"]
    return max(waits, default=0.0) - bench.spec.limits.wait


def out_of_turn(bench: Bench) -> float:
    """s by which an instruction began before one that it waits for had ended, on the World's clock; some never end."""
    acts = {act.instruction.partition(":")[2]: act for act in bench.world.log() if act.id.startswith("run:")}
    waiting = [(made.id, other) for made in bench.program.instructions for other in made.after or ()]
    ends = {name: act.end for name, act in acts.items()}
    return max((ends.get(other, math.inf) - acts[name].start for name, other in waiting), default=0.0)


def late(bench: Bench) -> float:
    """s by which an instruction began after its window was over, on the World's clock, or would, waiting for it."""
    acts = {act.instruction.partition(":")[2]: act for act in bench.world.log() if act.id.startswith("run:")}
    windows = [(made.id, made.window) for made in bench.program.instructions if made.window is not None]
    return max(
        (max(acts[name].start, own.earliest or 0.0) - own.latest for name, own in windows if own.latest is not None),
        default=0.0,
    )


def worst_noise(wanted: Program, lab: Workcell) -> float:
    """µL of air drawn, or of room lacking, in the worst of some runs with noise."""
    worst = 0.0
    for seed in range(20):
        bench = Bench(wanted, lab.spec, noise=Noise(), seed=seed).tell()
        found = [*air_drawn(bench), *overfilled(bench), *spilled(bench)]
        worst = max([worst, *(harm.amount for harm in found)])
        bench.world.close()
    return worst
