"""What verification rejects as an error really fails or harms: for every error code, a program and a measurement.

A measurement looks at the World's scales, log and clock, at what devices, pylabrobot or its genuine STAR and OT-2 code
refuse, or at raw coordinates. It knows nothing of verification. What nothing can measure stands in ``UNSHOWN``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from protocols.fold import apply
from protocols.instruction import TimeWindow
from protocols.labstate import LabState
from protocols.liquids import LiquidClass
from protocols.outcomes import Outcome
from protocols.program import (
    AirGap,
    AnyInstruction,
    AskPerson,
    Aspirate,
    Dispense,
    DropTips,
    Mix,
    MoveLabware,
    PickUpTips,
    Program,
    Wait,
)
from protocols.specs import Fill, PlacedLabware
from protocols.verify import RULES, verify
from robots.driver.dialects import Plain
from robots.driver.driver import PyLabRobotDriver
from robots.driver.machines import Machine
from robots.simulator import Noise
from robots.simulator.measure import lost_volume
from robots.workcell import Workcell
from tests.agreement.bench import Bench
from tests.agreement.harm import (
    air_drawn,
    drowned,
    failures,
    foreign,
    harms,
    level,
    overfilled,
    shape_of,
    spilled,
    undelivered,
)
from tests.agreement.programs import CLASSES, OT2, ROWS, STARLET, Rig, program, wells, workcell
from tests.driver.lab import Bench as StarBench
from tests.driver.lab import numbers
from tests.driver.test_ot2_witness import RecordingOpentrons

# -- small programs ------------------------------------------------------------------------------------

FULL = {f"a/{row}{column}": 200.0 for column in range(1, 4) for row in ROWS}
HEAD = {"pipette": "head96", "channels": tuple(range(96))}


def pick(*spots: str, name: str = "pick", channels: tuple[int, ...] = (), **fields: Any) -> PickUpTips:
    spots = spots or ("tips_300_1/A1",)
    return PickUpTips(
        id=name, spots=spots, **{"pipette": "channels", "channels": channels or tuple(range(len(spots))), **fields}
    )


def drop(*spots: str, name: str = "drop", channels: tuple[int, ...] = (0,), **fields: Any) -> DropTips:
    return DropTips(id=name, spots=spots or None, **{"pipette": "channels", "channels": channels, **fields})


def stroke(kind: Any, name: str, places: tuple[str, ...], volumes: tuple[float, ...], **fields: Any) -> Any:
    given = {"pipette": "channels", "channels": tuple(range(len(places))), "liquid_class": "bare", "height": 0.5}
    return kind(id=name, wells=places, volumes=volumes, **{**given, **fields})


def draw(well: str = "a/A1", volume: float = 50.0, name: str = "draw", **fields: Any) -> Aspirate:
    made: Aspirate = stroke(Aspirate, name, (well,), (volume,), **fields)
    return made


def push(well: str = "b/B1", volume: float = 50.0, name: str = "push", **fields: Any) -> Dispense:
    made: Dispense = stroke(Dispense, name, (well,), (volume,), **{"height": 5.0, **fields})
    return made


def made(
    *instructions: AnyInstruction,
    fills: Mapping[str, float] = FULL,
    rig: Rig = STARLET,
    classes: Mapping[str, LiquidClass] | None = None,
    labware: Mapping[str, PlacedLabware] | None = None,
    **fields: Any,
) -> Program:
    """A program on plates "a" and "b"; columns 1 and 3 of "a" hold red and column 2 blue unless told otherwise."""
    contents = [
        Fill(well=well, liquid="blue" if well.endswith("2") else "red", volume=volume) for well, volume in fills.items()
    ]
    given = {"liquid_classes": {**CLASSES, **(classes or {})}, "labware": {**rig.plates, **(labware or {})}, **fields}
    return program(rig, given.pop("contents", contents), instructions, **given)


TRANSFER = (pick(), draw(), push(), drop())

# -- measurements: each gives the size of the harm, 0 where there is none ------------------------------

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
    ends = [
        (weighed.well, _end(bench, weighed.instruction, weighed.well, weighed.well_after))
        for weighed in bench.weighings
    ]
    return max((tops[well] - end for well, end in ends if well in tops), default=0.0)


def _end(bench: Bench, made: Aspirate | Dispense | Mix, well: str, volume: float) -> float:
    own = bench.program.liquid_classes[made.liquid_class]
    if own.level_detection or made.height is None:
        return max(0.0, level(shape_of(bench, well), volume) - own.immersion)
    return made.height


def above_rim(wanted: Program, lab: Workcell) -> float:
    """µL that stand above the rim of a well at the start, as the labware's own maximum says."""
    bench = Bench(wanted, lab.spec)
    return max(fill.volume - shape_of(bench, fill.well).max_volume for fill in wanted.contents)


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


