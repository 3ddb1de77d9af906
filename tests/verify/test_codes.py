"""Each code of verification: the smallest program that deserves it, and its mended twin that does not."""

from collections.abc import Callable

import pytest

from protocols.instruction import TimeWindow
from protocols.liquids import Liquid, LiquidClass
from protocols.program import (
    AskPerson,
    MoveLabware,
    PickUpTips,
    Program,
    Wait,
)
from protocols.specs import Fill, PlacedLabware
from protocols.verify import RULES, verify

from .lab import GRID, draw, drop, pick, program, push, workcell
from .test_devices import DEVICE_CASES

Case = Callable[[], tuple[Program, Program]]
LAB = workcell()
CASES: dict[str, Case] = {}


def case(code: str) -> Callable[[Case], Case]:
    def keep(function: Case) -> Case:
        CASES[code] = function
        return function

    return keep


@case("L01")
def _() -> tuple[Program, Program]:
    return program(pick(), draw(volume=195), push(volume=190), drop()), program(pick(), draw(), push(), drop())


@case("L02")
def _() -> tuple[Program, Program]:
    bad = program(pick(), draw(), push("plate/B1"), drop(), fills={"plate/A1": 200, "plate/B1": 350})
    return bad, program(pick(), draw(), push("plate/B1"), drop(), fills={"plate/A1": 200, "plate/B1": 310})


@case("L03")
def _() -> tuple[Program, Program]:
    return program(pick(), draw(volume=40), push(volume=50), drop()), program(pick(), draw(), push(), drop())


@case("L04")
def _() -> tuple[Program, Program]:
    return program(pick(), draw(volume=4), push(volume=4), drop()), program(
        pick(), draw(volume=5), push(volume=5), drop()
    )


@case("L05")
def _() -> tuple[Program, Program]:
    liquids = {"water": Liquid(name="water", behaviours={"viscous"}), "dye": Liquid(name="dye")}
    good = {"water": LiquidClass(name="thick", suits={"viscous"})}
    steps = (pick(), draw(), push(), drop())
    return program(*steps, liquids=liquids), program(*steps, liquids=liquids, liquid_classes=good)


@case("L06")
def _() -> tuple[Program, Program]:
    plain = {"50 % Glycerol": Liquid(name="50 % Glycerol"), "water": Liquid(name="water")}
    declared = plain | {"50 % Glycerol": Liquid(name="50 % Glycerol", behaviours={"viscous"})}
    return program(Wait(id="w", seconds=1), liquids=plain), program(Wait(id="w", seconds=1), liquids=declared)


@case("L07")
def _() -> tuple[Program, Program]:
    return program(pick(), draw(), drop()), program(pick(), draw(), push(), drop())


@case("L08")
def _() -> tuple[Program, Program]:
    following = {"water": LiquidClass(name="water", level_detection=True)}
    steps = (pick(), draw(height=None), push(), drop())
    return program(*steps), program(*steps, liquid_classes=following)


@case("L09")
def _() -> tuple[Program, Program]:
    vague = {"vague": PlacedLabware(kind="vague plate", site="site 6")}
    steps = (pick(), draw("vague/A1"), push(), drop())
    return program(*steps, labware=vague, fills={"vague/A1": 100}), program(pick(), draw(), push(), drop())


@case("L10")
def _() -> tuple[Program, Program]:
    cells = [Fill(well="plate/A1", liquid="water", volume=200, settled="monolayer", settled_height=0.5)]
    low = program(pick(), draw(height=0.1), push(), drop(), contents=cells)
    return low, program(pick(), draw(height=0.6), push(), drop(), contents=cells)


@case("L12")
def _() -> tuple[Program, Program]:
    wait = Wait(id="w", seconds=1)
    return program(wait, fills={"plate/A1": 361.0}), program(wait, fills={"plate/A1": 360.0})


@case("L13")
def _() -> tuple[Program, Program]:
    unknown = [Fill(well="plate/A1", liquid="mystery", volume=100)]
    return program(Wait(id="w", seconds=1), contents=unknown), program(Wait(id="w", seconds=1))


