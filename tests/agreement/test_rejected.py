"""What verification rejects as an error really fails or harms: for every error code, programs and a measurement.

What cannot be measured is no error (``test_doubtful.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from protocols.instruction import TimeWindow
from protocols.liquids import LiquidClass
from protocols.program import (
    AirGap,
    AskPerson,
    Aspirate,
    Mix,
    MoveLabware,
    Program,
    TouchTip,
    Wait,
)
from protocols.specs import PlacedLabware
from protocols.verify import RULES, verify
from tests.agreement.harm import (
    air_drawn,
    drowned,
    failures,
    foreign,
    overfilled,
    undelivered,
)
from tests.agreement.measures import (
    Measure,
    above_rim,
    another_kind,
    astray,
    beyond,
    driven,
    in_layer,
    late,
    lost,
    nowhere,
    ot2_refuses,
    out_of_turn,
    overlap,
    overlong,
    past_the_rim,
    squeezed,
    star_refuses,
    tipless,
    told,
    worst_noise,
)
from tests.agreement.programs import STARLET, workcell
from tests.agreement.small import (
    BLUE,
    BOTH,
    CELLS,
    FULL,
    HEAD,
    OUTER,
    P300,
    PLATE,
    RACK,
    TRANSFER,
    TURNED,
    draw,
    drop,
    head,
    made,
    ot2,
    pick,
    push,
    stroke,
    two,
)
from tests.agreement.test_collisions import SCENES
from tests.agreement.test_devices_refuse import MISTAKES


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


REFUSED, FAILED = driven(failures), told(failures)

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
    Case(
        "L10",
        made(pick(), draw("a/A2"), push("a/A1", liquid_class="jet", height=0.5), contents=[CELLS, BLUE]),
        told(in_layer),
        0.4,
    ),
    Case(
        "L10",
        made(
            pick(),
            draw("a/A2", 20),
            push("a/A1", 20, liquid_class="following"),
            contents=[replace(CELLS, volume=20.0), BLUE],
        ),
        told(in_layer),
        0.4,
    ),
    Case(
        "L10",
        made(
            pick(),
            stroke(Mix, "mix", ("a/A1",), (150.0,), cycles=1, liquid_class="following", height=None),
            contents=[CELLS],
        ),
        told(in_layer),
        0.4,
    ),
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
    Case("P01", made(pick(), drop("tips_300_1/A13")), REFUSED),
    Case("P01", made(pick(), draw("tips_300_1/B1"), drop()), REFUSED),
    Case("P01", made(*TRANSFER, fills=FULL | {"a/A13": 100.0}), nowhere, 99.9),
    Case("P02", made(pick(), draw("x/A1"), labware={"x": PlacedLabware(kind="vase", site="plates-b-1")}), REFUSED),
    Case("P02", made(MoveLabware(id="move", labware="x", site="plates-b-1")), REFUSED),
    Case("P02", made(*TRANSFER, labware={"x": PlacedLabware(kind="vase", site="plates-b-1")}), nowhere),
    Case("P03", made(MoveLabware(id="move", labware="b", site="nowhere")), REFUSED),
    Case("P03", made(*TRANSFER, labware={"b": PlacedLabware(kind="flat_96_360ul", site="nowhere")}), nowhere),
    Case("P04", made(MoveLabware(id="move", labware="b", site="plates-a-1")), FAILED),
    Case("P04", made(labware={"c": STARLET.plates["a"]}), overlap, 10_000.0),
    # the workcell's own trough stands 243 mm from where the program would have it
    Case(
        "P04",
        made(
            pick(),
            draw("diluent/A1", height=20),
            labware={"diluent": PlacedLabware(kind="trough_200ml", site="troughs-3")},
        ),
        astray,
        200.0,
    ),
    Case(
        "P04",
        made(pick(), labware={"tips_300_1": PlacedLabware(kind="tips_50", site="tips-a-1")}),
        another_kind,
        200.0,
    ),
    # a plate of 127.8 mm on a place of 37 mm, a trough of 118 mm on one of 86 mm
    Case("P05", made(labware={"c": PlacedLabware(kind="flat_96_360ul", site="troughs-3")}), beyond, 84.0),
    Case("P05", made(labware={"c": PlacedLabware(kind="trough_200ml", site="plates-b-1")}), beyond, 25.0),
    Case("P05", made(MoveLabware(id="move", labware="b", site="troughs-3")), FAILED),
    Case(
        "P06",
        made(*TRANSFER, labware={"a": PlacedLabware(kind="flat_96_360ul", site="plates-a-1", lid=True)}),
        FAILED,
    ),
    Case("P07", made(pick(*BOTH), two(Aspirate, "draw", "a/B1", "a/A1")), squeezed, 17.9),
    Case(
        "P07",
        made(pick("tips_300_1/A1", "tips_300_1/C1", channels=(0, 2)), two(Aspirate, "draw", "a/A1", "a/B1", **OUTER)),
        squeezed,
        8.9,
    ),
    Case("P07", made(pick("tips_300_1/B1", "tips_300_1/A1")), squeezed, 17.9),
    # of three channels two lie on one line, where they would have to cross
    Case(
        "P07",
        made(
            pick("tips_300_1/A1", "tips_300_1/B1", "tips_300_1/C1"),
            stroke(Aspirate, "draw", ("a/A2", "a/B1", "a/A1"), (50.0,) * 3),
        ),
        squeezed,
        17.9,
    ),
    Case("P07", made(pick(*BOTH), two(Aspirate, "draw", "a/A1", "a/A1")), star_refuses),
    Case("P07", head(stroke(Aspirate, "draw", ("diluent/A1",) * 96, (20.0,) * 96, **HEAD)), star_refuses),
    Case("P07", head(stroke(Aspirate, "draw", (*PLATE[8:], *PLATE[:8]), (20.0,) * 96, **HEAD)), REFUSED),
    Case("P07", made(pick(*RACK[8:], *RACK[:8], **HEAD)), REFUSED),
    Case("P08", made(pick(), draw(), push(height=12), drop()), REFUSED),
    Case("P08", made(pick(), draw(), push(height=12), drop()), star_refuses),
    Case("P08", made(pick(), draw(liquid_class="following", height=12)), REFUSED),
    Case(
        "P08",
        made(pick(), TouchTip(id="touch", pipette="channels", channels=(0,), wells=("b/B1",), height=12.0), drop()),
        told(past_the_rim),
        1.0,
    ),
    Case("D01", made(pick(channels=(8,))), REFUSED),
    Case("D01", made(pick(pipette="arm")), REFUSED),
    Case("D02", made(pick(), draw(liquid_class="honey")), REFUSED),
    Case("D02", made(pick(), stroke(Mix, "mix", ("a/A1",), (50.0,), cycles=1, liquid_class="honey")), REFUSED),
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
        "D03",
        made(pick("tips_1000_1/A1"), stroke(Mix, "mix", ("diluent/A1",), (1010.0,), cycles=1, height=20.0), drop()),
        REFUSED,
    ),
    Case(
        "D03",
        made(
            pick("tips_1000_1/A1"),
            draw("diluent/A1", 520, height=20),
            draw("diluent/A1", 520, height=20, name="next"),
            push("diluent/A1", 1010, height=20),
        ),
        REFUSED,
    ),
    Case(
        "D04",
        made(
            pick(),
            draw(),
            push(liquid_class="fast"),
            classes={"fast": LiquidClass(name="f", dispense_flow_rate=1001)},
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
    Case("D06", made(Wait(id="one", seconds=10, after=("three",))), told(out_of_turn), 1e9),
    Case("D06", made(Wait(id="one", seconds=10, after=("one",))), told(out_of_turn), 9.9),
    Case(
        "D07",
        made(Wait(id="wait", seconds=100), AskPerson(id="ask", message="?", window=TimeWindow(latest=90))),
        told(late),
        9.9,
    ),
    Case(
        "D07",
        made(AskPerson(id="ask", message="?", window=TimeWindow(earliest=100, latest=90))),
        told(late),
        9.9,
    ),
    Case("D08", ot2(MoveLabware(id="move", labware="b", site="slot-3")), ot2_refuses, lab="ot2"),
    Case("D09", head(stroke(Aspirate, "draw", PLATE, (20.0,) * 95 + (30.0,), **HEAD)), REFUSED),
    Case("D09", head(AirGap(id="gap", volumes=(5.0,) * 95 + (6.0,), **HEAD)), REFUSED),
    Case("D09", head(stroke(Aspirate, "draw", PLATE[:8], (20.0,) * 8, pipette="head96")), REFUSED),
    Case("D09", head(stroke(Aspirate, "draw", PLATE[::-1], (20.0,) * 96, **HEAD | {"channels": TURNED})), REFUSED),
    Case("D09", made(pick(*RACK[:8], pipette="head96", channels=tuple(range(8)))), REFUSED),
    Case("D09", made(pick(*RACK, **HEAD), drop(pipette="head96", channels=tuple(range(8)))), REFUSED),
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
    # 10 µL of blue that were not dispensed go on with 50 of red
    Case(
        "C01",
        made(pick(), draw("a/A2"), push(volume=40), draw("a/A1", name="next"), push("b/C1", 60, name="again")),
        told(foreign),
        0.16,
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.measure.__name__}")
def test_what_is_rejected_does_harm(case: Case) -> None:
    assert case.code in case.verified()
    assert case.measure(case.wanted, workcell(case.lab)) > case.least


def test_every_error_code_is_in_the_table() -> None:
    elsewhere = {mistake.code for mistake in MISTAKES} | {"T09", "P14"} | {scene.code for scene in SCENES} - {"", "T10"}
    elsewhere.add("D16")  # of scripts, whose calls the guard refuses: tests/sources
    errors = {code for code, rule in RULES.items() if rule.severity == "error"}
    assert {case.code for case in CASES} | elsewhere == errors


SOUND = made(*TRANSFER, Wait(id="wait", seconds=0, after=("drop",)))


MEASURES = [*dict.fromkeys(case.measure for case in CASES if case.lab == "starlet")]


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_no_measurement_finds_harm_in_a_sound_program(measure: Measure) -> None:
    assert verify(SOUND, workcell("starlet").spec).ok
    assert measure(SOUND, workcell("starlet")) <= 0.0