def crossed(wanted: Program, lab: Workcell) -> float:
    """mm by which a front channel would have to come behind its neighbour, in what a STAR is sent.

    The channels of a STAR slide along one arm and cannot pass each other; channel 0 is at the back.
    """
    star = StarBench(lab, wanted)
    asyncio.run(star.run())
    ys = numbers(star.backend.last("C0AS"), "yp")
    used = numbers(star.backend.last("C0AS"), "tm")
    there = [y / 10 for y, uses in zip(ys, used, strict=True) if uses]
    return max((front - back for back, front in pairwise(there)), default=0.0)


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
    """s by which an instruction began before one that it waits for had ended, on the World's clock."""
    acts = {act.instruction.partition(":")[2]: act for act in bench.world.log() if act.id.startswith("run:")}
    waiting = [(made.id, other) for made in bench.program.instructions for other in made.after or ()]
    return max((acts[other].end - acts[name].start for name, other in waiting), default=0.0)


def late(bench: Bench) -> float:
    """s by which an instruction began after its window was over, on the World's clock."""
    acts = {act.instruction.partition(":")[2]: act for act in bench.world.log() if act.id.startswith("run:")}
    windows = {made.id: made.window.latest for made in bench.program.instructions if made.window is not None}
    return max((acts[name].start - latest for name, latest in windows.items() if latest is not None), default=0.0)


def worst_noise(wanted: Program, lab: Workcell) -> float:
    """µL of air drawn, or of room lacking, in the worst of some runs with noise."""
    worst = 0.0
    for seed in range(20):
        bench = Bench(wanted, lab.spec, noise=Noise(), seed=seed).tell()
        found = [*air_drawn(bench), *overfilled(bench), *spilled(bench)]
        worst = max([worst, *(harm.amount for harm in found)])
        bench.world.close()
    return worst


# -- the table -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A program that deserves ``code``; the harm it does is more than ``least`` by ``measure``."""

    code: str
    wanted: Program
    measure: Measure
    least: float = 0.0
    lab: str = "starlet"
    margin: float = 0.0

    def verified(self) -> set[str]:
        """The error codes that verification gives."""
        found = verify(self.wanted, workcell(self.lab).spec, margin=self.margin).findings
        return {finding.code for finding in found if finding.severity == "error"}


BOTH = ("tips_300_1/A1", "tips_300_1/B1")
CELLS = Fill(well="a/A1", liquid="red", volume=200.0, settled="monolayer", settled_height=1.0)
RACK = tuple(f"tips_300_1/{row}{column}" for column in range(1, 13) for row in ROWS)
PLATE = wells(96, "a/1")
EVERY = dict.fromkeys(PLATE, 200.0)
REFUSED, FAILED = driven(failures), told(failures)


def head(*instructions: AnyInstruction, **fields: Any) -> Program:
    return made(pick(*RACK, **HEAD), *instructions, drop(**HEAD), fills=EVERY, **fields)


def two(kind: Any, name: str, first: str, second: str, **fields: Any) -> Any:
    return stroke(kind, name, (first, second), (50.0, 50.0), **fields)


def ot2(*instructions: AnyInstruction, **fields: Any) -> Program:
    return made(*instructions, rig=OT2, fills={"a/A1": 200.0}, **fields)