@case("T01")
def _() -> tuple[Program, Program]:
    return program(draw()), program(pick(), draw(), push(), drop())


@case("T02")
def _() -> tuple[Program, Program]:
    again = pick(name="again")
    return program(pick(), drop(), again, drop(name="d")), program(
        pick(), drop(), pick("tips/B1", name="again"), drop(name="d")
    )


@case("T03")
def _() -> tuple[Program, Program]:
    return program(pick(), pick("tips/B1", name="b"), drop()), program(
        pick(), drop(), pick("tips/B1", name="b"), drop(name="d")
    )


@case("T04")
def _() -> tuple[Program, Program]:
    return program(pick("odd tips/A1")), program(pick(), drop())


@case("T05")
def _() -> tuple[Program, Program]:
    return program(pick(), drop(spots=("tips/B1",))), program(pick(), drop(spots=("tips/A1",)))


@case("T06")
def _() -> tuple[Program, Program]:
    air = {"water": LiquidClass(name="water", transport_air=20)}
    full = {"trough/A1": 50_000.0}
    steps = (pick(), draw("trough/A1", 290), push("plate/A1", 290), drop())
    return program(*steps, fills=full, liquid_classes=air), program(*steps, fills=full)


@case("T07")
def _() -> tuple[Program, Program]:
    return program(pick()), program(pick(), drop())


@case("T08")
def _() -> tuple[Program, Program]:
    full = {"trough/A1": 50_000.0}
    deep = program(pick(), draw("trough/A1", height=1), push(), drop(), fills=full)
    return deep, program(pick(), draw("trough/A1", height=40), push(), drop(), fills=full)


@case("P01")
def _() -> tuple[Program, Program]:
    return program(pick(), draw("plate/A13"), drop()), program(pick(), draw("plate/A1"), push(), drop())


@case("P02")
def _() -> tuple[Program, Program]:
    wait = Wait(id="w", seconds=1)
    return program(wait, labware={"x": PlacedLabware(kind="no such", site="site 6")}), program(
        wait, labware={"x": PlacedLabware(kind="plate", site="site 6")}
    )


@case("P03")
def _() -> tuple[Program, Program]:
    return program(MoveLabware(id="m", labware="plate", site="nowhere")), program(
        MoveLabware(id="m", labware="plate", site="site 6")
    )


@case("P04")
def _() -> tuple[Program, Program]:
    return program(MoveLabware(id="m", labware="plate", site="site 4")), program(
        MoveLabware(id="m", labware="plate", site="site 6")
    )


@case("P05")
def _() -> tuple[Program, Program]:
    return program(MoveLabware(id="m", labware="plate", site="shelf")), program(
        MoveLabware(id="m", labware="plate", site="site 6")
    )


@case("P06")
def _() -> tuple[Program, Program]:
    steps = (pick(), draw("covered/A1"), push(), drop())
    fills = {"covered/A1": 200.0}
    closed = {"covered": PlacedLabware(kind="plate", site="site 6", lid=True)}
    opened = {"covered": PlacedLabware(kind="plate", site="site 6")}
    return program(*steps, labware=closed, fills=fills), program(*steps, labware=opened, fills=fills)


@case("P07")
def _() -> tuple[Program, Program]:
    both: dict[str, object] = {"channels": (0, 1), "volumes": (50.0, 50.0)}
    tips = PickUpTips(id="pick", pipette="p8", channels=(0, 1), spots=("tips/A1", "tips/B1"))
    fills = {"plate/A1": 200.0, "plate/B1": 200.0}

    def both_from(first: str, second: str) -> Program:
        wells = {"wells": (first, second)} | both
        return program(tips, draw(**wells), push(**wells), drop((0, 1)), fills=fills)

    return both_from("plate/B1", "plate/A1"), both_from("plate/A1", "plate/B1")