P300 = {"pipette": "p300", "channels": (0,)}
CASES = [
    # air is drawn, and the receiving well lacks as much: 195 µL from 200, of which 15 cannot be reached
    Case("L01", made(pick(), draw(volume=195), push(volume=195), drop()), told(air_drawn), 9.9),
    Case("L01", made(pick(), stroke(Mix, "mix", ("a/A1",), (199.0,), cycles=2), drop()), told(air_drawn), 13.9),
    Case("L01", made(pick(), draw("b/A1", 0, liquid_class="following"), drop()), FAILED),
    # 50 µL too much for a well of 360 lie on the deck
    Case("L02", made(pick(), draw(), push("b/B1"), drop(), fills=FULL | {"b/B1": 360.0}), told(lost), 49.9),
    Case("L03", made(pick(), draw(volume=40), push(volume=50), drop()), told(undelivered), 9.9),
    Case("L10", made(*TRANSFER, contents=[CELLS]), told(in_layer), 0.4),
    Case(
        "L10", made(pick(), draw(volume=150, liquid_class="following"), push(), contents=[CELLS]), told(in_layer), 0.4
    ),
    # nothing to spare: some run with noise draws air, runs over or overfills the tip
    Case("L11", made(pick(), draw(volume=185), push(volume=185), drop()), worst_noise, 0.1, margin=0.05),
    Case("L11", made(*TRANSFER, fills=FULL | {"b/B1": 310.0}), worst_noise, 0.1, margin=0.05),
    Case("L11", made(pick(), draw("diluent/A1", 360), fills={}), worst_noise, 0.1, margin=0.05),
    Case("L12", made(*TRANSFER, fills=FULL | {"b/D1": 361.0}), above_rim, 0.9),
    Case("T01", made(draw(), push()), told(tipless), 1.0),
    Case("T02", made(pick(), drop(), pick(name="again"), draw(), push()), told(tipless)),
    Case("T03", made(pick(), pick("tips_300_1/B1", name="again")), FAILED),
    Case("T04", ot2(pick("tips_20_1/A1", **P300), draw(**P300)), told(tipless), lab="ot2"),
    Case("T05", made(pick(), drop("tips_300_1/B1")), FAILED),
    Case("T06", made(pick(), draw("diluent/A1", 365), push("b/A1", 365)), told(overfilled), 4.9),
    Case("T08", made(pick("tips_50_1/A1"), draw("diluent/A1"), fills={"diluent/A1": 60_000.0}), told(drowned), 1.0),
    Case("P01", made(pick(), draw("a/A13"), drop()), REFUSED),
    Case("P01", made(pick("tips_300_1/A13")), REFUSED),
    Case("P02", made(pick(), draw("x/A1"), labware={"x": PlacedLabware(kind="vase", site="plates-b-1")}), REFUSED),
    Case("P02", made(MoveLabware(id="move", labware="x", site="plates-b-1")), REFUSED),
    Case("P03", made(MoveLabware(id="move", labware="b", site="nowhere")), REFUSED),
    Case("P04", made(MoveLabware(id="move", labware="b", site="plates-a-1")), FAILED),
    Case("P04", made(labware={"c": STARLET.plates["a"]}), overlap, 10_000.0),
    Case("P05", made(MoveLabware(id="move", labware="b", site="troughs-3")), FAILED),
    Case(
        "P06",
        made(*TRANSFER, labware={"a": PlacedLabware(kind="flat_96_360ul", site="plates-a-1", lid=True)}),
        FAILED,
    ),
    Case("P07", made(pick(*BOTH), two(Aspirate, "draw", "a/B1", "a/A1")), crossed, 8.9),
    Case("P07", made(pick(*BOTH), two(Aspirate, "draw", "a/A1", "a/A1")), star_refuses),
    Case("P07", head(stroke(Aspirate, "draw", ("diluent/A1",) * 96, (20.0,) * 96, **HEAD)), star_refuses),
    Case("P08", made(pick(), draw(), push(height=12), drop()), REFUSED),
    Case("P08", made(pick(), draw(), push(height=12), drop()), star_refuses),
    Case("D01", made(pick(channels=(8,))), REFUSED),
    Case("D01", made(pick(pipette="arm")), REFUSED),
    Case("D02", made(pick(), draw(liquid_class="honey")), REFUSED),
    Case("D03", made(pick("tips_1000_1/A1"), draw("diluent/A1", 1010, height=20)), REFUSED),
    Case(
        "D03",
        made(pick("tips_1000_1/A1"), AirGap(id="gap", volumes=(1010.0,), pipette="channels", channels=(0,))),
        REFUSED,
    ),
    Case(
        "D03",
        made(
            pick("tips_1000_1/A1"), draw(liquid_class="windy"), classes={"windy": LiquidClass(name="w", blow_out=1005)}
        ),
        REFUSED,
    ),
    Case(
        "D04",
        made(pick(), draw(liquid_class="fast"), classes={"fast": LiquidClass(name="f", aspirate_flow_rate=1001)}),
        REFUSED,
    ),
    Case("D05", made(Wait(id="wait", seconds=8 * 86_400.0)), told(overlong), 86_000.0),
    Case(
        "D06",
        made(Wait(id="one", seconds=10, after=("two",)), Wait(id="two", seconds=10, after=())),
        told(out_of_turn),
        19.9,
    ),
    Case(
        "D07",
        made(Wait(id="wait", seconds=100), AskPerson(id="ask", message="?", window=TimeWindow(latest=90))),
        told(late),
        9.9,
    ),
    Case("D08", ot2(MoveLabware(id="move", labware="b", site="slot-3")), ot2_refuses, lab="ot2"),
    Case("D09", head(stroke(Aspirate, "draw", PLATE, (20.0,) * 95 + (30.0,), **HEAD)), REFUSED),
    Case("D09", head(AirGap(id="gap", volumes=(5.0,) * 95 + (6.0,), **HEAD)), REFUSED),
    Case("D09", head(stroke(Aspirate, "draw", PLATE[:8], (20.0,) * 8, pipette="head96")), REFUSED),
    Case("D09", made(pick("tips_1000_1/A1", "tips_300_1/A1")), star_refuses),
    # 1 µL of film of blue in 150 µL of red
    Case(
        "C01",
        made(
            pick(),
            draw("a/A2", liquid_class="sticky"),
            push(liquid_class="sticky"),
            draw("a/A1", name="next", liquid_class="sticky"),
            classes={"sticky": LiquidClass(name="s", film=1.0, blow_out=5.0)},
        ),
        told(foreign),
        0.004,
    ),
    Case("C01", made(pick(), draw("a/A2"), stroke(Mix, "mix", ("a/A1",), (50.0,), cycles=1)), told(foreign), 0.1),
    # 0.2 µL of film of blue, of which a class without film leaves none in the red, go on to the next well with 50 of it
    Case(
        "C01",
        made(
            pick(),
            draw("a/A2", liquid_class="film"),
            push(liquid_class="film"),
            draw("a/A1", name="next"),
            push("b/C1", name="again"),
        ),
        told(foreign),
        0.003,
    ),
    # 0.2 µL of what it touched in the first well, four fifths of them blue, go on with the 80 µL in the tip
    Case(
        "C01",
        made(
            pick(),
            draw(volume=100, liquid_class="touch"),
            push("a/A2", 20, liquid_class="touch"),
            push("a/A3", 50, name="again", liquid_class="touch"),
            classes={"touch": LiquidClass(name="t", film=0.2)},
        ),
        told(foreign),
        0.0003,
    ),
    # an emptied tip that touches another liquid leaves its film there
    Case(
        "C01",
        made(
            pick(),
            draw(liquid_class="film"),
            push(liquid_class="film"),
            push("a/A2", 0, name="again", liquid_class="film"),
        ),
        told(foreign),
        0.0009,
    ),
]

UNSHOWN = [
    # a liquid that nobody described is poured, moved and weighed like any other
    Case("L12", made(*TRANSFER, contents=[Fill(well="a/A1", liquid="mystery", volume=200.0)]), driven(harms)),
    # labware set up by hand on a place made for another sort: it may stand badly, but nothing here feels that
    Case("P05", made(*TRANSFER, labware={"c": PlacedLabware(kind="flat_96_360ul", site="troughs-3")}), driven(harms)),
    # wells that do not lie in one line: a STAR goes to them one after the other of itself, not at the same moment
    Case("P07", made(pick(*BOTH), two(Aspirate, "draw", "a/A1", "a/B2"), drop(channels=(0, 1))), driven(harms)),
]
"""What verification rejects, and nothing can measure; the codes stand above with what can be."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.measure.__name__}")
def test_what_is_rejected_does_harm(case: Case) -> None:
    assert case.code in case.verified()
    assert case.measure(case.wanted, workcell(case.lab)) > case.least


@pytest.mark.parametrize("case", UNSHOWN, ids=lambda case: case.code)
def test_what_cannot_be_measured_is_rejected_all_the_same(case: Case) -> None:
    assert case.verified() == {case.code}
    assert case.measure(case.wanted, workcell(case.lab)) == 0.0


def test_every_error_code_is_in_the_table() -> None:
    assert {case.code for case in CASES} == {code for code, rule in RULES.items() if rule.severity == "error"}


SOUND = made(*TRANSFER, Wait(id="wait", seconds=0, after=("drop",)))


MEASURES = [*dict.fromkeys(case.measure for case in (*CASES, *UNSHOWN) if case.lab == "starlet")]


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_no_measurement_finds_harm_in_a_sound_program(measure: Measure) -> None:
    assert verify(SOUND, workcell("starlet").spec).ok
    assert measure(SOUND, workcell("starlet")) <= 0.0