@case("P09")
def _() -> tuple[Program, Program]:
    both: dict[str, object] = {"channels": (0, 1), "volumes": (50.0, 50.0)}
    tips = PickUpTips(id="pick", pipette="p8", channels=(0, 1), spots=("tips/A1", "tips/B1"))
    fills = {"plate/A1": 200.0, "plate/B1": 200.0, "plate/B2": 200.0}

    def both_from(first: str, second: str) -> Program:
        wells = {"wells": (first, second)} | both
        return program(tips, draw(**wells), push(**wells), drop((0, 1)), fills=fills)

    return both_from("plate/A1", "plate/B2"), both_from("plate/A1", "plate/B1")


@case("P10")
def _() -> tuple[Program, Program]:
    wait = Wait(id="w", seconds=1)
    return program(wait, labware={"x": PlacedLabware(kind="trough", site="shelf")}), program(
        wait, labware={"x": PlacedLabware(kind="plate", site="shelf")}
    )


@case("P15")
def _() -> tuple[Program, Program]:
    wait = Wait(id="w", seconds=1)
    return program(wait, labware={"plate": PlacedLabware(kind="plate", site="site 3", lid=True)}), program(
        wait, labware={"plate": PlacedLabware(kind="plate", site="site 3")}
    )


@case("P08")
def _() -> tuple[Program, Program]:
    return program(pick(), draw(), push(height=10.1), drop()), program(pick(), draw(), push(height=10), drop())


@case("D01")
def _() -> tuple[Program, Program]:
    return program(pick(channel=8)), program(pick(channel=7), drop((7,)))


@case("D02")
def _() -> tuple[Program, Program]:
    return program(pick(), draw(liquid_class="honey"), drop()), program(pick(), draw(), push(), drop())


@case("D03")
def _() -> tuple[Program, Program]:
    full = {"trough/A1": 50_000.0}
    return program(pick(), draw("trough/A1", 301), push(volume=301), drop(), fills=full), program(
        pick(), draw("trough/A1", 300), push(volume=300), drop(), fills=full
    )


@case("D04")
def _() -> tuple[Program, Program]:
    fast = {"water": LiquidClass(name="water", aspirate_flow_rate=501)}
    slow = {"water": LiquidClass(name="water", aspirate_flow_rate=500)}
    steps = (pick(), draw(), push(), drop())
    return program(*steps, liquid_classes=fast), program(*steps, liquid_classes=slow)


@case("D05")
def _() -> tuple[Program, Program]:
    return program(Wait(id="w", seconds=86_401)), program(Wait(id="w", seconds=86_400))


@case("D06")
def _() -> tuple[Program, Program]:
    first, second = Wait(id="a", seconds=1), Wait(id="b", seconds=1, after=("a",))
    return program(second, first), program(first, second)


@case("D07")
def _() -> tuple[Program, Program]:
    def late(latest: float) -> Program:
        return program(Wait(id="a", seconds=100), AskPerson(id="b", message="?", window=TimeWindow(latest=latest)))

    return late(99), late(100)


@case("D09")
def _() -> tuple[Program, Program]:
    channels = tuple(range(96))
    fills = {f"plate/{well}": 200.0 for well in GRID}

    def stamp(last: float) -> Program:
        head: dict[str, object] = {"pipette": "head", "channels": channels}
        wells = {"wells": tuple(f"plate/{well}" for well in GRID), "volumes": (50.0,) * 95 + (last,)}
        tips = PickUpTips(id="pick", pipette="head", channels=channels, spots=tuple(f"tips/{well}" for well in GRID))
        return program(tips, draw(**head, **wells), push(**head, **wells), drop(**head), fills=fills)

    return stamp(60), stamp(50)


@case("C01")
def _() -> tuple[Program, Program]:
    fills = {"plate/A1": 200.0, "plate/A12": 200.0}
    film = {"liquid_class": "film"}
    first = (pick(), draw("plate/A12", **film), push("plate/C1", **film))
    same_tip = program(*first, draw(name="d2", **film), push(name="p2", **film), drop(), fills=fills)
    new_tip = (drop(name="x"), pick("tips/B1", name="n"))
    return same_tip, program(*first, *new_tip, draw(name="d2", **film), push(name="p2", **film), drop(), fills=fills)


@case("C02")
def _() -> tuple[Program, Program]:
    steps = (pick(), draw(), push())
    return program(*steps, drop(spots=("tips/A1",))), program(*steps, drop())


@case("C03")
def _() -> tuple[Program, Program]:
    fills = {"plate/A1": 200.0, "plate/A12": 200.0}
    first = (pick(), draw("plate/A12"), push("plate/C1"))
    same_tip = program(*first, draw(name="d2"), push(name="p2"), drop(), fills=fills)
    new_tip = (drop(name="x"), pick("tips/B1", name="n"))
    return same_tip, program(*first, *new_tip, draw(name="d2"), push(name="p2"), drop(), fills=fills)


@pytest.mark.parametrize("code", CASES)
def test_each_code_is_given_where_it_is_deserved_and_only_there(code: str) -> None:
    bad, good = CASES[code]()
    found = {finding.code: finding for finding in verify(bad, LAB).findings}
    assert code in found
    assert found[code].severity == RULES[code].severity
    assert found[code].message
    assert code not in {finding.code for finding in verify(good, LAB).findings}


def test_no_arm_is_found_on_a_workcell_without_one() -> None:
    move = program(MoveLabware(id="m", labware="plate", site="site 6"))
    assert "D08" in {finding.code for finding in verify(move, workcell(arm=None)).findings}
    assert verify(move, LAB).ok


def test_a_margin_asks_for_liquid_and_room_to_spare() -> None:
    tight = program(pick(), draw(volume=189), push(volume=189), drop())
    assert verify(tight, LAB).ok
    assert {finding.code for finding in verify(tight, LAB, margin=0.05).findings} == {"L11"}
    assert verify(program(pick(), draw(volume=150), push(volume=150), drop()), LAB, margin=0.05).ok


def test_every_code_has_a_case() -> None:
    of_scripts = {"D16"}  # tests/sources
    of_heads = {"P16", "P17", "T10"}  # test_collisions.py
    assert set(CASES) | set(DEVICE_CASES) | {"D08", "L11", "L15", "P13", "P14"} | of_heads | of_scripts == set(RULES)


def test_all_findings_come_at_once_with_step_well_and_mend() -> None:
    bad = program(
        pick(),
        draw(volume=195, step="7"),
        push("plate/B1", volume=195, step="8"),
        drop(),
        draw(name="later", step="9"),
        fills={"plate/A1": 200, "plate/B1": 200},
    )
    findings = verify(bad, LAB).findings
    errors = [finding for finding in findings if finding.severity == "error"]
    assert [(finding.code, finding.step, finding.place) for finding in errors] == [
        ("L01", "7", "plate/A1"),
        ("L02", "8", "plate/B1"),
        ("T01", "9", "plate/A1"),
    ]
    assert all(finding.mend for finding in errors)
    assert errors[1].message == "makes it 390 µL, it holds 360 µL"


def test_contamination_can_be_a_warning() -> None:
    bad, _ = CASES["C01"]()
    assert not verify(bad, LAB).ok
    assert verify(bad, LAB, contamination="warning").ok


def test_a_given_state_is_left_as_it_is() -> None:
    from protocols.labstate import LabState

    state = LabState.start(LAB)
    first = program(pick(), draw(), push(), drop())
    assert verify(first, LAB, state=state).ok
    assert state.tip_at("tips/A1")
    state.pick_up_tips("p8", (0,), ("tips/A1",))
    state.drop_tips("p8", (0,), None)
    assert {finding.code for finding in verify(first, LAB, state=state).findings} >= {"T02", "T01"}


def test_the_workcell_is_left_as_it_is() -> None:
    before = LAB.model_dump()
    verify(CASES["L02"]()[0], LAB)
    assert LAB.model_dump() == before
